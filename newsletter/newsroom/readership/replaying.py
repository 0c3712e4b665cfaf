"""Keeping what readers decided from being taken back by a restored backup."""

from __future__ import annotations

import logging

from sqlalchemy import Connection

from newsletter.newsroom.readership import erasing
from newsletter.newsroom.room import Newsroom
from newsletter.storage.forgetting import sweep_traces
from subscribers.addresses import Address
from subscribers.replaying import Replayed, is_behind, replay

__all__ = ["catch_up"]

log = logging.getLogger("newsletter.readers")


def catch_up(room: Newsroom) -> Replayed:
    """Tell the database what it has forgotten of the readers' journal; nearly always that is nothing, and costs that.

    Asked before every send, before every import, and at every tick: so nobody has to remember it.
    """
    if not is_behind(room.database.engine, room.reader_journal):
        return Replayed()

    def erase(connection: Connection, address: Address) -> None:
        erasing.erase_within(room, connection, address, again=True)

    done = replay(room.database.engine, room.reader_journal, room.clock.now(), erase)
    sweep_traces(room.database)
    if done.anybody:
        log.warning(
            "the database was behind what readers decided: %d unsubscribed, %d suppressed, %d erased, %d moved again",
            done.unsubscribed,
            done.suppressed,
            done.erased,
            done.moved,
        )
    return done
