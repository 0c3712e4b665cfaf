"""An issue as one of its readers gets it, or as somebody would who chose so; nobody learns an address by that."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from newsletter.model import Edition
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch.audience import choose
from newsletter.newsroom.issue import issues
from newsletter.storage import Role
from newsletter.web.words import edition_words
from subscribers.model import Frequency

from .conftest import ISSUE, NEWSLETTER, Visitor, also_in_arabic

PAGE = f"/issues/{ISSUE}"
SEGMENT = "this newsletter is not for them, by its segment in schedule.yaml"


@pytest.fixture
def admin(review: Newsroom) -> Visitor:
    return Visitor(review).enter(Role.ADMIN)


def number(room: Newsroom, address: str) -> int:
    return room.subscribers.find(address).id


def words(page: str) -> str:
    """What is said of the reader."""
    found = re.search(r'<p class="seen.*?<span>(.*?)</span>', page, re.DOTALL)
    return re.sub(r"<[^>]*>", "", found[1]) if found else ""


def test_an_address_leads_to_a_number_and_stands_in_no_address(review: Newsroom, admin: Visitor) -> None:
    answer = admin.order(f"{PAGE}/reader?width=phone&countries=JP&frequency=weekly", address=" liu.yuhe@EXAMPLE.net")
    assert answer.headers["location"] == f"{PAGE}?width=phone&reader={number(review, 'liu.yuhe@example.net')}"
    page = admin.http.get(answer.headers["location"]).text
    assert words(page) == "liu.yuhe@example.net. Gets China, English."
    assert f'src="{PAGE}/mail?look=light&amp;countries=CN&amp;language=en"' in page
    assert not re.search(r'(?:href|src|action)="[^"]*liu', page)
    line = review.audit.lines(limit=1)[0]
    assert (line.kind, line.what, line.remark) == ("issue_reader", str(ISSUE), "")
    for nobody in ("nobody@example.com", "nonsense", ""):
        answer = admin.order(f"{PAGE}/reader", address=nobody)
        assert answer.status_code == 404
        assert "Nobody on the list has that address" in answer.text


def test_every_reader_gets_what_the_freeze_would_give_them(review: Newsroom, admin: Visitor) -> None:
    """The same rules: whoever is chosen for an edition is told so, and everybody else gets nothing."""
    snapshot = review.issues.get(ISSUE).snapshot
    assert snapshot is not None
    with review.database.read() as connection:
        rows = connection.execute(choose(review, connection, snapshot).recipients()).all()
    chosen = {row[0]: Edition.parse(row[3]) for row in rows}
    for held in review.subscribers.page(limit=100):
        told = words(admin.http.get(f"{PAGE}?reader={held.id}").text)
        if held.id in chosen:
            assert told == f"{held.email}. Gets {edition_words(chosen[held.id], snapshot.countries)}."
        else:
            assert told.startswith(f"{held.email}. Gets nothing: ")


def test_why_somebody_gets_nothing(review: Newsroom, admin: Visitor) -> None:
    now = review.clock.now()

    def told(address: str) -> str:
        page = admin.http.get(f"{PAGE}?reader={number(review, address)}").text
        assert "<iframe" not in page
        return words(page).partition(". Gets nothing: ")[2]

    review.subscribers.unsubscribe("mei.tan@example.com", None, now)
    assert told("mei.tan@example.com") == "they unsubscribed from this newsletter."
    review.subscribers.suppress("mei.tan@example.com", "complaint", now)
    assert told("mei.tan@example.com") == "the address is suppressed."
    for address, changes, why in (
        ("liu.yuhe@example.net", {"paused_until": now + timedelta(days=2)}, "they paused their mail."),
        ("putri.anjani@example.com", {"frequency": Frequency.WEEKLY}, f"{SEGMENT}."),
        ("yoon.garam@example.org", {"countries": ("FR",)}, "no story here is from the countries they chose."),
    ):  # fmt: skip
        held = review.subscribers.find(address)
        review.subscribers.set_preferences(held.id, replace(held.preferences, **changes), now)
        assert told(address) == why
    assert told("arjun.pending@example.com") == "they have no confirmed subscription to this newsletter."


def test_of_an_issue_that_left_it_is_what_they_got(sent: Newsroom) -> None:
    admin = Visitor(sent).enter(Role.ADMIN)
    liu, tomas = number(sent, "liu.yuhe@example.net"), number(sent, "tomas.reader@example.org")
    sent.subscribers.unsubscribe("liu.yuhe@example.net", None, sent.clock.now())
    assert "Gets China, English (handed to the mail server)." in words(admin.http.get(f"{PAGE}?reader={liu}").text)
    held = sent.subscribers.find("tomas.reader@example.org")
    sent.subscribers.set_preferences(tomas, replace(held.preferences, frequency=Frequency.DAILY), sent.clock.now())
    assert "not among its readers when the send began" in words(admin.http.get(f"{PAGE}?reader={tomas}").text)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR, Role.APPROVER])
def test_whoever_may_not_see_addresses_looks_as_no_reader(review: Newsroom, role: Role) -> None:
    visitor = Visitor(review).enter(role)
    known = number(review, "liu.yuhe@example.net")
    pages = [visitor.http.get(f"{PAGE}?reader={each}").text.replace(f"reader={each}", "") for each in (known, 99_999)]
    assert pages[0] == pages[1]
    assert "liu.yuhe" not in pages[0]
    assert f"{PAGE}/reader" not in pages[0]
    frames = [visitor.http.get(f"{PAGE}/mail?reader={each}").content for each in (known, 99_999)]
    assert frames[0] == frames[1] == visitor.http.get(f"{PAGE}/mail").content
    answers = [visitor.order(f"{PAGE}/reader", address=each) for each in ("liu.yuhe@example.net", "x@example.com")]
    assert {answer.status_code for answer in answers} == {403}
    assert answers[0].text == answers[1].text


def test_numbers_that_are_nobody_s(admin: Visitor) -> None:
    for each in ("99999", "0", "9" * 17):
        answer = admin.http.get(f"{PAGE}?reader={each}")
        assert answer.status_code == 200
        assert "<iframe" not in answer.text
    for each in ("", "x", "-1", "9" * 30, "1 OR 1=1"):
        assert "<iframe" in admin.http.get(f"{PAGE}?reader={each}").text


def test_countries_language_and_frequency_stand_in_the_address(review: Newsroom) -> None:
    also_in_arabic(review)
    viewer = Visitor(review).enter(Role.VIEWER)
    page = viewer.http.get(f"{PAGE}?countries=JP&language=ar&frequency=daily").text
    assert words(page) == "Who asked for daily mail. Gets it."
    assert f'src="{PAGE}/mail?look=light&amp;countries=JP&amp;language=ar"' in page
    assert '<option value="ar" selected>Arabic' in page
    assert "<option selected>daily" in page
    page = viewer.http.get(f"{PAGE}?countries=JP&language=ar&frequency=weekly").text
    assert words(page).startswith("Who asked for weekly mail. Gets nothing: this newsletter is not for them")
    assert "<iframe" not in page
    assert words(viewer.http.get(f"{PAGE}?frequency=hourly").text) == ""


def test_before_there_is_a_draft(review: Newsroom, admin: Visitor) -> None:
    made = issues.build(review, NEWSLETTER, ISSUE.date + timedelta(days=1))
    answer = admin.http.get(f"/issues/{made.id}?reader={number(review, 'liu.yuhe@example.net')}&frequency=daily")
    assert answer.status_code == 200
