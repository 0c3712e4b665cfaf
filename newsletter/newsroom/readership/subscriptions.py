"""What the desk may see and do of one subscriber; what the subscribers' house refuses comes as an error of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from newsletter.errors import InputError, NotFoundError
from newsletter.newsroom.readership import erasing
from newsletter.newsroom.room import Newsroom
from subscribers.errors import RefusedError, UnknownSubscriberError
from subscribers.model import Subscriber

__all__ = ["end", "find", "forget", "number_of", "reader", "show", "suppress", "unsuppress"]


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


def reader(room: Newsroom, number: int) -> Subscriber:
    """The subscriber of that number; raises `NotFoundError`."""
    with _ours():
        return room.subscribers.get(number)


def end(room: Newsroom, address: str, newsletter: str | None, *, who: str) -> None:
    """End the subscription to that newsletter, or to all; raises as `show` does."""
    with _ours():
        room.subscribers.unsubscribe(address, newsletter, room.clock.now(), how=f"by {who}")


def suppress(room: Newsroom, address: str, *, who: str) -> None:
    """Never mail the address again, whatever is imported; raises `InputError`."""
    with _ours():
        room.subscribers.suppress(address, "by hand", room.clock.now(), detail=f"by {who}")


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
