"""The transport that speaks SMTP: conversations with one relay, each carrying window after window."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from newsletter.deliver.chain import Chain, Conversation
from newsletter.deliver.dialling import Patience, dial, take_leave, tls_context
from newsletter.deliver.relay import Relay
from newsletter.errors import LostLineError, ThrottledError, TransportError
from newsletter.model import DeliveryState, Message, Outcome

__all__ = ["SmtpConnection", "SmtpTransport"]


class SmtpTransport:
    """The `Transport` to one relay. Guarded by `NEWSLETTER_LIVE` unless the relay is on loopback."""

    name = "smtp"

    def __init__(self, relay: Relay, patience: Patience | None = None) -> None:
        self.leaves_machine = not relay.on_loopback
        self.connections = relay.connections
        self.per_connection = relay.messages
        self._relay = relay
        self._patience = patience or Patience()
        self._context = tls_context(relay)
        self._lock_step = False

    async def connect(self) -> SmtpConnection:
        """A new conversation; raises `TransportError` with what to do."""
        line, extensions = await dial(self._relay, self._context, self._patience)
        pipelining = extensions.pipelining and not self._lock_step
        return SmtpConnection(Conversation(line, extensions, self._patience, pipelining), self._distrust)

    def _distrust(self) -> None:
        # A server that says PIPELINING and then swallows what was sent ahead answers in lock-step at least.
        self._lock_step = True


class SmtpConnection:
    """One conversation (see `newsletter.ports.Connection`): chains of messages on one line."""

    def __init__(self, conversation: Conversation, distrust: Callable[[], None]) -> None:
        self._conversation = conversation
        self._line = conversation.line
        self._distrust = distrust
        self._between = True  # between two messages, where QUIT may be said
        self._over = ""  # why nothing more can be said, once that is so

    async def carry(
        self,
        window: Iterable[Message],
        settle: Callable[[Outcome], None],
        leaving: Callable[[Message], None] = lambda message: None,
    ) -> None:
        """Hand over the window in order; the contract is that of `Connection.carry`."""
        if self._over or not self._line.quiet:
            raise TransportError(self._over or "the mail server hung up, or spoke out of turn, between two messages")
        chain = Chain(self._conversation, window, settle, leaving)
        self._between = False
        in_doubt = "stopped while the mail server had the message"
        try:
            with self._line.heard_by(chain):
                chain.begin()
                await chain.done
            self._between = True
        except TransportError as error:
            self._over, in_doubt = str(error), f"after the final dot: {error}"
            if self._conversation.pipelining and self._line.timed_out and chain.awaits_command:
                self._distrust()
            if isinstance(error, ThrottledError):
                raise
            raise LostLineError(str(error)) from error
        finally:
            if chain.flying is not None:
                settle(Outcome(chain.flying.delivery, DeliveryState.UNKNOWN, None, in_doubt))

    async def close(self) -> None:
        """Say QUIT where the server listens for it, and hang up."""
        patience = self._conversation.patience
        if self._between:
            await take_leave(self._line, patience)
        else:
            await self._line.hang_up(patience.goodbye)
