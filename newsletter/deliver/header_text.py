"""Header values as they may stand on the wire: cleaned, 7-bit, folded.

Everything here goes through `clean` first, because a line end that reaches a header is a header of somebody
else's making, and because Python's own `email` decodes `=?utf-8?q?a=0D=0ABcc=3A…?=` into one (CVE-2024-6923
is of that class): text that looks like an encoded word is encoded again, so it is read as the text it was.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from urllib.parse import quote

from newsletter.errors import InputError
from newsletter.words import visible

__all__ = ["angle_url", "ascii_domain", "clean", "field", "mailbox", "phrase"]

_LINE = 76
_WORD = 75  # RFC 2047 section 2: an encoded word has at most 75 characters
_ROOM = _WORD - len("=?utf-8?q??=")
_LONG_URL = 900  # an address has no place to fold at, and no line may pass 998 (RFC 5322 section 2.1.1)
_PLAIN = re.compile(r"(?:[!-~]{1,60}(?: |$))*")
_SPECIAL = r"\s\x00-\x20\x7f-\x9f()<>@,;:\\\"\[\]"
_ADDRESS = re.compile(rf"""([^{_SPECIAL}]+|"[!#-;=?-\[\]-~]+")@([^{_SPECIAL}]+|\[[0-9A-Za-z.:]+\])""")
_URL_MARKS = "%!#$&'()*+,/:;=?@[]~"
_URL = re.compile(rf"[A-Za-z0-9_.\-{re.escape(_URL_MARKS)}]*")
_Q_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")


def clean(text: str) -> str:
    """The text as previews show it, on one line: nothing that breaks lines, turns them round or is no character."""
    if text.isascii() and text.isprintable() and "  " not in text:  # as nearly every reader's links are
        return text.strip()
    return visible(text)


def field(name: str, text: str) -> bytes:
    """A whole unstructured header field (`Subject: …CRLF`), folded, RFC 2047 encoded where it must be."""
    text = clean(text)
    if _is_plain(text):
        return _fold(f"{name}:", text.split(" "))
    return _fold(f"{name}:", _encoded_words(text))


def phrase(text: str) -> str:
    """A display name: quoted when plain, else encoded words that are folded already."""
    text = clean(text)
    if not text:
        return ""
    if _is_plain(text) and len(text) < _ROOM:
        return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'
    return "\r\n ".join(_encoded_words(text))


def mailbox(name: str, address: str) -> str:
    """`"Name" <address>`, or the bare address, which `ascii_domain` made; on two lines when one would be too long.

    Only a local part that is not ASCII makes the result so (RFC 6532).
    """
    shown = phrase(name)
    if not shown:
        return address
    last = len(shown) - (shown.rfind("\n") + 1)
    gap = " " if last + len(address) + len("Reply-To:  <>") <= _LINE else "\r\n "
    return f"{shown}{gap}<{address}>"


def ascii_domain(address: str) -> str:
    """The address with its domain in ASCII (IDNA 2008); raises `InputError` for what is no address."""
    if "=?" in address or not _ADDRESS.fullmatch(address):
        raise InputError(f"{address!r} cannot be written into a mail; correct the address")
    if address.isascii():
        return address
    from email_validator import EmailNotValidError, validate_email

    local, _, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        # With a plain local part: this one is only about the domain.
        checked = validate_email(f"a@{domain}", check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise InputError(f"{address!r} cannot be written into a mail: {error}") from None
    return f"{local}@{checked.ascii_domain}"


def angle_url(url: str) -> str:
    """`<url>` for List-* fields (RFC 2369), other characters percent-encoded; raises `InputError` when too long."""
    written = url if _URL.fullmatch(url) else quote(clean(url), safe=_URL_MARKS)
    if len(written) > _LONG_URL:
        raise InputError(f"the address {written[:60]}… has {len(written)} characters; a header holds {_LONG_URL}")
    return f"<{written}>"


def _is_plain(text: str) -> bool:
    return "=?" not in text and _PLAIN.fullmatch(text) is not None


def _fold(start: str, words: list[str]) -> bytes:
    lines = [start]
    for word in words:
        # A continuation line must hold more than white space (RFC 5322 section 3.2.2), so the first word stays.
        if len(lines[-1]) + 1 + len(word) > _LINE and lines[-1] != start:
            lines.append("")
        lines[-1] += f" {word}"
    return "\r\n".join(lines).encode("ascii") + b"\r\n"


def _encoded_words(text: str) -> list[str]:
    """The text as encoded words, base64 or Q, whichever is shorter; no character is cut in two."""
    q_size = sum(map(_q_length, text))
    b_size = len(text.encode()) * 4 // 3
    if b_size < q_size:
        return [
            f"=?utf-8?b?{base64.b64encode(part.encode()).decode()}?="
            for part in _parts(text, _b_length, _ROOM // 4 * 3)
        ]
    return [f"=?utf-8?q?{''.join(map(_q, part))}?=" for part in _parts(text, _q_length, _ROOM)]


def _parts(text: str, length: Callable[[str], int], room: int) -> Iterator[str]:
    start, used = 0, 0
    for place, char in enumerate(text):
        size = length(char)
        if used + size > room:
            yield text[start:place]
            start, used = place, 0
        used += size
    yield text[start:]


def _b_length(char: str) -> int:
    return len(char.encode())


def _q_length(char: str) -> int:
    return len(_q(char))


def _q(char: str) -> str:
    """One character in the Q encoding, with the letters that a display name allows (RFC 2047 section 5 (3))."""
    if char == " ":
        return "_"
    return "".join(chr(byte) if byte in _Q_SAFE else f"={byte:02X}" for byte in char.encode())
