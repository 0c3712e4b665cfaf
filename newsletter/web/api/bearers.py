"""Whose API token a program shows."""

from __future__ import annotations

import math

from starlette.exceptions import HTTPException

from newsletter.storage import ApiToken, Role
from newsletter.web.asking import Ask
from newsletter.web.policy import allows
from newsletter.web.throttle import Throttle

__all__ = ["bearer_of"]

_guesses = Throttle(30, 15 * 60.0)
"""Requests of one network address without a token that is in force."""

_requests = Throttle(600, 60.0)
"""Requests with one token."""


def bearer_of(ask: Ask, needed: Role) -> ApiToken:
    """The API token that the request bears (RFC 6750, section 2.1); raises 401 for none, 403 for too
    small a role, 429 for too many requests."""
    scheme, _, shown = ask.request.headers.get("authorization", "").partition(" ")
    found = ask.room.api_tokens.use(shown.strip(), ask.now) if scheme.lower() == "bearer" else None
    if found is None:
        # Only who has no token is braked: strangers of the same network shut nobody out.
        if (wait := _guesses.wait(ask.client)) > 0:
            raise _too_many(wait)
        _guesses.fail(ask.client)
        raise HTTPException(
            401, "Send `Authorization: Bearer TOKEN` with an API token of this desk.", {"WWW-Authenticate": "Bearer"}
        )
    if not allows(found.role, needed):
        raise HTTPException(
            403,
            f"This needs a token of the role {needed}; yours is {found.role}.",
            {"WWW-Authenticate": 'Bearer error="insufficient_scope"'},
        )
    if (wait := _requests.wait(found.id)) > 0:
        raise _too_many(wait)
    _requests.fail(found.id)
    return found


def _too_many(wait: float) -> HTTPException:
    return HTTPException(429, "Too many requests. Go on when Retry-After says.", {"Retry-After": str(math.ceil(wait))})
