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
from newsletter.newsroom.readership.requests import FORM, request_of
from newsletter.newsroom.readership.turns import in_turn
from newsletter.newsroom.room import Newsroom
from newsletter.storage.forgetting import move_reader, reader_deliveries, reader_tellings
from newsletter.tokens import Purpose
from subscribers.addresses import parse_address
from subscribers.changing import Change, Outcome
from subscribers.errors import AddressError, UnknownSubscriberError
from subscribers.model import SignUp, Subscriber
from subscribers.requests import Asked, RequestKind

__all__ = [
    "Holdings",
    "Moving",
    "agree",
    "ask_change",
    "ask_for_data",
    "delete",
    "document",
    "holdings",
    "moving",
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
    told: int
    programs: tuple[str, ...]
    """How often programs elsewhere were told something of them, and which."""


def ask_for_data(room: Newsroom, signup: SignUp, *, language: str, network: str) -> None:
    """Have whoever has that address sent a fresh link to their data; at most once a day."""
    now = room.clock.now()
    with in_turn(room):
        room.subscribers.ask(RequestKind.DATA, signup, now, language=language, network=network, form=FORM)


def whose(room: Newsroom, token: str) -> tuple[Subscriber, str] | None:
    """Whose data a fresh link shows, and the language it was asked for in; None for one too old, or not ours."""
    asked = request_of(room, token, Purpose.DATA)
    if asked is None:
        return None
    try:
        return room.privacy.whose(asked), asked.language
    except UnknownSubscriberError:
        return None


def holdings(room: Newsroom, held: Subscriber) -> Holdings:
    """What is held of a reader, in short."""
    whole = room.privacy.holdings(held)
    number, last = 0, ""
    for message in reader_deliveries(room.database, held.id):
        number, last = number + 1, str(message["at"])
    told = reader_tellings(room.database, held.id)
    return Holdings(
        subscriber=held,
        since=whole["created_at"],
        subscriptions=whole["subscriptions"],
        history=len(whole["history"]),
        bounces=len(whole["bounces"]),
        messages=number,
        last_message=last,
        told=len(told),
        programs=tuple(sorted({str(each["webhook"]) for each in told})),
    )


def document(room: Newsroom, held: Subscriber) -> Iterator[str]:
    """All that is held of a reader as one JSON document, piece by piece."""
    found = room.privacy.holdings(held) | {"programs_told": reader_tellings(room.database, held.id)}
    whole = json.dumps(found, ensure_ascii=False, indent=1, default=_plain)
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
    with in_turn(room):
        room.privacy.ask_change(held, parsed, now, language=language, network=network, form=FORM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """A change of address as one of the two addresses sees it: the old one, which is `leaving`, or the new one, which
    is not told what the old one is (`before` is empty then). `over`: it has ended, and nothing was changed."""

    asked: Asked
    leaving: bool
    before: str
    after: str
    agreed: bool
    changed: bool
    over: bool


def moving(room: Newsroom, token: str) -> Moving | None:
    """The change of address that a link is about; None for no such link."""
    asked = request_of(room, token, Purpose.MOVE)
    return None if asked is None else _moving(asked, room.privacy.change_of(asked, room.clock.now()))


def agree(room: Newsroom, move: Moving, network: str) -> Moving:
    """One of the two addresses agrees; with the second one, what is still to be sent goes to the new address too."""
    now = room.clock.now()
    with in_turn(room), room.database.write() as connection:
        change = room.privacy.agree(connection, move.asked, now, network)
        if change is not None and change.moved is not None:
            move_reader(connection, change.subscriber.id, change.subscriber.email)
            room.privacy.note_moved(connection, change.moved, change.address, now)
    return _moving(move.asked, change) or move


def refuse(room: Newsroom, move: Moving) -> Moving:
    """One of the two addresses does not want it."""
    with in_turn(room):
        change = room.privacy.refuse(move.asked, room.clock.now())
    return _moving(move.asked, change) or move


def _moving(asked: Asked, change: Change | None) -> Moving | None:
    if change is None:
        return None
    leaving = asked.kind is RequestKind.LEAVE
    return Moving(
        asked=asked,
        leaving=leaving,
        before=asked.address.email if leaving else "",
        after=change.address.email,
        agreed=change.left if leaving else change.joined,
        changed=change.outcome is Outcome.CHANGED,
        over=change.outcome not in (Outcome.OPEN, Outcome.CHANGED),
    )


def delete(room: Newsroom, held: Subscriber) -> None:
    """Erase the reader; harmless to repeat."""
    try:
        erasing.erase(room, held.email)
    except NothingToDoError:
        return


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
