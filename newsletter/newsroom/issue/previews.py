"""What an issue looks like: its editions and their readers, drafted or sealed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from newsletter import compose
from newsletter.errors import InputError
from newsletter.model import BEGUN, Edition, Issue, IssueId, RenderedEdition, Snapshot
from newsletter.newsroom.dispatch.audience import choose
from newsletter.newsroom.room import Newsroom
from newsletter.render import CompiledTemplate, render_edition

__all__ = ["Reach", "drafted", "editions", "preview", "sealed", "sealed_or_rendered", "shown"]


@dataclass(frozen=True, slots=True)
class Reach:
    """One edition and how many of the present audience would get it."""

    edition: Edition
    readers: int


def editions(room: Newsroom, issue: Issue) -> list[Reach]:
    """The editions that the present audience needs, or the frozen one (or what is left of that, where it is being
    corrected), most read first; the whole issue's always among them."""
    snapshot = drafted(issue)
    whole = compose.choose_edition(snapshot, None, None)
    with room.database.read() as connection:
        if issue.frozen_at is not None:
            frozen = room.deliveries.editions(connection, issue.id, left=issue.state not in BEGUN).items()
            needed = {edition: number for key, number in frozen if snapshot.sections_of(edition := Edition.parse(key))}
        else:
            needed = dict(choose(room, connection, snapshot).readers)
    readers = ({whole: 0} if whole is not None else {}) | needed
    return sorted((Reach(edition, count) for edition, count in readers.items()), key=lambda r: (-r.readers, r.edition))


def preview(
    room: Newsroom,
    issue_id: IssueId,
    *,
    as_email: str | None = None,
    countries: Sequence[str] | None = None,
    language: str | None = None,
) -> RenderedEdition:
    """`shown`, of the issue with that id."""
    return shown(room, room.issues.get(issue_id), as_email=as_email, countries=countries, language=language)


def shown(
    room: Newsroom,
    issue: Issue,
    *,
    as_email: str | None = None,
    countries: Sequence[str] | None = None,
    language: str | None = None,
) -> RenderedEdition:
    """The bytes that a reader would get, slots aside: the sealed ones once there is an approval."""
    snapshot = drafted(issue)
    if language is not None and language not in snapshot.languages:
        raise InputError(f"{issue.id} has no edition in {language!r}; it has {', '.join(snapshot.languages)}")
    if as_email is not None:
        reader = room.subscribers.find(as_email)
        countries, language = reader.preferences.countries, reader.preferences.language
    edition = compose.choose_edition(snapshot, countries, language)
    if edition is None:
        asked = f"countries {', '.join(countries or ())}"
        raise InputError(
            f"{issue.id} has no story for {as_email or asked}; it has {', '.join(snapshot.countries) or 'none'}"
        )
    return sealed_or_rendered(room, issue, edition)


def sealed(room: Newsroom, issue: Issue) -> list[Edition]:
    """The editions whose bytes an approval sealed."""
    if issue.approved_revision is None:
        return []
    return [each.edition for each in room.seals.editions(issue.id, issue.approved_revision).values()]


def sealed_or_rendered(room: Newsroom, issue: Issue, edition: Edition) -> RenderedEdition:
    """The edition as approved, or as it would be approved now."""
    if issue.approved_revision is not None:
        sealed = room.seals.edition(issue.id, issue.approved_revision, edition.key)
        if sealed is not None:
            return sealed
    template = room.templates.compile(drafted(issue).template)
    return _rendered(template, drafted(issue), edition, room.settings.base_url)


@lru_cache(maxsize=64)
def _rendered(template: CompiledTemplate, snapshot: Snapshot, edition: Edition, base_url: str) -> RenderedEdition:
    """An edition on screen is asked for at each click; it is kept by all that its bytes are made of."""
    return render_edition(template, snapshot, edition, base_url)


def drafted(issue: Issue) -> Snapshot:
    """What the issue says; raises `InputError` before it has a draft."""
    if issue.snapshot is None:
        raise InputError(f"{issue.id} has no draft yet; `newsletter issue build {issue.id.newsletter}` makes it")
    return issue.snapshot
