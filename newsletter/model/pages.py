"""Where a story stands in the archive of a newsletter: mails lead there, and the web answers."""

from __future__ import annotations

import hashlib

__all__ = ["page_key", "story_address"]


def page_key(story_id: str) -> str:
    """20 letters and digits that stand for a story in an address: ids may hold whole addresses themselves."""
    return hashlib.sha256(story_id.encode(errors="replace")).hexdigest()[:20]


def story_address(base_url: str, newsletter: str, story_id: str, language: str | None = None) -> str:
    """The story's own page; `language` where it shall not speak the newsletter's first."""
    address = f"{base_url.rstrip('/')}/archive/{newsletter}/stories/{page_key(story_id)}"
    return f"{address}?lang={language}" if language else address
