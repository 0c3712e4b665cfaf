"""The transport of a rehearsal: it takes every message and keeps none."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from newsletter.model import DeliveryState, Message, Outcome

__all__ = ["NowhereTransport"]


class NowhereTransport:
    """A `Transport` that touches neither network nor disk."""

    name = "nowhere"
    leaves_machine = False
    connections = 1
    per_connection: int | None = None

    async def connect(self) -> NowhereConnection:
        """A conversation with nobody."""
        return NowhereConnection()


class NowhereConnection:
    """A `Connection` for which every message is made, looked at by nobody, and taken."""

    async def carry(
        self,
        window: Iterable[Message],
        settle: Callable[[Outcome], None],
        leaving: Callable[[Message], None] = lambda message: None,
    ) -> None:
        """Take the whole window."""
        for message in window:
            settle(Outcome(message.delivery, DeliveryState.SUBMITTED, 250, "250 rehearsed"))

    async def close(self) -> None:
        """Nothing to close."""
