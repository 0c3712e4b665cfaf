"""A server on loopback that speaks the OpenAI chat-completions protocol and does what a test scripts."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from newsletter.gather.drafting import Endpoint
from tests.servers import Answering, serving

Behaviour = Callable[[BaseHTTPRequestHandler], None]


def completion(content: str | None, *, tokens: object = 321, **message: object) -> dict[str, Any]:
    """The document of a chat completion; `finish_reason` may be given among the fields of the message."""
    reason = message.pop("finish_reason", "stop")
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "choices": [
            {"index": 0, "finish_reason": reason, "message": {"role": "assistant", "content": content, **message}}
        ],
        "usage": {"prompt_tokens": 300, "completion_tokens": 21, "total_tokens": tokens},
    }


def says(content: str | None, **fields: object) -> Behaviour:
    """The model answers with these words."""
    return raw(json.dumps(completion(content, **fields)).encode())


def notes(*paragraphs: object) -> Behaviour:
    """The model answers as it was asked to."""
    return says(json.dumps({"note": list(paragraphs)}))


def raw(body: bytes, status: int = 200, **headers: str) -> Behaviour:
    """The server answers with these bytes."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer


def dripping(piece: bytes, before: bytes = b"", every: float = 0.05) -> Behaviour:
    """The server sends `before` and then `piece` over and over, each time long before any read times out."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(before)
        with suppress(OSError):
            for _ in range(400):
                request.wfile.write(piece)
                request.wfile.flush()
                time.sleep(every)

    return answer


@dataclass
class ModelServer:
    """`behaviour` answers the next requests; `asked` keeps path, headers and document of each."""

    port: int
    behaviour: Behaviour = field(default_factory=lambda: notes("The port opened."))
    asked: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)

    def endpoint(self, *, timeout: float = 5.0, key: str | None = None) -> Endpoint:
        """The endpoint as an operator would configure it."""
        return Endpoint(f"http://127.0.0.1:{self.port}/v1", "small-model", key, timeout)


@contextmanager
def model_server() -> Iterator[ModelServer]:
    """A running server; it is gone afterwards."""

    class Handler(Answering):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            model.asked.append((self.path, dict(self.headers), json.loads(body)))
            model.behaviour(self)

        def do_GET(self) -> None:
            model.asked.append((self.path, dict(self.headers), {}))
            self.send_error(405)

    with serving(Handler) as port:
        model = ModelServer(port)
        yield model
