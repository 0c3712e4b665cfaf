"""An SMTP server that misbehaves on demand, and remembers the truth about what it took."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

DROP = "drop"
SILENCE = "silence"
TAKE_AND_DROP = "take and drop"
NAMED_REPLIES = {"RSET": "250 2.0.0 flushed", "QUIT": "221 2.0.0 bye", "AUTH": "235 2.7.0 welcome"}


@dataclass
class Fault:
    """At `verb` ("greeting", a command, "content" or "dot") do `action`: a reply, DROP, SILENCE, TAKE_AND_DROP.

    It happens `times` times, after `skip` good ones, and only to `to` where that is given. A reply of 421 is
    followed by a hang-up, as RFC 5321 section 3.8 has it.
    """

    verb: str
    action: str
    times: int = 1
    skip: int = 0
    to: str = ""


@dataclass
class FaultServer:
    """`async with FaultServer(...) as server`: listens on 127.0.0.1:`server.port`.

    `taken` counts, per recipient, the messages it took responsibility for; `contents` keeps their bytes.
    """

    faults: list[Fault] = field(default_factory=list)
    esmtp: bool = True
    pipelining: str = "yes"  # "no", or "lie": it says so, and swallows what was sent ahead
    extensions: tuple[str, ...] = ()
    delay: float = 0
    data_without_recipients: bool = False
    taken: Counter[str] = field(default_factory=Counter)
    contents: list[bytes] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    conversations: int = 0
    port: int = 0

    async def __aenter__(self) -> Self:
        self._writers: set[asyncio.StreamWriter] = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()
        await asyncio.sleep(0.01)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.conversations += 1
        self._writers.add(writer)
        try:
            await _Conversation(self, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()
            self._writers.discard(writer)

    def fault(self, verb: str, recipient: str) -> str | None:
        for fault in self.faults:
            if fault.verb != verb or fault.times == 0 or (fault.to and fault.to != recipient):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.times -= 1
            return fault.action
        return None


class HangUpError(ConnectionError):
    """The script says to break the line here."""


class _Conversation:
    def __init__(self, server: FaultServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.sender: str | None = None
        self.recipient: str | None = None

    async def run(self) -> None:
        await self.say("greeting", "220 fault.test ESMTP")
        while line := await self.reader.readline():
            command = line.decode().rstrip("\r\n")
            verb = command.split(" ")[0].split(":")[0].upper()
            self.server.commands.append(command)
            await asyncio.sleep(self.server.delay)
            await self.obey(verb, command)
            if verb == "QUIT":
                return

    async def obey(self, verb: str, command: str) -> None:
        if verb == "EHLO" and self.server.esmtp:
            words = [*self.server.extensions, "8BITMIME", "ENHANCEDSTATUSCODES"]
            if self.server.pipelining != "no":
                words.insert(0, "PIPELINING")
            await self.say(verb, "\r\n".join(["250-fault.test", *(f"250-{w}" for w in words[:-1]), f"250 {words[-1]}"]))
        elif verb == "HELO":
            await self.say(verb, "250 fault.test")
        elif verb == "MAIL":
            if self.sender is not None:
                await self.say(verb, "503 5.5.1 nested MAIL")
            elif await self.say(verb, "250 2.1.0 ok"):
                self.sender = command
        elif verb == "RCPT":
            address = command.partition("<")[2].rpartition(">")[0]
            if self.sender is None:
                await self.say(verb, "503 5.5.1 MAIL first")
            elif await self.say(verb, "250 2.1.5 ok", address):
                self.recipient = address
        elif verb == "DATA":
            await self.data()
        elif verb in NAMED_REPLIES:
            if verb == "RSET":
                self.sender = self.recipient = None
            await self.say(verb, NAMED_REPLIES[verb])
        else:
            await self.say(verb, "500 5.5.2 unknown command")

    async def data(self) -> None:
        ready = self.sender is not None and (self.recipient or self.server.data_without_recipients)
        if not ready:
            await self.say("DATA", "503 5.5.1 RCPT first")
            return
        if not await self.say("DATA", "354 go ahead", self.recipient or ""):
            return
        await self.misbehave("content", self.recipient or "")
        content = await self.reader.readuntil(b".\r\n")
        while content != b".\r\n" and not content.endswith(b"\r\n.\r\n"):
            content += await self.reader.readuntil(b".\r\n")
        recipient, self.sender, self.recipient = self.recipient, None, None
        if recipient is None:
            await self.say("lone dot", "554 5.5.1 no valid recipients")
            return
        if await self.say("dot", "250 2.0.0 taken", recipient):
            self.take(recipient, content)

    def take(self, recipient: str, content: bytes) -> None:
        self.server.taken[recipient] += 1
        lines = content.removesuffix(b".\r\n").splitlines(keepends=True)
        self.server.contents.append(b"".join(line[1:] if line.startswith(b".") else line for line in lines))

    async def say(self, verb: str, reply: str, recipient: str = "") -> bool:
        """Answer well unless a fault is due; returns whether the answer was a good one."""
        if action := await self.misbehave(verb, recipient):
            return action[:1] in "23"
        await self.write(reply)
        return reply[:1] in "23"

    async def misbehave(self, verb: str, recipient: str) -> str | None:
        action = self.server.fault(verb, recipient or self.recipient or "")
        if action == DROP:
            raise HangUpError
        if action == TAKE_AND_DROP:
            self.take(recipient, b"")
            raise HangUpError
        if action == SILENCE:
            await asyncio.sleep(3600)
        if action:
            await self.write(action)
        if action and action.startswith("421"):
            await asyncio.sleep(0.01)
            raise HangUpError
        return action

    async def write(self, reply: str) -> None:
        self.writer.write(reply.encode() + b"\r\n")
        await self.writer.drain()
        if self.server.pipelining == "lie":
            self.reader._buffer.clear()  # type: ignore[attr-defined]
