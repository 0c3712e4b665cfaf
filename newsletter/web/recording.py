"""What is written into the audit log of a request: who, what, on what, from where; no secret, no subscriber."""

from __future__ import annotations

from newsletter.errors import NotFoundError
from newsletter.storage import Account, AuditLine
from newsletter.web.asking import Ask
from newsletter.web.throttle import Throttle

__all__ = ["UNKNOWN", "record", "record_failed_login"]

UNKNOWN = "unknown address"
"""Stands for an address that has no account. What was typed is not kept: it may be a password in the wrong field."""

# A flood of tries is seen from its first hundred lines; without an end it would fill the disk.
_failed_lines = Throttle(100, 15 * 60.0)

_NOUNS = {"subscriber_change": "subscriber", "webhook_order": "webhook"}
"""Forms of several acts: each is a kind of its own, which the command of the same name has too."""

_SECRET_PARTS = ("token", "file")


def record(ask: Ask, kind: str, account: Account | None = None) -> None:
    """Add a line for what was done by whoever is logged in, by an API token, or by `account`."""
    who = account or ask.account
    kind = f"{_NOUNS[kind]}_{ask.field('act')}" if kind in _NOUNS else kind
    program = ask.program if ask.bearer else UNKNOWN
    ask.room.audit.write(
        AuditLine(
            at=ask.now,
            kind=kind,
            who=who.email if who else program,
            account_id=who.id if who else None,
            what=_object(ask),
            client=ask.client,
            remark="; ".join(ask.remarks),
        )
    )


def record_failed_login(ask: Ask, account: Account | None, why: str) -> None:
    """Add a line for a try that did not log in; known and unknown addresses cost the same."""
    if _failed_lines.wait(ask.client):
        return
    _failed_lines.fail(ask.client)
    ask.remarks.append(why)
    record(ask, "login_failed", account)


def _object(ask: Ask) -> str:
    """What the address names: an issue, a source, an account by its mail address."""
    if "account" in ask.path:
        try:
            return ask.room.accounts.get(ask.path["account"]).email
        except NotFoundError:
            return ""
    return "/".join(str(value) for name, value in ask.path.items() if name not in _SECRET_PARTS)
