"""What the desk may see and do of one subscriber; what the subscribers' house refuses comes as an error of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from newsletter.errors import InputError, NotFoundError
from newsletter.newsroom.readership import erasing, requests
from newsletter.newsroom.room import Newsroom
from subscribers.choosing import Choice, Decision
from subscribers.errors import RefusedError, UnknownSubscriberError
from subscribers.model import Fate, SignUp, Status, Subscriber, Subscription
from subscribers.signups import sign_up
from subscribers.suppressing import told

__all__ = [
    "NOBODY",
    "change",
    "documents",
    "end",
    "enrol",
    "find",
    "forget",
    "number_of",
    "page",
    "reader",
    "show",
    "suppress",
    "unsuppress",
    "was",
    "whom",
]

NOBODY = "an address without a subscriber"


def show(room: Newsroom, address: str) -> Mapping[str, object]:
    """Subscriptions, preferences and history; raises `NotFoundError`, `InputError`."""
    with _ours():
        return room.subscribers.show(address)


def find(room: Newsroom, address: str) -> Subscriber:
    """The subscriber with that address; raises as `show` does."""
    with _ours():
        return room.subscribers.find(address)


def number_of(room: Newsroom, address: str) -> int:
    """By what number that subscriber is known; raises as `show` does."""
    with _ours():
        return room.subscribers.find(address).id


def whom(room: Newsroom, address: str) -> str:
    """How the audit log names whoever has that address; raises `InputError`."""
    try:
        return f"subscriber {number_of(room, address)}"
    except NotFoundError:
        return NOBODY


def was(lifted: str | None) -> str:
    """How the audit log tells of a suppression that was lifted: what a person typed as its reason stays out of it."""
    return f"was {told(lifted)}" if lifted else "was not suppressed"


def reader(room: Newsroom, number: int) -> Subscriber:
    """The subscriber of that number; raises `NotFoundError`."""
    with _ours():
        return room.subscribers.get(number)


def documents(room: Newsroom, people: Sequence[Subscriber]) -> list[dict[str, object]]:
    """The documents of `show`, without their histories."""
    return room.subscribers.documents(people)


def page(
    room: Newsroom,
    *,
    email: str | None = None,
    begins: str = "",
    newsletter: str | None = None,
    status: str | None = None,
    below: int | None = None,
    limit: int = 50,
) -> tuple[list[dict[str, object]], int | None]:
    """A page of subscribers, the latest first, or in the order of their addresses where `begins` says how those begin;
    and behind whom the next page goes on.

    `email` is the whole address of one. Raises `NotFoundError` for a newsletter that is none, `InputError` for an
    address that is none.
    """
    names = [room.newsletter(newsletter).name] if newsletter else list(room.plan.newsletters) if status else []
    with _ours():
        if email is not None:
            found = [each for each in _found(room, email) if _holds(each, names, status)]
        else:
            found = room.subscribers.look(begins=begins, newsletters=names, status=status, below=below, limit=limit + 1)
    shown = found[:limit]
    return documents(room, shown), shown[-1].id if len(found) > limit else None


def enrol(
    room: Newsroom,
    address: str,
    newsletters: Sequence[str],
    *,
    consent: tuple[datetime, str] | None = None,
    name: str | None = None,
    countries: Sequence[str] | None = None,
    frequency: str | None = None,
    language: str | None = None,
    timezone: str | None = None,
    attributes: Mapping[str, str] = MappingProxyType({}),
    how: str = "added by hand",
    ask: bool = False,
) -> tuple[Fate, bool]:
    """Add one subscriber to these newsletters: confirmed by a `consent` (when, and where it comes from), else pending;
    what became of that, and whether they are asked by mail to confirm.

    With `ask` they are, once: of the newsletters that they have never been on the list of. Nobody who unsubscribed or
    is suppressed is revived, or mailed. Raises `NotFoundError` for a newsletter that is none, `InputError` for a field
    that cannot be taken.
    """
    wanted = Subscription(Status.CONFIRMED, *consent) if consent else Subscription(Status.PENDING)
    for each in newsletters:
        room.newsletter(each)
    with _ours():
        signup = sign_up(
            address,
            newsletters,
            name=name,
            countries=countries,
            frequency=frequency,
            language=language,
            timezone=timezone,
            attributes=attributes,
            wanted=wanted,
            regions=room.plan.places,
        )
        # Asked first: who dies in between leaves a letter that subscribes, and not a subscription that nobody asks of.
        asked = ask and consent is None and _ask(room, signup, how)
        return room.subscribers.add(signup, room.clock.now(), how=how), asked


def _ask(room: Newsroom, signup: SignUp, how: str) -> bool:
    """Have the address asked for what is new to it: a program that sends everybody again each night mails nobody."""
    try:
        held = room.subscribers.show(signup.address.email)
    except UnknownSubscriberError:
        held = {}
    known = held.get("subscriptions")
    fresh = tuple(name for name in signup.newsletters if not isinstance(known, dict) or name not in known)
    if not fresh or held.get("status") == "suppressed":
        return False
    languages, own = room.newsletter(fresh[0]).languages, signup.language or held.get("language")
    language = str(own) if own in languages else languages[0]
    requests.ask_to_subscribe(room, replace(signup, newsletters=fresh), language=language, network=how)
    return True


def change(
    room: Newsroom, number: int, chosen: Mapping[str, object], *, how: str, decision: tuple[datetime, str] | None = None
) -> Choice:
    """Change some of a subscriber's preferences, by the names of `Preferences`; what readers decided themselves only
    by another `decision` of theirs (when, and where it was made).

    Raises `NotFoundError` for nobody of that number, `InputError` for a value that is none.
    """
    theirs = Decision(*decision) if decision else None
    with _ours():
        now, regions = room.clock.now(), room.plan.places
        return room.subscribers.choose(number, chosen, now, how=how, decision=theirs, regions=regions)


def end(room: Newsroom, address: str, newsletter: str | None, *, who: str) -> tuple[str, ...]:
    """End the subscription to that newsletter, or to all; those that ended with this call. Raises as `show` does."""
    with _ours():
        return room.subscribers.unsubscribe(address, newsletter, room.clock.now(), how=f"by {who}")


def suppress(room: Newsroom, address: str, *, who: str, reason: str = "by hand") -> bool:
    """Never mail the address again, whatever is imported; False where that was so. Raises `InputError`."""
    with _ours():
        return room.subscribers.suppress(address, reason, room.clock.now(), detail=f"by {who}")


def _found(room: Newsroom, email: str) -> list[Subscriber]:
    try:
        return [room.subscribers.find(email)]
    except UnknownSubscriberError:
        return []


def _holds(each: Subscriber, names: Sequence[str], status: str | None) -> bool:
    held = [each.subscriptions[name] for name in names if name in each.subscriptions]
    return not names or any(status is None or kept.status == status for kept in held)


def unsuppress(room: Newsroom, address: str, why: str, *, who: str) -> str | None:
    """Let the address be mailed again; the reason that spoke against it, or None. Raises `InputError`."""
    if not why.strip():
        raise InputError("say why the address may be mailed again")
    with _ours():
        return room.privacy.unsuppress(address, why.strip(), room.clock.now(), f"by {who}")


def forget(room: Newsroom, address: str) -> int:
    """Erase whoever has the address; their number, 0 where there was none. Raises as `erasing.erase` does."""
    return erasing.erase(room, address).subscriber


@contextmanager
def _ours() -> Iterator[None]:
    try:
        yield
    except UnknownSubscriberError as error:
        raise NotFoundError(str(error)) from None
    except RefusedError as error:
        raise InputError(str(error)) from None
