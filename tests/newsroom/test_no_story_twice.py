"""No newsletter tells a story twice, whatever is built, broken, undone, corrected and approved on whichever days."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.compose import keys_of
from newsletter.errors import InputError, NewsletterError
from newsletter.model import EDITABLE, Issue, IssueState, Story
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import correcting
from newsletter.newsroom.issue import editing, issues, preflight
from newsletter.newsroom.issue.breaking import break_news
from newsletter.storage.life import NO_APPROVAL
from newsletter.storage.tables import issue as issue_table

from .conftest import NOW
from .test_digest import CHIEF, DAILY, WEEKLY, set_clock, with_digest

# The third newsletter of the desk lives of breaking news alone, which the daily does not tell again.
FLASH = """
  flash:
    title: Flash
    at: "09:00"
    days: []
    template: breaking
    countries: [CN, JP, KR, IN, SG, ID, VN]
    breaking_per_day: 20
"""
NAMES = (DAILY, WEEKLY, "flash")
OPEN = (IssueState.REVIEW, IssueState.WAITING)

step = st.one_of(
    st.tuples(st.just("news"), st.integers(0, 25), st.sampled_from(["wire", "wire", "other"])),
    st.tuples(st.just("wait"), st.sampled_from([1, 5, 20, 24, 24, 72])),
    st.tuples(st.just("build"), st.sampled_from(NAMES[:2])),
    st.tuples(st.just("extra"), st.sampled_from(NAMES[:2])),
    st.tuples(st.just("break"), st.sampled_from(NAMES), st.integers(0, 25)),
    st.tuples(st.just("add"), st.integers(0, 9), st.integers(0, 25)),
    st.tuples(st.sampled_from(["approve", "approve", "approve", "undo", "stop half-way", "cancel"]), st.integers(0, 9)),
)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from newsletter.newsroom import desks

    folder = tmp_path_factory.mktemp("twice") / "desk"
    desks.make_sample_desk(folder)
    with Newsroom.open(folder, environ={}) as room:
        text = room.plan_file.read_text(encoding="utf-8").replace("min: 3 ", "min: 1 ")
        text = text.replace("archive: public", "archive: public\n    not_again_from: [flash]\n    breaking_per_day: 20")
        room.plan_file.write_text(text, encoding="utf-8")
        with_digest(room)
        with room.plan_file.open("a", encoding="utf-8") as file:
            file.write(FLASH)
        assert set(room.plan.newsletters) == set(NAMES)
    return folder


@pytest.fixture
def _unrendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an issue looks like is not asked here, and takes most of an approval's time."""
    monkeypatch.setattr("newsletter.newsroom.issue.preflight.render_editions", lambda *_: [])
    monkeypatch.setattr("newsletter.newsroom.issue.preflight.render.preflight", lambda *_: [])


def do(room: Newsroom, what: tuple[Any, ...], a_story: Callable[..., Story]) -> None:
    kind, *more = what
    now = room.clock.now()
    drafts = [each for name in NAMES for each in room.issues.list(name) if each.state in EDITABLE and each.revision]
    match kind, more:
        case "news", (subject, source):
            country = ("CN", "JP", "KR")[subject % 3]
            story = a_story(f"{source}{subject}", f"Subject{subject} moves again", source=source, country=country)
            room.stories.ingest([replace(story, published_at=now - timedelta(minutes=5))], now)
        case "wait", (hours,):
            set_clock(room, now + timedelta(hours=hours))
        case "build", (name,):
            issues.build(room, name)
        case "extra", (name,):
            issues.build(room, name, extra=True)
        case "break", (name, subject):
            break_news(room, f"wire:wire{subject}", name, who=CHIEF)
        case "add", (which, subject) if drafts:
            editing.take_in(room, drafts[which % len(drafts)].id, f"wire:wire{subject}", who=CHIEF)
        case "approve", (which,) if waiting := [each for each in drafts if each.state in OPEN]:
            issues.approve(room, waiting[which % len(waiting)].id, CHIEF)
        case "undo", (which,) if drafts:
            correcting.undo(room, drafts[which % len(drafts)].id, who=CHIEF)
        case "cancel", (which,) if drafts:
            correcting.cancel(room, drafts[which % len(drafts)].id, who=CHIEF)
        case "stop half-way", (which,):
            sealed = [each for each in room.issues.in_state(IssueState.APPROVED) if each.frozen_at is None]
            if sealed:
                stopped_half_way(room, sealed[which % len(sealed)])


