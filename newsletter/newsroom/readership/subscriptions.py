"""What the desk may see and do of one subscriber; what the subscribers' house refuses comes as an error of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from newsletter.errors import InputError, NotFoundError
from newsletter.newsroom.room import Newsroom
from subscribers.errors import RefusedError, UnknownSubscriberError
from subscribers.model import Subscriber

__all__ = ["end", "number_of", "reader", "show", "suppress"]


def show(room: Newsroom, address: str) -> Mapping[str, object]:
    """Subscriptions, preferences and history; raises `NotFoundError`, `InputError`."""
    with _ours():
        return room.subscribers.show(address)


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


@contextmanager
def _ours() -> Iterator[None]:
    try:
        yield
    except UnknownSubscriberError as error:
        raise NotFoundError(str(error)) from None
    except RefusedError as error:
        raise InputError(str(error)) from None
