"""The one page on which a change of the schedule is looked at before it is made: what will follow, and a button."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time

from starlette.responses import RedirectResponse, Response

from newsletter.errors import ChecksFailedError, InputError, NewsletterError, NothingToDoError
from newsletter.model import IssueId
from newsletter.web.asking import Ask
from newsletter.web.pages import desk_page
from newsletter.web.words import day_words

__all__ = ["Order", "asked", "asked_date_words", "asked_day", "asked_issue", "asked_time", "followed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A change that somebody may make.

    `tell` says in sentences what will follow and raises what stands against it; `do` makes it. `fields` are what the
    form carries on, and `back` is where one goes afterwards.
    """

    title: str
    button: str
    back: str
    tell: Callable[[], Sequence[str]]
    do: Callable[[], object]
    fields: Mapping[str, str] = field(default_factory=dict)


def followed(ask: Ask, order: Order) -> Response:
    """Looked at, what will happen; posted, it happens. What stands against it is said on the same page."""
    try:
        if ask.posted:
            order.do()
            ask.figures.forget()
            return RedirectResponse(order.back, 303)
        return _page(ask, order, order.tell())
    except InputError as error:
        return _page(ask, order, (), error, 400)
    except (ChecksFailedError, NothingToDoError) as error:
        return _page(ask, order, (), error, 409 if ask.posted else 200)


def asked(ask: Ask, name: str) -> str:
    """A field of the form, or of the address where one only looks; in one line."""
    return " ".join((ask.field(name) if ask.posted else ask.query.get(name, "")).split())


def asked_day(ask: Ask, name: str) -> date | None:
    """A date as a form gives it, None where it was left empty; raises `InputError`."""
    text = asked(ask, name)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InputError(f"{text!r} is no date; one looks like 2026-05-27") from None


def asked_date_words(ask: Ask) -> str:
    """`, Wed 27 May`, for a title; nothing where no date was given that there is."""
    try:
        day = asked_day(ask, "day")
    except InputError:
        day = None
    return f", {day_words(day, ask.now)}" if day else ""


def asked_time(ask: Ask, name: str) -> time | None:
    """A time of day as a form gives it, None where it was left empty: at once. Raises `InputError`."""
    text = asked(ask, name)
    try:
        found = time.fromisoformat(text) if text else None
    except ValueError:
        found = None
    if text and (found is None or found.tzinfo is not None):
        raise InputError(f"{text!r} is no time; one looks like 09:30")
    return found


def asked_issue(ask: Ask) -> IssueId:
    """The slot that the form is about: a newsletter of the address, a date, and a number where it is not the first."""
    number = asked(ask, "number") or "1"
    day = asked_day(ask, "day")
    if day is None or not (number.isascii() and number.isdecimal() and len(number) < 5 and int(number)):
        raise InputError("name the date of the issue")
    return IssueId(ask.path["name"], day, int(number))


def _page(
    ask: Ask, order: Order, told: Sequence[str], against: NewsletterError | None = None, status: int = 200
) -> Response:
    return desk_page(ask, "schedule_order.html", status=status, order=order, told=told, against=against)
