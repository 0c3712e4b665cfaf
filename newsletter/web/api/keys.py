"""Whose key a program shows."""

from __future__ import annotations

from hmac import compare_digest

from starlette.exceptions import HTTPException

from newsletter.errors import SettingError
from newsletter.plan import SourcePlan
from newsletter.web.asking import Ask

__all__ = ["source_of_key"]


def source_of_key(ask: Ask) -> SourcePlan:
    """The `push` source whose `key` the request bears (RFC 6750, section 2.1); raises 401 for any other."""
    scheme, _, shown = ask.request.headers.get("authorization", "").partition(" ")
    found = None
    for source in ask.plan.sources.values():
        if (
            source.kind == "push"
            and (key := _key(ask, source))
            and compare_digest(shown.strip().encode(), key.encode())
        ):
            found = source
    if scheme.lower() != "bearer" or found is None:
        raise HTTPException(
            401,
            "Send `Authorization: Bearer KEY` with the key of a source of kind push in schedule.yaml.",
            {"WWW-Authenticate": "Bearer"},
        )
    return found


def _key(ask: Ask, source: SourcePlan) -> str | None:
    try:
        return ask.room.settings.secret(source.key)
    except SettingError:
        return None
