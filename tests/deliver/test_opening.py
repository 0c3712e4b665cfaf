"""Which transport the settings open, and whom it may write to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.deliver import open_transport, refuse_strangers
from newsletter.deliver.outbox import OutboxTransport
from newsletter.deliver.relay import Relay
from newsletter.deliver.replies import ReplyReader
from newsletter.errors import NotLiveError, SettingError
from newsletter.settings import Settings, load_settings
from newsletter.testing import MemoryTransport

FAR = "smtp://mail.example.com"


def settings(desk: Path, **values: str) -> Settings:
    return load_settings(desk, {f"NEWSLETTER_{name.upper()}": value for name, value in values.items()})


def test_without_a_url_it_is_the_outbox(tmp_path: Path) -> None:
    transport = open_transport(settings(tmp_path), tmp_path / "x")
    assert isinstance(transport, OutboxTransport)
    assert transport.folder == tmp_path / "x"
    assert not transport.leaves_machine
    assert open_transport(settings(tmp_path)).name == "outbox"


def test_with_a_url_it_is_smtp(tmp_path: Path) -> None:
    transport = open_transport(settings(tmp_path, smtp_url=f"{FAR}?connections=3"), tmp_path)
    assert (transport.name, transport.connections, transport.leaves_machine) == ("smtp", 3, True)


@pytest.mark.parametrize(
    ("host", "near"),
    [
        ("localhost", True),
        ("LOCALHOST", True),
        ("127.0.0.1", True),
        ("127.9.8.7", True),
        ("[::1]", True),
        ("mail.example.com", False),
        ("10.0.0.1", False),
        ("localhost.example.com", False),
        ("127.0.0.1.example.com", False),
        ("[::ffff:127.0.0.1]", False),
        ("[2001:db8::1]", False),
        ("0.0.0.0", False),
    ],
)
def test_loopback_is_known_by_name_alone(host: str, near: bool) -> None:
    relay = Relay.parse(f"smtp://{host}")
    assert relay.on_loopback is near
    assert relay.starttls is not near, "off loopback STARTTLS is required unless told otherwise"


def test_the_url_is_read() -> None:
    relay = Relay.parse("smtps://de%40sk:p%3Aw@mail.example.com:4650?connections=12&cafile=/x.pem", "other")
    assert relay == Relay(
        host="mail.example.com",
        port=4650,
        tls=True,
        starttls=False,
        user="de@sk",
        password="p:w",
        connections=12,
        cafile="/x.pem",
    )
    assert Relay.parse("smtp://u@h", "from file").password == "from file"
    assert [Relay.parse(url).port for url in ("smtp://h", "smtp://u@h", "smtps://h")] == [25, 587, 465]
    assert Relay.parse("smtp://h?starttls=never").starttls is False
    assert Relay.parse("smtp://127.0.0.1?starttls=require").starttls is True


@pytest.mark.parametrize(
    "url",
    [
        "http://h",
        "smtp://",
        "smtp://h?starttls=maybe",
        "smtp://h?connections=0",
        "smtp://h?connections=x",
        "smtp://h?tls=1",
    ],
)
def test_a_url_that_cannot_be_followed(url: str) -> None:
    with pytest.raises(SettingError, match="NEWSLETTER_SMTP_URL"):
        Relay.parse(url)


def test_strangers_are_refused_until_live(tmp_path: Path) -> None:
    far = MemoryTransport(leaves_machine=True)
    strangers = ["a@example.com", "b@sub.test.example", "c@xtest.example", "D@test.example", "e@test.example"]
    allowed = settings(tmp_path, smtp_url=FAR, test_allow="@Test.example, kate@Example.COM, example.com")
    with pytest.raises(NotLiveError) as refused:
        refuse_strangers(far, allowed, iter(strangers))
    sentence = str(refused.value)
    assert "a@example.com, b@sub.test.example, c@xtest.example may not" in sentence
    assert "NEWSLETTER_TEST_ALLOW" in sentence
    assert "NEWSLETTER_LIVE=true" in sentence
    refuse_strangers(far, allowed, ["kate@example.com", "x@TEST.example"])
    with pytest.raises(NotLiveError, match=r"Kate@example\.com"):
        refuse_strangers(far, allowed, ["Kate@example.com"])
    refuse_strangers(MemoryTransport(), allowed, strangers)
    refuse_strangers(far, settings(tmp_path, live="true"), strangers)


def test_at_most_four_addresses_are_looked_up_among_strangers(tmp_path: Path) -> None:
    asked: list[str] = []

    def endless() -> Iterator[str]:
        while True:
            asked.append("a@example.com")
            yield asked[-1]

    with pytest.raises(NotLiveError, match="and others may not"):
        refuse_strangers(MemoryTransport(leaves_machine=True), settings(tmp_path), endless())
    assert len(asked) == 4


def test_replies_in_any_pieces() -> None:
    said = b"220 hi\r\n250-a\r\n250-b c\r\n250 d\r\n354\r\n550 5.1.1 caf\xc3\xa9 \xff\x07\n"
    for size in range(1, len(said) + 1):
        reader = ReplyReader()
        replies = [r for at in range(0, len(said), size) for r in reader.feed(said[at : at + size])]
        assert [r.code for r in replies] == [220, 250, 354, 550]
        assert replies[1].lines == (b"a", b"b c", b"d")
        assert replies[3].text == "550 5.1.1 café \ufffd"
        assert reader.empty


@pytest.mark.parametrize(
    "said", [b"hello\r\n", b"25 x\r\n", b"199 x\r\n", b"600 x\r\n", b"250x\r\n", b"\r\n", b"x" * 5000]
)
def test_what_is_no_reply(said: bytes) -> None:
    reader = ReplyReader()
    assert [reply.code for reply in reader.feed(b"250 good\r\n" + said)] == [250]
    assert reader.fault
    assert not reader.empty