def stopped_half_way(room: Newsroom, issue: Issue) -> None:
    """Some have it, and it is in review again to be corrected for the others."""
    with room.database.write() as connection:
        mine = issue_table.c.newsletter == issue.id.newsletter, issue_table.c.local_date == issue.id.date
        values = {"state": IssueState.REVIEW, "frozen_at": room.clock.now(), **NO_APPROVAL}
        connection.execute(
            sa.update(issue_table).where(*mine, issue_table.c.number == issue.id.number).values(**values)
        )


def test_what_some_readers_have_is_told_while_it_is_corrected_for_the_others(
    light_room: Newsroom, a_story: Callable[..., Story]
) -> None:
    with_digest(light_room)
    places = (("a", "CN"), ("b", "JP"), ("c", "KR"))
    light_room.stories.ingest([a_story(name, f"{name} moves", country=country) for name, country in places], NOW)
    issue = issues.approve(light_room, issues.build(light_room, DAILY).id, CHIEF)
    stopped_half_way(light_room, issue)
    extra = issues.build(light_room, DAILY, extra=True)
    assert extra.snapshot is not None
    assert extra.snapshot.placed == ()
    with pytest.raises(InputError, match="no reader gets a story twice"):
        break_news(light_room, "wire:a", DAILY, who=CHIEF)


def reached(room: Newsroom, name: str) -> list[Issue]:
    sealed = (IssueState.APPROVED, IssueState.SENDING, IssueState.STOPPED, IssueState.SUBMITTED)
    return [room.issues.get(each.id) for each in room.issues.list(name) if each.state in sealed or each.frozen_at]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(step, min_size=8, max_size=40))
@pytest.mark.usefixtures("_unrendered")
def test_over_any_days_no_newsletter_tells_a_story_twice(
    steps: list[tuple[Any, ...]],
    template: Path,
    tmp_path_factory: pytest.TempPathFactory,
    a_story: Callable[..., Story],
) -> None:
    folder = tmp_path_factory.mktemp("days") / "desk"
    shutil.copytree(template, folder)
    try:
        with Newsroom.open(folder, environ={}) as room:
            set_clock(room, NOW)
            for what in [("news", subject, "wire") for subject in range(4)] + steps:
                try:
                    do(room, what, a_story)
                except NewsletterError:
                    continue  # a person would be told why
            for name in NAMES:
                seen: dict[object, object] = {}
                for issue in reached(room, name):
                    assert issue.snapshot is not None
                    for placed in issue.snapshot.placed:
                        for key in keys_of(placed.story):
                            assert seen.setdefault(key, issue.id) == issue.id, (key, issue.id)
    finally:
        shutil.rmtree(folder.parent)


def test_of_two_drafts_with_one_story_approved_at_one_instant_one_stays(
    room: Newsroom, a_story: Callable[..., Story], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(room, NOW)
    places = (("a", "CN"), ("b", "JP"), ("c", "KR"))
    room.stories.ingest([a_story(name, f"{name} moves", country=country) for name, country in places], NOW)
    drafts = [issues.build(room, DAILY), issues.build(room, DAILY, extra=True)]
    looked = preflight.examine

    def slowly(*of: object) -> object:
        found = looked(*of)  # type: ignore[arg-type]
        time.sleep(0.3)  # longer than the other one needs to look, too
        return found

    monkeypatch.setattr(preflight, "examine", slowly)
    refused: list[NewsletterError] = []

    def approve(issue: Issue) -> None:
        try:
            issues.approve(room, issue.id, CHIEF)
        except NewsletterError as error:
            refused.append(error)

    threads = [threading.Thread(target=approve, args=(draft,)) for draft in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ["has carried it already" in str(error) for error in refused] == [True]
    assert len(reached(room, DAILY)) == 1
