"""Taking a file of subscribers in, whoever brought it: the rows first, then one word to the programs that want it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from newsletter.newsroom.programs import happenings
from newsletter.newsroom.room import Newsroom
from subscribers.importing import ImportReport
from subscribers.signups import Terms

__all__ = ["take_in"]


def take_in(
    room: Newsroom,
    path: Path,
    *,
    newsletters: Sequence[str],
    consent_source: str | None,
    dry_run: bool = False,
    rejects: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ImportReport:
    """Take in every row that can be taken; see `subscribers.importing.import_file`, also for what it raises.

    `newsletters` are for rows that name none, `consent_source` says where the consent of confirmed rows comes from.
    """
    terms = Terms(
        known=frozenset(room.plan.newsletters),
        regions=frozenset(room.plan.places),
        newsletters=tuple(newsletters),
        consent_source=consent_source or None,
    )
    now = room.clock.now()
    report = room.subscribers.import_file(path, terms, now, dry_run=dry_run, rejects=rejects, progress=progress)
    if not dry_run:
        with room.database.write() as connection:
            happenings.tell_imported(connection, report, now)
    return report
