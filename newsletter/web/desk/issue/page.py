"""One issue: what it says, how it looks, what speaks against it, and after the send who got it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.responses import Response

from newsletter import plan, render
from newsletter.errors import NewsletterError
from newsletter.model import DRAFTED, UNSENT, Edition, Issue, IssueState, RenderedEdition
from newsletter.newsroom.dispatch.course import course
from newsletter.newsroom.issue import previews, proofs
from newsletter.newsroom.readership import readers
from newsletter.newsroom.readership.clicks import clicks_of
from newsletter.web.asking import Ask
from newsletter.web.charts import clicks_chart, course_chart
from newsletter.web.desk.issue.live import progress_of
from newsletter.web.desk.issue.preview import FREQUENCIES, Preview, issue_preview
from newsletter.web.desk.issue.seen import seen
from newsletter.web.desk.issue.spots import Spot, edition_in, spots_of, story_in
from newsletter.web.figures import Checked
from newsletter.web.pages import desk_page, may
from newsletter.web.words import city, edition_words, moment_words, readers_words, sends_words

__all__ = ["issue", "issue_page"]

MOST_READ = 6
CLIP_BYTES = 102_000
SETTLED = (IssueState.SUBMITTED, IssueState.SKIPPED, IssueState.MISSED, IssueState.CANCELLED)

_ORDERS = ("build", "proof", "undo", "stop", "rest", "cancel", "correct", "decide", "restore", "words", "reader")


@dataclass(frozen=True, slots=True)
class Version:
    """An edition as the selector offers it."""

    words: str
    countries: str
    language: str
    readers: int
    chosen: bool


def issue(ask: Ask) -> Response:
    """The issue that the address names."""
    return issue_page(ask, ask.room.issues.get(ask.issue_id))


def issue_page(ask: Ask, shown: Issue, *, notice: str = "", status: int = 200) -> Response:
    """The screen of one issue, with a sentence on top where an order could not be followed."""
    as_whom = seen(ask, shown, issue_preview(ask, shown))
    preview = as_whom.preview
    rendered, trouble = _rendered(ask, shown, preview) if not as_whom.nothing else (None, "")
    checks = shown.snapshot is not None and shown.state not in SETTLED
    # The screen that follows an order shows what was done at once, and asks for the checks by itself.
    in_place = ask.request.headers.get("hx-boosted") == "true"
    checked = ask.figures.checked(shown, known=in_place) if checks else None
    return desk_page(
        ask,
        "issue.html",
        status=status,
        notice=notice,
        issue=shown,
        address=f"/issues/{shown.id}",
        title=ask.title(shown),
        zone=ask.zone(shown),
        facts=" ".join(_facts(ask, shown)),
        preview=preview,
        as_whom=as_whom,
        frequencies=FREQUENCIES,
        rendered=rendered,
        trouble=trouble,
        body=_body(ask, shown, preview, rendered),
        size=rendered.size if rendered else 0,
        clip=CLIP_BYTES,
        spots=(spots := spots_of(shown.snapshot, rendered) if shown.snapshot and rendered else ()),
        frame=(frame := f"/issues/{shown.id}/mail?{preview.frame_query}"),
        place=_places(ask, shown, frame, spots),
        versions=_versions(ask, shown, preview),
        checked=checked,
        checking=(checking := checks and checked is None),
        why_not="Being checked" if checking else _why_not(ask, checked),
        counted=ask.figures.audience(shown) if checks and shown.frozen_at is None else None,
        may_see_recipients=may(ask, "issue_recipients"),
        books=ask.room.issues.books(shown.id) if shown.frozen_at else None,
        course=course_chart(course(ask.room, shown.id), ask.zone(shown)) if shown.frozen_at else None,
        clicks=(clicks := clicks_of(ask.room, shown.id) if shown.frozen_at else None),
        clicks_by_hour=clicks_chart(clicks, ask.zone(shown)),
        live=progress_of(ask.room.deliveries.counts(shown.id)) if shown.state is IssueState.SENDING else None,
        history=ask.room.issues.history(shown.id),
        tray=ask.figures.tray(shown) if _may_arrange(ask, shown) else None,
        revisions=ask.room.revisions.list(shown.id)[:2],
        may={name: may(ask, f"issue_{name}") for name in _ORDERS},
        may_arrange=_may_arrange(ask, shown),
        fields=_fields(shown),
        newsletter_countries=_countries(ask, shown),
    )


def _may_arrange(ask: Ask, shown: Issue) -> bool:
    single = shown.snapshot is not None and (shown.snapshot.breaking or shown.snapshot.faulty is not None)
    there = shown.frozen_at is None and ask.newsletter(shown.id.newsletter) is not None
    return may(ask, "issue_arrange") and shown.state in UNSENT and shown.snapshot is not None and there and not single


def _countries(ask: Ask, shown: Issue) -> Sequence[str]:
    newsletter = ask.newsletter(shown.id.newsletter)
    return newsletter.countries if newsletter else ()


def _fields(shown: Issue) -> dict[str, str]:
    """An editor's own words, as their form shows them; empty where the machine's are in force."""
    if shown.snapshot is None:
        return {}
    said = shown.snapshot
    return {"subject": said.subject or "", "preheader": said.preheader or "", "word": "\n\n".join(said.word)}


def _facts(ask: Ask, shown: Issue) -> Iterator[str]:
    yield sends_words(shown, ask.zone(shown), ask.now)
    newsletter = ask.newsletter(shown.id.newsletter)
    if newsletter is not None and shown.state in DRAFTED:
        lock = plan.lock_at(ask.room.timetable.slot_of(newsletter, shown.id.date, shown.id.number), newsletter)
        if lock is not None and lock > ask.now:
            yield f"Content locks {_wall(lock, newsletter.timezone)}."
    yield f"{readers_words(ask.figures.readers(shown))}."
    if shown.state is IssueState.SENDING:
        for wave in ask.room.deliveries.waves(shown.id, ask.now)[:1]:
            yield f"Next wave {moment_words(wave.at, ask.zone(shown), ask.now)}: {readers_words(wave.readers)}."
    if shown.approved_by and shown.approved_at:
        at = shown.approved_at.astimezone(ask.zone(shown))
        yield f"Approved by {shown.approved_by}, {at:%H:%M} {city(ask.zone(shown))}."


def _wall(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%H:%M}"


def _rendered(ask: Ask, shown: Issue, preview: Preview) -> tuple[RenderedEdition | None, str]:
    """The version to show, or why there is none."""
    if shown.snapshot is None:
        return None, "There is no draft yet."
    if not shown.snapshot.placed:
        return None, "No story has come in for this issue yet."
    try:
        return previews.shown(ask.room, shown, **_wanted(preview)), ""
    except NewsletterError as error:
        return None, str(error)


def _wanted(preview: Preview) -> dict[str, Any]:
    return {"countries": preview.countries or None, "language": preview.language or None}


def _body(ask: Ask, shown: Issue, preview: Preview, rendered: RenderedEdition | None) -> str:
    """Text part, source or raw message; empty where the frame shows the mail."""
    if rendered is None or preview.part == "html":
        return ""
    if preview.part == "source":
        return rendered.html
    if preview.part == "raw":
        data = proofs.message_for(ask.room, shown.id, **_wanted(preview))
        return data.decode("utf-8", errors="replace").replace("\r\n", "\n")
    return render.fill_text(rendered.text, readers.neutral_slots(ask.room, shown.id, rendered.edition.key))


def _versions(ask: Ask, shown: Issue, preview: Preview) -> list[Version]:
    """The whole issue first, then what most readers get, and the shortest and longest that anybody gets."""
    snapshot = shown.snapshot
    reaches = ask.figures.reaches(shown)
    if snapshot is None or not reaches:
        return []
    everything = snapshot.countries
    ordered = sorted(reaches, key=lambda reach: reach.edition.countries != everything)
    told = [sum(len(held.stories) for held in snapshot.sections_of(reach.edition)) for reach in reaches]
    offered = ordered[:MOST_READ]
    ends = (reaches[told.index(min(told))], reaches[told.index(max(told))])
    offered += [reach for reach in ends if reach not in offered]
    return [
        Version(
            edition_words(reach.edition, everything),
            ",".join(reach.edition.countries),
            reach.edition.language,
            reach.readers,
            reach.edition == Edition(preview.countries or everything, preview.language),
        )
        for reach in offered
    ]


def _places(ask: Ask, shown: Issue, frame: str, spots: Sequence[Spot]) -> Callable[[str], tuple[str, str, str]]:
    """What to call a finding's place, where it can be looked at, and in which frame: in the mail on screen, else on the
    story's own screen or a version's."""
    here = {spot.story: spot for spot in spots}
    titles = {placed.story.id: placed.story.title for placed in shown.snapshot.placed} if shown.snapshot else {}

    def place(text: str) -> tuple[str, str, str]:
        story = story_in(text)
        if story in here:
            return titles[story], f"{frame}#{here[story].anchor}", "mail"
        if story in titles:
            return titles[story], f"/issues/{shown.id}/story?{urlencode({'id': story})}", ""
        if edition := edition_in(text):
            return text, ask.again(countries=",".join(edition.countries), language=edition.language), ""
        return text, "", ""

    return place


def _why_not(ask: Ask, checked: Checked | None) -> str:
    """What stands in the way of an approval; empty when nothing does."""
    if checked is None or checked.trouble:
        return "The checks could not run"
    if checked.blocking:
        return f"{checked.blocking} blocking {'check' if checked.blocking == 1 else 'checks'}"
    return "" if may(ask, "issue_approve") else "Your role may look, and not approve"
