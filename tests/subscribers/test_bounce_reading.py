"""What comes back is understood, whoever wrote it; and whatever comes, the reader ends soon and raises nothing."""

from __future__ import annotations

import base64
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subscribers.bounces.codes import class_of_code, code_in
from subscribers.bounces.model import BounceClass, Report
from subscribers.bounces.reading import judged, mildest, read

from .bounces.modern import RETURNED, SENDER, TOKEN, modern

HERE = Path(__file__).parent / "bounces"
IGNORED = {BounceClass.DELAYED, BounceClass.DELIVERED, BounceClass.REPLY, BounceClass.UNKNOWN}


def labels() -> dict[str, BounceClass]:
    """The class of each old bounce, as a person read it."""
    lines = (HERE / "labels.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if not line.startswith("#")]
    return {name: BounceClass(kind) for kind, *names in rows for name in names}


OLD = {path.stem: path.read_bytes() for path in sorted((HERE / "old").glob("*.txt"))}
MODERN = {name: (kind, data) for name, kind, data in modern()}
ALL = [*OLD.values(), *(data for _, data in MODERN.values())]


def test_the_corpora_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = labels()
    assert wanted.keys() == OLD.keys()
    old = {name: (wanted[name], read(data).kind) for name, data in OLD.items()}
    new = {name: (kind, read(data).kind) for name, (kind, data) in MODERN.items()}
    rights = [sum(meant is found for meant, found in each.values()) for each in (old, new)]
    harsh = {
        name: found
        for each in (old, new)
        for name, (meant, found) in each.items()
        if found in (BounceClass.ADDRESS, BounceClass.COMPLAINT) and meant is not found
    }
    with capsys.disabled():
        print(f"\nclass of bounces: {rights[0]} of {len(old)} old, {rights[1]} of {len(new)} modern; too harsh {harsh}")
    assert rights[0] >= 0.95 * len(old)
    assert rights[1] >= 0.95 * len(new)
    assert len(new) >= 25
    assert harsh == {}


def test_each_modern_bounce_names_its_delivery() -> None:
    for name, (_, data) in MODERN.items():
        assert read(data).tokens == (TOKEN,), name


@pytest.mark.parametrize(
    "where",
    [
        f"To: {SENDER}\n\nbody",
        f"To: {SENDER.upper()}\n\nbody",
        f"To: x@y.example\nX-Original-To: {SENDER}\n\nbody",
        f"To: x@y.example\nReceived: by mx with LMTP for\n <{SENDER}>; now\n\nbody",
        f"To: SRS0=Yk2n=DN=example.com={SENDER}\n\nbody",
        f"To: prvs=0123456789={SENDER}\n\nbody",
        f"To: x@y.example\n\n> Return-Path: <{SENDER}>\n",
        "To: x@y.example\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n"
        + base64.b64encode(RETURNED.encode()).decode(),
        f"To: x@y.example\nContent-Transfer-Encoding: quoted-printable\n\n{SENDER[:20]}=\n{SENDER[20:]}",
        f"To: x@y.example\nContent-Type: multipart/mixed; boundary=lost\n\n{RETURNED}",
    ],
)
def test_a_token_is_found_wherever_it_stands(where: str) -> None:
    assert read(where.encode()).tokens == (TOKEN,)


def test_the_envelope_comes_before_what_is_quoted() -> None:
    other = "7-" + "f" * 28
    found = read(f"Delivered-To: bounce+{other}@news.example.com\n\n{RETURNED}".encode())
    assert found.tokens == (other, TOKEN)


def test_links_are_read_from_complaints_alone() -> None:
    _, complaint = MODERN["arf, abuse"]
    assert read(complaint).links == ("AbCd.fDF8MjM.AAAAAAAAAAAAAAAAAAAAAA",)
    assert read(MODERN["postfix, unknown"][1]).links == ()


@pytest.mark.parametrize(
    ("action", "status", "reason", "kind"),
    [
        ("failed", "5.1.1", "", BounceClass.ADDRESS),
        ("failed", "5.0.0", "550 5.1.1 unknown", BounceClass.ADDRESS),
        ("failed", "5.1.1", "550 5.7.1 blocked", BounceClass.POLICY),
        ("failed", "5.1.1", "550 5.1.1 mailbox full", BounceClass.MAILBOX),
        ("failed", "5.7.1", "550 user unknown", BounceClass.POLICY),
        ("failed", "5.4.1", "550 5.4.1 user unknown", BounceClass.OTHER),
        ("failed", "5.1.8", "", BounceClass.POLICY),
        ("failed", "5.1.7", "", BounceClass.POLICY),
        ("failed", "5.3.4", "", BounceClass.POLICY),
        ("failed", "4.4.1", "", BounceClass.MAILBOX),
        ("failed", "4.7.0", "", BounceClass.POLICY),
        ("failed", "", "", BounceClass.OTHER),
        ("Failed (user unknown)", "5.0.0 (user unknown)", "user unknown", BounceClass.ADDRESS),
        ("delayed", "5.1.1", "user unknown", BounceClass.DELAYED),
        ("delivered", "5.1.1", "user unknown", BounceClass.DELIVERED),
        ("expanded", "2.0.0", "", BounceClass.DELIVERED),
    ],
)
def test_words_soften_a_code_and_never_sharpen_it(action: str, status: str, reason: str, kind: BounceClass) -> None:
    assert judged(action, status, reason)[0] is kind


def test_an_address_of_the_network_is_no_code() -> None:
    assert code_in("host 5.1.1.2 said: 550 5.7.1 no") == "5.7.1"
    assert code_in("version 15.1.1 said 250") == ""
    assert class_of_code("") is None


def test_of_several_recipients_the_mildest_fate_holds() -> None:
    assert mildest([BounceClass.ADDRESS, BounceClass.POLICY, BounceClass.OTHER]) is BounceClass.POLICY
    assert mildest([BounceClass.ADDRESS, BounceClass.DELIVERED]) is BounceClass.DELIVERED


def test_news_that_came_back_is_no_reason() -> None:
    """The message that is returned speaks of spam and unknown users; the reason does not."""
    told = f"From: MAILER-DAEMON@mx.example\nSubject: failure notice\n\nIt could not be delivered.\n\n{RETURNED}"
    assert read(told.encode()).kind is BounceClass.OTHER


def nested(depth: int, kind: str) -> bytes:
    """A message in a message in a message, or parts in parts."""
    if kind == "rfc822":
        return b"Content-Type: message/rfc822\n\n" * depth + b"x"
    heads = [f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n".encode() for n in range(depth)]
    return b"".join(heads) + b"\nx\n" + b"".join(f"--b{n}--\n".encode() for n in reversed(range(depth)))


BOMBS = {
    "parts in parts": nested(20_000, "mixed"),
    "messages in messages": nested(30_000, "rfc822"),
    "a million parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 300_000,
    "one line": b"Subject: " + b"a" * 3_000_000,
    "folded for ever": b"Subject: x\n" + b" y\n" * 500_000,
    "fields": b"X: y\n" * 500_000,
    "recipients": b"Content-Type: message/delivery-status\n\n" + b"Final-Recipient: a@b\nAction: failed\n\n" * 40_000,
    "encoded words": b"Subject: " + b"=?utf-8?q?=61?= " * 100_000,
    "tokens": b"To: x\n\n" + f"bounce+{TOKEN}@x ".encode() * 20_000,
    "user user user": b"From: MAILER-DAEMON\nSubject: failure\n\n" + b"user mailbox account recipient " * 50_000,
    "tags": b"From: MAILER-DAEMON\nSubject: failure\nContent-Type: text/html\n\n" + b"<style><style <p <a " * 50_000,
    "spaces": b"From: MAILER-DAEMON\nSubject: failure\n\n" + b" \t" * 500_000 + b"x",
    "blank lines": b"Content-Type: message/delivery-status\n\n" + b"\n \n\t\n" * 200_000,
    "base64": b"Content-Transfer-Encoding: base64\n\n" + b"QUFB" * 500_000,
    "long recipients": b"Content-Type: message/delivery-status\n\n"
    + (b"Final-Recipient: rfc822;" + b"x" * 63_000 + b"\nAction: failed\n\n") * 16,
    "a code that no mail is written in": b"From: MAILER-DAEMON\nSubject: failure\nContent-Type: text/plain;"
    b" charset=punycode\n\n" + b"9a" * 60_000,
    "boundary": b'Content-Type: multipart/mixed; boundary="' + b"(" * 100 + b'"\n\n--' + b"(" * 100 + b"\n\nx",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_read_in_a_second(name: str) -> None:
    began = time.process_time()
    assert isinstance(read(BOMBS[name]), Report)
    assert time.process_time() - began < 1


@given(st.binary(max_size=3000))
@settings(max_examples=150, deadline=None)
def test_random_bytes_are_read(data: bytes) -> None:
    found = read(data)
    assert found.kind not in (BounceClass.ADDRESS, BounceClass.COMPLAINT)


@given(
    st.sampled_from(ALL),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 60), st.binary(max_size=40)), min_size=1, max_size=6),
)
@settings(max_examples=150, deadline=None)
def test_mutated_bounces_are_read(data: bytes, changes: list[tuple[float, int, bytes]]) -> None:
    for place, length, put in changes:
        at = int(place * len(data))
        data = data[:at] + put + data[at + length :]
    found = read(data)
    assert len(found.words) <= 400
    assert found.words.isprintable()
    assert len(found.tokens) <= 8


@given(st.sampled_from([data for kind, data in MODERN.values() if kind in IGNORED]), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_a_cut_off_reply_or_delay_suppresses_nobody(data: bytes, share: float) -> None:
    assert read(data[: int(share * len(data))]).kind not in (BounceClass.ADDRESS, BounceClass.COMPLAINT)
