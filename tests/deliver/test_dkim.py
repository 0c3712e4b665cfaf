"""Signatures that somebody else's verifier accepts, whatever stands in the mail."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from dkim.canonicalization import Relaxed
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.deliver import MailHeaders, compile_message, dkim_keys
from newsletter.deliver.dkim import Key, read_keys
from newsletter.errors import SettingError
from newsletter.model import Recipient, RenderedEdition
from newsletter.ports import slot
from newsletter.settings import load_settings

READER = Recipient(
    delivery=7, subscriber=9, email="kate@example.com", name="Kate", edition="CN.en", message_id="<m7@example.com>"
)
SLOTS = {
    "name": "Kate",
    **dict.fromkeys(("unsubscribe", "preferences", "view", "report"), "https://news.example.com/x?a=1&b=2"),
}
RSA, ED25519 = generate_private_key(65537, 2048), Ed25519PrivateKey.generate()


def pem(key: Key) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def dns(name: bytes, timeout: int = 5) -> bytes:
    """What a resolver answers for the two selectors."""
    if name.startswith(b"rsa."):
        public = RSA.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    public = ED25519.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return b"v=DKIM1; k=ed25519; p=" + base64.b64encode(public)


BOTH = read_keys("example.com", ("rsa", "ed"), pem(RSA) + pem(ED25519))


def signed(headers: MailHeaders, edition: RenderedEdition, slots: dict[str, str] = SLOTS) -> bytes:
    return compile_message(edition, headers, keys=BOTH).message(READER, slots, "b@example.com").data


def holds(message: bytes, place: int) -> bool:
    try:
        return bool(dkim.DKIM(message).verify(idx=place, dnsfunc=dns))
    except dkim.ValidationError:
        return False


def test_both_signatures_hold_and_each_covers_every_field(
    headers: MailHeaders, render: Callable[..., RenderedEdition]
) -> None:
    message = signed(headers, render(f"<p>Dear {slot('name')},  two spaces</p>", f"Dear {slot('name')}\n\ta tab \n"))
    assert holds(message, 0)
    assert holds(message, 1)
    head = message.partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0] for line in head.split(b"\r\n") if line[:1] not in b" \t"]
    assert names[:2] == [b"DKIM-Signature"] * 2
    for field in head.replace(b"\r\n ", b" ").split(b"\r\n")[:2]:
        covered = field.partition(b" h=")[2].partition(b";")[0].replace(b" ", b"").split(b":")
        assert sorted(covered) == sorted([*names[2:], b"From"]), "From once more than it occurs"
        assert b" l=" not in field
    assert max(map(len, head.split(b"\r\n"))) <= 78
    for change in (b"From: other@example.com\r\n" + message, message.replace(b"Kate", b"Kata"), message + b"more\r\n"):
        assert not holds(change, 0)
        assert not holds(change, 1)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.text(max_size=60), st.text(max_size=40))
def test_they_hold_whatever_the_mail_says(
    headers: MailHeaders, render: Callable[..., RenderedEdition], text: str, subject: str, name: str
) -> None:
    edition = render(f"<p>{slot('name')} {text}</p>", f"{text}{slot('name')}{text}", subject)
    message = signed(headers, edition, SLOTS | {"name": name})
    assert holds(message, 0)
    assert holds(message, 1)
    body = message.partition(b"\r\n\r\n")[2]
    assert Relaxed.canonicalize_body(body) == body, "the body is its own relaxed form"


def test_keys_come_from_the_settings(tmp_path: Path) -> None:
    (tmp_path / "dkim.pem").write_text(pem(RSA), encoding="utf-8")
    whole = {"DOMAIN": "example.com", "SELECTOR": "rsa", "KEY_FILE": "dkim.pem"}

    def keys(**changed: str | None) -> tuple[str, ...]:
        words = {f"NEWSLETTER_DKIM_{name}": value for name, value in (whole | changed).items() if value}
        found = dkim_keys(load_settings(tmp_path, words))
        return tuple(key.algorithm for key in found)

    assert keys() == ("rsa-sha256",)
    assert keys(DOMAIN=None, SELECTOR=None, KEY_FILE=None) == ()
    with pytest.raises(SettingError, match="NEWSLETTER_DKIM_SELECTOR must be set too"):
        keys(SELECTOR=None)
    with pytest.raises(SettingError, match=r"1 private keys .* for 2 selectors"):
        keys(SELECTOR="rsa,ed")
    with pytest.raises(SettingError, match="is no name in the DNS"):
        keys(SELECTOR="a;b")
    with pytest.raises(SettingError, match=r"nothere\.pem"):
        keys(KEY_FILE="nothere.pem")
    nonsense = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
    (tmp_path / "bad.pem").write_text(nonsense, encoding="utf-8")
    with pytest.raises(SettingError, match="cannot be read"):
        keys(KEY_FILE="bad.pem")
    weak = generate_private_key(65537, 1024)
    (tmp_path / "weak.pem").write_text(pem(weak), encoding="utf-8")
    assert keys(KEY_FILE="weak.pem") == ("rsa-sha256",)
