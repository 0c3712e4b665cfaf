"""Pause every newsletter of the desk at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from starlette.responses import Response

from newsletter.errors import NothingToDoError
from newsletter.newsroom.planning import foreseeing, scheduling
from newsletter.web.asking import Ask
from newsletter.web.desk.schedule.orders import Order, asked, asked_day, followed
from newsletter.web.desk.schedule.sentences import lost_sentences

__all__ = ["schedule_pause_all"]


def schedule_pause_all(ask: Ask) -> Response:
    """Say of each newsletter what will follow; posted, pause those that are not paused then already."""
    assert ask.account is not None
    who = ask.account.email

    def tell() -> Sequence[str]:
        return list(_told(ask, asked_day(ask, "until")))

    def do() -> None:
        scheduling.pause_all(ask.room, who=who, why=asked(ask, "why"), until=asked_day(ask, "until"))

    fields = {name: asked(ask, name) for name in ("until", "why")}
    order = Order(title="Pause all", button="Pause all", back="/schedules", tell=tell, do=do, fields=fields)
    return followed(ask, order)


def _told(ask: Ask, until: date | None) -> Iterator[str]:
    paused = 0
    for newsletter in ask.room.plan.newsletters.values():
        if not newsletter.enabled:
            continue
        try:
            foreseen = foreseeing.pausing(ask.room, newsletter.name, None, until)
        except NothingToDoError as error:
            yield f"{newsletter.title} is left as it is: {error}."
            continue
        paused += 1
        told = lost_sentences(newsletter, foreseen, ask.now, endless=until is None)
        yield " ".join(sentence for sentence in told if not sentence.startswith(("Each is", "It is recorded")))
    if not paused:
        raise NothingToDoError("no newsletter is left that could be paused")
    yield "Each issue is recorded as skipped, with your name and reason, and no draft is built for it."
