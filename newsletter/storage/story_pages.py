"""Which stories a newsletter's issues have shown, by the key of their pages in its archive."""

from __future__ import annotations

from collections.abc import Collection, Set
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter.model import BEGUN, Snapshot, page_key
from newsletter.storage.database import Database
from newsletter.storage.tables import issue, story_page

__all__ = ["PrintedStory", "StoryPages", "keep_pages"]


@dataclass(frozen=True, slots=True)
class PrintedStory:
    """A story that an issue carries or offers; `out` once such an issue has gone to a reader."""

    id: str
    out: bool


class StoryPages:
    """The stories of every issue of the desk, carried or offered as related reading."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, newsletter: str, key: str) -> PrintedStory | None:
        """The story that the newsletter has under that key."""
        query = sa.select(story_page.c.story, issue.c.state).join(issue, issue.c.id == story_page.c.issue_id)
        with self._database.read() as connection:
            rows = connection.execute(query.where(issue.c.newsletter == newsletter, story_page.c.key == key)).all()
        return PrintedStory(rows[0].story, any(row.state in BEGUN for row in rows)) if rows else None

    def out(self, newsletter: str, story_ids: Collection[str]) -> Set[str]:
        """Which of the stories have a page in that newsletter's archive."""
        query = (
            sa.select(story_page.c.story)
            .join(issue, issue.c.id == story_page.c.issue_id)
            .where(
                issue.c.newsletter == newsletter,
                issue.c.state.in_(BEGUN),
                story_page.c.key.in_([page_key(story_id) for story_id in story_ids]),
            )
        )
        with self._database.read() as connection:
            return frozenset(connection.scalars(query))


def keep_pages(connection: Connection, pk: int, snapshot: Snapshot) -> None:
    """What the draft in row `pk` of the issues shows, in place of what it showed before."""
    connection.execute(sa.delete(story_page).where(story_page.c.issue_id == pk))
    shown = {placed.story.id for placed in snapshot.placed}
    shown |= {related.id for placed in snapshot.placed for related in placed.related}
    if rows := [{"issue_id": pk, "key": page_key(story_id), "story": story_id} for story_id in sorted(shown)]:
        connection.execute(sa.insert(story_page), rows)
