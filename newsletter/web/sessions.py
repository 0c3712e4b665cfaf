"""Who is asking: the session's cookie, and the token that ties a form to it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.responses import RedirectResponse, Response

from newsletter.storage import Account
from newsletter.storage.accounts import SESSION_LASTS
from newsletter.web.asking import Ask

__all__ = [
    "account_of",
    "end_session",
    "form_token",
    "give_visitor_secret",
    "has_form_token",
    "is_foreign",
    "is_loopback",
    "local_path",
    "session_secret",
    "start_session",
    "visitor_secret",
]


def account_of(ask: Ask) -> Account | None:
    """Whose session the cookie opens, or None."""
    secret = session_secret(ask)
    return ask.room.accounts.session_account(secret, ask.now) if secret else None


def session_secret(ask: Ask) -> str:
    """The session's secret as the browser sent it; empty without one."""
    return ask.request.cookies.get(_name(ask, "session"), "")


def visitor_secret(ask: Ask) -> str:
    """The secret that ties the login form to the browser it was given to; a new one for a new browser."""
    return ask.request.cookies.get(_name(ask, "visitor"), "") or secrets.token_urlsafe(24)


def give_visitor_secret(ask: Ask, response: Response, secret: str) -> None:
    """Let the browser keep the secret of its login form."""
    _set(ask, response, "visitor", secret, None)


def start_session(ask: Ask, account: Account, next_path: str) -> Response:
    """Log in under a new secret (an old session of this browser ends) and go on to `next_path`."""
    if old := session_secret(ask):
        ask.room.accounts.close_session(old)
    response = RedirectResponse(local_path(next_path), 303)
    agent = ask.request.headers.get("user-agent", "")
    secret = ask.room.accounts.open_session(account, ask.now, ask.client, agent)
    _set(ask, response, "session", secret, int(SESSION_LASTS.total_seconds()))
    return response


def end_session(ask: Ask) -> Response:
    """Log out."""
    ask.room.accounts.close_session(session_secret(ask))
    response = RedirectResponse("/login", 303)
    _set(ask, response, "session", "", 0)
    return response


def form_token(secret: str) -> str:
    """What a form brings along, made from the secret in the cookie: who cannot read the one cannot make the other."""
    return hashlib.sha256(b"form\0" + secret.encode()).hexdigest()[:40]


def has_form_token(ask: Ask, secret: str) -> bool:
    """Whether the posted form was made for that secret."""
    return bool(secret) and hmac.compare_digest(ask.field("token").encode(), form_token(secret).encode())


def is_foreign(ask: Ask, *, origin_hidden: bool = False) -> bool:
    """Whether a page of another site sent this, as far as the browser says (Fetch Metadata, Origin).

    Where a page of ours hides its origin, `Origin: null` says nothing either way.
    """
    headers = ask.request.headers
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = headers.get("origin")
    if origin_hidden and origin == "null":
        return False
    base = urlsplit(ask.room.settings.base_url)
    own = (f"{base.scheme}://{base.netloc}", f"{ask.request.url.scheme}://{headers.get('host', '')}")
    return origin is not None and origin not in own


def is_loopback(host: str) -> bool:
    """Whether a network address, or the name localhost, means this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def local_path(path: str) -> str:
    """`path` if it is one of this site's, else the start page: nobody is sent elsewhere."""
    # Browsers read a backslash as a slash, and skip control characters: //evil.example and /\evil.example are hosts.
    inside = path.startswith("/") and not path.startswith("//") and path.isprintable() and "\\" not in path
    return path if inside else "/"


def _name(ask: Ask, what: str) -> str:
    """The cookie's name; over https it is bound to this very host (RFC 6265bis, section 4.1.3.2)."""
    return f"__Host-newsletter-{what}" if _is_https(ask) else f"newsletter-{what}"


def _set(ask: Ask, response: Response, what: str, value: str, max_age: int | None) -> None:
    response.set_cookie(
        _name(ask, what), value, max_age=max_age, path="/", secure=_is_https(ask), httponly=True, samesite="lax"
    )


def _is_https(ask: Ask) -> bool:
    return ask.room.settings.base_url.startswith("https:")
