"""What a reader is told instead of a page is in their language, whatever the status; the desk's people read English."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from newsletter.newsroom import Newsroom
from newsletter.web.guard import MOST_BYTES
from newsletter.web.public import subscribe as subscribing

from .browsing import served
from .conftest import BASE, Visitor, make_app
from .conftest import TestClient as Client

ARABIC = {"accept-language": "ar, en;q=0.5"}


def is_arabic(text: str) -> bool:
    return '<html lang="ar" dir="rtl"' in text


def ask(room: Newsroom, status: int, **headers: str) -> tuple[int, str, dict[str, str]]:
    """A request of somebody who reads Arabic that is answered with that status."""
    http = Client(make_app(room), base_url=BASE, raise_server_exceptions=False)
    http.headers.update(ARABIC | headers)
    match status:
        case 400:
            answer = http.get("/subscribe?newsletter=%00")
        case 405:
            answer = http.put("/subscribe")
        case 413:
            answer = http.post("/subscribe", data={"email": "x" * (MOST_BYTES + 1)})
        case 404:
            answer = http.get("/archive/no-such/")
        case _:
            answer = http.get("/subscribe")
    return answer.status_code, answer.text, dict(answer.headers)


@pytest.mark.parametrize("status", [400, 404, 405, 413])
def test_a_refusal_is_in_the_readers_language(sent: Newsroom, status: int) -> None:
    got, text, headers = ask(sent, status)
    assert (got, is_arabic(text)) == (status, True), text
    assert "content-security-policy" in headers
    assert headers.get("allow") == ("GET, HEAD, POST" if status == 405 else None)


@pytest.mark.parametrize("templates", ["there", "broken"])
def test_what_breaks_is_told_in_it_too_as_long_as_there_are_words(
    sent: Newsroom, monkeypatch: pytest.MonkeyPatch, templates: str
) -> None:
    monkeypatch.setattr(subscribing, "_page", lambda *_: 1 / 0)
    if templates == "broken":
        monkeypatch.setattr(type(sent.templates), "languages", lambda _: 1 / 0)
    got, text, headers = ask(sent, 500)
    assert (got, is_arabic(text)) == (500, templates == "there")
    assert "content-security-policy" in headers
    assert "ZeroDivisionError" not in text


def test_the_desks_own_doors_speak_english(sent: Newsroom) -> None:
    http = Visitor(sent).http
    http.headers.update(ARABIC)
    assert "Not possible here" in http.put("/login").text
    assert "Not possible here" in http.put("/issues").text
    assert "Too large" in http.post("/login", data={"email": "x" * (MOST_BYTES + 1)}).text
    assert http.put("/api/v1/me").headers["content-type"] == "application/problem+json"
    assert http.post("/api/v1/stories", content=b"x" * (3 << 20)).status_code == 413


def test_the_real_server_says_it_where_the_length_is_announced(sent: Newsroom, tmp_path: Path) -> None:
    head = b"POST /subscribe HTTP/1.1\r\nHost: x\r\nAccept-Language: ar\r\nContent-Length: 900000\r\n"
    kind = b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    with served(sent) as address:
        host, _, port = address.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=10) as line:
            line.sendall(head + kind + b"email=" + b"x" * 100_000)
            answer = b""
            while b"</html>" not in answer and (piece := line.recv(65536)):
                answer += piece
    assert answer.startswith(b"HTTP/1.1 413")
    assert is_arabic(answer.decode())
