"""The schedule's screens: what is due and was, and what people decide beside the file."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import date, time

import pytest

from newsletter.model import IssueId, IssueState
from newsletter.newsroom import Newsroom
from newsletter.newsroom.issue import issues
from newsletter.newsroom.planning import applying, scheduling
from newsletter.plan import Overlay
from newsletter.storage import Role

from .conftest import FLAGS, ISSUE, NEWSLETTER, Visitor, dump

PLACE = f"/schedules/{NEWSLETTER}"
FRIDAY = date(2026, 5, 29)
SECOND = """
  london-weekly:
    title: London Weekly
    timezone: Europe/London
    at: "01:30"
    days: [sun, mon]
    countries: [GB]
"""


def overlays(room: Newsroom) -> list[Overlay]:
    """What is decided now, latest first."""
    return [each for each in room.overlays.list() if each.ended_at is None]


def words(page: str) -> str:
    """The text of a page, without its markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page[page.index("<main") :])).split())


def order(visitor: Visitor, what: str, **fields: str) -> int:
    """Post an order; the status of the answer."""
    return visitor.http.post(f"{PLACE}/{what}", data={"token": visitor.token, **fields}).status_code


@pytest.fixture
def admin(review: Newsroom) -> Visitor:
    return Visitor(review).enter(Role.ADMIN)


def test_the_list_says_when_and_what_is_next(review: Newsroom) -> None:
    page = Visitor(review).enter(Role.VIEWER).http.get("/schedules").text
    said = words(page)
    assert "Every day at 07:00 Singapore. An approver lets it out by 06:45; without that it waits." in said
    assert "Wed 27 May, 07:00 Singapore in 1 h 41 min Tue 26 May, 23:00" in said
    assert page.count('class="dot') == 14
    assert page.count('class="dot open"') == 1
    assert "Pause all" not in said
    assert "/schedules/file" not in page


def test_the_strip_tells_what_happened_and_leads_to_each_slot(review: Newsroom, admin: Visitor) -> None:
    now = review.clock.now()
    for day, state in ((24, IssueState.SUBMITTED), (25, IssueState.MISSED), (26, IssueState.SKIPPED)):
        issue_id = IssueId(NEWSLETTER, date(2026, 5, day))
        review.issues.plan(
            issue_id, review.timetable.slot_of(review.newsletter(NEWSLETTER), issue_id.date).instant, now, "x"
        )
        review.issues.move(issue_id, (IssueState.PLANNED,), state, now=now, who="x", why="<i>why</i>")
    scheduling.skip(review, NEWSLETTER, FRIDAY, who="anna", why="<b>typhoon</b>")
    scheduling.move(review, NEWSLETTER, date(2026, 5, 30), time(9, 30), who="anna")
    scheduling.add_issue(review, NEWSLETTER, date(2026, 6, 2), time(18), who="anna")
    page = admin.http.get("/schedules").text
    kinds = re.findall(r'class="dot (\w+)" href="([^"]+)"', page)
    assert kinds[:4] == [
        ("sent", f"{PLACE}/2026-05-24"),
        ("failed", f"{PLACE}/2026-05-25"),
        ("skipped", f"{PLACE}/2026-05-26"),
        ("open", f"{PLACE}/2026-05-27"),
    ]
    assert ("skipped", f"{PLACE}/2026-05-29") in kinds
    assert ("noted", f"{PLACE}/2026-06-02/2") in kinds
    assert "skipped by anna: &lt;b&gt;typhoon&lt;/b&gt;" in page
    assert "missed: &lt;i&gt;why" in page
    for _, address in kinds:
        assert admin.http.get(address).status_code == 200, address
    assert "Make it by hand" in admin.http.get(f"{PLACE}/2026-05-25").text
    assert "Take the skip back" in admin.http.get(f"{PLACE}/2026-05-29").text


