"""A program that listens for webhooks, on loopback: it keeps what it gets, and answers what it is told to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.servers import Answering, serving


@dataclass
class Listener:
    """`answers` are statuses in turn, the last one for good; `headers` go with each; a status of 0 hangs up."""

    port: int = 0
    answers: list[int] = field(default_factory=lambda: [204])
    headers: dict[str, str] = field(default_factory=dict)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    hang: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]


@contextmanager
def listening() -> Iterator[Listener]:
    """A listener for as long as the block lasts."""
    listener = Listener()

    class Hook(Answering):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            listener.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            if listener.hang:
                listener.release.wait(30)
            status = listener.answers.pop(0) if len(listener.answers) > 1 else listener.answers[0]
            if status == 0:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in listener.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

    with serving(Hook) as listener.port:
        try:
            yield listener
        finally:
            listener.release.set()


def signature_of(secret: str, headers: dict[str, str], body: bytes) -> str:
    """What the specification says that the signature is, from a reading of it that shares no line with the product."""
    key = base64.b64decode(secret[len("whsec_") :])
    content = headers["webhook-id"] + "." + headers["webhook-timestamp"] + "." + body.decode("utf-8")
    return "v1," + base64.b64encode(hmac.digest(key, content.encode("utf-8"), hashlib.sha256)).decode()
