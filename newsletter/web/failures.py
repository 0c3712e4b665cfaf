"""What is answered where no action does: nothing is there, it is not allowed, it broke."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from newsletter.newsroom import Newsroom
from newsletter.web.api.problems import problem
from newsletter.web.asking import Ask
from newsletter.web.figures import Figures
from newsletter.web.pages import NOTHING_HERE, error_page
from newsletter.web.policy import ACCESS, PUBLIC, SPEAKS_ENGLISH
from newsletter.web.public.refusals import refused_with

__all__ = ["broken", "refusing"]


def refusing(room: Newsroom, figures: Figures) -> Any:
    """Says, as a page, a problem in JSON or to a reader, why a request gets nothing."""

    def answer(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 405:
            error.headers = {"Allow": ", ".join(_methods(request))}
        if _is_readers(request):
            return refused_with(Ask(request, room, figures, {}), error.status_code, error.headers)
        return _refused(request, error)

    return answer


def _is_readers(request: Request) -> bool:
    """Whether a page for readers lies at the address, or nothing at all: whoever comes there may be one."""
    names = {route.name for route in _routes(request)}
    public = all(ACCESS[name] is PUBLIC for name in names) and not names & SPEAKS_ENGLISH
    return public and not request.url.path.startswith("/api/")


def _refused(request: Request, error: HTTPException) -> Response:
    if request.url.path.startswith("/api/"):
        words = {404: "there is no such address", 405: f"{request.method} is not possible here"}
        return problem(error.status_code, words.get(error.status_code, error.detail), error.headers)
    titles = {403: "Not allowed", 404: "Not found", 405: "Not possible here", 413: "Too large"}
    title = titles.get(error.status_code, "That cannot be done")
    own_words = error.status_code not in (404, 405)
    return error_page(error.status_code, title, error.detail if own_words else NOTHING_HERE, error.headers)


def _methods(request: Request) -> list[str]:
    """What is possible at the address (RFC 9110, section 10.2.1): two routes may share it, and one alone answers."""
    return sorted(set().union(*(route.methods or set() for route in _routes(request))))


def _routes(request: Request) -> list[Route]:
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    return [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]


def broken(room: Newsroom, figures: Figures, headers: dict[str, str]) -> Any:
    """The last answer of all: Starlette logs the exception, and no middleware is left to add headers."""

    def answer(request: Request, _error: Exception) -> Response:
        if request.url.path.startswith("/api/"):
            return problem(500, "something broke here; it was written to the log", headers)
        with suppress(Exception):  # what broke may be what the page is made of
            if _is_readers(request):
                return refused_with(Ask(request, room, figures, {}), 500, headers)
        return error_page(500, "Something broke here", "It was written to the log. Try again in a moment.", headers)

    return answer