def test_the_days_of_each_zone_stand_under_their_date_and_clock_changes_are_marked(
    open_desk: Callable[..., Newsroom],
) -> None:
    room = open_desk("review", now="2026-10-21T05:00:00+08:00")
    text = room.plan_file.read_text(encoding="utf-8")
    room.plan_file.write_text(text.rstrip("\n") + SECOND, encoding="utf-8")
    page = Visitor(room).enter(Role.VIEWER).http.get("/schedules").text
    days = [int(day) for day in re.findall(r'<th scope="col"><span class="meta">\w\w</span> (\d+)</th>', page)]
    assert days[0] == 17, "in London it is the 20th still"
    rows = dict(re.findall(r'<th scope="row">([^<]+)</th>\s*(<td.*?)</tr>', page, re.DOTALL))
    cells = re.findall(r"<td.*?</td>", rows["London Weekly"], re.DOTALL)
    for number, cell in zip(days, cells, strict=True):
        for linked in re.findall(r'href="/schedules/[a-z-]+/2026-\d\d-(\d\d)', cell):
            assert int(linked) == number
        assert ("−1 h" in cell) == (number == 25)
        assert ('class="today"' in cell) == (number == 20)
    assert "−1 h" not in rows["Asia AI Daily"]


def test_the_detail_names_runs_and_decisions(review: Newsroom, admin: Visitor) -> None:
    scheduling.skip(review, NEWSLETTER, FRIDAY, who="anna", why="typhoon")
    page = admin.http.get(PLACE).text
    said = words(page)
    assert "Fri 29 May skipped anna typhoon 05:18 End …" in said
    assert "Fri 29 May, 07:00 Thu 28 May, 23:00 skipped by anna: typhoon" in said
    assert page.count('data-name="UTC"') == 10
    viewer = Visitor(review).enter(Role.VIEWER).http.get(PLACE).text
    assert "<form" not in viewer[viewer.index("<main") :]
    assert admin.http.get("/schedules/no-such").status_code == 404


def test_a_pause_says_what_follows_and_is_kept(review: Newsroom, admin: Visitor) -> None:
    before = dump(review)
    said = words(admin.http.get(f"{PLACE}/pause?until=2026-05-29&why=a+holiday").text)
    assert "3 issues of Asia AI Daily do not appear" in said
    assert "Each is recorded as skipped, with your name and reason, and no draft is built for it." in said
    assert f"{ISSUE} is in review: it is skipped at once." in said
    assert dump(review) == before, "looking decides nothing"
    assert order(admin, "pause", until="2026-05-29", why="a holiday") == 303
    (made,) = overlays(review)
    assert (made.who, made.why, made.last) == ("admin@desk.example", "a holiday", FRIDAY)
    assert review.issues.get(ISSUE).state is IssueState.SKIPPED
    assert "paused" in words(admin.http.get("/schedules").text)


def test_a_second_pause_is_a_conflict_and_resuming_brings_issues_back(review: Newsroom, admin: Visitor) -> None:
    assert order(admin, "pause") == 303
    assert order(admin, "pause") == 409
    again = admin.http.get(f"{PLACE}/pause")
    assert again.status_code == 200
    assert "is paused by admin@desk.example" in words(again.text)
    assert '<button class="ink"' not in again.text
    assert "appear after all" in words(admin.http.get(f"{PLACE}/resume").text)
    assert order(admin, "resume") == 303
    assert order(admin, "resume") == 409
    assert overlays(review) == []
    assert review.issues.get(ISSUE).state is IssueState.PLANNED


def test_an_approved_issue_is_named_before_its_approval_is_void(review: Newsroom, admin: Visitor) -> None:
    issues.approve(review, ISSUE, "chief@example.com")
    said = words(admin.http.get(f"{PLACE}/skip?day=2026-05-27").text)
    assert f"{ISSUE} is approved: it is skipped at once, and its approval is void." in said
    assert order(admin, "skip", day="2026-05-27", why="no power") == 303
    issue = review.issues.get(ISSUE)
    assert (issue.state, issue.approved_by) == (IssueState.SKIPPED, None)
    assert order(admin, "skip", day="2026-05-27") == 409


def test_what_was_sent_is_left_alone(sent: Newsroom) -> None:
    visitor = Visitor(sent).enter(Role.ADMIN)
    assert order(visitor, "skip", day="2026-05-27") == 409
    assert order(visitor, "move", day="2026-05-27", at="09:00") == 409
    page = visitor.http.get(f"/schedules/{ISSUE}").text
    assert f'href="/issues/{ISSUE}"' in page
    assert "<button" not in page[page.index("<main") :]


