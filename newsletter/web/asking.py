"""What an action is given: the desk, the person, and what they asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from newsletter.newsroom import Newsroom
from newsletter.storage import Account
from newsletter.web.figures import Figures

__all__ = ["Action", "Ask", "Form", "csrf_token"]

Form = Mapping[str, tuple[str, ...]]
"""The fields of a posted form, each with its values; uploads are left out."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, read to its end. `account` is None where no login is needed or none was made."""

    request: Request
    room: Newsroom
    figures: Figures
    form: Form
    account: Account | None = None

    @property
    def path(self) -> Mapping[str, Any]:
        """The parts of the address that the route names."""
        return self.request.path_params

    @property
    def query(self) -> QueryParams:
        """What stands after the question mark."""
        return self.request.query_params

    @property
    def client(self) -> str:
        """The network address that the connection comes from; `X-Forwarded-For` is not believed."""
        return self.request.client.host if self.request.client else ""

    @property
    def session_cookie(self) -> str:
        """What the session's cookie is called: https pins it to this host (RFC 6265bis, section 4.1.3.2)."""
        return cookie_name(self.room, "session")

    @property
    def session(self) -> str:
        """The session's secret as the browser sent it; empty without one."""
        return self.request.cookies.get(self.session_cookie, "")

    def field(self, name: str) -> str:
        """The first value of a form field, or an empty string."""
        return next(iter(self.form.get(name, ())), "")

    def page_number(self) -> int:
        """The page of a long list that was asked for, from 1."""
        text = self.query.get("page", "1")
        return max(1, int(text)) if text.isdecimal() and len(text) < 7 else 1

    def again(self, **changes: object) -> str:
        """This address with some of its query changed (None takes a key away)."""
        kept = [(key, value) for key, value in self.query.multi_items() if key not in changes]
        added = [(key, str(value)) for key, value in changes.items() if value is not None]
        query = urlencode(kept + added)
        return f"{self.request.url.path}?{query}" if query else self.request.url.path


Action = Callable[[Ask], Response]


def cookie_name(room: Newsroom, what: str) -> str:
    """The name of one of our cookies; over https it is bound to this host and to https."""
    return f"__Host-newsletter-{what}" if room.settings.base_url.startswith("https:") else f"newsletter-{what}"


def csrf_token(secret: str) -> str:
    """What a form must bring along, made from the secret in the cookie: whoever cannot read that cannot make it."""
    return hashlib.sha256(b"form:" + secret.encode()).hexdigest()[:40]


def is_loopback(host: str) -> bool:
    """Whether a network address, or the name localhost, is this machine."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
