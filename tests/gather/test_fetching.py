"""Fetching from a real server on loopback: what is polite, and every limit."""

from __future__ import annotations

import gzip
import json
import logging
import socket
import ssl
import threading
import time
import tracemalloc
import zlib
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import httpcore
import pytest
import trustme

from newsletter.errors import ConfigurationError, SourceError
from newsletter.gather import network, open_source
from newsletter.gather.network import InsideAddressError, VettedNetwork, is_outside
from newsletter.plan.values import SourcePlan
from newsletter.ports import Fetched, SourceState

if TYPE_CHECKING:
    from tests.gather.conftest import Listener, Website

FEED = (Path(__file__).parent / "fixtures" / "no-guid.xml").read_bytes()
DESK = Path("/nonexistent")


def poll(plan: SourcePlan, now: datetime, state: SourceState | None = None) -> Fetched:
    return open_source(plan, DESK).fetch(state or SourceState(), now)


def test_a_second_poll_is_answered_304_and_brings_nothing(website: Website, now: datetime) -> None:
    website.serve("/feed", FEED, Content_Type="application/rss+xml")
    first = poll(website.plan("/feed"), now)
    assert len(first.stories) == 2
    assert not first.unchanged
    assert (first.state.etag, first.state.last_modified) == (f'"{len(FEED)}"', "Wed, 27 May 2026 00:00:00 GMT")
    assert first.state.polled_at == now
    later = now + timedelta(minutes=15)
    second = poll(website.plan("/feed"), later, first.state)
    assert second.unchanged
    assert second.stories == ()
    assert (second.state.etag, second.state.polled_at) == (first.state.etag, later)
    asked = website.asked[-1][1]
    assert asked["If-None-Match"] == first.state.etag
    assert asked["If-Modified-Since"] == first.state.last_modified


def test_every_real_feed_is_taken_from_a_server_and_then_unchanged(
    website: Website, test_data: Path, now: datetime
) -> None:
    for path in sorted((test_data / "feeds").iterdir()):
        if path.suffix not in (".xml", ".rdf", ".atom"):
            continue
        expected = json.loads(path.with_name(f"{path.name}.expected.json").read_bytes())
        website.serve("/" + path.name, path.read_bytes(), Content_Type="text/xml")
        first = poll(website.plan("/" + path.name), now)
        titles = [" ".join(entry["title"].split()) for entry in expected["entries"]]
        assert [story.title for story in first.stories[: len(titles)]] == titles, path.name
        second = poll(website.plan("/" + path.name), now, first.state)
        assert second.unchanged, path.name
        assert not second.stories, path.name


def test_relative_links_rest_on_where_the_redirects_ended(website: Website, now: datetime) -> None:
    atom = (Path(__file__).parent / "fixtures" / "relative.atom").read_bytes()
    website.answer("/old", 301, Location="/new/all")
    website.serve("/new/all", gzip.compress(atom), Content_Encoding="gzip")
    [story] = poll(website.plan("/old"), now).stories
    assert story.url == website.url("/livewire/mayor-agrees")


def test_410_switches_the_source_off_with_a_sentence(website: Website, now: datetime) -> None:
    website.answer("/feed", 410)
    fetched = poll(website.plan("/feed"), now)
    assert fetched.stories == ()
    assert fetched.state.switched_off
    assert "remove source wire" in fetched.state.switched_off
    website.serve("/feed", FEED)
    assert poll(website.plan("/feed"), now, fetched.state).state.switched_off is None


