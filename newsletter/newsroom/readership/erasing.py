"""Erasing one person, for good: in both houses at once, and in the files of the desk."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection

from newsletter.errors import InputError, NothingToDoError
from newsletter.newsroom.programs import happenings
from newsletter.newsroom.readership import imports
from newsletter.newsroom.readership.turns import in_turn
from newsletter.newsroom.room import Newsroom
from newsletter.storage.forgetting import forget_reader, sweep_traces, wipe
from newsletter.storage.mentions import forms_of
from subscribers.addresses import Address, parse_address
from subscribers.erasing import Erased
from subscribers.errors import AddressError
from subscribers.tables import metadata

__all__ = ["KEPT_AS_IT_IS", "clear_files", "erase", "erase_within"]

KEPT_AS_IT_IS = {
    "address_change": "by number and by address",
    "subscriber": "by number",
    "subscription": "by number",
    "subscriber_event": "by number; others' histories name the desk's own people alone",
    "subscriber_request": "by address",
    "suppression": "by address",
}
"""Tables of the subscribers' house that are not looked through for the words of an address, and why."""


def erase(room: Newsroom, address: str) -> Erased:
    """Erase whoever has that address; committed when this returns.

    Raises `InputError` for what is no address, `NothingToDoError` where nothing is held of it. What is queued for them
    finds no reader, and is never mailed; what a mail server is taking at this moment is.
    """
    try:
        parsed = parse_address(address)
    except AddressError as error:
        raise InputError(str(error)) from None
    with in_turn(room), room.database.write() as connection:
        erased = erase_within(room, connection, parsed)
    if erased is None:
        raise NothingToDoError("nothing is held of that address")
    clear_files(room, _forms(erased))
    return erased


def erase_within(room: Newsroom, connection: Connection, address: Address, *, again: bool = False) -> Erased | None:
    """The same within a transaction, without the files; `again` where the journal of the desk says so."""
    now = room.clock.now()
    erased = room.privacy.erase(connection, address, now)
    if erased is not None:
        forms = _forms(erased)
        forget_reader(connection, erased.subscriber, forms)
        wipe(connection, metadata.tables.values(), forms, KEPT_AS_IT_IS)
        if not again:
            happenings.tell_erased(connection, erased, now)
            room.privacy.note_erased(connection, erased, now)
    return erased


def clear_files(room: Newsroom, forms: Collection[str]) -> None:
    """Throw away files brought for import that name an address, and what SQLite's log of writes remembers.

    One that is being worked on stays: who was erased is not taken from it, and it goes when that is done.
    """
    wanted = [form.lower().encode() for form in forms]
    for brought in imports.kept(room):
        folder = imports.folder_of(room, brought.id)
        if not brought.at_work and any(_names(path, wanted) for path in folder.iterdir()):
            shutil.rmtree(folder, ignore_errors=True)
    sweep_traces(room.database)


def _names(path: Path, wanted: Sequence[bytes]) -> bool:
    """Whether one of these words stands in a file, which may be long."""
    overlap, tail = max(map(len, wanted)), b""
    with suppress(FileNotFoundError), path.open("rb") as file:
        while piece := file.read(1 << 20):
            text = tail + piece.lower()
            if any(word in text for word in wanted):
                return True
            tail = text[-overlap:]
    return False


def _forms(erased: Erased) -> set[str]:
    return forms_of(form for each in erased.addresses for form in (each.email, each.key))
