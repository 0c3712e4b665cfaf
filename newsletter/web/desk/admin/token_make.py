"""Make an API token."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.storage import Role
from newsletter.web.asking import Ask
from newsletter.web.desk.admin.token_list import TOKEN_ROLES, token_page

__all__ = ["token_make"]

LONGEST_NAME = 80


def token_make(ask: Ask) -> Response:
    """Make it, and show it this once: only its hash is kept."""
    assert ask.account is not None
    name, role = " ".join(ask.field("name").split()), ask.field("role")
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        return token_page(ask, status=422, message=f"Say in up to {LONGEST_NAME} characters which program it is for.")
    if role not in TOKEN_ROLES:
        return token_page(ask, status=422, message="Choose one of the roles.")
    secret = ask.room.api_tokens.make(name, Role(role), ask.account.email, ask.now)
    ask.remarks.append(f"{name}, {role}")
    return token_page(ask, secret=secret)
