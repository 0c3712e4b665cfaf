"""Answers: Jinja2 templates of `pages/`, autoescaped, with the words and figures that every screen shares."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from newsletter.countries import country_name, flag_file
from newsletter.render import FLAGS, written
from newsletter.settings import Settings
from newsletter.storage import Role
from newsletter.web import words
from newsletter.web.asking import Ask
from newsletter.web.headers import DESK_POLICY
from newsletter.web.policy import ACCESS, PUBLIC, allows
from newsletter.web.sessions import form_token, is_loopback, session_secret

__all__ = [
    "NOTHING_HERE",
    "NO_REFERRER",
    "STATIC",
    "desk_page",
    "error_page",
    "fragment",
    "may",
    "public_page",
    "static_files",
]

STATIC = Path(__file__).parent / "static"
NO_REFERRER = {"referrer-policy": "no-referrer"}
"""For pages whose address holds a token: no link may carry it further."""

NOTHING_HERE = "Nothing lies at this address. It may have been mistyped, or what was here is gone."

_UTC = ZoneInfo("UTC")

_SCREENS = (
    ("board", "/", "Today"),
    ("issue_list", "/issues", "Issues"),
    ("day_after", "/after", "Day after"),
    ("report_list", "/reports", "Reports"),
    ("story_list", "/stories", "Stories"),
    ("schedule_list", "/schedules", "Schedules"),
    ("source_list", "/sources", "Sources"),
    ("template_list", "/templates", "Templates"),
    ("subscriber_list", "/subscribers", "Subscribers"),
    ("outbox", "/outbox", "Outbox"),
    ("user_list", "/users", "Users"),
    ("audit_list", "/audit", "Audit"),
    ("setting_list", "/settings", "Settings"),
)


def desk_page(
    ask: Ask, template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **facts: Any
) -> HTMLResponse:
    """A screen of the desk; `ask.account` is logged in."""
    shared = {
        "account": ask.account,
        "screens": [(path, name) for route, path, name in _SCREENS if may(ask, route)],
        "path": ask.request.url.path,
        "form_token": form_token(session_secret(ask)),
        "plan_has_faults": ask.plan_has_faults,
        "mode": _mode(ask.room.settings),
        "rehearsing": ask.room.clock.rehearsing,
        "again": ask.again,
        "same_view": ask.same_view,
        "now": ask.now,
        "utc": _UTC,
        "unguarded": _is_unguarded(ask),
    }
    return _answer(template, status, {"content-security-policy": DESK_POLICY, **(headers or {})}, {**shared, **facts})


def _is_unguarded(ask: Ask) -> bool:
    """Whether an admin's account has no second factor, on a desk that others can reach."""
    if ask.account is None or ask.account.role is not Role.ADMIN or ask.account.has_totp:
        return False
    return not is_loopback(urlsplit(ask.room.settings.base_url).hostname or "")


def may(ask: Ask, route: str) -> bool:
    """Whether whoever asks may use that route, so that screens offer nothing that would be refused."""
    needed = ACCESS[route]
    return needed is PUBLIC or (ask.account is not None and allows(ask.account.role, needed))


def public_page(
    template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **facts: Any
) -> HTMLResponse:
    """A page for anybody."""
    return _answer(template, status, headers, facts)


def fragment(template: str, **facts: Any) -> str:
    """A piece of a page, to stand in another one."""
    return _environment().get_template(template).render(facts)


def error_page(status: int, title: str, message: str, headers: Mapping[str, str] | None = None) -> HTMLResponse:
    """A page that says what is wrong and what to do."""
    return _answer("error.html", status, headers, {"title": title, "message": message})


@cache
def static_files() -> Mapping[str, bytes]:
    """Every file that `/static/` serves, by name."""
    return {path.name: path.read_bytes() for path in STATIC.iterdir() if path.suffix in (".css", ".js", ".svg")}


def _answer(template: str, status: int, headers: Mapping[str, str] | None, facts: Mapping[str, Any]) -> HTMLResponse:
    html = _environment().get_template(template).render(facts)
    return HTMLResponse(html, status, dict(headers) if headers else None)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["static"] = _static_address
    environment.filters |= {
        "brought": words.BROUGHT_WORDS.__getitem__,
        "browser": words.browser_words,
        "city": words.city,
        "grouped": lambda number: f"{number:,}",
        "country": country_name,
        "date": words.date_words,
        "day": words.day_words,
        "flag": _flag_address,
        "kilobytes": lambda size: f"{size / 1000:,.0f} KB",
        "language": words.language_name,
        "endonym": words.endonym,
        "duration": words.length_words,
        "moment": words.moment_words,
        "readers": words.readers_words,
        "written": written,
        "state": words.STATE_WORDS.__getitem__,
        "delivery_state": words.DELIVERY_WORDS.__getitem__,
        "exclusion": lambda reason: words.EXCLUSION_WORDS.get(reason, reason),
    }
    return environment


def _static_address(name: str) -> str:
    """Its address with its content in it, so that it may be cached for good."""
    return f"/static/{name}?v={hashlib.sha256(static_files()[name]).hexdigest()[:10]}"


@cache
def _flag_address(code: str) -> str | None:
    name = flag_file(code)
    return f"/flags/{name}" if name and (FLAGS / name).is_file() else None


def _mode(settings: Settings) -> str:
    if settings.smtp_url is None:
        return "Mail goes to the outbox"
    return "Live" if settings.live else "Not live: mail leaves only for the addresses of NEWSLETTER_TEST_ALLOW"
