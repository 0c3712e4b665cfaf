"""Whose API token a program shows."""

from __future__ import annotations

from starlette.exceptions import HTTPException

from newsletter.storage import ApiToken, Role
from newsletter.web.asking import Ask
from newsletter.web.policy import allows

__all__ = ["bearer_of"]


def bearer_of(ask: Ask, needed: Role) -> ApiToken:
    """The API token that the request bears (RFC 6750, section 2.1); raises 401 for none, 403 for too small a role."""
    scheme, _, shown = ask.request.headers.get("authorization", "").partition(" ")
    found = ask.room.api_tokens.use(shown.strip(), ask.now) if scheme.lower() == "bearer" else None
    if found is None:
        raise HTTPException(
            401, "Send `Authorization: Bearer TOKEN` with an API token of this desk.", {"WWW-Authenticate": "Bearer"}
        )
    if not allows(found.role, needed):
        raise HTTPException(
            403,
            f"This needs a token of the role {needed}; yours is {found.role}.",
            {"WWW-Authenticate": 'Bearer error="insufficient_scope"'},
        )
    return found
