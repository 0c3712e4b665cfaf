"""Secrets that have to be known in clear again, sealed with `NEWSLETTER_SECRET_KEY` for as long as they lie in the
database: who finds a backup of it has none of them."""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from newsletter.errors import SettingError
from newsletter.newsroom.room import Newsroom

__all__ = ["seal", "unseal"]


def seal(room: Newsroom, purpose: str, secret: str) -> str:
    """The secret, sealed with the newest key. What is sealed for one purpose opens for no other."""
    return _box(room, purpose).encrypt(secret.encode()).decode()


def unseal(room: Newsroom, purpose: str, sealed: str) -> str | None:
    """The secret; None where no key of this desk opens it."""
    try:
        return _box(room, purpose).decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None


def _box(room: Newsroom, purpose: str) -> MultiFernet:
    if not room.settings.secret_key:
        raise SettingError(f"NEWSLETTER_SECRET_KEY is not set, and {purpose}s are sealed with it")
    derived = [hashlib.sha256(f"{purpose}:{key}".encode()).digest() for key in room.settings.secret_key]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])
