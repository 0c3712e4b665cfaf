"""What to do about a database that has forgotten mail which left from this desk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from newsletter.errors import NothingToDoError, StorageError
from newsletter.model import IssueId
from newsletter.newsroom.room import Newsroom
from newsletter.storage.reconciling import Forgotten, catch_up, forgotten

__all__ = ["reconcile", "refuse_forgetful"]


def refuse_forgetful(room: Newsroom, issue_id: IssueId) -> None:
    """Raise `StorageError` where the journal knows of mail that the database does not: it is an old backup."""
    for each in {issue_id, room.journal.latest() or issue_id}:
        if forgotten(room.database, room.journal, each):
            raise StorageError(
                f"mail of {each} left from this desk that the database knows nothing of: it is an old backup."
                " Nothing is sent until `newsletter db reconcile` has told it"
            )


def reconcile(room: Newsroom) -> Iterator[Forgotten]:
    """Tell the database what left from this desk since it was backed up, issue by issue.

    The index of stories, which is behind or ahead of it as well, is made anew. What readers decided is told by
    `readership.replaying`. Raises `NothingToDoError` where the database knows all.
    """
    old = [each for each in room.journal.issues() if forgotten(room.database, room.journal, each)]
    if not old:
        raise NothingToDoError("the database knows of everything that the journal says left from here")
    shutil.rmtree(room.desk / ".index", ignore_errors=True)
    for issue_id in old:
        now = room.clock.now()
        room.issues.plan(issue_id, now, now, "db reconcile")
        yield catch_up(room.database, room.journal, room.desk / ".flights", issue_id, now)
