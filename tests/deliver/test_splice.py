"""Spliced messages against the standard library's parser: what goes in comes out, and nothing else."""

from __future__ import annotations

import email
import email.policy
import html
import re
from collections.abc import Callable
from dataclasses import replace
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.deliver import MailHeaders, compile_message, envelope_sender
from newsletter.deliver.encoding import encode_part
from newsletter.deliver.header_text import clean
from newsletter.deliver.wire import wire_content
from newsletter.errors import ConfigurationError, InputError
from newsletter.model import Recipient, RenderedEdition, Sender
from newsletter.ports import SLOT_NAMES, slot
from newsletter.render import fill_html, fill_text
from tests.deliver.reading import HEADER_NAMES, mailboxes, unspaced

Render = Callable[..., RenderedEdition]

READER = Recipient(
    delivery=7, subscriber=9, email="kate@example.com", name="Kate", edition="CN.en", message_id="<m7@example.com>"
)
LINKS = {
    "name": "Kate",
    "unsubscribe": "https://news.example.com/unsubscribe/AbCd.eHh4.MTIz?a=1&b=2",
    "preferences": "https://news.example.com/preferences/AbCd." + "x" * 150 + "." * 80,
    "view": "https://news.example.com/view/AbCd.eHh4.MTIz",
    "report": "https://news.example.com/report/AbCd.eHh4.MTIz",
}
LETTERS = st.characters(codec="utf-8")
# Text that tempts: dots and "From " where a line may begin, blanks where it ends, soft breaks, all lengths of letters.
tempting = st.lists(
    st.one_of(
        st.sampled_from(
            [".", "..", "\n.", "\nFrom ", " \n", "\t\n", "\r\n", "\r", "=", "=\n", "x" * 80, "\0", "--", "นะ" * 30]
        ),
        st.sampled_from([slot(name) for name in SLOT_NAMES]),
        st.text(LETTERS, max_size=40),
    ),
    max_size=25,
).map("".join)
words = st.one_of(
    st.text(LETTERS, max_size=120),
    st.sampled_from(
        ["=?utf-8?q?a=0D=0ABcc=3A_x@example.com?=", "a\r\nBcc: x@example.com", "x" * 200, 'Kate "K" Park\\', ""]
    ),
)


def parse(data: bytes) -> EmailMessage:
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    payload = found.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode()


def filled(text: str, values: dict[str, str]) -> str:
    text = re.sub("\r\n?", "\n", text)
    for name, value in values.items():
        text = text.replace(slot(name), value)
    return text.replace("\n", "\r\n")


def assert_wire_grammar(data: bytes) -> None:
    assert data.isascii()
    assert data.endswith(b"\r\n")
    lines = data.split(b"\r\n")
    for line in lines:
        assert b"\r" not in line
        assert b"\n" not in line
        assert not line.startswith(b".")
        assert len(line) <= 998
    body = data.partition(b"\r\n\r\n")[2]
    assert max(map(len, body.split(b"\r\n"))) <= 76


