"""Bytes that an SMTP server reads as exactly one message."""

from __future__ import annotations

import re

from newsletter.errors import InputError
from newsletter.model import WireContent

__all__ = ["wire_content"]

_LONGEST_LINE = 998  # without CRLF, RFC 5322 section 2.1.1
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_LONG = re.compile(rb"[^\n]{%d}" % (_LONGEST_LINE + 2))


def wire_content(data: bytes | WireContent) -> WireContent:
    """Make any message fit to follow DATA, with dots doubled (RFC 5321 section 4.5.2).

    Raises `InputError` for a bare CR or LF, which could smuggle in a second message (CVE-2023-51764), and for a
    line over 998 bytes.
    """
    if isinstance(data, WireContent):
        return data
    if bare := _BARE.search(data):
        raise InputError(f"the message has a bare line end at byte {bare.start()}; its lines must end in CRLF")
    if long := _LONG.search(data):
        raise InputError(f"the message has a line of more than {_LONGEST_LINE} bytes at byte {long.start()}")
    ended = data if data.endswith(b"\r\n") else data + b"\r\n"
    return WireContent((b"." if ended.startswith(b".") else b"", ended.replace(b"\n.", b"\n..")))
