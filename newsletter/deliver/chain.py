"""A window of messages on one line: what was said, which answer is awaited, and what each answer means.

With PIPELINING (RFC 2920) the content of one message and the envelope of the next leave in one write, so a message
costs one round trip, and there is no RSET between messages. The price is bookkeeping: each reply belongs to one
command, a refused recipient in mid-chain leaves a DATA behind, and what cannot be matched ends the conversation.
Without PIPELINING the same commands leave one by one.

Replies come as calls from the line, not as awaited values: a task woken for each of the four that a message has took
half of all the time of a message.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from newsletter.deliver.dialling import Extensions, Patience
from newsletter.deliver.line import Line
from newsletter.deliver.replies import Reply
from newsletter.deliver.wire import wire_content
from newsletter.errors import InputError, ThrottledError, TransportError
from newsletter.model import DeliveryState, Message, Outcome, WireContent

__all__ = ["Chain", "Conversation"]

_PLAIN = re.compile(r"[!-;=?-~]{1,254} [!-;=?-~]{1,254}")
_UNFIT = re.compile(r"[\x00-\x20\x7f<>]")
_LONGEST_ADDRESS = 254  # octets, RFC 5321 section 4.5.3.1.3 without the angle brackets
_GOING_AWAY = 421
_LOGIN_FIRST = 530
# In answer to MAIL these speak of the conversation (unknown command, wrong order), not of this message.
_OUT_OF_STEP = frozenset({500, 502, 503})


class _Step(Enum):
    """What an answer is awaited to."""

    RSET = auto()
    MAIL = auto()
    RCPT = auto()
    DATA = auto()
    DOT = auto()
    LONE_DOT = auto()  # of a DATA that the server began without a recipient
    NOTHING = auto()  # the server spoke before it had the content


_ENVELOPE = (_Step.MAIL, _Step.RCPT, _Step.DATA)
_TAKEN = (_Step.MAIL, _Step.RCPT)  # a 2xx to these asks for nothing


@dataclass(slots=True)
class Conversation:
    """What one line to a server is like; `left_open` tells that an envelope was refused and RSET is owed."""

    line: Line
    extensions: Extensions
    patience: Patience
    pipelining: bool
    left_open: bool = False


class Chain:
    """One window under way; `done` is set when every message has its outcome, or fails with `TransportError`.

    `flying` is the message whose dot was written and not answered. What the server says once the chain is over it
    does not take: it stays unread on the line.
    """

    def __init__(
        self,
        conversation: Conversation,
        messages: Iterable[Message],
        settle: Callable[[Outcome], None],
        leaving: Callable[[Message], None],
    ) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.flying: Message | None = None
        self.listening = True
        self._conversation = conversation
        self._line = conversation.line
        self._extensions = conversation.extensions
        self._largest = conversation.extensions.largest
        self._patience = conversation.patience
        self._messages = (message for message in messages if self._fits(message))
        self._settle = settle
        self._leaving = leaving
        self._message: Message | None = None
        self._following: Message | None = None
        self._refused: Outcome | None = None
        self._awaited: deque[_Step] = deque()
        self._unsaid: deque[tuple[bytes, _Step]] = deque()  # in lock-step only
        self._ahead = 0
        self._on: dict[_Step, Callable[[Reply], None]] = {
            _Step.RSET: self._on_rset,
            _Step.MAIL: self._on_mail,
            _Step.RCPT: self._on_refusal,
            _Step.DATA: self._on_data,
            _Step.DOT: self._on_dot,
            _Step.LONE_DOT: self._pass_over,
            _Step.NOTHING: self._on_early,
        }

    @property
    def awaits_command(self) -> bool:
        """Whether the answer that is due is one to a command, and not to a dot."""
        return bool(self._awaited) and self._awaited[0] not in (_Step.DOT, _Step.LONE_DOT)

    def begin(self) -> None:
        """Say the first envelope; `done` is set at once when no message is fit to be sent."""
        self._go_on_with(next(self._messages, None))

    def heard(self, reply: Reply) -> None:
        """The line's next reply."""
        try:
            if not self._awaited:
                self.lost("the mail server spoke out of turn")
                return
            step = self._awaited.popleft()
            if not reply.good or step not in _TAKEN:
                self._on[step](reply)
            if self._unsaid:
                self._say_next()
        except Exception as error:  # noqa: BLE001 - asyncio would only log it: who awaits `done` is told
            self._end(error)

    def lost(self, why: str) -> None:
        """Nothing more can be said on this line."""
        self._end(TransportError(why))

    def _end(self, error: Exception | None = None) -> None:
        if not self.listening:
            return
        self.listening = False
        if error is not None and self._refused is not None:  # what was said of a message counts, whatever follows
            self._settle(self._refused)
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)

    # --- saying ---

    def _go_on_with(self, message: Message | None) -> None:
        self._message, self._refused = message, None
        if message is None:
            self._end()
            return
        if self._conversation.left_open:
            self._say(b"RSET\r\n" + self._envelope(message), (_Step.RSET, *_ENVELOPE))
        else:
            self._say(self._envelope(message), _ENVELOPE)

    def _say(self, commands: bytes, steps: Sequence[_Step], after: WireContent | None = None) -> None:
        """Say the commands behind a content and its dot, all at once or, in lock-step, as their turn comes."""
        if not self._conversation.pipelining:
            self._unsaid += zip(commands.splitlines(keepends=True), steps, strict=True)
            commands, steps = b"", ()
        self._awaited += steps
        self._ahead = len(commands)
        if after is not None:
            self._line.write(b"".join((*after.pieces, b".\r\n", commands)))
            self._line.expect(self._patience.dot)
        elif commands:
            self._line.write(commands)
            self._line.expect(self._patience.command)
        else:
            self._say_next()

    def _say_next(self) -> None:
        """The next command in lock-step, once everything before it is answered."""
        if self.listening and self._unsaid and not self._awaited:
            command, step = self._unsaid.popleft()
            self._awaited.append(step)
            self._line.write(command)
            self._line.expect(self._patience.command)

    def _envelope(self, message: Message) -> bytes:
        size = f" SIZE={len(message.content)}" if self._extensions.announces_size else ""
        utf8 = "" if message.envelope_to.isascii() else " BODY=8BITMIME SMTPUTF8"
        sender, recipient = message.envelope_from, message.envelope_to
        return f"MAIL FROM:<{sender}>{size}{utf8}\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode()

    def _fits(self, message: Message) -> bool:
        """Whether the server can take the message; one that it cannot is settled as rejected."""
        reason = ""
        if not _PLAIN.fullmatch(f"{message.envelope_from} {message.envelope_to}"):
            for address in (message.envelope_from, message.envelope_to):
                if _UNFIT.search(address) or len(address.encode()) > _LONGEST_ADDRESS:
                    reason = f"{address!r} cannot be written into an envelope; correct the address"
            if not message.envelope_to.isascii() and not self._extensions.smtputf8:
                reason = f"{message.envelope_to} needs SMTPUTF8, which the mail server does not offer"
        if self._largest is not None and len(message.content) > self._largest:
            reason = f"the message has {len(message.content)} bytes; the mail server takes {self._largest}"
        try:
            wire_content(message.content)
        except InputError as error:
            reason = str(error)
        if reason:
            self._settle(Outcome(message.delivery, DeliveryState.REJECTED, None, reason))
        return not reason

    # --- the envelope ---

    def _on_rset(self, reply: Reply) -> None:
        if not reply.good:
            raise TransportError(f"the mail server refused RSET: {reply.text}")
        self._conversation.left_open = False

    def _on_mail(self, reply: Reply) -> None:
        """A refusal of MAIL mostly speaks of us: only a plain 4xx or 5xx is taken for this message's own."""
        if reply.code == _LOGIN_FIRST:
            raise TransportError(f"the mail server takes nothing without login or TLS: {reply.text}")
        if reply.code == _GOING_AWAY:
            raise _away(reply)
        if reply.code in _OUT_OF_STEP:
            self._refused = self._outcome(DeliveryState.DEFERRED, reply)
            self._end(TransportError(f"the mail server is out of step: {reply.text}"))
            return
        self._on_refusal(reply)

    def _on_refusal(self, reply: Reply) -> None:
        """Take a 4xx or 5xx for this message's verdict, unless it has one."""
        self._refused = self._refused or self._verdict(reply)
        if reply.code == _GOING_AWAY:
            self._end(_away(reply))
        elif self._unsaid:
            self._unsaid.clear()  # in lock-step nothing went ahead whose answer must be read
            self._pass_over()

    def _on_data(self, reply: Reply) -> None:
        if reply.code != 354:
            self._on_refusal(reply)
            self._pass_over()
        elif self._refused is None:
            self._transfer()
        else:
            # The server let us begin without a recipient (RFC 2920 section 3.1); nobody gets anything.
            self._awaited.append(_Step.LONE_DOT)
            self._line.write(b".\r\n")
            self._line.expect(self._patience.dot)

    def _pass_over(self, reply: Reply | None = None) -> None:
        """Settle a refused message, whatever was answered to a lone dot, and go on with the next."""
        if self.listening:
            assert self._refused is not None
            self._settle(self._refused)
            self._conversation.left_open = True
            self._go_on_with(next(self._messages, None))

    # --- the content ---

    def _transfer(self) -> None:
        """Write content, dot and what may go ahead."""
        message = self._message
        assert message is not None
        if not self._line.quiet:
            self._awaited.append(_Step.NOTHING)
            return
        following = self._following = next(self._messages, None)
        commands, steps = (self._envelope(following), _ENVELOPE) if following is not None else (b"", ())
        self._awaited.append(_Step.DOT)
        self._leaving(message)
        self.flying = message
        self._say(commands, steps, after=wire_content(message.content))

    def _on_early(self, reply: Reply) -> None:
        """The server's verdict on content it has not seen."""
        self._refused = self._verdict(reply)
        self._end(_too_early(reply))

    def _on_dot(self, reply: Reply) -> None:
        message = self.flying
        assert message is not None
        over: TransportError | None = _away(reply) if reply.code == _GOING_AWAY else None
        # While this is in doubt the message stays in flight: an answer that makes no sense settles nothing.
        outcome = self._outcome(DeliveryState.SUBMITTED, reply) if reply.good else self._verdict(reply)
        if self._line.unsent > self._ahead:
            over = _too_early(reply)
            if reply.good:
                outcome = Outcome(message.delivery, DeliveryState.UNKNOWN, reply.code, str(over))
        self.flying = None
        self._settle(outcome)
        self._message, self._refused = self._following, None
        if over is not None:
            self._end(over)
        elif self._following is None:
            self._end()
        else:
            self._line.expect(self._patience.command)

    def _verdict(self, reply: Reply) -> Outcome:
        """Deferred for 4xx, rejected for 5xx; raises `TransportError` for an answer that fits no command."""
        if reply.code < 400:
            raise TransportError(f"the mail server is out of step: {reply.text}")
        return self._outcome(DeliveryState.DEFERRED if reply.code < 500 else DeliveryState.REJECTED, reply)

    def _outcome(self, state: DeliveryState, reply: Reply) -> Outcome:
        assert self._message is not None
        return Outcome(self._message.delivery, state, reply.code, reply.text)


def _away(reply: Reply) -> TransportError:
    return ThrottledError(f"the mail server sent us away: {reply.text}")


def _too_early(reply: Reply) -> TransportError:
    return TransportError(f"the mail server answered before it had the message: {reply.text}")
