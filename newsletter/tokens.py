"""Signed tokens for links: what a link may do is written in it, and nobody else can write one.

A token is `KEYID.PAYLOAD.MAC` in URL-safe base64 without padding. The MAC is keyed BLAKE2s (RFC 7693) of 128 bits
over purpose and payload, so a token of one purpose never passes for another. The key id tells keys apart for
rotation: the newest key signs, every listed key verifies.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

__all__ = ["Purpose", "Signer", "mark_of"]


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Purpose(StrEnum):
    """What a token lets its bearer do."""

    __hash__ = str.__hash__  # an Enum's own is a function of Python, and is asked for thrice a message

    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    VIEW = "view"
    BOUNCE = "bounce"
    MESSAGE_ID = "message-id"
    APPROVE = "approve"
    CONFIRM = "confirm"
    REPORT = "report"
    DATA = "data"
    MOVE = "move"
    CLICK = "click"


class Signer:
    """Signs and verifies tokens with the keys of `NEWSLETTER_SECRET_KEY`, newest first."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("a signer needs at least one key")
        self._keys = {_key_id(key): _Key(key) for key in reversed(keys)}
        self._newest = _key_id(keys[0])

    def sign(self, purpose: Purpose, payload: str, expires: datetime | None = None) -> str:
        """A token for `payload`; without `expires` it is valid for good."""
        body, written = _body(payload, expires)
        mac = self._keys[self._newest].mac(purpose, body)
        return f"{self._newest}.{written}.{_encode(mac)}"

    def verify(self, purpose: Purpose, token: str, now: datetime) -> str | None:
        """The payload of a token we signed for this purpose and that has not expired, else None."""
        try:
            key_id, body64, mac64 = token.split(".")
            body, mac = _decode(body64), _decode(mac64)
            expires, _, payload = body.decode().partition("|")
        except (ValueError, binascii.Error):
            return None
        key = self._keys.get(key_id)
        if key is None or not hmac.compare_digest(mac, key.mac(purpose, body)):
            return None
        if expires and int(expires) < now.timestamp():
            return None
        return payload

    def digest(self, purpose: Purpose, payload: str) -> str:
        """A keyed hash that cannot be guessed and is the same every time: 32 hexadecimal digits.

        It rests on the oldest key, so that adding a key does not change it.
        """
        oldest = next(iter(self._keys.values()))
        return oldest.mac(purpose, payload.encode()).hex()


def mark_of(address: str) -> str:
    """Eight letters that stand for an address in a token which names its row by number.

    After a restored backup numbers are given a second time: without a mark, links of who had one before would speak
    for who has it now.
    """
    return _encode(hashlib.blake2s(address.lower().encode(), digest_size=6).digest())


def _key_id(key: str) -> str:
    return _encode(hashlib.sha256(b"key-id:" + key.encode()).digest()[:3])


class _Key:
    """A key that has taken in each purpose already: three MACs are made for every message."""

    def __init__(self, key: str) -> None:
        secret = hashlib.sha256(b"mac:" + key.encode()).digest()
        self._begun = {
            purpose: hashlib.blake2s(purpose.encode() + b"\0", key=secret, digest_size=16) for purpose in Purpose
        }

    def mac(self, purpose: Purpose, body: bytes) -> bytes:
        state = self._begun[purpose].copy()
        state.update(body)
        return state.digest()


@lru_cache(8)  # a reader's links differ in what they are for, and not in what they say
def _body(payload: str, expires: datetime | None) -> tuple[bytes, str]:
    body = f"{int(expires.timestamp()) if expires else ''}|{payload}".encode()
    return body, _encode(body)


def _encode(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).translate(_URL_SAFE).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
