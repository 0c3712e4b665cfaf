"""Take one decision back: a pause, a skipped date, a move, an extra issue."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from newsletter.errors import NothingToDoError
from newsletter.newsroom.planning import foreseeing, scheduling
from newsletter.plan import Overlay, OverlayKind
from newsletter.web.asking import Ask
from newsletter.web.desk.schedule.newsletter import in_force
from newsletter.web.desk.schedule.orders import Order, followed
from newsletter.web.desk.schedule.sentences import lost_sentences, won_sentences
from newsletter.web.words import day_words

__all__ = ["schedule_end"]

_TITLES = {
    OverlayKind.PAUSE: "End a pause of",
    OverlayKind.SKIP: "Take a skip back:",
    OverlayKind.MOVE: "Move back:",
    OverlayKind.EXTRA: "Skip an extra issue of",
}


def schedule_end(ask: Ask) -> Response:
    """Say what will follow; posted, take the decision of that number back."""
    assert ask.account is not None
    who, newsletter, number = ask.account.email, ask.room.newsletter(ask.path["name"]), ask.path["overlay"]
    overlays = in_force(ask.room.timetable, newsletter.name)
    found = next((each for each in overlays if each.id == number), None)

    def tell() -> Sequence[str]:
        if found is None:
            raise NothingToDoError("that decision holds no longer: somebody has ended it")
        return _told(ask, found)

    title = (
        f"{_TITLES[found.kind]} {newsletter.title}, {day_words(found.first, ask.now)}"
        if found
        else f"Take back: {newsletter.title}"
    )
    return followed(
        ask,
        Order(
            title=title,
            button="Take it back",
            back=f"/schedules/{newsletter.name}",
            tell=tell,
            do=lambda: scheduling.end(ask.room, newsletter.name, number, who=who),
        ),
    )


def _told(ask: Ask, found: Overlay) -> list[str]:
    newsletter = ask.room.newsletter(found.newsletter)
    match found.kind:
        case OverlayKind.EXTRA:
            issue_id = scheduling.issue_of(found)
            return list(lost_sentences(newsletter, foreseeing.skipping(ask.room, issue_id), ask.now, endless=False))
        case OverlayKind.MOVE:
            at = scheduling.hour_without(ask.room, found)
            scheduling.check_move(ask.room, scheduling.issue_of(found), at)
            return [f"It is sent at {at:%H:%M} again; draft, lock and the deadline of its approval move along."]
    return list(won_sentences(newsletter, foreseeing.ending(ask.room, found), ask.now))
