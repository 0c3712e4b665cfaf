"""The desk's own people are told of each thing once, whoever else is at work and whatever is broken."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import time, timedelta

import pytest
from click.testing import CliRunner

from newsletter.cli import newsletter as newsletter_command
from newsletter.clock import Clock
from newsletter.errors import InputError, RefusingError
from newsletter.gather import network
from newsletter.model import IssueState
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import sending
from newsletter.newsroom.intake import gathering
from newsletter.newsroom.issue import editing, issues
from newsletter.newsroom.issue.approving import approve_by, link_of
from newsletter.newsroom.issue.breaking import break_news
from newsletter.newsroom.people import telling
from newsletter.newsroom.people.alerts import alert
from newsletter.newsroom.people.bell import report_life
from newsletter.newsroom.people.notices import Notice, notices_of
from newsletter.newsroom.planning import scheduling
from newsletter.schedule import day

from ..deliver.recording_server import RecordingServer
from .office import ISSUE, Bell, Office, text_of

EVERYBODY = ["chief@desk.example", "ed@desk.example", "may@desk.example"]


def test_a_day_as_its_people_hear_of_it(office_anywhere: Office, bell: Bell) -> None:
    office = office_anywhere
    office.readers(*(f"r{number}@example.com" for number in range(3)))
    office.story(1, title="Labs keep researchers")
    office.at("2026-05-27 05:30")
    office.at("2026-05-27 05:31")
    assert sorted(str(mail["To"]) for mail in office.mails()) == EVERYBODY
    draft = text_of(office.mails("ed@desk.example")[0])
    assert "Labs keep researchers (via Wire)" in draft
    assert "Once it is approved, it goes out at 07:00 Singapore, to 3 readers." in draft
    assert f"http://127.0.0.1:8000/issues/{ISSUE}" in draft
    assert "Warning: few stories." in draft, "with what the preflight found"
    assert "/approve/" not in draft, "the link is an approver's"
    assert "/approve/" in text_of(office.mails("chief@desk.example")[0])
    assert not bell.heard, "a draft is no alarm"
    office.at("2026-05-27 06:30")
    office.at("2026-05-27 06:45")
    issues.approve(office.room, ISSUE, "chief@desk.example")
    office.at("2026-05-27 07:00")
    sending.send(office.room, ISSUE)
    office.at("2026-05-27 07:01")
    office.at("2026-05-27 08:00")
    assert office.subjects() == [
        "draft ready, approve it by 06:45",
        "not approved yet, 15 min left",
        "waiting: not approved by 06:45",
        "handed to the mail server: 3 of 3",
    ]
    books = text_of(office.mails("ed@desk.example")[-1])
    assert "Handed to the mail server: 3\n" in books
    assert "Balanced: everybody is accounted for, once." in books
    assert bell.kinds == ["deadline", "held"]


def test_a_mail_to_the_desk_is_a_plain_mail_of_its_own(office: Office) -> None:
    office.story()
    office.at("2026-05-27 05:30")
    office.at("2026-05-27 06:30")
    first, second = office.mails("ed@desk.example")
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["References"] == second["References"] == first["In-Reply-To"]
    assert first["Message-ID"] != second["Message-ID"]
    assert not {"List-Unsubscribe", "Precedence", "List-Id"} & set(first.keys())
    assert [part.get_content_type() for part in first.iter_parts()] == ["text/plain", "text/html"]
    html = first.get_body(("html",))
    assert html is not None
    assert "<img" not in html.get_content(), "nothing is followed"


def test_what_a_story_says_stands_in_a_mail_as_text(office: Office) -> None:
    office.story(1, title="A <script>alert(1)</script> & {{ 7*7 }} title", outlet="<b>Wire</b>")
    office.at("2026-05-27 05:30")
    html = office.mails("ed@desk.example")[0].get_body(("html",))
    assert html is not None
    assert "<script" not in html.get_content()
    assert "49" not in html.get_content().replace("#", "")
    assert "<b>Wire" not in html.get_content()


@pytest.mark.parametrize(
    ("schedule", "kind", "subject"),
    [
        ({"stories": "{min: 3, on_few: wait}"}, "few", "too few stories: 1 of at least 3"),
        ({"stories": "{min: 3, on_few: skip}"}, "few", "too few stories: 1 of at least 3"),
        ({"template": "daily", "approval": '{mode: manual, by: "06:45", on_timeout: skip}'}, "skipped", "skipped"),
    ],
)
def test_what_came_otherwise(office: Office, bell: Bell, schedule: dict[str, str], kind: str, subject: str) -> None:
    office.schedule(**schedule)
    office.story()
    office.at("2026-05-27 05:30")
    office.at("2026-05-27 06:45")
    office.at("2026-05-27 06:46")
    assert office.subjects()[-1] == subject
    assert bell.kinds.count(kind) == 1


def test_late_and_missed(office: Office, bell: Bell) -> None:
    office.story()
    office.at("2026-05-27 08:30")
    office.at("2026-05-27 08:31")
    assert "runs late" in office.subjects()
    assert "the desk was down" in text_of(office.mails("ed@desk.example")[office.subjects().index("runs late")])
    office.at("2026-05-28 12:00")
    assert office.subjects()[-1] == "missed"
    assert Counter(bell.kinds)["missed"] == 1


def test_a_draft_that_a_check_blocks(office: Office, bell: Bell) -> None:
    office.story()
    folder = office.folder / "templates" / "daily"
    folder.mkdir(parents=True)
    office.schedule(approval="{mode: auto}")
    (folder / "body.mjml").write_text("<mjml><mj-body><mj-nonsense/></mj-body></mjml>", encoding="utf-8")
    office.at("2026-05-27 05:30")
    assert office.issue.state is IssueState.WAITING
    assert office.subjects() == ["waiting: a check blocks it"]
    assert "Blocking: template." in text_of(office.mails("ed@desk.example")[0])
    assert bell.kinds == ["held"]


def test_a_draft_that_cannot_be_built(office: Office, bell: Bell, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise InputError("the theme names no logo")

    monkeypatch.setattr(issues, "build", broken)
    office.at("2026-05-27 05:30")
    office.at("2026-05-27 05:31")
    assert office.issue.state is IssueState.FAILED
    assert office.subjects() == ["the draft could not be built"]
    assert bell.kinds == ["failed"]
    assert "The theme names no logo." in bell.heard[0]["text"]
    scheduling.add_issue(office.room, "asia", ISSUE.date, time(18), who="chief")
    office.at("2026-05-27 16:30")
    assert "newsletter schedule run asia --date 2026-05-27 --number 2" in bell.heard[-1]["text"]


def test_a_send_that_stopped_itself_is_told_at_once_and_once_each_time(office: Office, bell: Bell) -> None:
    office.readers("r@example.com")
    office.story()
    office.at("2026-05-27 05:30")
    issues.approve(office.room, ISSUE, "chief")
    office.set_clock("2026-05-27 07:00")
    move, states = office.room.issues.move, (IssueState.APPROVED, IssueState.STOPPED)
    for number in (1, 2):
        now, error = office.room.clock.now(), RefusingError("554 relay access denied")
        move(ISSUE, states, IssueState.SENDING, now=now, who="sender")
        move(ISSUE, (IssueState.SENDING,), IssueState.STOPPED, now=now, who="breaker", why=str(error))
        alert(office.room, "stopped", ISSUE, f"{error}; `newsletter issue send {ISSUE}` sends the rest")
        assert bell.kinds.count("stopped") == number
        telling.tell(office.room)
        telling.tell(office.room)
        assert bell.kinds.count("stopped") == number, "what was told at once is not told again"
    assert office.subjects().count("sending stopped by itself") == 2
    assert "relay access denied" in bell.heard[-1]["text"]


def test_an_alert_that_was_lost_with_its_process_is_told_by_the_clock(office: Office, bell: Bell) -> None:
    office.readers("r@example.com")
    office.story()
    office.at("2026-05-27 05:30")
    now = office.room.clock.now()
    office.room.issues.move(ISSUE, (IssueState.REVIEW,), IssueState.STOPPED, now=now, who="breaker", why="554 denied")
    telling.tell(office.room)
    assert bell.kinds == ["stopped"]


def test_messages_on_hold_need_a_person(office: Office) -> None:
    office.readers("r@example.com")
    office.story()
    office.at("2026-05-27 05:30")
    issues.approve(office.room, ISSUE, "chief")
    office.set_clock("2026-05-27 07:00")
    sending.send(office.room, ISSUE)
    with office.room.database.write() as connection:
        connection.exec_driver_sql("UPDATE delivery SET state = 'unknown'")
        connection.exec_driver_sql("UPDATE issue_progress SET unknown = 1, submitted = 0")
    telling.tell(office.room)
    told = " ".join(text_of(office.mails("ed@desk.example")[-1]).split())
    assert "1 message is on hold" in told
    assert f"newsletter issue resolve {ISSUE} --unknown submitted" in told
    assert "On hold: 1" in told


@pytest.mark.parametrize("url", ["smtp://127.0.0.1:1", "smtp://192.0.2.1:25?starttls=nonsense"])
def test_a_dead_mail_server_stops_no_day_and_is_told_where_it_can_be(office: Office, bell: Bell, url: str) -> None:
    office.room.close()
    with Newsroom.open(office.folder, environ={**office.environ, "NEWSLETTER_SMTP_URL": url}) as office.room:
        office.story()
        office.at("2026-05-27 05:30")
        assert office.issue.state is IssueState.REVIEW
        assert bell.kinds == ["mail"]
        assert "was not taken" in bell.heard[0]["text"]
        for minute in range(31, 60):
            office.at(f"2026-05-27 05:{minute}")
        assert bell.kinds == ["mail"], "it is tried again, and not told each time"
        rows = office.room.desk_mails.of(ISSUE)
        assert {row.tries for row in rows} == {5}
        office.at("2026-05-27 06:30")
        assert bell.kinds.count("relay") == 1, "tried half an hour before it is due"
        issues.approve(office.room, ISSUE, "chief")
        for hour in ("07:00", "08:00", "08:30", "08:59"):
            office.at(f"2026-05-27 {hour}")
        assert office.issue.state is IssueState.APPROVED
        assert bell.kinds.count("relay") == 1
    office.room = Newsroom.open(office.folder, environ=office.environ)


def test_what_a_dead_mail_server_missed_is_told_when_it_is_back(office: Office, server: RecordingServer) -> None:
    office.room.close()
    with Newsroom.open(office.folder, environ={**office.environ, "NEWSLETTER_SMTP_URL": "smtp://127.0.0.1:1"}) as dead:
        office.room = dead
        office.story()
        office.at("2026-05-27 05:30")
    office.room = Newsroom.open(office.folder, environ=office.environ)
    office.at("2026-05-27 05:30")
    assert office.mails() == [], "not before its time"
    office.at("2026-05-27 05:32")
    assert sorted(str(mail["To"]) for mail in office.mails()) == EVERYBODY
    office.at("2026-05-27 05:40")
    assert len(office.mails()) == 3


def test_a_mail_is_given_up_after_so_many_tries(office: Office, bell: Bell) -> None:
    office.room.close()
    with Newsroom.open(office.folder, environ={**office.environ, "NEWSLETTER_SMTP_URL": "smtp://127.0.0.1:1"}) as dead:
        office.room = dead
        office.schedule(editors="[ed@desk.example]", approvers="[]", approval="{mode: auto}", days="[wed]")
        office.story()
        office.at("2026-05-27 05:30")
        start = office.room.clock.now()
        for minute in range(1, 300):
            office.room.clock = Clock(start + timedelta(minutes=minute), anchor=0, unix=lambda: 0)
            telling.carry(office.room)
        (row,) = (row for row in office.room.desk_mails.of(ISSUE) if row.kind == "draft")
        assert row.tries == telling.MOST_TRIES
        assert bell.kinds.count("mail") == 2, "the first time, and the last"
        assert "It is not tried again." in bell.heard[-1]["text"]
    office.room = Newsroom.open(office.folder, environ=office.environ)


def test_what_was_done_meanwhile_is_not_asked_for(office: Office) -> None:
    office.room.close()
    with Newsroom.open(office.folder, environ={**office.environ, "NEWSLETTER_SMTP_URL": "smtp://127.0.0.1:1"}) as dead:
        office.room = dead
        office.story()
        office.at("2026-05-27 05:30")
        issues.approve(dead, ISSUE, "chief")
    office.room = Newsroom.open(office.folder, environ=office.environ)
    office.at("2026-05-27 05:40")
    assert office.mails() == []


def test_while_a_desk_is_not_live_strangers_are_named_once(
    office: Office, caplog: pytest.LogCaptureFixture, bell: Bell
) -> None:
    office.room.close()
    outside = {"NEWSLETTER_SMTP_URL": "smtp://192.0.2.2:25?starttls=never"}
    with Newsroom.open(office.folder, environ={**office.environ, **outside}) as office.room:
        office.story()
        for minute in range(30, 40):
            office.at(f"2026-05-27 05:{minute}")
        named = [each for each in caplog.records if "NEWSLETTER_LIVE" in each.getMessage()]
        assert len(named) == 3
        assert not bell.heard
        assert all(row.settled for row in office.room.desk_mails.of(ISSUE))
    office.room = Newsroom.open(office.folder, environ=office.environ)


def test_a_broken_bell_stops_nothing(office: Office, bell: Bell) -> None:
    bell.answers = 500
    office.story()
    office.at("2026-05-27 05:30")
    office.at("2026-05-27 06:45")
    assert office.subjects()[-1] == "waiting: not approved by 06:45"
    office.at("2026-05-27 06:46")
    bell.answers = 204
    office.at("2026-05-27 06:50")
    office.at("2026-05-27 06:55")
    assert bell.kinds.count("held") == 3, "until it was taken, and no more"


def test_the_mail_server_is_tried_at_the_lock(office: Office, server: RecordingServer) -> None:
    office.schedule(lock='"06:10"', editors="[]", approvers="[]")
    office.story()
    office.at("2026-05-27 05:30")
    office.at("2026-05-27 06:09")
    assert server.commands == []
    office.at("2026-05-27 06:10")
    assert [command.split()[0] for command in server.commands] == [b"EHLO", b"QUIT"]
    office.at("2026-05-27 06:11")
    assert len(server.commands) == 2, "once an issue"


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine counts as one of the internet."""
    monkeypatch.setattr(network, "is_outside", lambda address: True)