@pytest.mark.parametrize(
    ("status", "headers", "words"),
    [
        (429, {"Retry-After": "3600"}, "before 2026-05-27 06:25:00 UTC"),
        (503, {"Retry-After": "Wed, 27 May 2026 12:00:00 GMT"}, "before 2026-05-27 12:00:00 UTC"),
        (503, {"Retry-After": "soon"}, "tried again at the next poll"),
        (500, {}, "tried again at the next poll"),
        (404, {}, "correct its url"),
        (403, {}, "ask its owner"),
        (204, {}, "answered 204"),
    ],
)
def test_a_refusal_says_what_to_do(
    website: Website, now: datetime, status: int, headers: dict[str, str], words: str
) -> None:
    website.answer("/feed", status, **headers)
    with pytest.raises(SourceError) as caught:
        poll(website.plan("/feed"), now)
    assert f"source wire: {website.url('/feed')}" in str(caught.value)
    assert words in str(caught.value)


def test_an_html_page_is_named(website: Website, now: datetime) -> None:
    website.serve("/feed", b"<!DOCTYPE html><html><body>hello</body></html>", Content_Type="text/html")
    with pytest.raises(SourceError, match="is an HTML page, not a feed"):
        poll(website.plan("/feed"), now)


def test_an_unreachable_host_is_named(now: datetime) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    plan = SourcePlan(id="wire", kind="feed", url=f"http://127.0.0.1:{port}/", allow_private=True)
    with pytest.raises(SourceError, match=rf"source wire: http://127.0.0.1:{port}/ did not answer"):
        poll(plan, now)
    plan = SourcePlan(id="wire", kind="feed", url="http://nowhere.invalid/feed")
    with pytest.raises(SourceError, match="name cannot be resolved"):
        poll(plan, now)


# --- limits -----------------------------------------------------------------------------------------------


def test_redirects_end(website: Website, now: datetime) -> None:
    website.answer("/feed", 302, Location="/feed")
    with pytest.raises(SourceError, match="redirects more than 5 times"):
        poll(website.plan("/feed"), now)
    assert len(website.asked) == 6


@pytest.mark.parametrize("location", ["ftp://h.example/", "file:///etc/passwd", "http://user:word@h.example/"])
def test_a_redirect_leads_to_the_web_only(website: Website, now: datetime, location: str) -> None:
    website.answer("/feed", 302, Location=location)
    with pytest.raises(SourceError, match=r"redirects to no http\(s\) address"):
        poll(website.plan("/feed"), now)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433", "localhost", "0"])
def test_a_redirect_never_leads_inside(website: Website, listener: Listener, now: datetime, host: str) -> None:
    website.answer("/feed", 302, Location=f"http://{host}:{listener.port}/secrets")
    with pytest.raises(SourceError, match="inside address"):
        poll(website.plan("/feed"), now)
    assert listener.hits() == 0


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "[::ffff:7f00:1]", "0x7f.1", "2130706433", "localhost", "0", "[64:ff9b::7f00:1]"]
)
def test_an_inside_source_is_refused_unless_it_is_meant(listener: Listener, now: datetime, host: str) -> None:
    plan = SourcePlan(id="wire", kind="feed", url=f"http://{host}:{listener.port}/feed")
    with pytest.raises(SourceError, match=r"inside address .* allow_private: true"):
        poll(plan, now)
    assert listener.hits() == 0


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.2", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
     "255.255.255.255", "240.0.0.1", "198.18.0.1", "192.0.2.1", "::", "::1", "fe80::1%eth0", "fc00::1", "ff02::1",
     "::ffff:8.8.8.8", "::8.8.8.8", "64:ff9b::808:808", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:1::1", "2001:db8::1"],
)  # fmt: skip
def test_addresses_that_are_not_outside(address: str) -> None:
    assert not is_outside(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111"])
def test_addresses_that_are_outside(address: str) -> None:
    assert is_outside(address)


def test_a_name_that_changes_its_answer_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([["8.8.8.8", "10.0.0.1"], ["127.0.0.1"]])
    connected: list[str] = []

    def look_up(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        assert host == "rebind.example"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in next(answers)]

    def connect(_: object, host: str, *__: object) -> httpcore.NetworkStream:
        connected.append(host)
        raise httpcore.ConnectError("nobody there")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    outside = VettedNetwork(None, time.monotonic() + 5)
    with pytest.raises(httpcore.ConnectError, match="nobody there"):
        outside.connect_tcp("rebind.example", 80)
    assert connected == ["8.8.8.8"]
    with pytest.raises(InsideAddressError):
        outside.connect_tcp("rebind.example", 80)
    assert connected == ["8.8.8.8"]


def test_a_gzip_bomb_is_cut_off(website: Website, now: datetime) -> None:
    packer = zlib.compressobj(1, wbits=31)
    bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(200)) + packer.flush()
    website.serve("/feed", bomb, Content_Encoding="gzip")
    tracemalloc.start()
    with pytest.raises(SourceError, match="larger than 10 MiB"):
        poll(website.plan("/feed"), now)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * 2**20


