"""What stands between a draft and its approval: the checks over every edition, and over what changed since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from textwrap import shorten

from newsletter import compose, render
from newsletter.errors import Problem, TemplateError
from newsletter.model import Edition, Finding, Issue, IssueId, RenderedEdition, Severity
from newsletter.newsroom.intake.copies import told_apart
from newsletter.newsroom.issue.previews import drafted, editions
from newsletter.newsroom.room import Newsroom
from newsletter.pipeline import render_editions

__all__ = ["changed_since", "check", "examine", "grouped"]


def check(room: Newsroom, issue_id: IssueId, needed: Sequence[Edition] | None = None) -> list[Finding]:
    """The preflight over every edition that the present audience needs, or over those that are known to be `needed`."""
    findings, _ = examine(room, room.issues.get(issue_id), needed)
    return findings


def grouped(findings: Sequence[Finding]) -> list[tuple[Finding, list[str]]]:
    """Each finding told once, with all the places it was found at."""
    places: dict[Finding, list[str]] = {}
    for finding in findings:
        places.setdefault(replace(finding, place=""), []).append(finding.place)
    return list(places.items())


def examine(
    room: Newsroom, issue: Issue, needed: Sequence[Edition] | None = None
) -> tuple[list[Finding], list[RenderedEdition]]:
    """Every finding, and the editions as they were looked at: none where the template is broken."""
    snapshot = drafted(issue)
    needed = [reach.edition for reach in editions(room, issue)] if needed is None else needed
    ours = [*_carried(room, issue), *changed_since(room, issue)]
    try:
        rendered = render_editions(room.templates, snapshot, needed, room.settings.base_url)
    except TemplateError as error:
        return [*ours, *map(_broken_template, error.problems)], []
    statuses = room.stories.statuses([placed.story.id for placed in snapshot.placed])
    findings = render.preflight(snapshot, rendered, max(room.clock.now(), issue.due_at), statuses)
    return [*ours, *findings, *render.faint_colours(room.templates.theme())], rendered


def _broken_template(problem: Problem) -> Finding:
    place = f"{problem.file}:{problem.line}"
    return Finding(Severity.BLOCKING, "template", place, f"{problem.message}.", "Mend it; `template check` tells more.")


def _carried(room: Newsroom, issue: Issue) -> Iterator[Finding]:
    """No reader of a newsletter gets a story twice, whatever drafts stood side by side, and no copy of it."""
    if drafted(issue).faulty is not None:
        return
    newsletter = room.newsletter(issue.id.newsletter)
    stories = [placed.story for placed in drafted(issue).placed]
    names, ids = (newsletter.name, *newsletter.not_again_from), [story.id for story in stories]
    carried = room.contents.carried(names, issue.id, ids)
    told = compose.told_before(stories, room.stories.find(carried).values(), told_apart(room, stories))
    for story, copy in told.items():
        message = f"{carried[copy]} has carried it already{'' if copy == story else f', as {copy}'}."
        yield Finding(Severity.BLOCKING, "carried", f"story {story}", message, "Build the issue again.")


_SHORT, _RUNS = 60, 3
"""Characters of one changed passage, and how many of them are told."""

_SEEN = ("title", "summary", "shown_note", "url", "outlet", "byline", "kind")


def changed_since(room: Newsroom, issue: Issue) -> Iterator[Finding]:
    """A draft shows stories as they were: what its source or an editor has changed since is not what is approved."""
    snapshot = drafted(issue)
    present = room.stories.find([placed.story.id for placed in snapshot.placed])
    for shown in (placed.story for placed in snapshot.placed):
        story = present.get(shown.id, shown)
        changed = [
            f"{name.removeprefix('shown_')} ({_difference(before, after)})"
            for name in _SEEN
            if (before := getattr(shown, name)) != (after := getattr(story, name))
        ]
        if changed:
            message = f"It has changed since the draft was made: {', '.join(changed)}."
            alone = f"`newsletter issue correct {issue.id} --story {shown.id}`"
            fix = f"Build the issue again, or take over this story alone: {alone}."
            yield Finding(Severity.BLOCKING, "changed story", f"story {shown.id}", message, fix)


def _difference(before: str | Sequence[str], after: str | Sequence[str]) -> str:
    """The words that changed, as `old → new`: the first few."""
    old, new = (text.split() if isinstance(text, str) else " ".join(text).split() for text in (before, after))
    runs = [
        tuple(shorten(" ".join(words), _SHORT, placeholder="…") or "nothing" for words in (old[a:b], new[c:d]))
        for what, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if what != "equal"
    ]
    return ", ".join(f"{was} → {now}" for was, now in runs[:_RUNS]) + (", …" if len(runs) > _RUNS else "")
