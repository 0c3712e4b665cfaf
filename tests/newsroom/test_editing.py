"""An editor's own words: subject, preheader, a word to the readers."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from newsletter.cli.issue import issue as issue_commands
from newsletter.errors import ChecksFailedError, InputError, NothingToDoError, PlanError, StorageError
from newsletter.model import Edition, Finding, Issue, IssueState, Severity, Story
from newsletter.newsroom import Newsroom, issues, preflight, previews, sending
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
    issues.edit(light_room, drafted.id, subject=" Four things today ", preheader="And why", word=word, who=CHIEF)
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
    edited = issues.edit(light_room, drafted.id, subject="Other words", who="ed@example.com")
    assert (edited.state, edited.approved_by, edited.revision) == (IssueState.REVIEW, None, drafted.revision + 1)
    assert edited.window_end == drafted.window_end
    assert edited.snapshot is not None
    assert len(edited.snapshot.placed) == 4
    assert light_room.issues.history(drafted.id)[-1].who == "ed@example.com"


def test_a_build_keeps_the_words_and_an_empty_one_gives_them_back(
    light_room: Newsroom, drafted: Issue, a_story: Callable[..., Story]
) -> None:
    made = previews.preview(light_room, drafted.id).subject
    issues.edit(light_room, drafted.id, subject="Ours", word=["Hello."], who=CHIEF)
    light_room.stories.ingest([a_story("new", "Hanoi plans a data law", country="VN")], NOW)
    assert len(issues.build(light_room, NAME).snapshot.placed) == 5  # type: ignore[union-attr]
    assert previews.preview(light_room, drafted.id).subject == "Ours"
    issues.edit(light_room, drafted.id, subject="", word=[""], who=CHIEF)
    edition = previews.preview(light_room, drafted.id)
    assert "Hello." not in edition.html
    assert edition.subject == made


def test_the_same_words_again_change_nothing(light_room: Newsroom, drafted: Issue) -> None:
    once = issues.edit(light_room, drafted.id, subject="Ours", who=CHIEF)
    issues.approve(light_room, drafted.id, CHIEF)
    again = issues.edit(light_room, drafted.id, subject="Ours", who=CHIEF)
    assert (again.revision, again.approved_by) == (once.revision, CHIEF)


def test_what_is_on_its_way_is_not_edited(light_room: Newsroom, drafted: Issue) -> None:
    issues.approve(light_room, drafted.id, CHIEF)
    sending.send(light_room, drafted.id)
    with pytest.raises(NothingToDoError, match="settled"):
        issues.edit(light_room, drafted.id, subject="Too late", who=CHIEF)


def scheduled(room: Newsroom, subject: str) -> None:
    text = room.plan_file.read_text(encoding="utf-8")
    text = text.replace("archive: public", f"archive: public\n    subject: '{subject}'")
    room.plan_file.write_text(text, encoding="utf-8")


def test_the_schedule_makes_subjects_by_a_template(light_room: Newsroom, day: list[Story]) -> None:
    scheduled(light_room, "{{ issue.stories }} today: {{ lead.title }}")
    light_room.stories.ingest(day, NOW)
    issue = issues.build(light_room, NAME)
    assert previews.preview(light_room, issue.id).subject.startswith("4 today: ")
    issues.edit(light_room, issue.id, subject="{{ not a template }}", who=CHIEF)
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
        "newsletter.newsroom.preflight.render.preflight",
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