def test_an_endless_body_is_cut_off(website: Website, now: datetime) -> None:
    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while True:
            request.wfile.write(b"<item>" * 10_000)

    website.pages["/feed"] = endless
    with pytest.raises(SourceError, match="larger than 10 MiB"):
        poll(website.plan("/feed"), now)


@pytest.mark.parametrize("where", ["headers", "body"])
def test_a_dripping_answer_ends_at_the_timeout_of_the_source(website: Website, now: datetime, where: str) -> None:
    def dripping(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.0 200 OK\r\n" + (b"\r\n" if where == "body" else b"X-Slow: "))
        for _ in range(200):
            request.wfile.write(b"x")
            time.sleep(0.05)

    website.pages["/feed"] = dripping
    begun = time.monotonic()
    with pytest.raises(SourceError, match=r"time allowed for the whole answer|timed out"):
        poll(website.plan("/feed", timeout=0.4), now)
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize(
    ("encoding", "body", "words"),
    [
        ("gzip", b"no gzip", "damaged gzip"),
        ("gzip", gzip.compress(FEED)[:-9], "broke off"),
        ("gzip, gzip", b"", "not asked for"),
    ],
)
def test_damaged_answers_are_named(website: Website, now: datetime, encoding: str, body: bytes, words: str) -> None:
    website.serve("/feed", body, Content_Encoding=encoding)
    with pytest.raises(SourceError, match=words):
        poll(website.plan("/feed"), now)


def test_tls_is_verified_against_the_name(now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(FEED)

        def log_message(self, *_: object) -> None:
            pass

    class Server(HTTPServer):
        def handle_error(self, *_: object) -> None:
            pass

    server = Server(("127.0.0.1", 0), Page)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    network._tls.cache_clear()
    try:
        plan = SourcePlan(id="wire", kind="feed", url=f"https://localhost:{server.server_port}/", allow_private=True)
        assert len(poll(plan, now).stories) == 2
        plan = SourcePlan(id="wire", kind="feed", url=f"https://127.0.0.1:{server.server_port}/", allow_private=True)
        with pytest.raises(SourceError, match="certificate"):
            poll(plan, now)
    finally:
        network._tls.cache_clear()
        server.shutdown()
        thread.join()
        server.server_close()


def test_nothing_is_logged(website: Website, now: datetime, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    website.serve("/feed", FEED)
    poll(website.plan("/feed"), now)
    assert caplog.records == []


# --- the door ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", [None, "", "feed.xml", "ftp://h.example/", "http://user:word@h.example/", "http://h..example:x/"]
)
def test_a_source_without_a_usable_url_is_a_configuration_error(url: str | None) -> None:
    with pytest.raises(ConfigurationError, match="source wire: url is"):
        open_source(SourcePlan(id="wire", kind="feed", url=url), DESK)


def test_an_unknown_kind_names_the_source_and_the_kinds() -> None:
    with pytest.raises(
        ConfigurationError, match="source wire: kind is 'gopher'; the kinds that exist are feed, folder"
    ):
        open_source(SourcePlan(id="wire", kind="gopher"), DESK)
