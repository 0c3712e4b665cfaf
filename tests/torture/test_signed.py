"""A whole send whose every message is signed, verified by somebody else's library."""

from __future__ import annotations

import base64
from pathlib import Path

import dkim
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from .scene import Scene


def test_every_message_of_a_send_is_signed(tmp_path: Path) -> None:
    key = generate_private_key(65537, 2048)
    pem = tmp_path / "dkim.pem"
    pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    named = {"DOMAIN": "example.com", "SELECTOR": "s1", "KEY_FILE": str(pem)}
    settings = {f"NEWSLETTER_DKIM_{name}": value for name, value in named.items()}
    with Scene(tmp_path / "desk", readers=120, settings=settings) as scene:
        scene.finish()
        assert scene.verdict().kept
        messages = list(scene.server.contents)
    asked: set[bytes] = set()

    def dns(name: bytes, timeout: int = 5) -> bytes:
        asked.add(name)
        return b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)

    assert len(messages) == 120
    assert all(dkim.verify(message, dnsfunc=dns) for message in messages)
    assert asked == {b"s1._domainkey.example.com."}