def test_a_skip_is_taken_back_by_its_button(review: Newsroom, admin: Visitor) -> None:
    assert order(admin, "skip", day="2026-05-29", why="typhoon") == 303
    (made,) = overlays(review)
    assert "1 issue of Asia AI Daily appears after all" in words(admin.http.get(f"{PLACE}/end/{made.id}").text)
    assert order(admin, f"end/{made.id}") == 303
    assert overlays(review) == []
    assert order(admin, f"end/{made.id}") == 409
    assert "holds no longer" in admin.http.get(f"{PLACE}/end/{made.id}").text


def test_an_issue_is_moved_and_moved_back(review: Newsroom, admin: Visitor) -> None:
    said = words(admin.http.get(f"{PLACE}/move?day=2026-05-27&at=09:30").text)
    assert "It is sent Wed 27 May, 09:30 Singapore (01:30 UTC)." in said
    assert "Draft, lock and the deadline of its approval move along." in said
    assert order(admin, "move", day="2026-05-27", at="09:30", why="late") == 303
    assert f"{review.issues.get(ISSUE).due_at:%H:%M}" == "01:30"
    (made,) = overlays(review)
    assert "It is sent at 07:00 again" in words(admin.http.get(f"{PLACE}/end/{made.id}").text)
    assert order(admin, f"end/{made.id}") == 303
    assert f"{review.issues.get(ISSUE).due_at:%H:%M}" == "23:00"
    assert order(admin, "move", day="2026-05-27", at="07:00") == 409
    assert order(admin, "move", day="2026-05-27", at="05:00") == 400
    assert "has passed" in admin.http.get(f"{PLACE}/move?day=2026-05-27&at=05:00").text


def test_run_now_says_who_lets_it_out(review: Newsroom, admin: Visitor) -> None:
    said = words(admin.http.get(f"{PLACE}/move?day=2026-05-28").text)
    assert "Its draft is built now. It is sent as soon as an approver lets it out." in said
    assert order(admin, "move", day="2026-05-28") == 303
    (made,) = overlays(review)
    assert made.due_at is not None
    assert made.due_at <= made.made_at


def test_an_extra_issue_is_planned_and_skipped_again(review: Newsroom, admin: Visitor) -> None:
    said = words(admin.http.get(f"{PLACE}/extra?day=2026-06-02&at=18:00").text)
    assert "One more issue is due Tue 2 Jun, 18:00 Singapore (10:00 UTC)." in said
    assert order(admin, "extra", day="2026-06-02", at="18:00", why="election") == 303
    extra = IssueId(NEWSLETTER, date(2026, 6, 2), 2)
    assert review.issues.get(extra).state is IssueState.PLANNED
    assert "election" in admin.http.get(f"/schedules/{extra}").text
    (made,) = overlays(review)
    assert f"{extra} is planned: it is skipped at once." in words(admin.http.get(f"{PLACE}/end/{made.id}").text)
    assert order(admin, f"end/{made.id}") == 303
    assert review.issues.get(extra).state is IssueState.SKIPPED


def test_a_missed_issue_is_made_by_hand(review: Newsroom, admin: Visitor) -> None:
    missed = IssueId(NEWSLETTER, date(2026, 5, 26))
    now = review.clock.now()
    review.issues.plan(missed, now, now, "clock")
    review.issues.move(missed, (IssueState.PLANNED,), IssueState.MISSED, now=now, who="clock", why="down")
    said = words(admin.http.get(f"{PLACE}/run?day=2026-05-26").text)
    assert "nothing is sent before somebody approves it" in said
    assert order(admin, "run", day="2026-05-26") == 303
    assert review.issues.get(missed).state in (IssueState.REVIEW, IssueState.WAITING)


