"""What we remember of each source between polls."""

from __future__ import annotations

import sqlalchemy as sa

from newsletter.ports import SourceState
from newsletter.storage.database import Database, insert_or_ignore
from newsletter.storage.documents import SOURCE_STATE
from newsletter.storage.tables import source_state

__all__ = ["SourceStates"]


class SourceStates:
    """The state of every source that was ever polled, by source id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, source: str, asked: str | None = None) -> SourceState:
        """The state after the last poll; an empty one for a source never polled, or polled at another address."""
        with self._database.read() as connection:
            text = connection.scalar(sa.select(source_state.c.document).where(source_state.c.source == source))
        state = SOURCE_STATE.validate_json(text) if text else SourceState()
        return state if state.asked in (None, asked) or asked is None else SourceState()

    def put(self, source: str, state: SourceState) -> None:
        """Remember the state after a poll."""
        document = SOURCE_STATE.dump_json(state).decode()
        with self._database.write() as connection:
            connection.execute(insert_or_ignore(connection, source_state).values(source=source, document=document))
            connection.execute(sa.update(source_state).where(source_state.c.source == source).values(document=document))
