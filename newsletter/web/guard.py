"""What stands before every action: the form is read, the policy asked, orders from other sites refused."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import replace
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import Response

from newsletter.errors import ChecksFailedError, InputError, NewsletterError, NotFoundError, NothingToDoError
from newsletter.newsroom import Newsroom
from newsletter.storage import Role
from newsletter.web.api.bearers import bearer_of
from newsletter.web.api.problems import problem
from newsletter.web.asking import Action, Ask, Form, Upload
from newsletter.web.desk.login.page import login_page
from newsletter.web.figures import Figures
from newsletter.web.pages import NOTHING_HERE, error_page
from newsletter.web.policy import PUBLIC, Access, Bearer, Key, allows
from newsletter.web.public.refusals import refused
from newsletter.web.recording import record
from newsletter.web.sessions import account_of, form_token, has_form_token, is_foreign, session_secret

__all__ = ["MOST_BYTES", "MOST_PUSHED", "MOST_UPLOADED", "guarded"]

MOST_BYTES = 64 * 1024
"""Of a posted form."""

MOST_PUSHED = 2 * 1024 * 1024
"""Of stories that a program pushes at once."""

MOST_UPLOADED = 64 * 1024 * 1024
"""Of a file of subscribers: a million rows."""

_MOST_FIELDS = 400

_CHARSETS = frozenset({b"utf-8", b"utf8", b"us-ascii", b"ascii", b"iso-8859-1", b"windows-1252"})
"""What a form may be written in."""

_UPLOADS = frozenset({"subscriber_upload"})
"""What takes a file, and so a body far beyond a form's."""

_FILES = frozenset({"api_import"})
"""What takes a file from a program."""

_NOT_OURS = "This form did not come from a page of yours. Reload the page and try again."

_LOOKS = frozenset({"schedule_file_check", "schedule_file_diff", "template_check", "template_mail"})
"""What is posted only because it is long: it changes nothing, and comes with every pause in typing."""

_SHOWING = frozenset({"api_subscriber", "api_subscribers", "api_import_rejects"})
"""What shows addresses to a program: each look is in the audit log."""

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

    async def sent(request: Request) -> Response:
        """Whose token it is is asked before the body is taken. Beyond a megabyte it lies on the disk."""
        ask = Ask(request, room, figures, {})
        assert isinstance(needed, Bearer)
        try:
            bearer = await run_in_threadpool(bearer_of, ask, needed.role)
        except HTTPException as error:
            return problem(error.status_code, error.detail, error.headers)
        with SpooledTemporaryFile(max_size=1 << 20) as data:
            file = UploadFile(cast("BinaryIO", data))
            async for piece in request.stream():
                await file.write(piece)
            await file.seek(0)
            ask = replace(ask, bearer=bearer, upload=Upload("", file.file))
            return await run_in_threadpool(_answer_program, ask, needed, action)

    async def endpoint(request: Request) -> Response:
        form = await _read_form(request)
        ask = Ask(request, room, figures, form)
        assert not isinstance(needed, Key | Bearer)
        return await run_in_threadpool(_answer, ask, needed, action)

    async def uploading(request: Request) -> Response:
        """Who it is and from where is asked before the body is taken, the form's token before its file."""
        ask = Ask(request, room, figures, {})
        assert isinstance(needed, Role)
        try:
            inside = await run_in_threadpool(_come_in, ask, needed)
        except NewsletterError as error:
            return _explained(error, ask)
        if isinstance(inside, Response):
            return inside
        form, upload = await _read_upload(request, form_token(session_secret(ask)))
        try:
            return await run_in_threadpool(_answer, replace(ask, form=form, upload=upload), needed, action)
        finally:
            if upload is not None:
                upload.data.close()

    if action.__name__ in _UPLOADS:
        return uploading
    if action.__name__ in _FILES:
        return sent
    return keyed if isinstance(needed, Key | Bearer) else endpoint


def _answer_program(ask: Ask, needed: Access, action: Action) -> Response:
    """Errors as problems in JSON: a program's author reads them in a log."""
    try:
        _refuse_nul(ask)
        if not isinstance(needed, Bearer):
            return action(ask)
        ask = ask if ask.bearer else replace(ask, bearer=bearer_of(ask, needed.role))
        response = action(ask)
        looked = action.__name__ in _SHOWING and ask.request.method == "GET"
        if (ask.posted or looked) and response.status_code < 400:
            record(ask, action.__name__)
        return response
    except HTTPException as error:
        return problem(error.status_code, error.detail, error.headers, getattr(error, "faults", ()))
    except OverflowError:  # a number in a form or a query that no row could have
        return problem(404, "there is nothing of that number")
    except NewsletterError as error:
        _, status, _, calm = next(each for each in _ANSWERS if isinstance(error, each[0]))
        return problem(status, str(error) if status < 500 else calm)


