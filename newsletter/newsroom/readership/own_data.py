"""What readers may do by a fresh link, mailed to their address: see and take with them what is held, move, be erased.

The links at the foot of an issue do not suffice: issues get forwarded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from newsletter.errors import InputError, NothingToDoError
from newsletter.newsroom.readership import erasing
from newsletter.newsroom.readership.requests import FORM
from newsletter.newsroom.room import Newsroom
from newsletter.storage.forgetting import move_reader, reader_deliveries
from newsletter.tokens import Purpose
from subscribers.addresses import parse_address
from subscribers.changing import Change, Outcome
from subscribers.errors import AddressError, UnknownSubscriberError
from subscribers.model import SignUp, Subscriber
from subscribers.requests import Asked, RequestKind

__all__ = [
    "Holdings",
    "agree",
    "ask_change",
    "ask_for_data",
    "change_of",
    "delete",
    "document",
    "holdings",
    "refuse",
    "whose",
]


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a page shows of what is held: the whole of it stands in the file."""

    subscriber: Subscriber
    since: datetime
    subscriptions: list[Mapping[str, Any]]
    history: int
    bounces: int
    messages: int
    last_message: str


def ask_for_data(room: Newsroom, signup: SignUp, *, language: str, network: str) -> None:
    """Have whoever has that address sent a fresh link to their data; at most once a day."""
    room.subscribers.ask(RequestKind.DATA, signup, room.clock.now(), language=language, network=network, form=FORM)


def whose(room: Newsroom, token: str) -> tuple[Subscriber, str] | None:
    """Whose data a fresh link shows, and the language it was asked for in; None for one too old, or not ours."""
    payload = room.signer.verify(Purpose.DATA, token, room.clock.now())
    if payload is None:
        return None
    try:
        asked = room.subscribers.request(int(payload))
        return room.privacy.whose(asked), asked.language
    except UnknownSubscriberError:
        return None


def holdings(room: Newsroom, held: Subscriber) -> Holdings:
    """What is held of a reader, in short."""
    whole = room.privacy.holdings(held)
    number, last = 0, ""
    for message in reader_deliveries(room.database, held.id):
        number, last = number + 1, str(message["at"])
    return Holdings(
        held, whole["created_at"], whole["subscriptions"], len(whole["history"]), len(whole["bounces"]), number, last
    )


def document(room: Newsroom, held: Subscriber) -> Iterator[str]:
    """All that is held of a reader as one JSON document, piece by piece."""
    whole = json.dumps(room.privacy.holdings(held), ensure_ascii=False, indent=1, default=_plain)
    yield whole.removesuffix("\n}") + ',\n "messages": ['
    for number, message in enumerate(reader_deliveries(room.database, held.id)):
        yield ("," if number else "") + "\n  " + json.dumps(message, ensure_ascii=False, default=_plain)
    yield "\n ]\n}\n"


def ask_change(room: Newsroom, held: Subscriber, address: str, *, language: str, network: str) -> None:
    """Have both addresses asked; the same for every new one, known or not. Raises `InputError` for what is none."""
    try:
        parsed = parse_address(address)
    except AddressError as error:
        raise InputError(str(error)) from None
    now = room.clock.now()
    room.privacy.ask_change(held, parsed, now, language=language, network=network, form=FORM)


def change_of(room: Newsroom, token: str) -> tuple[Asked, Change] | None:
    """The change of address that a link is about, and whom it was mailed to; None for no such link."""
    payload = room.signer.verify(Purpose.MOVE, token, room.clock.now())
    if payload is None:
        return None
    try:
        asked = room.subscribers.request(int(payload))
    except UnknownSubscriberError:
        return None
    change = room.privacy.change_of(asked, room.clock.now())
    return (asked, change) if change else None


def agree(room: Newsroom, asked: Asked, network: str) -> Change | None:
    """One of the two addresses agrees; with the second one, what is still to be sent goes to the new address too."""
    with room.database.write() as connection:
        change = room.privacy.agree(connection, asked, room.clock.now(), network)
        if change is not None and change.outcome is Outcome.CHANGED:
            move_reader(connection, change.subscriber.id, change.subscriber.email)
    return change


def refuse(room: Newsroom, asked: Asked) -> Change | None:
    """One of the two addresses does not want it."""
    return room.privacy.refuse(asked, room.clock.now())


def delete(room: Newsroom, held: Subscriber) -> None:
    """Erase the reader; harmless to repeat."""
    try:
        erasing.erase(room, held.email)
    except NothingToDoError:
        return


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
