"""What editors do to a draft: their own words, the order of its stories, what it tells and what not."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from newsletter.cli.issue import issue as issue_commands
from newsletter.clock import Clock
from newsletter.errors import ChecksFailedError, InputError, NewsletterError, NothingToDoError, PlanError, StorageError
from newsletter.model import Edition, Finding, Issue, IssueState, Severity, Story, StoryStatus
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import sending
from newsletter.newsroom.intake import stories
from newsletter.newsroom.issue import editing, issues, preflight, previews
from newsletter.storage.tables import edition

from .conftest import NOW

NAME = "asia-ai-daily"
CHIEF = "chief@example.com"


TITLES = {
    "CN": "Shenzhen opens a chip plant", "JP": "Tokyo courts weigh training data", "KR": "Seoul pays for models",
    "IN": "Bengaluru trains speech models",
}  # fmt: skip


@pytest.fixture
def day(a_story: Callable[..., Story]) -> list[Story]:
    return [a_story(country, title, country=country) for country, title in TITLES.items()]


@pytest.fixture
def drafted(light_room: Newsroom, day: list[Story]) -> Issue:
    light_room.stories.ingest(day, NOW)
    return issues.build(light_room, NAME)


def test_words_of_an_editor_stand_in_every_edition(light_room: Newsroom, drafted: Issue) -> None:
    word = ["Good morning.", "", "Read on."]
    editing.edit(light_room, drafted.id, subject=" Four things today ", preheader="And why", word=word, who=CHIEF)
    edition = previews.preview(light_room, drafted.id)
    assert (edition.subject, edition.preheader) == ("Four things today", "And why")
    for part in (edition.html, edition.text):
        assert part.index("Good morning.") < part.index("Read on.")
    assert "FROM THE EDITOR" in edition.text


def test_an_edit_voids_an_approval_and_takes_in_no_story(
    light_room: Newsroom, drafted: Issue, a_story: Callable[..., Story]
) -> None:
    issues.approve(light_room, drafted.id, CHIEF)
    light_room.stories.ingest([a_story("late", "Hanoi plans a data law", country="VN")], NOW)
    edited = editing.edit(light_room, drafted.id, subject="Other words", who="ed@example.com")
    assert (edited.state, edited.approved_by, edited.revision) == (IssueState.REVIEW, None, drafted.revision + 1)
    assert edited.window_end == drafted.window_end
    assert edited.snapshot is not None
    assert len(edited.snapshot.placed) == 4
    assert light_room.issues.history(drafted.id)[-1].who == "ed@example.com"


def test_a_build_keeps_the_words_and_an_empty_one_gives_them_back(
    light_room: Newsroom, drafted: Issue, a_story: Callable[..., Story]
) -> None:
    made = previews.preview(light_room, drafted.id).subject
    editing.edit(light_room, drafted.id, subject="Ours", word=["Hello."], who=CHIEF)
    light_room.stories.ingest([a_story("new", "Hanoi plans a data law", country="VN")], NOW)
    assert len(issues.build(light_room, NAME).snapshot.placed) == 5  # type: ignore[union-attr]
    assert previews.preview(light_room, drafted.id).subject == "Ours"
    editing.edit(light_room, drafted.id, subject="", word=[""], who=CHIEF)
    edition = previews.preview(light_room, drafted.id)
    assert "Hello." not in edition.html
    assert edition.subject == made


def test_the_same_words_again_change_nothing(light_room: Newsroom, drafted: Issue) -> None:
    once = editing.edit(light_room, drafted.id, subject="Ours", who=CHIEF)
    issues.approve(light_room, drafted.id, CHIEF)
    again = editing.edit(light_room, drafted.id, subject="Ours", who=CHIEF)
    assert (again.revision, again.approved_by) == (once.revision, CHIEF)


def test_what_is_on_its_way_is_not_edited(light_room: Newsroom, drafted: Issue) -> None:
    issues.approve(light_room, drafted.id, CHIEF)
    sending.send(light_room, drafted.id)
    with pytest.raises(NothingToDoError, match="settled"):
        editing.edit(light_room, drafted.id, subject="Too late", who=CHIEF)


def scheduled(room: Newsroom, subject: str) -> None:
    text = room.plan_file.read_text(encoding="utf-8")
    text = text.replace("archive: public", f"archive: public\n    subject: '{subject}'")
    room.plan_file.write_text(text, encoding="utf-8")


def test_the_schedule_makes_subjects_by_a_template(light_room: Newsroom, day: list[Story]) -> None:
    scheduled(light_room, "{{ issue.stories }} today: {{ lead.title }}")
    light_room.stories.ingest(day, NOW)
    issue = issues.build(light_room, NAME)
    assert previews.preview(light_room, issue.id).subject.startswith("4 today: ")
    editing.edit(light_room, issue.id, subject="{{ not a template }}", who=CHIEF)
    assert previews.preview(light_room, issue.id).subject == "{{ not a template }}"


def test_a_subject_template_that_fails_is_told_in_time(light_room: Newsroom) -> None:
    scheduled(light_room, "{{ lead.titel }} {{ reader.name }}")
    with pytest.raises(PlanError) as caught:
        _ = light_room.plan
    assert "lead has no 'titel'; did you mean 'title'?" in str(caught.value)
    assert "an edition is rendered once" in str(caught.value)
    assert all(problem.path == f"newsletters.{NAME}.subject" for problem in caught.value.problems)


def test_a_subject_that_cannot_be_rendered_blocks(light_room: Newsroom, day: list[Story]) -> None:
    scheduled(light_room, "{{ 1 // (issue.stories - 4) }}")
    light_room.stories.ingest(day, NOW)
    issue = issues.build(light_room, NAME)
    (finding,) = [each for each in preflight.check(light_room, issue.id) if each.severity is Severity.BLOCKING]
    assert finding.place == "schedule.yaml, subject:1"


def test_a_preview_in_a_language_the_newsletter_lacks_says_which_it_has(light_room: Newsroom, drafted: Issue) -> None:
    assert previews.preview(light_room, drafted.id, language="en").edition.language == "en"
    with pytest.raises(InputError, match="no edition in 'fr'; it has en"):
        previews.preview(light_room, drafted.id, language="fr")


def test_words_and_pictures_at_the_command_line(
    light_room: Newsroom, drafted: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(light_room.desk)
    run = partial(CliRunner().invoke, obj=str(light_room.desk))
    told = run(issue_commands, ["edit", str(drafted.id), "--word", "One.\n\nTwo.", "--by", CHIEF])
    assert told.exit_code == 0, told.output
    snapshot = light_room.issues.get(drafted.id).snapshot
    assert snapshot is not None
    assert snapshot.word == ("One.", "Two.")
    for asked, advice in (["--dark"], "add --format png"), (["--width", "375", "--format", "text"], "add --format png"):
        refused = run(issue_commands, ["preview", str(drafted.id), *asked])
        assert advice in str(refused.exception) + refused.output
    for name, start in ("mail.eml", b"To: "), ("mail.txt", b"ASIA "), ("mail.html", b"<!DOCTYPE"):
        assert run(issue_commands, ["preview", str(drafted.id), "--out", name]).exit_code == 0
        assert (light_room.desk / name).read_bytes().upper().startswith(start.upper())


def test_a_check_names_the_colours_that_are_hard_to_read(light_room: Newsroom, drafted: Issue) -> None:
    assert "contrast" not in {finding.check for finding in preflight.check(light_room, drafted.id)}
    theme = light_room.desk / "templates" / "theme.toml"
    theme.parent.mkdir(exist_ok=True)
    theme.write_text('[light]\nmeta = "#9AA0A8"\n', encoding="utf-8")
    assert "contrast" in {finding.check for finding in preflight.check(light_room, drafted.id)}


def test_every_edition_that_readers_need_is_looked_at(
    light_room: Newsroom, drafted: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = [previews.Reach(Edition(("CN",), "en"), 1), previews.Reach(Edition(("JP",), "en"), 1)]
    monkeypatch.setattr(preflight, "editions", lambda room, issue: needed)
    monkeypatch.setattr(
        "newsletter.newsroom.issue.preflight.render.preflight",
        lambda snapshot, rendered, now, statuses: [
            Finding(Severity.BLOCKING, "seen", each.edition.key, "Seen.", "") for each in rendered
        ],
    )
    assert [finding.place for finding in preflight.check(light_room, drafted.id)] == ["CN.en", "JP.en"]
    with pytest.raises(ChecksFailedError):
        issues.approve(light_room, drafted.id, CHIEF)


def test_a_check_ends_with_3_and_says_all_as_json(
    light_room: Newsroom, drafted: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = partial(CliRunner().invoke, obj=str(light_room.desk), standalone_mode=False)
    assert run(issue_commands, ["check", str(drafted.id), "--no-links"]).return_value == 0
    found = Finding(Severity.BLOCKING, "size", "edition CN.en", "Too long.", "Drop stories.")
    monkeypatch.setattr(preflight, "check", lambda room, issue_id: [found])
    done = run(issue_commands, ["check", str(drafted.id), "--no-links", "--json"])
    assert done.return_value == 3
    told = {"severity": "blocking", "check": "size", "place": "edition CN.en"}
    assert json.loads(done.stdout) == [{**told, "message": "Too long.", "fix": "Drop stories."}]


def test_a_picture_is_as_wide_and_dark_as_asked(
    light_room: Newsroom, drafted: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, bool]] = []
    monkeypatch.setattr(
        "newsletter.render.picture", lambda html, *, width, dark: asked.append((width, dark)) or b"PNG", raising=False
    )
    target = light_room.desk / "look.png"
    run = partial(CliRunner().invoke, obj=str(light_room.desk))
    for more in ["--width", "375", "--dark"], []:
        assert run(issue_commands, ["preview", str(drafted.id), *more, "--out", str(target)]).exit_code == 0
    assert asked == [(375, True), (640, False)]
    assert target.read_bytes() == b"PNG"


def test_bytes_that_are_not_the_approved_ones_are_not_sent(light_room: Newsroom, drafted: Issue) -> None:
    issues.approve(light_room, drafted.id, CHIEF)
    with light_room.database.write() as connection:
        document = connection.scalars(sa.select(edition.c.document)).one()
        assert "Shenzhen" in document
        connection.execute(sa.update(edition).values(document=document.replace("Shenzhen", "Shanghai")))
    with pytest.raises(StorageError, match="is not what was approved"):
        sending.send(light_room, drafted.id)


def told(room: Newsroom, issue: Issue) -> dict[str, list[str]]:
    snapshot = room.issues.get(issue.id).snapshot
    assert snapshot is not None
    return {each.country: [placed.story.external_id for placed in each.stories] for each in snapshot.sections}


def test_what_an_editor_arranged_outlives_a_build_and_what_is_new_waits_in_the_tray(
    light_room: Newsroom, drafted: Issue, a_story: Callable[..., Story]
) -> None:
    room = light_room
    editing.drop(room, drafted.id, "wire:IN", who=CHIEF)
    editing.move(room, drafted.id, "wire:KR", who=CHIEF, country="CN", before="wire:CN")
    later = NOW + timedelta(minutes=20)
    room.clock = Clock(later, anchor=0, unix=lambda: 0)
    new = a_story("late", "Hanoi plans a data law", country="VN", published_at=later)
    room.stories.ingest([new], later)
    built = issues.build(room, NAME, who=issues.CLOCK)
    assert told(room, drafted) == {"CN": ["KR", "CN"], "JP": ["JP"]}
    assert built.window_end == drafted.window_end  # what nobody takes in is for the next issue
    tray = editing.tray(room, built)
    assert [[each.external_id for each in heap] for heap in (tray.new, tray.left_out, tray.dropped)] == [
        ["late"], [], ["IN"]
    ]  # fmt: skip
    editing.take_in(room, drafted.id, "wire:late", who=CHIEF)
    editing.take_in(room, drafted.id, "wire:IN", who=CHIEF)
    assert told(room, drafted) == {"CN": ["KR", "CN"], "JP": ["JP"], "IN": ["IN"], "VN": ["late"]}
    tray = editing.tray(room, room.issues.get(drafted.id))
    assert (tray.new, tray.left_out, tray.dropped) == ([], [], [])


def test_the_order_opens_the_subject_and_a_lead_is_chosen_wherever_it_stands(
    light_room: Newsroom, drafted: Issue
) -> None:
    editing.lead(light_room, drafted.id, "wire:JP", who=CHIEF)
    assert previews.preview(light_room, drafted.id).subject.startswith(TITLES["JP"])
    editing.lead(light_room, drafted.id, None, who=CHIEF)
    assert previews.preview(light_room, drafted.id).subject.startswith(TITLES["CN"])


def test_every_revision_is_kept_and_can_be_had_again(light_room: Newsroom, drafted: Issue) -> None:
    room = light_room
    editing.edit(room, drafted.id, subject="Ours", who="ed@example.com")
    editing.drop(room, drafted.id, "wire:CN", who=CHIEF)
    assert [(each.number, each.who, each.what) for each in room.revisions.list(drafted.id)] == [
        (3, CHIEF, f"dropped “{TITLES['CN']}”"), (2, "ed@example.com", "subject edited"), (1, "editor", "built"),
    ]  # fmt: skip
    restored = editing.restore(room, drafted.id, 2, who=CHIEF)
    assert (restored.revision, restored.snapshot.subject) == (4, "Ours")  # type: ignore[union-attr]
    assert told(room, drafted)["CN"] == ["CN"]
    assert room.revisions.get(drafted.id, 3).placed[0].story.external_id != "CN"


def test_two_editors_at_one_moment_both_have_their_way(light_room: Newsroom, drafted: Issue) -> None:
    def drop(name: str) -> None:
        editing.drop(light_room, drafted.id, f"wire:{name}", who=CHIEF)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(drop, ["CN", "JP", "KR"]))
    assert told(light_room, drafted) == {"IN": ["IN"]}
    assert light_room.issues.get(drafted.id).revision == 4


def test_what_cannot_be_told_is_refused(light_room: Newsroom, drafted: Issue, a_story: Callable[..., Story]) -> None:
    room = light_room
    room.stories.ingest([a_story("held", "Held story", country="JP")], NOW)
    stories.set_status(room, "wire:held", StoryStatus.HELD, CHIEF)
    for act, message in (
        (lambda: editing.take_in(room, drafted.id, "wire:held", who=CHIEF), "is held; only a story that is ready"),
        (lambda: editing.take_in(room, drafted.id, "wire:CN", who=CHIEF), "stands in the issue already"),
        (lambda: editing.take_in(room, drafted.id, "wire:none", who=CHIEF), "there is no story 'wire:none'"),
        (lambda: editing.drop(room, drafted.id, "wire:none", who=CHIEF), "does not tell wire:none"),
        (lambda: editing.move(room, drafted.id, "wire:CN", country="FR", who=CHIEF), "FR is none of"),
        (lambda: editing.restore(room, drafted.id, 9, who=CHIEF), "no revision 9"),
    ):
        with pytest.raises(NewsletterError, match=message):
            act()
    issues.approve(room, drafted.id, CHIEF)
    sending.send(room, drafted.id)
    with pytest.raises(NothingToDoError, match="its content is settled"):
        editing.drop(room, drafted.id, "wire:CN", who=CHIEF)


def test_an_edit_of_a_story_is_spread_to_the_other_issues_that_tell_it(light_room: Newsroom, drafted: Issue) -> None:
    room = light_room
    second = issues.build(room, NAME, extra=True)
    stories.rewrite(room, "wire:CN", {"title": "Shenzhen opens two chip plants"}, who=CHIEF)
    assert editing.telling(room, "wire:CN", besides=drafted.id) == [second.id]
    changed = editing.spread(room, "wire:CN", [drafted.id, second.id], who=CHIEF)
    assert [each.id for each in changed] == [drafted.id, second.id]
    assert editing.spread(room, "wire:CN", [drafted.id, second.id], who=CHIEF) == []
    assert "two chip plants" in previews.preview(room, second.id).html


def test_words_of_a_story_that_somebody_else_changed_meanwhile_are_not_overwritten(
    light_room: Newsroom, drafted: Issue
) -> None:
    seen = {"title": TITLES["CN"]}
    stories.rewrite(light_room, "wire:CN", {"title": "One thing"}, who="ed@example.com", seen=seen)
    with pytest.raises(ChecksFailedError, match="“One thing”"):
        stories.rewrite(light_room, "wire:CN", {"title": "Another"}, who=CHIEF, seen=seen)
    # What somebody else wrote is no conflict with a field that nobody touched.
    words = {"title": TITLES["CN"], "summary": "Short."}
    stories.rewrite(light_room, "wire:CN", words, who=CHIEF, seen={**seen, "summary": ""})
    story = light_room.stories.get("wire:CN")
    assert (story.title, story.summary) == ("One thing", "Short.")


def test_the_commands_of_an_editor(light_room: Newsroom, drafted: Issue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(light_room.desk)
    monkeypatch.setenv("NEWSLETTER_NOW", NOW.isoformat())

    def run(*words: str) -> str:
        asked = [words[0], str(drafted.id), *words[1:]]
        done = CliRunner().invoke(issue_commands, asked, obj=str(light_room.desk))
        assert done.exit_code == 0, done.output
        return done.output

    assert "revision 2" in run("drop", "wire:CN", "--by", CHIEF)
    assert "dropped  wire:CN" in run("tray")
    assert json.loads(run("tray", "--json"))["dropped"][0]["id"] == "wire:CN"
    assert "revision 3" in run("add", "wire:CN", "--country", "JP", "--before", "wire:JP", "--by", CHIEF)
    assert "revision 4" in run("move", "wire:CN", "--country", "CN")
    assert "revision 5" in run("lead", "wire:JP")
    assert "revision 6" in run("restore", "1")
    assert [each["revision"] for each in json.loads(run("revisions", "--json"))] == [6, 5, 4, 3, 2, 1]
