"""Notes drafted by a model: within a budget, never twice for the same words, and held until an editor approves them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter

from newsletter import gather
from newsletter.errors import NothingToDoError, SettingError
from newsletter.gather.drafting import BREAKING, Breaker, Draft, Endpoint, Refused, cache_key, input_hash
from newsletter.model import Kind, NoteOrigin, Story, StoryStatus
from newsletter.newsroom.room import Newsroom

__all__ = ["Drafted", "draft_notes", "endpoint_of", "held", "waiting"]

OUTCOME: TypeAdapter[Draft | Refused] = TypeAdapter(Draft | Refused)

# Of a briefing that goes out daily, what is older has had its day.
FRESH = timedelta(days=2)
REMEMBERED = 12


@dataclass(frozen=True, slots=True)
class Drafted:
    """What came of one story: a held note, or why there is none; `cached` where nobody had to be asked."""

    story: str
    note: tuple[str, ...] = ()
    reason: str | None = None
    cached: bool = False


def endpoint_of(room: Newsroom) -> Endpoint | None:
    """Where drafts come from; None where the desk has none. Raises `SettingError` for half of one."""
    settings = room.settings
    if settings.summary_url is None:
        return None
    if settings.summary_model is None:
        raise SettingError("NEWSLETTER_SUMMARY_URL is set, and NEWSLETTER_SUMMARY_MODEL names no model; set both")
    return Endpoint(settings.summary_url, settings.summary_model, settings.summary_key)


def waiting(room: Newsroom, *, again: bool = False) -> list[Story]:
    """Ready stories of the last two days without a note, latest first.

    Those that got no note when they were asked for are left out, or nothing older would ever have its turn; `again`
    takes them in.
    """
    now = room.clock.now()
    since = now - FRESH
    latest = room.stories.list(status=StoryStatus.READY, published_in=(since, now))
    fresh = [story for story in latest if _may_have_one(story)]
    model = room.settings.summary_model
    if again or model is None:
        return fresh
    outcomes = {key: OUTCOME.validate_json(document) for key, document in room.drafts.since(since - FRESH)}
    refused = {key for key, outcome in outcomes.items() if isinstance(outcome, Refused) and _is_answer(outcome)}
    return [story for story in fresh if cache_key(story, model) not in refused]


def held(room: Newsroom) -> list[Story]:
    """Ready stories whose note waits for an editor, latest first."""
    return list(room.stories.with_held_note())


def draft_notes(room: Newsroom, stories: Iterable[Story], *, again: bool = False) -> Iterator[Drafted]:
    """Ask for a note for each story and keep it, held, until the day's budget is used up or the endpoint is down.

    What was asked before is not asked again for the same words, unless `again` says so of what came to nothing.
    Raises `NothingToDoError` when either is so before the first, or when another process is drafting.
    """
    endpoint = endpoint_of(room)
    if endpoint is None:
        raise SettingError(
            "no endpoint drafts notes for this desk; set NEWSLETTER_SUMMARY_URL and NEWSLETTER_SUMMARY_MODEL"
        )
    with room.database.hold("drafting") as mine:
        if not mine:
            raise NothingToDoError("another process is drafting notes")
        for number, story in enumerate(stories):
            outcome, cached = _known(room, story, endpoint), True
            if outcome is None or (again and isinstance(outcome, Refused)):
                if why := _why_not(room):
                    if number == 0:
                        raise NothingToDoError(why)
                    return
                asked = room.drafts.begin(cache_key(story, endpoint.model), story.id, room.clock.now())
                outcome, cached = gather.draft_note(story, endpoint), False
                room.drafts.end(asked, OUTCOME.dump_json(outcome).decode())
            yield _kept(room, story, outcome, cached)


def _may_have_one(story: Story) -> bool:
    return not story.note and "note" not in story.edited and story.kind is not Kind.PRESS_RELEASE


def _known(room: Newsroom, story: Story, endpoint: Endpoint) -> Draft | Refused | None:
    """What was asked before for the same words; a failure of the endpoint's own is no answer."""
    for document in room.drafts.of(cache_key(story, endpoint.model)):
        outcome = OUTCOME.validate_json(document)
        if _is_answer(outcome):
            return outcome
    return None


def _is_answer(outcome: Draft | Refused) -> bool:
    return isinstance(outcome, Draft) or outcome.failure not in BREAKING


def _why_not(room: Newsroom) -> str | None:
    """Why nothing may be asked now."""
    now = room.clock.now()
    budget = room.settings.summary_budget
    midnight = datetime.combine(now.astimezone(UTC).date(), datetime.min.time(), tzinfo=UTC)
    if room.drafts.count_since(midnight) >= budget:
        return (
            f"the day's budget of {budget} drafts is used up (NEWSLETTER_SUMMARY_BUDGET); it begins anew at 00:00 UTC"
        )
    breaker = Breaker()
    for document, at in room.drafts.latest(REMEMBERED):
        breaker = breaker.after(OUTCOME.validate_json(document), at)
    if breaker.is_open(now):
        # Rounded up: at the minute that is told it is asked.
        again = (breaker.open_until or now) + timedelta(seconds=59)
        return f"the endpoint failed {breaker.failures} times in a row; it is asked again from {again:%H:%M} UTC"
    return None


def _kept(room: Newsroom, story: Story, outcome: Draft | Refused, cached: bool) -> Drafted:
    if isinstance(outcome, Refused):
        return Drafted(story.id, reason=outcome.reason, cached=cached)

    def with_note(known: Story) -> Story:
        # It may have been edited, or come in anew with other words, while the model was at it.
        if not _may_have_one(known) or input_hash(known) != outcome.provenance.input:
            return known
        return replace(
            known,
            note=outcome.paragraphs,
            note_origin=NoteOrigin.MODEL,
            note_provenance=outcome.provenance,
            note_approved_by=None,
        )

    who = f"model {outcome.provenance.model}"
    stored = room.stories.edit(story.id, with_note, who=who, what="note drafted", now=room.clock.now())
    if stored.note != outcome.paragraphs:
        return Drafted(story.id, reason="the story changed meanwhile", cached=cached)
    return Drafted(story.id, stored.note, cached=cached)
