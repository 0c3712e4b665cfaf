"""Addresses of ours that mails lead to, and the web answers: a story's own page, a counted link."""

from __future__ import annotations

import hashlib

__all__ = ["LINK_KEY", "counted_address", "page_key", "story_address"]

LINK_KEY = 22
"""Characters of the key of a counted link: 128 bits in URL-safe base64."""


def page_key(story_id: str) -> str:
    """20 letters and digits that stand for a story in an address: ids may hold whole addresses themselves."""
    return hashlib.sha256(story_id.encode(errors="replace")).hexdigest()[:20]


def story_address(base_url: str, newsletter: str, story_id: str, language: str | None = None) -> str:
    """The story's own page; `language` where it shall not speak the newsletter's first."""
    address = f"{base_url.rstrip('/')}/archive/{newsletter}/stories/{page_key(story_id)}"
    return f"{address}?lang={language}" if language else address


def counted_address(base_url: str, key: str) -> str:
    """Where a counted link leads first; `key` stands for issue, edition and story, never for a reader."""
    return f"{base_url.rstrip('/')}/to/{key}"
