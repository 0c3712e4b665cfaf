"""Who sends a request without end, too slowly, or in a strange code, holds up nobody and is hung up on."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from newsletter.newsroom import Newsroom
from newsletter.web import WebServer, connections

from .conftest import Visitor

HEAD = b"GET /livez HTTP/1.1\r\nHost: desk\r\n"
WHOLE = HEAD + b"\r\n"
CHUNKED = b"POST /livez HTTP/1.1\r\nHost: desk\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def port(review: Newsroom, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A real server, which waits less long than usual."""
    monkeypatch.setattr(connections, "GRACE", 1.5)
    monkeypatch.setattr(connections, "_LOOKS", 0.1)
    server = WebServer(review, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield server.port
    server.stop()
    thread.join(10)


def _line(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=5)


def _is_shut(line: socket.socket) -> bool:
    try:
        while line.recv(65536):
            pass
    except ConnectionError:
        pass
    except TimeoutError:
        return False
    return True


def _send_for_ever(line: socket.socket, more: bytes) -> None:
    for _ in range(4000):
        line.sendall(more)
        time.sleep(0)


@pytest.mark.parametrize(
    ("begin", "more"),
    [
        (HEAD, b"x: " + b"a" * 1000 + b"\r\n"),
        (HEAD + b"x: ", b"a" * 1000),
        (b"GET /", b"a" * 1000),
        (CHUNKED + b"0\r\n", b"x: " + b"a" * 1000 + b"\r\n"),
        (CHUNKED + b"1;", b"a" * 1000),
    ],
    ids=["headers", "one header", "address", "trailers", "extension of a chunk"],
)
def test_what_stands_around_a_body_ends_somewhere(port: int, begin: bytes, more: bytes) -> None:
    with _line(port) as line:
        line.sendall(begin)
        with pytest.raises(ConnectionError):
            _send_for_ever(line, more)
    assert httpx.get(f"http://127.0.0.1:{port}/livez", trust_env=False).status_code == 200


def test_a_head_as_long_as_any_browsers_is_taken(port: int) -> None:
    with _line(port) as line:
        line.sendall(HEAD + b"".join(b"x-%d: %s\r\n" % (number, b"a" * 7000) for number in range(8)) + b"\r\n")
        assert line.recv(65536).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "dripping", [b"", b"GET / HT", HEAD, b"POST /subscribe HTTP/1.1\r\nHost: desk\r\nContent-Length: 60000\r\n\r\n"]
)
def test_a_request_that_drips_is_not_waited_for(port: int, dripping: bytes) -> None:
    with _line(port) as line:
        line.sendall(dripping)
        assert _is_shut(line)


def test_a_connection_that_is_used_again_has_its_time_anew(port: int) -> None:
    with _line(port) as line:
        for _ in range(4):
            line.sendall(WHOLE)
            answer = b""
            while not answer.endswith(b"alive\n") and (piece := line.recv(65536)):  # head and body may come apart
                answer += piece
            assert answer.startswith(b"HTTP/1.1 200")
            time.sleep(0.5)


def test_a_trailer_is_no_header(port: int) -> None:
    """Behind a proxy it would say who is asking."""
    body = b"5\r\nhello\r\n0\r\nAuthorization: Bearer x\r\nHost: elsewhere\r\n\r\n"
    with _line(port) as line:
        line.sendall(b"GET /livez HTTP/1.1\r\nHost: desk\r\nTransfer-Encoding: chunked\r\n\r\n" + body + WHOLE)
        time.sleep(0.2)
        assert line.recv(65536).count(b"HTTP/1.1 200") == 2


@pytest.mark.parametrize("charset", ["punycode", "idna", "undefined", "unicode_escape", "utf-8; charset=idna"])
def test_a_form_in_a_strange_code_is_not_read(review: Newsroom, charset: str) -> None:
    """One of these broke the page, another made half characters, the first held everybody up for a second."""
    body = b"--b\r\nContent-Disposition: form-data; name=email\r\n\r\n\\ud800" + b"9a" * 20_000 + b"\r\n--b--\r\n"
    kind = f"multipart/form-data; boundary=b; charset={charset}"
    began = time.perf_counter()
    answer = Visitor(review).http.post("/subscribe", content=body, headers={"content-type": kind})
    assert answer.status_code == 415
    assert time.perf_counter() - began < 0.25
