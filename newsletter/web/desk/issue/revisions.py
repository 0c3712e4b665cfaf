"""What changed from one revision of an issue to another: stories that came, went and moved, and words, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from starlette.responses import Response

from newsletter.model import Snapshot
from newsletter.web.asking import Ask
from newsletter.web.pages import desk_page, may

__all__ = ["issue_revisions"]

Run = tuple[str, str]
"""How a passage stands (`same`, `old`, `new`), and its words."""


@dataclass(frozen=True, slots=True)
class Change:
    """One part of the issue that two revisions say differently."""

    where: str
    runs: Sequence[Run]


def issue_revisions(ask: Ask) -> Response:
    """Every revision, and what one of them (the latest, by default) changed."""
    issue = ask.room.issues.get(ask.issue_id)
    kept = ask.room.revisions.list(issue.id)
    numbers = [each.number for each in kept]
    asked = ask.query.get("revision", "")
    shown = int(asked) if asked.isdecimal() and len(asked) < 9 and int(asked) in numbers else next(iter(numbers), 0)
    before = max((number for number in numbers if number < shown), default=None)
    changes = None
    if before is not None:
        changes = list(_changes(ask.room.revisions.get(issue.id, before), ask.room.revisions.get(issue.id, shown)))
    return desk_page(
        ask,
        "issue_revisions.html",
        issue=issue,
        address=f"/issues/{issue.id}",
        title=ask.title(issue),
        zone=ask.zone(issue),
        kept=kept,
        shown=shown,
        before=before,
        changes=changes,
        may_edit=may(ask, "issue_arrange"),
    )


def _changes(old: Snapshot, new: Snapshot) -> Iterator[Change]:
    for name in ("subject", "preheader", "word"):
        yield from _words(name.capitalize(), _text(getattr(old, name)), _text(getattr(new, name)))
    yield from _order(old, new)
    stories = {placed.story.id: placed.story for placed in old.placed}
    for placed in new.placed:
        if (before := stories.get(placed.story.id)) is not None:
            for name in ("title", "summary", "shown_note"):
                words = _text(getattr(before, name)), _text(getattr(placed.story, name))
                yield from _words(f"{placed.story.title}: {_NAMES[name]}", *words)


_NAMES = {"title": "headline", "summary": "summary", "shown_note": "note"}


def _order(old: Snapshot, new: Snapshot) -> Iterator[Change]:
    """The stories in order, a line each, where they are not the same in both."""
    before, after = _lines(old), _lines(new)
    if before != after:
        yield Change("Stories", list(_runs(before, after)))


def _lines(snapshot: Snapshot) -> list[str]:
    return [f"{section.country}: {placed.story.title}\n" for section in snapshot.sections for placed in section.stories]


def _words(where: str, before: str, after: str) -> Iterator[Change]:
    if before != after:
        spaced = ([f"{word} " for word in text.split()] for text in (before, after))
        yield Change(where, list(_runs(*spaced)))


def _runs(before: Sequence[str], after: Sequence[str]) -> Iterator[Run]:
    for what, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "equal":
            yield "same", "".join(before[a:b])
            continue
        if b > a:
            yield "old", "".join(before[a:b])
        if d > c:
            yield "new", "".join(after[c:d])


def _text(value: str | Sequence[str] | None) -> str:
    return value if isinstance(value, str) else " ".join(value or ())