@given(tempting, tempting, st.sets(st.sampled_from(["name", "preferences", "view"])))
def test_both_parts_decode_to_what_was_meant(
    headers: MailHeaders, render: Render, text: str, markup: str, known: set[str]
) -> None:
    edition = compile_message(render(markup, text), headers, {name: LINKS[name] for name in known})
    mine = {name: value for name, value in LINKS.items() if name not in known}
    message = edition.message(READER, mine, "bounce+1@example.com")
    assert_wire_grammar(message.data)
    assert bytes(wire_content(message.data)) == message.data, "no dot needs doubling"
    parsed = parse(message.data)
    assert parsed.keys() == HEADER_NAMES
    assert [p.get_content_type() for p in parsed.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert part(parsed, "plain") == filled(text, LINKS)
    assert part(parsed, "html") == filled(markup, {name: html.escape(value) for name, value in LINKS.items()})


@given(tempting, st.dictionaries(st.sampled_from(SLOT_NAMES), words))
def test_slots_hold_any_value(headers: MailHeaders, render: Render, text: str, values: dict[str, str]) -> None:
    values = LINKS | {name: value for name, value in values.items() if name != "unsubscribe"}
    message = compile_message(render("<p>x</p>", text), headers).message(READER, values, "bounce+1@example.com")
    assert_wire_grammar(message.data)
    assert part(parse(message.data), "plain") == filled(text, {name: clean(value) for name, value in values.items()})


@given(words, words, words)
def test_headers_hold_any_words(headers: MailHeaders, render: Render, subject: str, name: str, title: str) -> None:
    own = replace(headers, title=title or "x", sender=Sender(title, "news@example.com", "editors@example.com"))
    edition = compile_message(render("<p>x</p>", "x", subject), own)
    message = edition.message(READER._replace(name=name), LINKS, "bounce+1@example.com")
    assert_wire_grammar(message.data)
    parsed = parse(message.data)
    assert parsed.keys() == HEADER_NAMES, "nothing in a value became a header"
    assert parsed["Subject"] == clean(subject)
    assert mailboxes(parsed["To"]) == [(unspaced(name), "kate@example.com")]
    assert mailboxes(parsed["From"]) == [(unspaced(title), "news@example.com")]
    head = message.data.partition(b"\r\n\r\n")[0]
    assert max(len(line) for line in head.split(b"\r\n") if b"https" not in line and b"mailto" not in line) <= 141


def test_the_header_says_what_it_should(headers: MailHeaders, render: Render) -> None:
    edition = render("<p>x</p>", "x")
    parsed = parse(compile_message(edition, headers).message(READER, LINKS, "b@example.com").data)
    assert dict(parsed.items()) == {
        "To": "Kate <kate@example.com>",
        "Message-ID": "<m7@example.com>",
        "List-Unsubscribe": "<https://news.example.com/unsubscribe/AbCd.eHh4.MTIz?a=1&b=2>,"
        " <mailto:leave@example.com?subject=unsubscribe%20m7@example.com>",
        "From": "Asia AI Daily <news@example.com>",
        "Subject": "Chips, and more",
        "Date": "Tue, 26 May 2026 23:00:00 +0000",
        "List-Id": '"Asia AI Daily" <asia-ai-daily.example.com>',
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Feedback-ID": "2026-05-27:asia-ai-daily:issue:examplecom",
        "Auto-Submitted": "auto-generated",
        "Precedence": "bulk",
        "MIME-Version": "1.0",
        "List-Archive": "<https://news.example.com/archive/asia-ai-daily>",
        "Reply-To": "editors@example.com",
        "Content-Type": f'multipart/alternative; boundary="=_{edition.sha256[:32]}"',
    }


def test_fields_without_a_value_are_left_out(headers: MailHeaders, render: Render) -> None:
    bare = replace(headers, archive_url=None, unsubscribe_mailto=None, sender=Sender("Asia", "news@example.com"))
    parsed = parse(compile_message(render("<p>x</p>", "x"), bare).message(READER, LINKS, "b@example.com").data)
    assert parsed.keys() == [name for name in HEADER_NAMES if name not in ("List-Archive", "Reply-To")]
    assert parsed["List-Unsubscribe"] == f"<{LINKS['unsubscribe']}>"


def test_each_part_takes_the_smaller_encoding() -> None:
    assert encode_part(f"Good morning, {slot('name')}").encoding == "quoted-printable"
    assert encode_part("ข่าวเช้านี้จากกรุงเทพ").encoding == "base64"
    with_slots = encode_part(f"ข่าวเช้านี้ {slot('name')} จากกรุงเทพ")
    assert with_slots.encoding == "base64"


@given(
    st.lists(st.binary(max_size=70).map(lambda b: b.hex()[: len(b)]), min_size=1, max_size=5),
    st.text("abcd", max_size=5),
)
def test_base64_slots_shift_what_follows(stretches: list[str], value: str) -> None:
    text = "ก" * 40 + slot("name").join(stretches)
    encoded = encode_part(text)
    assert encoded.encoding == "base64" or "ก" * 40 not in text
    assert (
        email.message_from_bytes(
            f"Content-Transfer-Encoding: {encoded.encoding}\r\n\r\n".encode()
            + b"".join(encoded.fill({"name": value.encode()}))
        ).get_payload(decode=True)
        == text.replace(slot("name"), value).encode()
    )


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"email": "kate@example.com\r\nBcc: x@example.com"}, "address"),
        ({"email": "kate,x@example.com"}, "address"),
        ({"email": "=?utf-8?q?a?=@example.com"}, "address"),
        ({"email": "kate"}, "address"),
        ({"message_id": "<m7>"}, "Message-ID"),
        ({"message_id": "<m7@example.com>\r\nBcc: x@example.com"}, "Message-ID"),
    ],
)
def test_what_a_header_cannot_hold_is_refused(
    headers: MailHeaders, render: Render, changed: dict[str, Any], word: str
) -> None:
    edition = compile_message(render("<p>x</p>", "x"), headers)
    with pytest.raises(InputError, match=word):
        edition.message(READER._replace(**changed), LINKS, "b@example.com")


