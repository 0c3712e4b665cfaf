"""Which story is the same story as before: the identity that `(source, external_id)` is unique on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

__all__ = ["external_id_of"]

_LONGEST = 400
_CMS_NUMBER = re.compile(r"[?&]p=(\d{1,18})(?:&|$)")


def external_id_of(
    source: str, machine_tags: Mapping[str, str], given: str | None, guid: str | None, url_canonical: str
) -> str:
    """The identity of a story within its source, by the first of these that exists.

    Machine tag `<source>-id`; the id its CMS states (`given`); the CMS number in the guid (`?p=3126478`, as
    WordPress writes it); the guid; a hash of the canonical URL. A guid of over 400 characters is hashed.
    """
    for stated in (machine_tags.get(f"{source}-id"), given):
        if stated:
            return _bounded(stated)
    if guid and (number := _CMS_NUMBER.search(guid)):
        return number[1]
    return _bounded(guid) if guid else _digest(url_canonical)


def _bounded(text: str) -> str:
    return text if len(text) <= _LONGEST else _digest(text)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