def _answer(ask: Ask, needed: Role | None, action: Action) -> Response:
    try:
        if needed is PUBLIC:
            _refuse_nul(ask)
            return action(ask)
        inside = _come_in(ask, needed)
        if isinstance(inside, Response):
            return inside
        ask = inside
        if ask.posted and not has_form_token(ask, session_secret(ask)):
            raise HTTPException(403, _NOT_OURS)
        _refuse_nul(ask)
        response = action(ask)
        if ask.posted and response.status_code < 400 and action.__name__ not in _LOOKS:
            record(ask, action.__name__)
        return response
    except OverflowError:  # a number in a form or a query that no row could have
        return refused(ask, "nothing here", 404) if needed is PUBLIC else error_page(404, "Not found", NOTHING_HERE)
    except NewsletterError as error:
        return _to_a_reader(error, ask) if needed is PUBLIC else _explained(error, ask)


def _refuse_nul(ask: Ask) -> None:
    """PostgreSQL knows no text with a NUL in it, and no browser of a person sends one."""
    if "\0" in ask.request.scope["path"]:
        raise HTTPException(404, NOTHING_HERE)
    typed = [*ask.query.multi_items(), *((name, value) for name, values in ask.form.items() for value in values)]
    if any("\0" in part for pair in typed for part in pair):
        raise HTTPException(400, "There is a character (NUL) in it that no text may hold.")


def _come_in(ask: Ask, needed: Role) -> Ask | Response:
    """The request of somebody who may, with their account, or the login; an order of another site is refused."""
    account = account_of(ask)
    if account is None:
        return login_page(ask, status=401)
    if ask.posted and is_foreign(ask):
        raise HTTPException(403, _NOT_OURS)
    if not allows(account.role, needed):
        raise HTTPException(403, f"This needs the role {needed}; yours is {account.role}. Ask an admin.")
    return replace(ask, account=account)


def _explained(error: NewsletterError, ask: Ask) -> Response:
    _, status, title, calm = next(each for each in _ANSWERS if isinstance(error, each[0]))
    # The error's sentence may name paths and commands of the desk, which are nobody else's business.
    return error_page(status, title, str(error) if ask.account else calm)


def _to_a_reader(error: NewsletterError, ask: Ask) -> Response:
    _, status, *_ = next(each for each in _ANSWERS if isinstance(error, each[0]))
    return refused(ask, "nothing here" if status == 404 else "cannot" if status == 400 else "later", status)


async def _read_form(request: Request) -> Form:
    if request.method != "POST":
        return {}
    _refuse_charset(request)
    form = await request.form(max_files=0, max_fields=_MOST_FIELDS, max_part_size=MOST_BYTES)
    return {key: tuple(value for value in form.getlist(key) if isinstance(value, str)) for key in form}


async def _read_upload(request: Request, token: str) -> tuple[Form, Upload | None]:
    """A form that takes one file; a file before the right token is not taken. Beyond a megabyte it lies on the disk."""
    kind, _, _ = request.headers.get("content-type", "").partition(";")
    if kind.strip().lower() != "multipart/form-data":
        return await _read_form(request), None
    _refuse_charset(request)
    parser = _TokenFirst(request, token)
    try:
        found = await parser.parse()
    except MultiPartException as error:
        status, words = (400, error.message) if parser.max_files else (403, _NOT_OURS)
        raise HTTPException(status, words) from None
    form: dict[str, tuple[str, ...]] = {}
    upload = None
    for name, value in found.multi_items():
        if isinstance(value, UploadFile):
            upload = Upload(value.filename or "", value.file)
        else:
            form[name] = (*form.get(name, ()), value)
    return form, upload


def _refuse_charset(request: Request) -> None:
    """Who sends a form names the codec that its fields are read with (RFC 7578, section 4.6): of Python's some break,
    some make half characters, and one takes a second over 64 KB while everybody waits."""
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind == b"multipart/form-data" and options.get(b"charset", b"utf-8").lower() not in _CHARSETS:
        raise HTTPException(415, "Send the form in UTF-8.")


class _TokenFirst(MultiPartParser):
    """Reads a form, and lets a file in only behind a field with that token."""

    def __init__(self, request: Request, token: str) -> None:
        stream = request.stream()
        super().__init__(request.headers, stream, max_files=0, max_fields=_MOST_FIELDS, max_part_size=MOST_BYTES)
        self._token = token

    def on_part_end(self) -> None:
        super().on_part_end()
        name, value = self.items[-1]
        if name == "token" and hmac.compare_digest(str(value).encode(), self._token.encode()):
            self.max_files = 1
