"""A window of messages on one line: what was said, which answer is awaited, and what each answer means.

With PIPELINING (RFC 2920) the content of one message and the envelope of the next leave in one write, so a message
costs one round trip, and there is no RSET between messages. The price is bookkeeping: each reply belongs to one
command, a refused recipient in mid-chain leaves a DATA behind, and what cannot be matched ends the conversation.
Without PIPELINING the same commands leave one by one.

Replies come as calls from the line, not as awaited values: a task woken for each of the four a message has was
measured at half of all the time a message took.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable, Iterator

from newsletter.deliver.dialling import Extensions, Patience
from newsletter.deliver.line import Line
from newsletter.deliver.replies import Reply
from newsletter.deliver.wire import wire_content
from newsletter.errors import InputError, TransportError
from newsletter.model import DeliveryState, Message, Outcome

__all__ = ["Chain"]

_RSET, _DATA = b"RSET\r\n", b"DATA\r\n"
_PLAIN = re.compile(r"[!-;=?-~]{1,254}")
_UNFIT = re.compile(r"[\x00-\x20\x7f<>]")
_LONGEST_ADDRESS = 254  # octets, RFC 5321 section 4.5.3.1.3 without the angle brackets
_GOING_AWAY = 421
_LOGIN_FIRST = 530
# In answer to MAIL these speak of the conversation (unknown command, wrong order), not of this message.
_OUT_OF_STEP = frozenset({500, 502, 503})

_Heard = Callable[[Reply], None]


class Chain:
    """One window under way; `done` is set when every message has its outcome, or fails with `TransportError`.

    `flying` is the message whose dot was written and not answered. `left_open` tells that an envelope was refused
    and RSET is owed before the next.
    """

    def __init__(
        self,
        line: Line,
        extensions: Extensions,
        patience: Patience,
        *,
        pipelining: bool,
        left_open: bool,
        messages: Iterator[Message],
        settle: Callable[[Outcome], None],
        leaving: Callable[[Message], None],
    ) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.flying: Message | None = None
        self.left_open = left_open
        self._line = line
        self._extensions = extensions
        self._largest = extensions.largest
        self._patience = patience
        self._pipelining = pipelining
        self._messages = (message for message in messages if self._fits(message))
        self._settle = settle
        self._leaving = leaving
        self._message: Message | None = None
        self._following: Message | None = None
        self._refused: Outcome | None = None
        self._unsaid: deque[tuple[bytes, _Heard]] = deque()
        self._awaited: deque[_Heard] = deque()
        self._ahead = 0

    @property
    def awaits_command(self) -> bool:
        """Whether the answer that is due is one to a command, and not to a dot."""
        return bool(self._awaited) and self._awaited[0] not in (self._on_dot, self._on_lone_dot)

    def begin(self) -> None:
        """Say the first envelope; `done` is set at once when no message is fit to be sent."""
        self._go_on_with(next(self._messages, None))

    def heard(self, reply: Reply) -> None:
        """The line's next reply."""
        if self.done.done():
            return
        if not self._awaited:
            self.lost("the mail server spoke out of turn")
            return
        try:
            self._awaited.popleft()(reply)
            if self._unsaid and not self._awaited and not self.done.done():
                self._speak()
        except TransportError as error:
            self.lost(str(error))
        except Exception as error:  # noqa: BLE001 - asyncio would only log it: who awaits `done` is told
            self._end(error)

    def lost(self, why: str) -> None:
        """Nothing more can be said on this line."""
        self._end(TransportError(why))

    def _end(self, error: Exception | None) -> None:
        if not self.done.done():
            if error is None:
                self.done.set_result(None)
            else:
                self.done.set_exception(error)

    # --- saying ---

    def _go_on_with(self, message: Message | None) -> None:
        self._message, self._refused = message, None
        if message is None:
            self._end(None)
            return
        rset = ((_RSET, self._on_rset),) if self.left_open else ()
        self._unsaid += (*rset, *self._envelope(message))
        self._speak()

    def _speak(self) -> None:
        """Say all that is unsaid, or one command of it in lock-step."""
        said = []
        while self._unsaid:
            command, handler = self._unsaid.popleft()
            said.append(command)
            self._awaited.append(handler)
            if not self._pipelining:
                break
        self._line.write(b"".join(said))
        self._line.expect(self._patience.command)

    def _envelope(self, message: Message) -> tuple[tuple[bytes, _Heard], ...]:
        size = f" SIZE={len(message.data)}" if self._extensions.announces_size else ""
        utf8 = "" if message.envelope_to.isascii() else " BODY=8BITMIME SMTPUTF8"
        return (
            (f"MAIL FROM:<{message.envelope_from}>{size}{utf8}\r\n".encode(), self._on_mail),
            (f"RCPT TO:<{message.envelope_to}>\r\n".encode(), self._on_recipient),
            (_DATA, self._on_data),
        )

    def _fits(self, message: Message) -> bool:
        """Whether the server can take the message; one that it cannot is settled as rejected."""
        reason = ""
        for address in (message.envelope_from, message.envelope_to):
            if not _PLAIN.fullmatch(address) and (_UNFIT.search(address) or len(address.encode()) > _LONGEST_ADDRESS):
                reason = f"{address!r} cannot be written into an envelope; correct the address"
        if self._largest is not None and len(message.data) > self._largest:
            reason = f"the message has {len(message.data)} bytes; the mail server takes {self._largest}"
        elif not message.envelope_to.isascii() and not self._extensions.smtputf8:
            reason = f"{message.envelope_to} needs SMTPUTF8, which the mail server does not offer"
        try:
            wire_content(message.data)
        except InputError as error:
            reason = str(error)
        if reason:
            self._settle(Outcome(message.delivery, DeliveryState.REJECTED, None, reason))
        return not reason

    # --- the envelope ---

    def _on_rset(self, reply: Reply) -> None:
        if not reply.good:
            raise TransportError(f"the mail server refused RSET: {reply.text}")
        self.left_open = False

    def _on_mail(self, reply: Reply) -> None:
        """MAIL's answer mostly speaks of us: only a plain 4xx or 5xx is taken for this message's own."""
        if reply.good:
            return
        if reply.code == _LOGIN_FIRST:
            raise TransportError(f"the mail server takes nothing without login or TLS: {reply.text}")
        if reply.code == _GOING_AWAY:
            raise TransportError(f"the mail server sent us away: {reply.text}")
        if reply.code in _OUT_OF_STEP:
            self._refused = self._outcome(DeliveryState.DEFERRED, reply)
            self._give_up_line(f"the mail server is out of step: {reply.text}")
            return
        self._refuse(reply)

    def _on_recipient(self, reply: Reply) -> None:
        if not reply.good:
            self._refuse(reply)

    def _on_data(self, reply: Reply) -> None:
        if reply.code != 354:
            self._refuse(reply)
            self._pass_over()
        elif self._refused is None:
            self._transfer()
        else:
            # The server let us begin without a recipient (RFC 2920 section 3.1); nobody gets anything.
            self._awaited.append(self._on_lone_dot)
            self._line.write(b".\r\n")
            self._line.expect(self._patience.dot)

    def _on_lone_dot(self, reply: Reply) -> None:
        self._pass_over()

    def _refuse(self, reply: Reply) -> None:
        """Take a 4xx or 5xx for this message's verdict, unless it has one."""
        verdict = self._verdict(reply)
        self._refused = self._refused or verdict
        if reply.code == _GOING_AWAY:
            self._give_up_line(f"the mail server sent us away: {reply.text}")
        elif not self._pipelining and self._unsaid:
            self._unsaid.clear()  # nothing went ahead whose answer must be read
            self._pass_over()

    def _pass_over(self) -> None:
        """Settle a refused message and go on with the next."""
        if self.done.done():
            return
        assert self._refused is not None
        self._settle(self._refused)
        self.left_open = True
        self._go_on_with(next(self._messages, None))

    def _give_up_line(self, why: str) -> None:
        """Settle what the server said of this message, and end the conversation."""
        if self._refused is not None:
            self._settle(self._refused)
        self.lost(why)

    # --- the content ---

    def _transfer(self) -> None:
        """Write content, dot and what may go ahead."""
        message = self._message
        assert message is not None
        if not self._line.quiet:
            self._awaited.append(self._on_early)
            return
        said = [wire_content(message.data), b".\r\n"]
        self._awaited.append(self._on_dot)
        self._ahead = 0
        following = self._following = next(self._messages, None)
        if following is not None:
            for command, handler in self._envelope(following):
                if self._pipelining:
                    said.append(command)
                    self._awaited.append(handler)
                    self._ahead += len(command)
                else:
                    self._unsaid.append((command, handler))
        self._leaving(message)
        self.flying = message
        self._line.write(b"".join(said))
        self._line.expect(self._patience.dot)

    def _on_early(self, reply: Reply) -> None:
        """The server's verdict on content it has not seen."""
        self._refused = self._verdict(reply)
        self._give_up_line(f"the mail server answered before it had the message: {reply.text}")

    def _on_dot(self, reply: Reply) -> None:
        message = self.flying
        assert message is not None
        over = f"the mail server sent us away: {reply.text}" if reply.code == _GOING_AWAY else ""
        # While this is in doubt the message stays in flight: an answer that makes no sense settles nothing.
        outcome = self._outcome(DeliveryState.SUBMITTED, reply) if reply.good else self._verdict(reply)
        if self._line.unsent > self._ahead:
            over = f"the mail server answered before it had the message: {reply.text}"
            if reply.good:
                outcome = Outcome(message.delivery, DeliveryState.UNKNOWN, reply.code, over)
        self.flying = None
        self._settle(outcome)
        if over:
            self.lost(over)
        elif self._following is None:
            self._end(None)
        else:
            self._message, self._refused = self._following, None
            self._line.expect(self._patience.command)

    def _verdict(self, reply: Reply) -> Outcome:
        """Deferred for 4xx, rejected for 5xx; raises `TransportError` for an answer that fits no command."""
        if reply.code < 400:
            raise TransportError(f"the mail server is out of step: {reply.text}")
        return self._outcome(DeliveryState.DEFERRED if reply.code < 500 else DeliveryState.REJECTED, reply)

    def _outcome(self, state: DeliveryState, reply: Reply) -> Outcome:
        assert self._message is not None
        return Outcome(self._message.delivery, state, reply.code, reply.text)
