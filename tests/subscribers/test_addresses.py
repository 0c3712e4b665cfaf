"""Which addresses are taken, and which two are the same."""

from __future__ import annotations

import time

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from subscribers.addresses import parse_address
from subscribers.errors import AddressError

LOCALS = st.text("abcxyzABC0189._+-'é", min_size=1, max_size=70) | st.integers(200, 252).map("a".__mul__)
DOMAINS = st.sampled_from(
    [
        "example.com",
        "EXAMPLE.Com",
        "bücher.example",
        "Bücher.Example",
        "xn--bcher-kva.example",
        "mail.test",
        "localhost",
        "a..b",
        "-x.com",
        "例え.jp",
        "x" * 64 + ".com",
        "y." * 110 + "example.com",
        "ü" * 20 + ".example",
        "example.123",
    ]
)


@pytest.mark.parametrize(
    ("text", "email", "key"),
    [
        ("ann@example.com", "ann@example.com", "ann@example.com"),
        ("  Ann@Example.COM ", "Ann@Example.COM", "Ann@example.com"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"),
        ("ann@BÜCHER.example", "ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"),
        ("jürgen@example.com", "jürgen@example.com", "jürgen@example.com"),
        ("ann+news@reader.test", "ann+news@reader.test", "ann+news@reader.test"),
    ],
)
def test_reads(text: str, email: str, key: str) -> None:
    assert (parse_address(text).email, parse_address(text).key) == (email, key)


def test_case_of_the_local_part_tells_people_apart() -> None:
    assert parse_address("Ann@example.com").key != parse_address("ann@example.com").key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "@example.com",
        "ann@",
        "a b@example.com",
        "Ann <ann@example.com>",
        "ann@localhost",
        "ann@x\n.com",
        "ann@example.com\r\nBcc: all@example.com",
        ".ann@example.com",
        "ann@exa\x00mple.com",
        "x" * 249 + "@a.com",
    ],
)
def test_refuses_with_the_address_in_the_message(text: str) -> None:
    with pytest.raises(AddressError, match="is not an address") as caught:
        parse_address(text)
    assert repr(text.strip()) in str(caught.value)
    assert caught.value.exit_code == 2


@given(LOCALS, DOMAINS)
def test_says_what_the_validator_says_of_the_whole_address(local: str, domain: str) -> None:
    """Domains are judged apart from plain local parts: that must never change a verdict."""
    text = f"{local}@{domain}"
    try:
        valid = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        with pytest.raises(AddressError):
            parse_address(text)
    else:
        assert parse_address(text).key == f"{valid.local_part}@{valid.ascii_domain}"


@given(LOCALS, DOMAINS)
def test_keys_are_stable(local: str, domain: str) -> None:
    try:
        address = parse_address(f"{local}@{domain}")
    except AddressError:
        return
    assert parse_address(address.email) == address
    assert parse_address(address.key).key == address.key
    assert address.email.rpartition("@")[2].isascii()


@pytest.mark.parametrize("form", ["a{}@example.org", "a@{}.org"])
def test_a_long_text_is_refused_before_its_accents_are_put_in_order(form: str) -> None:
    """That takes the square of their number, while nothing else of the process goes on."""
    began = time.perf_counter()
    with pytest.raises(AddressError, match="254 are the most"):
        parse_address(form.format("\u0301\u0327" * 15_000))
    assert time.perf_counter() - began < 0.05
