"""What stands before every action: the form is read, the policy asked, orders from other sites refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import chain

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from newsletter.errors import ChecksFailedError, InputError, NewsletterError, NotFoundError, NothingToDoError
from newsletter.newsroom import Newsroom
from newsletter.storage import Role
from newsletter.web.api.bearers import bearer_of
from newsletter.web.asking import Action, Ask, Form
from newsletter.web.desk.login.page import login_page
from newsletter.web.figures import Figures
from newsletter.web.pages import NOTHING_HERE, error_page
from newsletter.web.policy import PUBLIC, Access, Bearer, Key, allows
from newsletter.web.recording import record
from newsletter.web.sessions import account_of, has_form_token, is_foreign, session_secret

__all__ = ["MOST_BYTES", "MOST_PUSHED", "guarded"]

MOST_BYTES = 64 * 1024
"""Of a posted form."""

MOST_PUSHED = 2 * 1024 * 1024
"""Of stories that a program pushes at once."""

_MOST_FIELDS = 400

_LOOKS = frozenset({"schedule_file_check", "schedule_file_diff"})
"""What is posted only because it is long: it changes nothing, and comes with every pause in typing."""

_ANSWERS: tuple[tuple[type[Exception], int, str, str], ...] = (
    (NotFoundError, 404, "Not found", NOTHING_HERE),
    (InputError, 400, "That cannot be done", NOTHING_HERE),
    (ChecksFailedError, 409, "That cannot be done now", ""),
    (NothingToDoError, 409, "That was done before", ""),
    (NewsletterError, 503, "The desk cannot answer now", "Please try again in a few minutes."),
)


def guarded(
    room: Newsroom, figures: Figures, needed: Access, action: Action
) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of an action that needs that role, a key, an API token, or nothing; the action runs in a thread."""

    async def keyed(request: Request) -> Response:
        ask = Ask(request, room, figures, {}, body=await request.body())
        return await run_in_threadpool(_answer_program, ask, needed, action)

    async def endpoint(request: Request) -> Response:
        form = await _read_form(request)
        ask = Ask(request, room, figures, form)
        assert not isinstance(needed, Key | Bearer)
        return await run_in_threadpool(_answer, ask, needed, action)

    return keyed if isinstance(needed, Key | Bearer) else endpoint


def _answer_program(ask: Ask, needed: Access, action: Action) -> Response:
    """Errors as JSON: a program's author reads them in a log."""
    try:
        if not isinstance(needed, Bearer):
            return action(ask)
        ask = replace(ask, bearer=bearer_of(ask, needed.role))
        response = action(ask)
        if ask.posted and response.status_code < 400:
            record(ask, action.__name__)
        return response
    except HTTPException as error:
        return JSONResponse({"error": error.detail}, error.status_code, error.headers)
    except NewsletterError as error:
        _, status, _, calm = next(each for each in _ANSWERS if isinstance(error, each[0]))
        return JSONResponse({"error": str(error) if status < 500 else calm}, status)


def _answer(ask: Ask, needed: Role | None, action: Action) -> Response:
    try:
        # PostgreSQL keeps no text with a NUL in it, no address of ours has one, and no browser's form.
        if any("\0" in str(part) for part in ask.path.values()):
            raise HTTPException(404)
        if needed is PUBLIC:
            return action(ask)
        account = account_of(ask)
        if account is None:
            return login_page(ask, status=401)
        ask = replace(ask, account=account)
        if ask.posted and (is_foreign(ask) or not has_form_token(ask, session_secret(ask))):
            raise HTTPException(403, "This form did not come from a page of yours. Reload the page and try again.")
        if not allows(account.role, needed):
            raise HTTPException(403, f"This needs the role {needed}; yours is {account.role}. Ask an admin.")
        if any("\0" in text for text in (*ask.query.values(), *chain.from_iterable(ask.form.values()))):
            raise HTTPException(400, "This holds a character that is none. Type it anew.")
        response = action(ask)
        if ask.posted and response.status_code < 400 and action.__name__ not in _LOOKS:
            record(ask, action.__name__)
        return response
    except OverflowError:  # a number in the address that no row could have
        return error_page(404, "Not found", NOTHING_HERE)
    except NewsletterError as error:
        _, status, title, calm = next(each for each in _ANSWERS if isinstance(error, each[0]))
        # The error's sentence may name paths and commands of the desk, which are nobody else's business.
        return error_page(status, title, str(error) if ask.account else calm)


async def _read_form(request: Request) -> Form:
    if request.method != "POST":
        return {}
    form = await request.form(max_files=0, max_fields=_MOST_FIELDS, max_part_size=MOST_BYTES)
    return {key: tuple(value for value in form.getlist(key) if isinstance(value, str)) for key in form}
