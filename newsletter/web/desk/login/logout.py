"""Log out."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.web.asking import Ask
from newsletter.web.sessions import end_session

__all__ = ["logout"]


def logout(ask: Ask) -> Response:
    """End the session and show the login form."""
    return end_session(ask)
