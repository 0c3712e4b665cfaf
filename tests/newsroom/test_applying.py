"""One schedule for every host, and what each issue remembers of the schedule that was in force."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.errors import NothingToDoError, PlanError
from newsletter.model import IssueId, IssueState
from newsletter.newsroom import Newsroom
from newsletter.newsroom.issue import issues
from newsletter.newsroom.planning import applying
from newsletter.newsroom.planning.in_force import PlanInForce
from newsletter.plan import PlanFiles, load_plan, plan_of
from newsletter.storage import AppliedPlans

from .conftest import NOW

NAME = "asia-ai-daily"
CALENDAR = "BEGIN:VEVENT\nDTSTART:2026{}\nEND:VEVENT\n"


@pytest.fixture
def hosts(room: Newsroom, database_url: str, tmp_path: Path) -> Iterator[tuple[Newsroom, Newsroom]]:
    """Two hosts of one desk, each with a schedule.yaml and a calendar of its own."""
    text = room.plan_file.read_text(encoding="utf-8")
    text = text.replace("newsletters:\n", "calendars:\n  holidays: {ics: days.ics}\nnewsletters:\n", 1)
    text = text.replace("    at:", "    skip: [holidays]\n    at:", 1)
    room.plan_file.write_text(text, encoding="utf-8")
    (room.desk / "days.ics").write_text(CALENDAR.format("0527"), encoding="utf-8")
    shutil.copytree(room.desk, tmp_path / "other", ignore=shutil.ignore_patterns("*.db*"))
    flags = {"database_url": database_url, "now": NOW.isoformat()}
    with Newsroom.open(tmp_path / "other", flags, environ={}) as other:
        yield room, other


def change(room: Newsroom, old: str, new: str) -> None:
    text = room.plan_file.read_text(encoding="utf-8")
    assert old in text
    room.plan_file.write_text(text.replace(old, new), encoding="utf-8")


def at_once(room: Newsroom) -> Newsroom:
    """The same, two seconds later."""
    room.in_force.forget()
    return room


def title(room: Newsroom) -> str:
    return at_once(room).plan.newsletters[NAME].title


def test_every_host_follows_what_was_applied_with_its_calendars(hosts: tuple[Newsroom, Newsroom]) -> None:
    here, there = hosts
    change(here, "Asia AI Daily", "Asia at Seven")
    proposal = applying.propose(here)
    assert proposal.diff == "", "it is what this host follows"
    assert len(proposal.runs) == 10
    (there.desk / "days.ics").write_text(CALENDAR.format("0601"), encoding="utf-8")
    assert title(there) == "Asia AI Daily", "a proposal changes nothing"
    applied = applying.apply(here, proposal, who="anna")
    assert (title(here), title(there)) == ("Asia at Seven", "Asia at Seven")
    assert [f"{day:%m%d}" for day in there.plan.newsletters[NAME].skip] == ["0527"]
    assert there.plan.digest == here.plan.digest == applied.digest
    assert not applying.standing(here).differs
    found = applying.standing(there)
    assert (found.differs, found.applied) == (True, applied)
    assert f"revision {applied.digest[:12]}, applied by anna at 2026-05-26" in found.words
    assert applying.propose(there).diff.splitlines()[:2] == [
        "--- schedule.yaml (in force)",
        "+++ schedule.yaml (here)",
    ]
    assert "+DTSTART:20260601" in applying.propose(there).diff
    with pytest.raises(NothingToDoError, match="in force already, applied by anna"):
        applying.apply(here, applying.propose(here), who="ben")


def test_released_each_host_has_its_own_file_back(hosts: tuple[Newsroom, Newsroom]) -> None:
    here, there = hosts
    change(here, "Asia AI Daily", "Asia at Seven")
    applying.apply(here, applying.propose(here), who="anna")
    applying.release(there, who="ben")
    assert (title(here), title(there)) == ("Asia at Seven", "Asia AI Daily")
    assert [(each.digest != "", each.who) for each in here.applied_plans.list()] == [(False, "ben"), (True, "anna")]
    with pytest.raises(NothingToDoError, match="each host follows its own"):
        applying.release(here, who="ben")
    applying.apply(there, applying.propose(there), who="ben")
    assert title(here) == "Asia AI Daily", "the last word counts"


def test_a_broken_file_is_not_applied_and_breaks_no_host_that_follows(hosts: tuple[Newsroom, Newsroom]) -> None:
    here, there = hosts
    applying.apply(here, applying.propose(here), who="anna")
    there.plan_file.write_text("newsletters: [", encoding="utf-8")
    assert title(there) == "Asia AI Daily"
    assert there.plan_fault is None
    assert applying.standing(there).differs
    with pytest.raises(PlanError, match=r"schedule\.yaml:1:"):
        applying.propose(there)


def test_a_revision_that_a_host_cannot_follow_leaves_it_the_last_good_one(hosts: tuple[Newsroom, Newsroom]) -> None:
    here, there = hosts
    assert title(there) == "Asia AI Daily"
    files = applying.propose(here).files
    text = files.schedule.replace("title: Asia AI Daily", "template: nowhere\n    title: New")
    bad = PlanFiles(text, files.calendars)
    here.applied_plans.add(bad, NOW, "anna")
    assert title(there) == "Asia AI Daily"
    assert "there is no template 'nowhere'" in str(there.plan_fault)
    applying.release(here, who="anna")
    assert title(there) == "Asia AI Daily"
    assert there.plan_fault is None


def test_what_was_applied_is_asked_for_every_two_seconds_at_most(room: Newsroom) -> None:
    clock: list[float] = [0.0]
    asked: list[float] = []

    def store() -> AppliedPlans:
        asked.append(clock[0])
        return room.applied_plans

    looking = PlanInForce(room.plan_file, store, room.templates.names, seconds=lambda: clock[0])
    for now in (0.0, 0.5, 1.9, 2.0, 2.1, 3.9, 4.1):
        clock[0] = now
        looking.get()
    assert asked == [0.0, 2.0, 4.1]


def test_a_database_that_does_not_answer_changes_nothing(hosts: tuple[Newsroom, Newsroom]) -> None:
    here, there = hosts
    change(here, "Asia AI Daily", "Asia at Seven")
    applying.apply(here, applying.propose(here), who="anna")
    assert title(there) == "Asia at Seven"
    with there.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE applied_plan RENAME TO elsewhere")
    assert title(there) == "Asia at Seven"


def test_a_calendar_that_changes_is_read_again(hosts: tuple[Newsroom, Newsroom]) -> None:
    here, _ = hosts
    before = here.plan.digest
    (here.desk / "days.ics").write_text(CALENDAR.format("0601") * 2, encoding="utf-8")
    assert [f"{day:%m%d}" for day in here.plan.newsletters[NAME].skip] == ["0601"]
    assert here.plan.digest != before


def test_each_step_of_an_issue_records_the_schedule_in_force(hosts: tuple[Newsroom, Newsroom]) -> None:
    here, there = hosts
    issue_id = IssueId(NAME, NOW.date())
    issues.build(here, NAME, issue_id.date)
    own = here.plan.digest[:12]
    change(here, "Asia AI Daily", "Asia at Seven")
    applied = applying.apply(here, applying.propose(here), who="anna").digest[:12]
    at_once(there).issues.move(issue_id, tuple(IssueState), IssueState.CANCELLED, now=NOW, who="ben")
    assert [step.plan for step in here.issues.history(issue_id)] == [own, own, applied]
    assert len({own, applied}) == 2


def test_kept_files_say_the_same_as_the_files_themselves(tmp_path: Path) -> None:
    (tmp_path / "days.ics").write_text(CALENDAR.format("0601"), encoding="utf-8")
    text = (
        "calendars: {off: {ics: days.ics}}\nnewsletters:\n  asia: {title: A, at: 07:00, timezone: UTC, days: [mon],"
        " countries: [CN], skip: [off], sender: {name: A, address: a@example.com}, postal_address: x}\n"
    )
    plan = load_plan(text, "schedule.yaml", tmp_path)
    assert plan.files is not None
    (tmp_path / "days.ics").unlink()
    kept = PlanFiles.parse(plan.files.document)
    assert (plan_of(kept, "schedule.yaml"), kept.digest) == (plan, plan.digest)
    with pytest.raises(PlanError, match=r"days\.ics cannot be read: it was not kept with the schedule"):
        plan_of(PlanFiles(text), "schedule.yaml")
