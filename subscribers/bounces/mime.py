"""The parts of a message, however broken it is: never more than so many bytes, levels and parts of it.

The standard library's parser recurses as deep as a message is nested, and asks every open boundary at every line; a
hostile megabyte keeps it for minutes. This one splits each level once.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from codecs import lookup
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header

__all__ = ["MOST_BYTES", "Part", "digest_of", "parts_of"]

MOST_BYTES = 1 << 20
"""What stands behind them in a message is not looked at: the reason and the header that came back stand before."""

_DEEPEST = 8
_MOST_PARTS = 64
_LONGEST_HEADER = 64 * 1024
_MOST_FIELDS = 500

_NO_CHARSETS = frozenset({"punycode", "idna", "unicode_escape", "raw_unicode_escape", "undefined"})
"""What Python decodes as text and no mail is written in; a megabyte as punycode would take hours."""

_KIND = re.compile(r"\s*([\w.+-]{1,80}/[\w.+-]{1,80})", re.ASCII)
_BOUNDARY = re.compile(r'boundary\s{0,9}=\s{0,9}(?:"([^"]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)
_CHARSET = re.compile(r'charset\s{0,9}=\s{0,9}"?([\w.:+-]{1,40})', re.IGNORECASE | re.ASCII)
_FIELD = re.compile(r"^([!-9;-~]{1,80})[ \t]{0,9}:[ \t]*(.*(?:\n[ \t]+.*){0,200})", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Part:
    """One leaf, or the header of a message (`kind` is `message/rfc822`, `text` the header as it stands).

    `level` counts the messages around it: 0 is what was sent to us, 1 what that brings along. The fields of `header`
    have small letters, are unfolded, and each stands there once, the first time.
    """

    kind: str
    level: int
    header: Mapping[str, str]
    text: str


def parts_of(data: bytes) -> list[Part]:
    """Every part of a message, the message's own header first; never raises (RFC 2045, 2046)."""
    found: list[Part] = []
    for part in _message(_bare(data), 0, 0):
        found.append(part)
        if len(found) == _MOST_PARTS:
            break
    return found


def digest_of(data: bytes) -> str:
    """What tells a message from others: the same from a file, an mbox and a mail server; 32 hexadecimal digits."""
    return hashlib.sha256(_bare(data).rstrip(b"\n")).hexdigest()[:32]


def _bare(data: bytes) -> bytes:
    """The message without what carries it: line ends of the wire, the line that an mbox puts before it."""
    data = data[:MOST_BYTES].replace(b"\r\n", b"\n").replace(b"\r", b"\n").lstrip(b"\n")
    return data.partition(b"\n")[2] if data.startswith((b"From ", b">From ")) else data


def _message(data: bytes, level: int, depth: int) -> Iterator[Part]:
    head, _ = _split(data)
    text = _decoded(head[:_LONGEST_HEADER], "")
    yield Part("message/rfc822", level, _fields(text), text)
    yield from _entity(data, level, depth)


def _entity(data: bytes, level: int, depth: int) -> Iterator[Part]:
    """The parts of what has a header of MIME; what cannot be split is text."""
    head, body = _split(data)
    header = _fields(_decoded(head[:_LONGEST_HEADER], ""))
    content = header.get("content-type", "")
    found = _KIND.match(content)
    kind = found[1].lower() if found else "text/plain"
    boundary = _BOUNDARY.search(content)
    if kind.startswith("multipart/") and boundary and depth < _DEEPEST:
        line = re.escape((boundary[1] or boundary[2]).encode("utf-8", "replace"))
        pieces = re.split(rb"(?m)^--" + line + rb"(?:--)?[ \t]*$", body)
        if len(pieces) > 1:
            for piece in pieces[1:]:
                if piece.strip():
                    yield from _entity(piece.removeprefix(b"\n"), level, depth + 1)
            return
    body = _transferred(body, header.get("content-transfer-encoding", ""))
    if kind in ("message/rfc822", "message/global") and depth < _DEEPEST:
        yield from _message(body.lstrip(b"\n"), level + 1, depth + 1)
        return
    charset = _CHARSET.search(content)
    yield Part(kind, level, header, _decoded(body, charset[1] if charset else ""))


def _split(data: bytes) -> tuple[bytes, bytes]:
    if data.startswith(b"\n"):
        return b"", data[1:]
    head, _, body = data.partition(b"\n\n")
    return head, body


def _transferred(body: bytes, encoding: str) -> bytes:
    try:
        match encoding.strip().lower():
            case "base64":
                return binascii.a2b_base64(re.sub(rb"[^A-Za-z0-9+/]", b"", body) + b"===")
            case "quoted-printable":
                return binascii.a2b_qp(body)
    except binascii.Error:
        pass
    return body


def _decoded(body: bytes, charset: str) -> str:
    for name in filter(None, (charset, "utf-8", "latin-1")):
        try:
            if lookup(name).name in _NO_CHARSETS:
                continue
            return body.decode(name)
        except (LookupError, ValueError):  # also codecs that are none for text
            continue
    return body.decode("latin-1")


def _fields(head: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, match in enumerate(_FIELD.finditer(head)):
        if number == _MOST_FIELDS:
            break
        found.setdefault(match[1].lower(), _plain(" ".join(match[2].split())))
    return found


def _plain(value: str) -> str:
    """A header's text without its encoded words (RFC 2047)."""
    if "=?" not in value or len(value) > 2000:
        return value
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError):
        return value