@pytest.mark.usefixtures("outside")
def test_the_dead_man_hears_of_each_submitted_issue(office: Office, bell: Bell) -> None:
    office.schedule(dead_man_url=f"{bell.url}/ping/asia", editors="[]", approvers="[]")
    office.readers("r@example.com")
    office.story()
    office.at("2026-05-27 05:30")
    issues.approve(office.room, ISSUE, "chief")
    office.at("2026-05-27 07:00")
    assert bell.called == []
    sending.send(office.room, ISSUE)
    bell.answers = 500
    office.at("2026-05-27 07:01")
    assert bell.kinds == ["dead man"], "that it did not answer is told"
    bell.answers = 200
    office.at("2026-05-27 07:03")
    office.at("2026-05-27 07:20")
    assert bell.called == ["/ping/asia", "/ping/asia"]
    assert office.issue.state is IssueState.SUBMITTED


def test_a_mail_server_that_says_nothing_is_not_waited_for(
    office: Office, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"smtp://127.0.0.1:{silent.getsockname()[1]}"
        office.room.close()
        with Newsroom.open(office.folder, environ={**office.environ, "NEWSLETTER_SMTP_URL": url}) as office.room:
            office.story()
            office.at("2026-05-27 05:30")
            assert bell.kinds == ["mail"]
            assert "did not answer within 0.3 s" in bell.heard[0]["text"]
            office.at("2026-05-27 06:30")
            assert bell.kinds == ["mail", "deadline", "relay"]
    office.room = Newsroom.open(office.folder, environ=office.environ)


@pytest.mark.usefixtures("outside")
def test_a_rehearsal_is_no_sign_of_life(office: Office, bell: Bell) -> None:
    office.schedule(dead_man_url=f"{bell.url}/ping", editors="[]", approvers="[]")
    office.room.close()
    with Newsroom.open(office.folder, {"now": "2026-05-27T05:30:00+08:00"}, environ=office.environ) as office.room:
        assert report_life(office.room, "asia") is None
    assert bell.called == []
    office.room = Newsroom.open(office.folder, environ=office.environ)


def test_the_dead_man_is_nobody_inside(office: Office, bell: Bell) -> None:
    office.schedule(dead_man_url=f"{bell.url}/ping/asia", editors="[]", approvers="[]")
    office.readers("r@example.com")
    office.story()
    office.at("2026-05-27 05:30")
    issues.approve(office.room, ISSUE, "chief")
    office.at("2026-05-27 07:00")
    sending.send(office.room, ISSUE)
    office.at("2026-05-27 07:01")
    assert bell.called == []
    assert "inside address" in bell.heard[-1]["text"]


def test_from_the_lock_on_the_clock_changes_nothing(office: Office) -> None:
    office.schedule(lock='"06:30"', approval='{mode: manual, by: "06:45", on_timeout: send}')
    office.story()
    office.at("2026-05-27 05:30")
    office.story(1, title="Rewritten at its source")
    list(gathering.gather_all(office.room, gathering.polled_sources(office.room)))
    office.at("2026-05-27 06:45")
    assert (office.issue.state, office.issue.revision) == (IssueState.WAITING, 1)
    assert "has changed since the draft was made" in office.issue.reason
    assert issues.build(office.room, "asia", who="ed").state is IssueState.REVIEW, "people still may"


def test_a_note_of_a_model_that_nobody_approved_drops_out_and_its_story_stays(office: Office) -> None:
    office.schedule(lock='"06:30"')
    office.story(1, note=["Nobody has looked at this."], note_origin="model")
    office.at("2026-05-27 05:30")
    office.at("2026-05-27 06:30")
    issues.approve(office.room, ISSUE, "chief")
    (sealed,) = office.room.seals.editions(ISSUE, 1).values()
    assert "Story 1" in sealed.html
    assert "Nobody has looked" not in sealed.html
    assert "its note waits for approval" in text_of(office.mails("ed@desk.example")[0])


def test_four_schedulers_tell_each_thing_once(office_anywhere: Office, bell: Bell) -> None:
    office = office_anywhere
    office.story()
    for hour in ("05:30", "06:45"):
        office.set_clock(f"2026-05-27 {hour}")
        day.tick(office.room)
    together = threading.Barrier(4)

    def tells() -> None:
        with Newsroom.open(office.folder, environ=office.environ) as room:
            room.clock = office.room.clock
            together.wait(30)
            for _ in range(3):
                telling.tell(room)

    with ThreadPoolExecutor(4) as four:
        for done in [four.submit(tells) for _ in range(4)]:
            done.result(60)
    assert Counter(str(mail["To"]) for mail in office.mails()) == Counter(EVERYBODY)
    assert bell.kinds == ["held"]


def test_the_last_editor_may_be_kept_from_approving(office: Office) -> None:
    office.schedule(approval='{mode: manual, by: "06:45", other_than_editor: true}')
    office.story()
    office.at("2026-05-27 05:30")
    assert office.issue.edited_by is None, "the clock is nobody"
    editing.edit(office.room, ISSUE, subject="Mine", who="Chief@desk.example")
    with pytest.raises(Exception, match="somebody else's"):
        issues.approve(office.room, ISSUE, "chief@desk.example")
    assert issues.approve(office.room, ISSUE, "ed@desk.example").state is IssueState.APPROVED


def test_an_approver_hears_that_somebody_changed_what_was_approved(office: Office, bell: Bell) -> None:
    office.story()
    office.at("2026-05-27 05:30")
    issues.approve(office.room, ISSUE, "chief@desk.example")
    office.at("2026-05-27 05:35")
    editing.edit(office.room, ISSUE, subject="Mine", who="chief@desk.example")  # who approved it knows
    issues.approve(office.room, ISSUE, "chief@desk.example")
    office.at("2026-05-27 05:40")
    assert "voided" not in bell.kinds
    editing.edit(office.room, ISSUE, subject="Ours", who="ed@desk.example")
    editing.edit(office.room, ISSUE, subject="Ours, again", who="ed@desk.example")
    office.at("2026-05-27 05:45")
    office.at("2026-05-27 05:46")
    (heard,) = [each for each in bell.heard if each["kind"] == "voided"]
    assert "No longer approved: ed@desk.example changed the draft" in heard["text"]


def test_a_mail_whose_process_died_over_it_is_tried_again(office: Office) -> None:
    office.story()
    office.set_clock("2026-05-27 05:30")
    day.tick(office.room)
    issue, now = office.issue, office.room.clock.now()
    changes = office.room.desk_mails.changes([ISSUE])[ISSUE]
    (notice,) = notices_of(office.room.newsletter("asia"), issue, changes, {}, {}, now, now)
    assert telling.note(office.room, issue, notice)
    assert not telling.note(office.room, issue, notice), "once, by whoever is first"
    rows = office.room.desk_mails.open(telling.MOST_TRIES)
    assert all(office.room.desk_mails.claim(row, now) for row in rows)
    assert not any(office.room.desk_mails.claim(row, now) for row in rows), "a try is one process's"
    telling.tell(office.room)
    assert office.mails() == [], "perhaps it is at it still"
    office.at("2026-05-27 05:31")
    assert sorted(str(mail["To"]) for mail in office.mails()) == EVERYBODY


def test_a_send_by_command_tells_as_well(office: Office) -> None:
    office.readers("r@example.com")
    office.story()
    office.at("2026-05-27 05:30")
    issues.approve(office.room, ISSUE, "chief")
    arguments = ["--desk", str(office.folder), "issue", "send", str(ISSUE)]
    done = CliRunner().invoke(newsletter_command, arguments, env=office.environ)
    assert done.exit_code == 0, done.output
    assert office.subjects()[-1] == "handed to the mail server: 1 of 1"


def test_an_issue_that_is_moved_to_now_waits_for_nobody_who_was_not_told(office: Office) -> None:
    office.story()
    office.set_clock("2026-05-27 03:00")
    scheduling.move(office.room, "asia", ISSUE.date, None, who="ed@desk.example")
    office.at("2026-05-27 03:00")
    assert office.subjects("chief@desk.example") == ["draft ready, approve it by 05:00"]
    link = link_of(office.room, office.link().rpartition("/")[2])
    assert link is not None
    assert link.usable
    office.at("2026-05-27 04:50")
    assert office.subjects()[1:] == ["not approved yet, 10 min left"]


@pytest.mark.parametrize("mode", ["manual", "auto"])
def test_approvers_are_told_of_breaking_news_and_may_let_it_out_by_link(office: Office, mode: str) -> None:
    office.schedule(approval=f'{{mode: {mode}, by: "06:45", on_timeout: send}}')
    office.story(2)
    list(gathering.gather_all(office.room, gathering.polled_sources(office.room)))
    office.set_clock("2026-05-26 21:00")
    made = break_news(office.room, "desk:2", "asia", who="ed@desk.example")
    office.at("2026-05-26 21:00")
    assert office.subjects("chief@desk.example") == ["draft ready, approve it by 23:00"]
    office.at("2026-05-26 22:50")
    assert len(office.subjects()) == 1, "nobody presses for it"
    link = link_of(office.room, office.link().rpartition("/")[2])
    assert link is not None
    assert approve_by(office.room, link).approved_by == "chief@desk.example"
    assert made.id.number == 2


def test_a_bell_that_does_not_answer_is_waited_for_once_at_a_waking(
    office: Office, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.story()
    office.at("2026-05-27 05:30")
    for kind in ("one", "two", "three"):
        telling.note(office.room, office.issue, Notice(word=kind, kind=kind, headline=kind, alarm=True))
    rung: list[str] = []
    with monkeypatch.context() as silent:
        silent.setattr(
            "newsletter.newsroom.people.bell.ring", lambda *asked: rung.append(asked[1]) or "it did not answer"
        )
        telling.carry(office.room)
    assert rung == ["one"]
    assert len(office.subjects()) == 4, "and the mail went out"
    telling.carry(office.room)
    assert bell.kinds == ["three", "two"]
