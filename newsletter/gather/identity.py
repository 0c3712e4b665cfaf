"""Which story is the same story as before: the identity that `(source, external_id)` is unique on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

__all__ = ["external_id_of", "host_of"]

_LONGEST = 400
_CMS_NUMBER = re.compile(r"https?://[^/?#]+(?:/[^?#]*)?\?p=(\d{1,18})", re.IGNORECASE)


def external_id_of(
    source: str,
    machine_tags: Mapping[str, str],
    given: str | None,
    guid: str | None,
    url_canonical: str,
    hosts: Collection[str] = (),
) -> str:
    """The identity of a story within its source, by the first of these that exists.

    Machine tag `<source>-id`; the id its CMS states (`given`); the CMS number in the guid (`?p=3126478`, as
    WordPress writes it, on one of the source's own `hosts`: every site counts from 1); the guid; a hash of the
    canonical URL. A guid of over 400 characters is hashed.
    """
    for stated in (machine_tags.get(f"{source}-id"), given):
        if stated:
            return _bounded(stated)
    if guid and (number := _CMS_NUMBER.fullmatch(guid)) and host_of(guid) in hosts:
        return number[1]
    return _bounded(guid) if guid else _digest(url_canonical)


def host_of(address: str) -> str:
    """The host of an address, without `www.`; nothing where there is none."""
    try:
        return (urlsplit(address).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def _bounded(text: str) -> str:
    return text if len(text) <= _LONGEST else _digest(text)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
