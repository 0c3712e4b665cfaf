"""Links to stories that are counted where they are mailed: which these are, and what that does to the HTML.

What is sealed leads to the stories themselves: previews, the web view and the archive count nobody. Only a mail leads
by way of ours, and of it only the HTML: whoever reads plain text sees where each line leads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from markupsafe import escape

from newsletter.model import LINK_KEY, RenderedEdition, counted_address

__all__ = ["Links", "growth", "links_of", "with_counted_links"]

Links = tuple[tuple[str, str], ...]
"""Stories, by id, each with the address it leads to."""

_HREF = re.compile(r'(?<=\shref=")([^"]+)(?=")')


def links_of(cards: Sequence[Mapping[str, Any]]) -> Links:
    """Story and address of each card that leads to the web; of two that lead to one place the first."""
    stories: dict[str, str] = {}
    for card in cards:
        if card["url"].startswith(("http://", "https://")):
            stories.setdefault(card["url"], card["id"])
    return tuple((story, url) for url, story in stories.items())


def growth(html: str, links: Links, base_url: str) -> int:
    """By how many bytes the HTML grows once its links are counted ones; 0 where it shrinks."""
    if not links:
        return 0
    long = len(counted_address(base_url, "x" * LINK_KEY).encode())
    grown = {str(escape(url)): long - len(str(escape(url)).encode()) for _, url in links}
    return max(0, sum(grown.get(found[1], 0) for found in _HREF.finditer(html)))


def with_counted_links(rendered: RenderedEdition, addresses: Mapping[str, str]) -> RenderedEdition:
    """The edition as it is mailed: each link to a story (by id) that has one of `addresses` leads there instead."""
    led = {str(escape(url)): addresses[story] for story, url in rendered.links if story in addresses}
    if not led:
        return rendered
    html = _HREF.sub(lambda found: str(escape(led[found[1]])) if found[1] in led else found[1], rendered.html)
    return replace(rendered, html=html, links=(), grows=0)
