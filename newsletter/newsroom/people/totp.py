"""Time-based one-time passwords (RFC 6238, six digits, 30 s, SHA-1: what every authenticator app knows)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from urllib.parse import quote, urlencode

__all__ = ["DIGITS", "code_at", "matching_step", "new_secret", "uri"]

DIGITS = 6
_STEP_SECONDS = 30
_NEAR = (0, -1, 1)
"""Steps before and after ours whose codes are taken, too: clocks of telephones are off, and people are slow
(RFC 6238, section 5.2)."""


def new_secret() -> str:
    """160 random bits in base32 (RFC 4226, section 4, R6)."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code_at(secret: str, step: int) -> str:
    """The code of a time step (RFC 4226, section 5.3)."""
    mac = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), hashlib.sha1)
    start = mac[-1] & 0xF
    number = int.from_bytes(mac[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def matching_step(secret: str, code: str, seconds: float) -> int | None:
    """The time step, of those near the instant `seconds` after 1970, whose code that is; None for a wrong one."""
    now, shown = int(seconds) // _STEP_SECONDS, "".join(code.split()).encode()
    fitting = [now + near for near in _NEAR if hmac.compare_digest(code_at(secret, now + near).encode(), shown)]
    return fitting[0] if fitting else None


def uri(secret: str, email: str, issuer: str) -> str:
    """The address by which an authenticator app takes the secret in."""
    name = quote(f"{issuer}:{email}", safe="@:")
    return f"otpauth://totp/{name}?{urlencode({'secret': secret, 'issuer': issuer}, quote_via=quote)}"
