"""The tokens of envelope senders: each message's own, so that what comes back names its delivery (VERP)."""

from __future__ import annotations

from hmac import compare_digest

from newsletter.newsroom.room import Newsroom
from newsletter.tokens import Purpose, mark_of

__all__ = ["delivery_of", "token_of"]

_MAC_DIGITS = 28  # 112 bits
_MOST = 1 << 63


def token_of(room: Newsroom, delivery: int, email: str = "") -> str:
    """`NUMBER-MAC`, both hexadecimal, since some mail servers change the case of a local part.

    The MAC is over the address, too: a restored backup gives numbers a second time, and what comes back of a message
    that it does not know is then about somebody else. Without `email` it is one of the first that left, which had none.
    """
    return f"{delivery:x}-{_mac(room, delivery, email)}"


def delivery_of(room: Newsroom, token: str) -> int | None:
    """The delivery that a token names, or None for one that we did not make, or that went to another address."""
    number, _, mac = token.lower().partition("-")
    try:
        delivery = int(number, 16)
    except ValueError:
        return None
    trace = room.traces.find(delivery) if 0 <= delivery < _MOST else None
    ours = [_mac(room, delivery, email) for email in ("", trace.email if trace else "")]
    return delivery if any(compare_digest(mac.encode(), each.encode()) for each in ours) else None


def _mac(room: Newsroom, delivery: int, email: str) -> str:
    payload = f"{delivery}|{mark_of(email)}" if email else str(delivery)
    return room.signer.digest(Purpose.BOUNCE, payload)[:_MAC_DIGITS]
