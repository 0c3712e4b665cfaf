"""SMTP with chained messages: the content of one and the envelope of the next leave in one write.

RFC 2920 section 3.1 allows it, so a message costs one round trip, and there is no RSET between messages.
The price is bookkeeping, all of it in `SmtpConnection`: each reply belongs to one command, a refused recipient
in mid-chain leaves a DATA behind, and what cannot be matched ends the conversation before it does harm.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import zip_longest

from newsletter.deliver.dialling import Extensions, Patience, dial, tls_context
from newsletter.deliver.line import Line
from newsletter.deliver.relay import Relay
from newsletter.deliver.replies import Reply
from newsletter.deliver.wire import wire_content
from newsletter.errors import InputError, TransportError
from newsletter.model import DeliveryState, Message, Outcome

__all__ = ["SmtpConnection", "SmtpTransport"]

_Settle = Callable[[Outcome], None]
_Leaving = Callable[[Message], None]
_Envelope = tuple[bytes, bytes, bytes]

_RSET = b"RSET\r\n"
_UNFIT = re.compile(r"[\x00-\x20\x7f<>]")
_LONGEST_ADDRESS = 254  # octets, RFC 5321 section 4.5.3.1.3 without the angle brackets
_GOING_AWAY = 421
_LOGIN_FIRST = 530
# In answer to MAIL these speak of the conversation (unknown command, wrong order), not of this message.
_OUT_OF_STEP = frozenset({500, 502, 503})


class SmtpTransport:
    """The `Transport` to one relay. Guarded by `NEWSLETTER_LIVE` unless the relay is on loopback."""

    name = "smtp"

    def __init__(self, relay: Relay, patience: Patience | None = None) -> None:
        self.leaves_machine = not relay.on_loopback
        self.connections = relay.connections
        self._relay = relay
        self._patience = patience or Patience()
        self._context = tls_context(relay)
        self._lock_step = False

    async def connect(self) -> SmtpConnection:
        """A new conversation; raises `TransportError` with what to do."""
        line, extensions = await dial(self._relay, self._context, self._patience)
        pipelining = extensions.pipelining and not self._lock_step
        return SmtpConnection(line, extensions, self._patience, pipelining, self._distrust)

    def _distrust(self) -> None:
        # A server that says PIPELINING and then swallows what was sent ahead answers in lock-step at least.
        self._lock_step = True


class SmtpConnection:
    """One conversation (see `newsletter.ports.Connection`): a chain of messages on one line."""

    def __init__(
        self,
        line: Line,
        extensions: Extensions,
        patience: Patience,
        pipelining: bool,
        distrust: Callable[[], None],
    ) -> None:
        self._line = line
        self._extensions = extensions
        self._patience = patience
        self._pipelining = pipelining
        self._distrust = distrust
        self._between = True  # between two messages, where QUIT may be said
        self._left_open = False  # an envelope was refused: RSET before the next
        self._over = ""  # why nothing more can be said, once that is so

    async def carry(self, window: Sequence[Message], settle: _Settle, leaving: _Leaving = lambda message: None) -> None:
        """Hand over the window in order; the contract is that of `Connection.carry`."""
        if self._over or not self._line.quiet:
            raise TransportError(self._over or "the mail server hung up, or spoke out of turn, between two messages")
        fit = [(message, self._commands(message)) for message in window if self._fits(message, settle)]
        self._between = not fit
        if fit:
            self._line.write(self._ahead(fit[0][1]))
        for (message, envelope), following in zip_longest(fit, fit[1:]):
            refused = await self._open(message, envelope)
            if refused:
                settle(refused)
            ahead = self._ahead(following[1] if following else None)
            if not refused:
                await self._transfer(message, ahead, settle, leaving)
            elif not self._over:
                self._line.write(ahead)
            if self._over:
                raise TransportError(self._over)
        self._between = True

    async def close(self) -> None:
        """Say QUIT where the server listens for it, and hang up."""
        if self._between and self._line.quiet:
            try:
                self._line.write(b"QUIT\r\n")
                await self._line.reply(self._patience.goodbye)
            except TransportError:
                pass  # it hung up first, which is as good
        await self._line.hang_up(self._patience.goodbye)

    # --- before the server hears of a message ---

    def _fits(self, message: Message, settle: _Settle) -> bool:
        """Whether the server can take the message; one that it cannot is settled as rejected."""
        reason, largest = "", self._extensions.largest
        if largest is not None and len(message.data) > largest:
            reason = f"the message has {len(message.data)} bytes; the mail server takes {largest}"
        elif not message.envelope_to.isascii() and not self._extensions.smtputf8:
            reason = f"{message.envelope_to} needs SMTPUTF8, which the mail server does not offer"
        for address in (message.envelope_from, message.envelope_to):
            if _UNFIT.search(address) or len(address.encode()) > _LONGEST_ADDRESS:
                reason = f"{address!r} cannot be written into an envelope; correct the address"
        try:
            wire_content(message.data)
        except InputError as error:
            reason = str(error)
        if reason:
            settle(Outcome(message.delivery, DeliveryState.REJECTED, None, reason))
        return not reason

    def _commands(self, message: Message) -> _Envelope:
        size = f" SIZE={len(message.data)}" if self._extensions.announces_size else ""
        utf8 = "" if message.envelope_to.isascii() else " BODY=8BITMIME SMTPUTF8"
        return (
            f"MAIL FROM:<{message.envelope_from}>{size}{utf8}\r\n".encode(),
            f"RCPT TO:<{message.envelope_to}>\r\n".encode(),
            b"DATA\r\n",
        )

    def _ahead(self, envelope: _Envelope | None) -> bytes:
        """What may be sent before the answers to what came before are read: nothing, in lock-step."""
        if envelope is None or not self._pipelining:
            return b""
        return b"".join((_RSET, *envelope) if self._left_open else envelope)

    # --- the envelope ---

    async def _open(self, message: Message, envelope: _Envelope) -> Outcome | None:
        """Have MAIL, RCPT and DATA answered; None when the server now waits for the content."""
        if self._left_open:
            reply = await self._answer(_RSET)
            if not reply.good:
                raise TransportError(f"the mail server refused RSET: {reply.text}")
            self._left_open = False
        mail, recipient, data = envelope
        refused = self._judge_mail(message, await self._answer(mail))
        for command in (recipient, data):
            if self._over or (refused and not self._pipelining):
                break  # in lock-step nothing was sent ahead whose answer must be read
            reply = await self._answer(command)
            if command is data and reply.code == 354:
                if refused is None:
                    return None
                await self._send_lone_dot()
            elif command is data or not reply.good:
                refused = refused or self._refusal(message, reply)
        self._left_open = True
        return refused

    async def _answer(self, command: bytes) -> Reply:
        """The reply to a command, which is sent now unless it went ahead."""
        if not self._pipelining:
            self._line.write(command)
        try:
            return await self._line.reply(self._patience.command)
        except TransportError:
            if self._pipelining and self._line.timed_out:
                self._distrust()
            raise

    def _judge_mail(self, message: Message, reply: Reply) -> Outcome | None:
        """MAIL's answer mostly speaks of us: only a plain 4xx or 5xx is taken for this message's own."""
        if reply.good:
            return None
        if reply.code == _LOGIN_FIRST:
            raise TransportError(f"the mail server takes nothing without login or TLS: {reply.text}")
        if reply.code == _GOING_AWAY:
            raise TransportError(f"the mail server sent us away: {reply.text}")
        refused = self._refusal(message, reply)
        if reply.code in _OUT_OF_STEP:
            self._over = f"the mail server is out of step: {reply.text}"
            return Outcome(message.delivery, DeliveryState.DEFERRED, reply.code, reply.text)
        return refused

    async def _send_lone_dot(self) -> None:
        """End a DATA that the server let us begin without a recipient (RFC 2920 section 3.1).

        Whatever it answers, nobody got anything.
        """
        try:
            self._line.write(b".\r\n")
            await self._line.reply(self._patience.dot)
        except TransportError as error:
            self._over = str(error)

    # --- the content ---

    async def _transfer(self, message: Message, ahead: bytes, settle: _Settle, leaving: _Leaving) -> None:
        """Write content, dot and what goes ahead; settle by the answer, or as unknown when there is none."""
        if not self._line.quiet:
            settle(await self._spoke_early(message))
            return
        content = b"".join((wire_content(message.data), b".\r\n", ahead))
        leaving(message)
        self._line.write(content)
        outcome = Outcome(
            message.delivery, DeliveryState.UNKNOWN, None, "stopped while the mail server had the message"
        )
        try:
            outcome = self._judge_dot(message, await self._line.reply(self._patience.dot), len(ahead))
        except TransportError as error:
            outcome = Outcome(message.delivery, DeliveryState.UNKNOWN, None, f"after the final dot: {error}")
            raise
        finally:
            settle(outcome)

    async def _spoke_early(self, message: Message) -> Outcome:
        """The server's verdict on content it has not seen; raises `TransportError` when it is none."""
        reply = await self._line.reply(0)
        self._over = f"the mail server answered before it had the message: {reply.text}"
        return self._refusal(message, reply)

    def _judge_dot(self, message: Message, reply: Reply, ahead: int) -> Outcome:
        if self._line.unsent > ahead:
            self._over = f"the mail server answered before it had the message: {reply.text}"
            if reply.code < 400:
                return Outcome(message.delivery, DeliveryState.UNKNOWN, reply.code, self._over)
        if reply.good:
            return Outcome(message.delivery, DeliveryState.SUBMITTED, reply.code, reply.text)
        return self._refusal(message, reply)

    def _refusal(self, message: Message, reply: Reply) -> Outcome:
        """Deferred for 4xx, rejected for 5xx; raises `TransportError` for an answer that fits no command."""
        if reply.code < 400:
            raise TransportError(f"the mail server is out of step: {reply.text}")
        if reply.code == _GOING_AWAY:
            self._over = f"the mail server sent us away: {reply.text}"
        state = DeliveryState.DEFERRED if reply.code < 500 else DeliveryState.REJECTED
        return Outcome(message.delivery, state, reply.code, reply.text)
