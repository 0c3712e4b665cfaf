"""An SMTP server that keeps every byte it hears, and ends a message only where RFC 5321 does."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import NamedTuple, Self

__all__ = ["RecordingServer", "Taken"]

EXTENSIONS = ("PIPELINING", "SIZE 10000000", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")
ANSWERS = {
    b"MAIL": "250 2.1.0 ok",
    b"RCPT": "250 2.1.5 ok",
    b"RSET": "250 2.0.0 flushed",
    b"QUIT": "221 2.0.0 bye",
}
_PATH = re.compile(rb"(?:MAIL FROM|RCPT TO):<(.*)>(?: (.*))?\r\n", re.DOTALL)


class Taken(NamedTuple):
    """One message as it was heard: two whole command lines, and all between DATA and the final dot, dots doubled."""

    mail: bytes
    rcpt: bytes
    content: bytes

    @property
    def sender(self) -> str:
        """The address of MAIL."""
        return _path(self.mail)[0]

    @property
    def parameters(self) -> Sequence[str]:
        """What MAIL says behind the address."""
        return _path(self.mail)[1]

    @property
    def recipient(self) -> str:
        """The address of RCPT."""
        return _path(self.rcpt)[0]

    @property
    def undotted(self) -> bytes:
        """The content with the dot taken off every line that begins with one (RFC 5321 section 4.5.2)."""
        return re.sub(rb"(?m)^\.", b"", self.content)


class RecordingServer:
    """`with RecordingServer() as server`: listens on `server.url`; all that was said is in `commands` and `taken`.

    Only `CRLF . CRLF` ends a content, and whatever stands behind a bare line end belongs to the same line.
    """

    def __init__(self) -> None:
        self.commands: list[bytes] = []
        self.taken: list[Taken] = []

    def __enter__(self) -> Self:
        recording = self

        class Conversation(_Conversation):
            kept = recording

        self._server = _Listening(("127.0.0.1", 0), Conversation)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """The address for `NEWSLETTER_SMTP_URL`."""
        return f"smtp://127.0.0.1:{self._server.server_address[1]}"


class _Listening(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64


class _Conversation(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    rbufsize = 1 << 16
    kept: RecordingServer

    def handle(self) -> None:
        mail = rcpt = b""
        self.say("220 recording.test ESMTP")
        while line := self.line():
            self.kept.commands.append(line)
            verb = line[:4].upper()
            if verb == b"EHLO":
                self.say("\r\n".join(["250-recording.test", *(f"250-{word}" for word in EXTENSIONS), "250 HELP"]))
            elif line == b"DATA\r\n":
                self.say("354 go ahead")
                self.kept.taken.append(Taken(mail, rcpt, self.content()))
                self.say("250 2.0.0 taken")
            else:
                mail, rcpt = (line if verb == b"MAIL" else mail), (line if verb == b"RCPT" else rcpt)
                self.say(ANSWERS.get(verb, "500 5.5.2 unknown command"))
            if verb == b"QUIT":
                return

    def line(self) -> bytes:
        """Up to CRLF, however many bare line ends stand before it."""
        whole = self.rfile.readline()
        while whole.endswith(b"\n") and not whole.endswith(b"\r\n"):
            whole += self.rfile.readline()
        return whole

    def content(self) -> bytes:
        lines = []
        while (line := self.line()) not in (b".\r\n", b""):
            lines.append(line)
        return b"".join(lines)

    def say(self, reply: str) -> None:
        self.wfile.write(f"{reply}\r\n".encode())


def _path(command: bytes) -> tuple[str, Sequence[str]]:
    found = _PATH.fullmatch(command)
    assert found is not None, f"{command!r} is no command of an envelope"
    return found[1].decode(), (found[2] or b"").decode().split()
