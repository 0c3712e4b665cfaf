"""DKIM signatures (RFC 6376, and RFC 8463 for Ed25519), relaxed in header and body.

A message's body is its own relaxed form (`encode_part` writes no white space that would be changed), so it is hashed as
it stands; and of the header only what differs per reader is put into that form for each message.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from newsletter.errors import SettingError

__all__ = ["DkimKey", "Signature", "read_keys"]

Key = RSAPrivateKey | Ed25519PrivateKey

_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_SPACE = re.compile(rb"[ \t]+")
_LEAST_BITS = 1024  # what verifiers must accept (RFC 8301 section 3.2)
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
# A second From that somebody adds would break the signature (RFC 6376 section 8.15).
_OVERSIGNED = b"From"


@dataclass(frozen=True, slots=True)
class DkimKey:
    """A key whose public half stands in the DNS at SELECTOR._domainkey.DOMAIN."""

    domain: str
    selector: str
    key: Key

    @property
    def algorithm(self) -> str:
        """The tag `a=`."""
        return "rsa-sha256" if isinstance(self.key, RSAPrivateKey) else "ed25519-sha256"

    def sign(self, data: bytes) -> bytes:
        """The signature over the header in its relaxed form."""
        if isinstance(self.key, RSAPrivateKey):
            return self.key.sign(data, PKCS1v15(), SHA256())
        return self.key.sign(hashlib.sha256(data).digest())  # RFC 8463 section 3: PureEdDSA over the hash


class Signature:
    """The signing of one edition's messages with one key; `constant` holds the fields that are the same in all."""

    def __init__(self, key: DkimKey, constant: bytes, per_reader: Sequence[bytes]) -> None:
        fields = _fields(constant)
        names = [*per_reader, *(name for name, _ in fields), _OVERSIGNED]
        self._key = key
        self._constant = b"".join(canonical for _, canonical in fields)
        algorithm, domain, selector = (word.encode() for word in (key.algorithm, key.domain, key.selector))
        head = b"v=1; a=%b; c=relaxed/relaxed; d=%b; s=%b;" % (algorithm, domain, selector)
        listed = b"\r\n :".join(b":".join(names[at : at + 4]) for at in range(0, len(names), 4))
        self._written = b"DKIM-Signature: %b\r\n h=%b;\r\n bh=" % (head, listed)
        self._canonical = b"dkim-signature:%b h=%b; bh=" % (head, _SPACE.sub(b" ", _FOLD.sub(b"", listed)))

    def field(self, per_reader: bytes, body: bytes) -> bytes:
        """The DKIM-Signature field of a message, with its line end.

        `per_reader` holds its other fields, named and ordered as this was made for; `body` all that follows the header.
        """
        hashed = base64.b64encode(hashlib.sha256(body).digest()) + b"; b="
        differing = b"".join(canonical for _, canonical in _fields(per_reader))
        signed = base64.b64encode(self._key.sign(differing + self._constant + self._canonical + hashed))
        lines = b"\r\n ".join(signed[at : at + 72] for at in range(0, len(signed), 72))
        return b"%b%b\r\n %b\r\n" % (self._written, hashed, lines)


def read_keys(domain: str, selectors: Sequence[str], pem: str) -> tuple[DkimKey, ...]:
    """The keys of a PEM text, one a selector and in that order: an RSA and an Ed25519 key sign each message twice.

    Raises `SettingError`.
    """
    texts = _PEM.findall(pem)
    for name in (domain, *selectors):
        if not _NAME.fullmatch(name):
            raise SettingError(f"NEWSLETTER_DKIM_DOMAIN and _SELECTOR: {name!r} is no name in the DNS")
    if len(texts) != len(selectors):
        raise SettingError(
            f"NEWSLETTER_DKIM_KEY_FILE holds {len(texts)} private keys (PEM) for {len(selectors)} selectors"
        )
    return tuple(DkimKey(domain, selector, _key(text)) for selector, text in zip(selectors, texts, strict=True))


def _key(pem: str) -> Key:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingError(f"NEWSLETTER_DKIM_KEY_FILE: a key cannot be read ({error}); it has no password") from None
    if isinstance(key, RSAPrivateKey) and key.key_size >= _LEAST_BITS:
        return key
    if isinstance(key, Ed25519PrivateKey):
        return key
    raise SettingError(f"NEWSLETTER_DKIM_KEY_FILE: keys are RSA of {_LEAST_BITS} bits or more, or Ed25519")


def _fields(header: bytes) -> list[tuple[bytes, bytes]]:
    """Each field's name and its relaxed form (RFC 6376 section 3.4.2), line end included."""
    return list(_each_field(_FOLD.sub(b"", header).split(b"\r\n")))


def _each_field(lines: Iterable[bytes]) -> Iterable[tuple[bytes, bytes]]:
    for line in lines:
        name, colon, value = line.partition(b":")
        if colon:
            yield name, b"%b:%b\r\n" % (name.rstrip().lower(), _SPACE.sub(b" ", value).strip())
