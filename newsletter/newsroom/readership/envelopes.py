"""The tokens of envelope senders: each message's own, so that what comes back names its delivery (VERP)."""

from __future__ import annotations

from hmac import compare_digest

from newsletter.newsroom.room import Newsroom
from newsletter.tokens import Purpose

__all__ = ["delivery_of", "token_of"]

_MAC_DIGITS = 28  # 112 bits


def token_of(room: Newsroom, delivery: int) -> str:
    """`NUMBER-MAC`, both hexadecimal, since some mail servers change the case of a local part."""
    return f"{delivery:x}-{room.signer.digest(Purpose.BOUNCE, str(delivery))[:_MAC_DIGITS]}"


def delivery_of(room: Newsroom, token: str) -> int | None:
    """The delivery that a token names, or None for one that we did not make."""
    number, _, mac = token.lower().partition("-")
    try:
        delivery = int(number, 16)
    except ValueError:
        return None
    ours = room.signer.digest(Purpose.BOUNCE, str(delivery))[:_MAC_DIGITS]
    return delivery if compare_digest(mac.encode(), ours.encode()) else None
