"""A text part with slots, transfer-encoded once (RFC 2045), so that a message is a join of bytes.

`encode_part` picks quoted-printable or base64, whichever is smaller; both take slots. Whatever the slots hold,
the bytes are 7-bit, lines end in CRLF and have at most 76 characters, no line begins with a dot, and the relaxed
canonical form of DKIM is the bytes themselves.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from newsletter.ports import SLOT_NAMES, slot

__all__ = ["EncodedPart", "encode_part"]

_SLOT = re.compile("|".join(f"({re.escape(slot(name))})" for name in SLOT_NAMES))
# What is no plain ASCII, and white space that a relaxed DKIM body would lose: tabs, and spaces behind a space.
_UNSAFE = re.compile(rb"[^\n -<>-~]+|(?<= ) +")
_TRAILING = re.compile(rb" (?=\n|\Z)")
# 73 and not 75: the first character may grow by two (see `_soften`), and `=` ends the line. Never cut in `=XX`.
_STRETCH = re.compile(rb"[^\n]{1,73}(?<!=)(?<!=.)")
_STRETCH_LENGTH = 73
_TAME = re.compile(rb"[ -<>-~]+")
_TAME_LINE = re.compile(rb".{1,%d}" % _STRETCH_LENGTH)
_BASE64_LINE = re.compile(rb".{1,76}")


class EncodedPart(Protocol):
    """A part whose constant bytes are encoded; `fill` gives the pieces of it for one reader, to be joined.

    `values` holds the UTF-8 bytes of every slot the part names, already escaped for its kind of text.
    """

    @property
    def encoding(self) -> str: ...

    def fill(self, values: Mapping[str, bytes]) -> list[bytes]: ...


def encode_part(text: str) -> EncodedPart:
    """Encode a rendered text once; line ends of any kind become one CRLF each."""
    chunks, names = _cut(re.sub(r"\r\n?", "\n", text))
    blank = dict.fromkeys(names, b"")
    candidates: tuple[EncodedPart, ...] = (_QuotedPart.of(chunks, names), _Base64Part.of(chunks, names))
    return min(candidates, key=lambda part: sum(map(len, part.fill(blank))))


def _cut(text: str) -> tuple[list[bytes], list[str]]:
    """The constant stretches between slots (always one more than slots), and the slots' names."""
    chunks, names, end = [], [], 0
    for mark in _SLOT.finditer(text):
        chunks.append(text[end : mark.start()].encode())
        names.append(mark[0][1:-1])
        end = mark.end()
    return [*chunks, text[end:].encode()], names


@dataclass(frozen=True, slots=True)
class _QuotedPart:
    """Each slot stands on soft-broken lines of its own, so that its neighbours never change."""

    pieces: Sequence[bytes]
    slots: Sequence[tuple[int, str]]
    encoding: str = "quoted-printable"

    @classmethod
    def of(cls, chunks: Sequence[bytes], names: Sequence[str]) -> _QuotedPart:
        *before, last = (_quote(chunk) for chunk in chunks)
        pieces = [piece for chunk in before for piece in (_end_softly(chunk), b"")]
        return cls((*pieces, last), [(2 * number + 1, name) for number, name in enumerate(names)])

    def fill(self, values: Mapping[str, bytes]) -> list[bytes]:
        pieces = list(self.pieces)
        for place, name in self.slots:
            pieces[place] = _quote_slot(values[name])
        return pieces


def _quote(data: bytes) -> bytes:
    data = _TRAILING.sub(lambda space: b"=%02X" % space[0][0], _escape(data))
    return b"\r\n".join([_soften(line) for line in data.split(b"\n")])


@lru_cache(maxsize=16)  # a reader's links stand in the text part and in the HTML part
def _quote_slot(value: bytes) -> bytes:
    # In links and most names there is nothing to escape, and only these could be wrong where a line begins.
    starts = value[::_STRETCH_LENGTH]
    if _TAME.fullmatch(value) and not (b"." in starts or b"F" in starts or b"  " in value):
        return b"=\r\n".join([*_TAME_LINE.findall(value), b""])
    return _end_softly(_soften(_escape(value)))


def _escape(data: bytes) -> bytes:
    return _UNSAFE.sub(lambda run: b"=" + run[0].hex("=").upper().encode(), data)


def _soften(line: bytes) -> bytes:
    stretches = _STRETCH.findall(line)
    return b"=\r\n".join([_safe_start(stretch) if stretch[0] in b".F" else stretch for stretch in stretches])


def _safe_start(stretch: bytes) -> bytes:
    """A line must not begin with a dot (SMTP doubles it) or with "From " (mbox files quote it)."""
    if stretch.startswith((b".", b"From ")):
        return b"=%02X" % stretch[0] + stretch[1:]
    return stretch


def _end_softly(encoded: bytes) -> bytes:
    return encoded + b"=\r\n" if encoded and not encoded.endswith(b"\n") else encoded


@dataclass(frozen=True, slots=True)
class _Phases:
    """A constant stretch in base64, for each number of bytes (0–2) that the bytes before it lack to a triple."""

    heads: tuple[bytes, bytes, bytes]
    middles: tuple[bytes, bytes, bytes]
    tails: tuple[bytes, bytes, bytes]

    @classmethod
    def of(cls, chunk: bytes) -> _Phases:
        ends = [lack + max(0, len(chunk) - lack) // 3 * 3 for lack in range(3)]
        return cls(
            (b"", chunk[:1], chunk[:2]),
            (_lines(chunk[: ends[0]]), _lines(chunk[1 : ends[1]]), _lines(chunk[2 : ends[2]])),
            (chunk[ends[0] :], chunk[ends[1] :], chunk[ends[2] :]),
        )


@dataclass(frozen=True, slots=True)
class _Base64Part:
    """Thai or Chinese needs 4 bytes a letter this way and 9 in quoted-printable.

    A slot shifts what follows it by 0 to 2 bytes, so every stretch is kept in its three phases.
    """

    chunks: Sequence[_Phases]
    names: Sequence[str]
    encoding: str = "base64"

    @classmethod
    def of(cls, chunks: Sequence[bytes], names: Sequence[str]) -> _Base64Part:
        return cls(tuple(_Phases.of(chunk.replace(b"\n", b"\r\n")) for chunk in chunks), names)

    def fill(self, values: Mapping[str, bytes]) -> list[bytes]:
        first = self.chunks[0]
        pieces, rest = [first.middles[0]], first.tails[0]
        for name, chunk in zip(self.names, self.chunks[1:], strict=True):
            rest += values[name]
            lack = -len(rest) % 3
            rest += chunk.heads[lack]
            whole = len(rest) // 3 * 3
            pieces += (_lines(rest[:whole]), chunk.middles[lack])
            rest = rest[whole:] + chunk.tails[lack]
        return [*pieces, _lines(rest)]


def _lines(data: bytes) -> bytes:
    return b"\r\n".join([*_BASE64_LINE.findall(b2a_base64(data, newline=False)), b""])
