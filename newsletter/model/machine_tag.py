"""What is a machine tag (`name:value`): for programs, and never shown to a reader."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

__all__ = ["machine_tag"]

# However these are written they are no reader's.
_KNOWN = re.compile(r"([\w.-]*[\w.]-id|byline)\s*:\s*(\S.*)", re.IGNORECASE)
# The name of any other is lower case and at least three letters ("re:Invent" is a title), and no space follows the
# colon ("ai: the future" is one too). Schemes are addresses, which are no tags of machines either.
_OTHER = re.compile(r"(?!https?:|mailto:|tel:|urn:)([a-z][a-z0-9_.-]{2,40}|id):(?![\s/])(.+)")


@lru_cache(4096)
def machine_tag(text: str) -> tuple[str, str] | None:
    """Name (in lower case) and value if this text is a machine tag: `techcrunch-id:3126478`, `#byline: Kate Park`."""
    seen = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    folded = unicodedata.normalize("NFKC", seen).strip().lstrip("#").strip()
    match = _KNOWN.fullmatch(folded) or _OTHER.fullmatch(folded)
    return (match[1].lower(), match[2].strip()) if match else None
