"""Give somebody another role."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from newsletter.newsroom.people import accounts
from newsletter.web.asking import Ask

__all__ = ["user_role"]


def user_role(ask: Ask) -> Response:
    """Change it; every session of theirs ends."""
    account, role = ask.room.accounts.get(ask.path["account"]), accounts.role_of(ask.field("role"))
    accounts.change_role(ask.room, account, role, by=ask.account)
    ask.remarks.append(f"{account.role} → {role}")
    return RedirectResponse("/users", 303)
