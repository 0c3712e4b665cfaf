"""Who may get mail while the desk is not live."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from newsletter.errors import NotLiveError
from newsletter.ports import Transport
from newsletter.settings import Settings

__all__ = ["refuse_strangers"]

_NAMED = 3


def refuse_strangers(transport: Transport, settings: Settings, addresses: Iterable[str]) -> None:
    """Raise `NotLiveError` when mail would leave this machine for anybody not on `NEWSLETTER_TEST_ALLOW`.

    Entries are whole addresses or `@domain`, which means that domain and none below it. Domains are compared
    without regard to case; the part before the @ exactly, since only its owner knows what case means there.
    """
    if settings.live or not transport.leaves_machine:
        return
    allowed = {_same_case(entry) for entry in settings.test_allow}
    strangers = list(islice((one for one in addresses if not _may_get(_same_case(one), allowed)), _NAMED + 1))
    if strangers:
        more = " and others" if len(strangers) > _NAMED else ""
        raise NotLiveError(
            f"this desk is not live, and {', '.join(strangers[:_NAMED])}{more} may not get its mail: add them to"
            " NEWSLETTER_TEST_ALLOW, or set NEWSLETTER_LIVE=true to mail everybody"
        )


def _same_case(address: str) -> str:
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{domain.lower()}"


def _may_get(address: str, allowed: set[str]) -> bool:
    return address in allowed or f"@{address.rpartition('@')[2]}" in allowed
