"""Approving by the link in an approver's mail: no login, once, the very draft that was looked at."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.clock import Clock
from newsletter.model import IssueState, StoryStatus
from newsletter.newsroom import Newsroom
from newsletter.newsroom.intake import gathering, stories
from newsletter.newsroom.issue import approving, editing, issues
from newsletter.newsroom.people import telling
from newsletter.tokens import Purpose, Signer

from ..deliver.recording_server import RecordingServer
from ..schedule.office import ISSUE, Bell, Office, listening
from .conftest import Visitor, dump

CHIEF, DEPUTY = "chief@desk.example", "deputy@desk.example"


@pytest.fixture
def bell() -> Iterator[Bell]:
    with listening() as heard:
        yield heard


@pytest.fixture
def office(tmp_path: Path, bell: Bell) -> Iterator[Office]:
    """At half past five there is a draft, and both approvers have a link."""
    with RecordingServer() as server:
        opened = Office(tmp_path / "desk", server, bell)
        opened.schedule(approvers=f"[{CHIEF}, {DEPUTY}]")
        opened.readers("r@example.com")
        opened.story(1, title="Labs keep researchers")
        opened.at("2026-05-27 05:30")
        yield opened
        opened.room.close()


def approve(office: Office, link: str, **form: str) -> tuple[int, str]:
    """Press the button of the page, as somebody without a login."""
    answer = Visitor(office.room).http.post(link, data=form or {"approve": "yes"})
    return answer.status_code, answer.text


def test_looking_changes_nothing_whoever_looks(office: Office) -> None:
    link, before = office.link(), dump(office.room)
    visitor = Visitor(office.room)
    answer = visitor.http.get(link)
    assert answer.status_code == 200
    assert "Labs keep researchers" in answer.text
    assert "You approve draft 1 as chief@desk.example" in answer.text
    assert "Warning: few stories." in answer.text
    assert "1 reader" in answer.text
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert "set-cookie" not in answer.headers
    assert visitor.http.head(link).status_code == 200
    assert visitor.http.options(link).status_code == 405
    assert visitor.http.put(link).status_code == 405
    frame = visitor.http.get(f"{link}/mail")
    assert "Labs keep researchers" in frame.text
    assert "sandbox" in frame.headers["content-security-policy"]
    assert visitor.http.post(f"{link}/mail").status_code == 405
    assert dump(office.room) == before


def test_the_button_approves_once_as_the_person_of_the_link(office: Office) -> None:
    status, page = approve(office, office.link(CHIEF))
    assert (status, office.issue.state, office.issue.approved_by) == (200, IssueState.APPROVED, CHIEF)
    assert "You have approved this issue" in page
    assert "It goes out at 07:00 Singapore" in page
    before = dump(office.room)
    for link, words in ((office.link(CHIEF), "You have approved"), (office.link(DEPUTY), f"{CHIEF} has approved")):
        status, page = approve(office, link)
        assert status == 200
        assert words in page
        assert "<button" not in page
        assert words in Visitor(office.room).http.get(link).text
    assert dump(office.room) == before


def test_a_press_without_the_buttons_own_field_is_none(office: Office) -> None:
    before = dump(office.room)
    assert approve(office, office.link(), approve="no")[0] == 400
    assert approve(office, office.link(), List="x")[0] == 400
    assert dump(office.room) == before


def test_a_forged_link_is_no_link(office: Office) -> None:
    link, before = office.link(), dump(office.room)
    room, end = office.room, office.room.clock.now() + timedelta(hours=1)
    payload = f"{ISSUE}|1|{CHIEF}"
    forged = [
        Signer(["another key"]).sign(Purpose.APPROVE, payload, end),
        room.signer.sign(Purpose.VIEW, payload, end),
        room.signer.sign(Purpose.UNSUBSCRIBE, payload, end),
        room.signer.sign(Purpose.APPROVE, payload.replace("05-27", "05-20"), end),
        link.removeprefix("/approve/")[:-1],
        link.removeprefix("/approve/").replace(".", ".x", 1),
        "x",
    ]
    for token in forged:
        assert Visitor(room).http.get(f"/approve/{token}").status_code == 404, token
        assert Visitor(room).http.get(f"/approve/{token}/mail").status_code == 404, token
        assert approve(office, f"/approve/{token}")[0] == 404, token
    assert dump(room) == before


def test_a_link_ends_with_the_approval_deadline(office: Office) -> None:
    link = office.link()
    office.set_clock("2026-05-27 06:44")
    assert Visitor(office.room).http.get(link).status_code == 200
    for hour in ("06:45", "06:46"):
        office.set_clock(f"2026-05-27 {hour}")
        before = dump(office.room)
        answer = Visitor(office.room).http.get(link)
        assert answer.status_code == 410
        assert "The time for this link is over" in answer.text
        assert approve(office, link)[0] in (409, 410)
        assert Visitor(office.room).http.get(f"{link}/mail").status_code == 404
        assert dump(office.room) == before


def test_a_deadline_that_was_moved_forward_ends_links_made_before(office: Office) -> None:
    link = office.link()
    office.schedule(approvers=f"[{CHIEF}]", approval='{mode: manual, by: "06:00"}')
    office.set_clock("2026-05-27 06:01")
    assert approve(office, link)[0] in (409, 410)
    assert office.issue.approved_by is None


def test_without_a_deadline_it_ends_when_the_issue_is_due(office: Office) -> None:
    office.schedule(approvers=f"[{CHIEF}]", approval="{mode: manual}")
    link = approving.link_to(office.room, office.issue, CHIEF)
    assert link is not None
    office.set_clock("2026-05-27 06:59")
    assert Visitor(office.room).http.get(link).status_code == 200
    office.set_clock("2026-05-27 07:00")
    assert Visitor(office.room).http.get(link).status_code == 410


def test_who_is_no_approver_any_more_approves_nothing(office: Office) -> None:
    link = office.link()
    office.schedule(approvers=f"[{DEPUTY}]")
    assert Visitor(office.room).http.get(link).status_code == 403
    assert approve(office, link)[0] in (403, 409)
    assert office.issue.approved_by is None


def gather_and_build(office: Office) -> None:
    list(gathering.gather_all(office.room, gathering.polled_sources(office.room)))
    issues.build(office.room, "asia", who="ed@desk.example")


def test_a_link_to_another_draft_tells_what_changed_and_approves_nothing(office: Office) -> None:
    link = office.link()
    office.story(1, title="Labs lose researchers")
    office.story(2, title="Seoul backs a model", country="JP", url="https://example.com/seoul")
    gather_and_build(office)
    before = dump(office.room)
    answer = Visitor(office.room).http.get(link)
    assert answer.status_code == 409
    assert "This link was made for draft 1; there is draft 2 now" in answer.text
    added, changed = answer.text.index("Added"), answer.text.index("Title changed")
    assert added < answer.text.index("Seoul backs a model") < changed < answer.text.index("Labs lose researchers")
    status, page = approve(office, link)
    assert status == 409
    assert "The draft has changed" in page
    assert dump(office.room) == before


def test_who_has_an_outdated_link_is_mailed_a_new_one_once(office: Office) -> None:
    old = office.link()
    office.story(1, title="Labs lose researchers")
    gather_and_build(office)
    mails = len(office.mails(CHIEF))
    for _ in range(2):
        status, page = approve(office, old, again="yes")
        assert status == 409
        assert f"on its way to {CHIEF}" in page
        telling.tell(office.room)
    assert len(office.mails(CHIEF)) == mails + 1
    assert len(office.mails(DEPUTY)) == mails
    assert office.issue.approved_by is None
    assert approve(office, office.link(CHIEF))[0] == 200
    assert (office.issue.approved_by, office.issue.approved_revision) == (CHIEF, 2)


def test_two_approvals_are_two_people(office: Office) -> None:
    office.schedule(approvers=f"[{CHIEF}, {DEPUTY}]", approval='{mode: manual, by: "06:45", approvals: 2}')
    status, page = approve(office, office.link(CHIEF))
    assert (status, office.issue.state, office.issue.first_approved_by) == (200, IssueState.REVIEW, CHIEF)
    assert "waits for one more" in page
    status, page = approve(office, office.link(CHIEF))
    assert (status, office.issue.state) == (200, IssueState.REVIEW)
    assert f"{CHIEF} is one of them" in Visitor(office.room).http.get(office.link(DEPUTY)).text
    assert approve(office, office.link(DEPUTY))[0] == 200
    assert (office.issue.state, office.issue.approved_by) == (IssueState.APPROVED, DEPUTY)


def test_what_a_check_blocks_is_not_approved_by_a_link(office: Office) -> None:
    stories.set_status(office.room, "desk:1", StoryStatus.WITHDRAWN, "ed", "wrong")
    answer = Visitor(office.room).http.get(office.link())
    assert "Blocking:" in answer.text
    assert "Approve this draft" not in answer.text
    status, page = approve(office, office.link())
    assert status == 409
    assert "cannot be approved" in page
    assert office.issue.approved_by is None


def test_whoever_edited_last_cannot_approve_by_link_where_that_is_asked(office: Office) -> None:
    office.schedule(approvers=f"[{CHIEF}, {DEPUTY}]", approval='{mode: manual, by: "06:45", other_than_editor: true}')
    editing.edit(office.room, ISSUE, subject="Mine", who=CHIEF)
    office.at("2026-05-27 06:31")  # the reminder has a link to the present draft
    status, page = approve(office, office.link(CHIEF))
    assert status == 409
    assert "somebody else" in page
    assert approve(office, office.link(DEPUTY))[0] == 200


def test_two_presses_at_once_are_one_approval(office: Office) -> None:
    links = [office.link(CHIEF), office.link(DEPUTY)]
    together, answers = threading.Barrier(2), []

    def press(link: str) -> None:
        with Newsroom.open(office.folder, environ=office.environ) as room:
            room.clock = Clock(office.room.clock.now(), anchor=0, unix=lambda: 0)
            visitor = Visitor(room)
            together.wait(30)
            answers.append(visitor.http.post(link, data={"approve": "yes"}))

    threads = [threading.Thread(target=press, args=(link,)) for link in links]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [answer.status_code for answer in answers] == [200, 200]
    assert office.issue.approved_by in (CHIEF, DEPUTY)
    approvals = [step for step in office.room.issues.history(ISSUE) if step.after is IssueState.APPROVED]
    assert len(approvals) == 1