def test_links_that_are_missing_or_endless_are_refused(headers: MailHeaders, render: Render) -> None:
    edition = compile_message(render("<p>x</p>", "x"), headers)
    with pytest.raises(InputError, match="no view given for delivery 7"):
        edition.message(READER, {name: "x" for name in SLOT_NAMES if name != "view"}, "b@example.com")
    with pytest.raises(InputError, match="a header holds 900"):
        edition.message(READER, LINKS | {"unsubscribe": "https://x/" + "y" * 1000}, "b@example.com")


def test_a_domain_in_other_letters_is_written_in_ascii(headers: MailHeaders, render: Render) -> None:
    edition = compile_message(render("<p>x</p>", "x"), headers)
    message = edition.message(READER._replace(email="kate@faß.example"), LINKS, "b@example.com")
    assert message.envelope_to == "kate@xn--fa-hia.example", "IDNA 2008: ß is not ss, which is another domain"
    assert message.data.isascii()


def test_only_a_local_part_in_other_letters_makes_the_message_utf8(headers: MailHeaders, render: Render) -> None:
    message = compile_message(render("<p>x</p>", "x"), headers).message(
        READER._replace(email="กานต์@example.com"), LINKS, "b@example.com"
    )
    assert message.envelope_to == "กานต์@example.com"
    assert '"Kate" <กานต์@example.com>'.encode() in message.data


def test_the_newsletters_own_address_must_be_writable(headers: MailHeaders, render: Render) -> None:
    for address in ("news", "กานต์@example.com"):
        with pytest.raises(ConfigurationError, match="newsletter's own address"):
            compile_message(render("<p>x</p>", "x"), replace(headers, sender=Sender("Asia", address)))


def test_envelope_sender() -> None:
    assert envelope_sender("example.com", "AbCd.eHh4.MTIz") == "bounce+AbCd.eHh4.MTIz@example.com"
    for token in ("x" * 58, "a b", "a..b", ""):
        with pytest.raises(ConfigurationError, match="64 octets"):
            envelope_sender("example.com", token)


def test_foreign_bytes_are_made_fit_or_refused() -> None:
    assert bytes(wire_content(b".a\r\n..b\r\nc.")) == b"..a\r\n...b\r\nc.\r\n"
    for smuggled in (b"a\n.\r\nMAIL FROM:<>", b"a\r.\r\n", b"a\r\n.\n"):
        with pytest.raises(InputError, match="bare line end"):
            wire_content(smuggled)
    with pytest.raises(InputError, match="998"):
        wire_content(b"x" * 999 + b"\r\n")
    assert wire_content(b"x" * 998 + b"\r\n")


def test_a_name_stands_in_the_mail_as_in_its_preview(headers: MailHeaders, render: Render) -> None:
    """Whatever turns text round or is not seen is taken out, and letters are composed."""
    edition = render(f"<p>{slot('name')}</p>", f"Dear {slot('name')}")
    name = "Jose\u0301\u202e moc\u2066 \u00a0\ufeffX"
    reader, slots = READER._replace(name=name), LINKS | {"name": name}
    message = parse(compile_message(edition, headers).message(reader, slots, "b@example.com").data)
    assert part(message, "plain") == fill_text(edition.text, slots) == "Dear Jos\u00e9 moc X"
    assert part(message, "html") == fill_html(edition.html, slots)
    assert message["To"].addresses[0].display_name == "Jos\u00e9 moc X"