def test_all_are_paused_and_one_that_is_already_is_said_to_be_left(review: Newsroom, admin: Visitor) -> None:
    text = review.plan_file.read_text(encoding="utf-8")
    review.plan_file.write_text(text.rstrip("\n") + SECOND, encoding="utf-8")
    scheduling.pause(review, "london-weekly", who="anna")
    said = words(admin.http.get("/schedules/pause?why=strike").text)
    assert "London Weekly is left as it is: london-weekly is paused by anna" in said
    assert "Asia AI Daily does not appear until somebody resumes it" in said
    form = {"token": admin.token, "why": "strike"}
    assert admin.http.post("/schedules/pause", data=form).status_code == 303
    assert [(each.newsletter, each.who) for each in overlays(review)] == [
        (NEWSLETTER, "admin@desk.example"),
        ("london-weekly", "anna"),
    ]
    assert admin.http.post("/schedules/pause", data=form).status_code == 409


@pytest.mark.parametrize(
    ("what", "fields"),
    [
        ("pause", {"until": "2026-05-26"}),
        ("pause", {"until": "soon"}),
        ("skip", {}),
        ("skip", {"day": "2026-13-01"}),
        ("skip", {"day": "2026-05-28", "number": "x"}),
        ("skip", {"day": "2026-05-28", "number": "7"}),
        ("move", {"day": "2026-05-28", "at": "25:00"}),
        ("move", {"day": "2026-05-28", "at": "07:00+08:00"}),
        ("extra", {"at": "18:00"}),
        ("extra", {"day": "0001-01-01", "at": "18:00"}),
        ("run", {"day": "9999-12-31"}),
    ],
)
def test_what_no_form_of_ours_sends_is_refused_in_words(
    review: Newsroom, admin: Visitor, what: str, fields: dict[str, str]
) -> None:
    before = dump(review)
    looked = admin.http.get(f"{PLACE}/{what}", params=fields)
    assert looked.status_code == 400
    assert 'role="alert"' in looked.text
    assert "Traceback" not in looked.text
    assert order(admin, what, **fields) == 400
    assert dump(review) == before


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR, Role.APPROVER])
def test_only_admins_are_offered_orders_and_asked_for_them(review: Newsroom, role: Role) -> None:
    visitor = Visitor(review).enter(role)
    for path in ("/schedules", PLACE, f"/schedules/{ISSUE}"):
        page = visitor.http.get(path)
        assert page.status_code == 200
        assert "<form" not in page.text[page.text.index("<main") :]
    for what in ("pause", "resume", "skip", "move", "extra", "run", "end/1"):
        assert visitor.http.get(f"{PLACE}/{what}").status_code == 403
        assert order(visitor, what, day="2026-05-28", at="09:00") == 403
    assert visitor.http.get("/schedules/pause").status_code == 403
    assert overlays(review) == []


def test_a_slot_that_is_not_there(admin: Visitor) -> None:
    for path in (f"{PLACE}/2026-05-28/5", f"{PLACE}/2026-13-45", "/schedules/no-such/2026-05-28"):
        assert admin.http.get(path).status_code in (400, 404), path


def test_what_is_applied_for_every_host_is_said(review: Newsroom) -> None:
    applied = applying.apply(review, applying.propose(review), who="ben")
    said = words(Visitor(review).enter(Role.VIEWER).http.get("/schedules").text)
    assert f"revision {applied.digest[:12]}, applied by ben" in said


def test_faults_of_the_schedule_stand_on_their_lines(review: Newsroom) -> None:
    text = review.plan_file.read_text(encoding="utf-8")
    _ = review.plan
    line = next(number for number, each in enumerate(text.splitlines(), 1) if "Asia/Singapore" in each)
    review.plan_file.write_text(text.replace("Asia/Singapore", "Asia/Singapor<b>"), encoding="utf-8")
    visitor = Visitor(review).enter(Role.VIEWER)
    answer = visitor.http.get("/schedules")
    assert "Asia AI Daily, Wed 27 May" in visitor.http.get("/issues").text
    assert re.search(
        rf'<li class="wrong"><code>  timezone: Asia/Singapor&lt;b&gt;</code><p>.*?line {line}, column', answer.text
    )
    assert "<b>1 fault.</b>" in answer.text
    assert "/schedules/file" not in answer.text
    with Newsroom.open(review.desk, FLAGS, environ={}) as fresh:
        again = Visitor(fresh)
        again.http.cookies.set("newsletter-session", visitor.secret)
        assert "See its faults" in again.http.get("/").text
        assert again.http.get(f"/issues/{ISSUE}").status_code == 200
