"""What the desk may see and do of one subscriber; what the subscribers' house refuses comes as an error of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from newsletter.errors import InputError, NotFoundError
from newsletter.newsroom.room import Newsroom
from subscribers.errors import RefusedError, UnknownSubscriberError

__all__ = ["end", "show", "suppress"]


def show(room: Newsroom, address: str) -> Mapping[str, object]:
    """Subscriptions, preferences and history; raises `NotFoundError`, `InputError`."""
    with _ours():
        return room.subscribers.show(address)


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
