"""The day after: what is measured, and what is said not to be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from newsletter.model import Recipient
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import day_after
from newsletter.newsroom.dispatch.day_after import AtProvider
from newsletter.newsroom.readership import readers
from newsletter.storage import Role
from newsletter.storage.tables import delivery, issue_progress, outcome_tally
from subscribers.tables import bounce

from .browsing import faults, served
from .conftest import ISSUE, NEWSLETTER, Visitor
from .test_web_schedules import words

PLACE = f"/after?day={ISSUE.date}"
SAID = "550 5.1.1 <b>mei.tan@example.com</b> is not here"


def link_of(room: Newsroom, address: str) -> str:
    """The way out that stands in that reader's mail."""
    person = room.subscribers.find(address)
    got = Recipient(0, person.id, address, "", "", "")
    return readers.personal(room, ISSUE, got)["unsubscribe"].removeprefix(room.settings.base_url)


def refuse(room: Newsroom, number: int) -> None:
    """Have the mail server have refused that many."""
    with room.database.write() as connection:
        some = sa.select(delivery.c.id).limit(number)
        values = {"state": "rejected", "code": 550, "reply": SAID}
        connection.execute(sa.update(delivery).where(delivery.c.id.in_(some)).values(values))
        moved = {"submitted": issue_progress.c.submitted - number, "rejected": number}
        connection.execute(sa.update(issue_progress).values(moved))


def test_what_is_measured_and_what_is_not(sent: Newsroom) -> None:
    said = words(Visitor(sent).enter(Role.VIEWER).http.get(PLACE).text)
    assert "Asia AI Daily 22 1 min 0 not measured 0" in said
    got = {place for place in ("China", "Japan", "Vietnam") if re.search(rf"{place} \d+ 0 0", said)}
    assert got == {"China", "Japan", "Vietnam"}
    assert "By provider" not in said, "that is for admins"
    assert "opens" in said
    assert "open rate" not in said


def test_each_country_counts_whoever_got_stories_of_it(sent: Newsroom) -> None:
    wanted: dict[str, int] = {}
    for row in sent.deliveries.rows(ISSUE):
        for country in row.edition.partition(".")[0].split("+"):
            wanted[country] = wanted.get(country, 0) + 1
    assert day_after.handed_by_country(sent, ISSUE) == wanted


def test_who_left_by_the_issues_link_is_told_from_who_left_otherwise(sent: Newsroom) -> None:
    link = link_of(sent, "mei.tan@example.com")
    assert Visitor(sent).http.post(link, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    sent.subscribers.unsubscribe("liu.yuhe@example.net", NEWSLETTER, sent.clock.now(), how="by an admin")
    next_day = sent.clock.now() + timedelta(days=1)
    sent.subscribers.unsubscribe("minase.ko@example.net", NEWSLETTER, next_day)
    (found,) = day_after.after(sent, ISSUE.date)
    assert (found.left.by_link, found.left.otherwise) == (1, 1), "a day later it is no issue's doing"
    assert found.left.by_country["CN"] == 2
    assert "2 1 by its link, 1 otherwise" in words(Visitor(sent).enter(Role.VIEWER).http.get(PLACE).text)
    # Whoever follows the link of an old mail leaves all the same, and is not counted here any more.
    late = sent.clock.now() + timedelta(days=9)
    sent.subscribers.unsubscribe("asakura@example.com", NEWSLETTER, late, issue=str(ISSUE))
    assert day_after.after(sent, ISSUE.date)[0].left.by_link == 1


def test_providers_and_the_servers_words_are_for_admins_and_inert(sent: Newsroom) -> None:
    refuse(sent, 3)
    with sent.database.write() as connection:
        row = connection.execute(sa.select(outcome_tally)).mappings().one()
        for state, number in (("deferred", 7), ("rejected", 3)):
            connection.execute(sa.insert(outcome_tally).values(dict(row) | {"state": state, "number": number}))
    assert day_after.at_providers(sent, ISSUE.date) == [AtProvider("others", 22, 7, 3, None)]
    page = Visitor(sent).enter(Role.ADMIN).http.get(PLACE).text
    assert "All others 22 7 3 not measured" in words(page)
    assert "&lt;b&gt;mei.tan@example.com&lt;/b&gt;" in page
    assert "<b>mei" not in page
    seen = Visitor(sent).enter(Role.APPROVER).http.get(PLACE).text
    assert "mei.tan@example.com" not in seen
    assert "19 of 22 not reached" in words(seen)


def test_what_came_back_is_counted_once_it_is_read(sent: Newsroom) -> None:
    now, reader = sent.clock.now(), sent.subscribers.find("mei.tan@example.com").id
    row = {
        "subscriber_id": reader,
        "newsletter": ISSUE.newsletter,
        "issue": str(ISSUE),
        "provider": "example.com",
        "status": "",
        "words": "",
        "sent_at": now,
        "at": now,
        "fate": "noted",
    }
    came = [(1, "complaint"), (2, "address"), (3, "mailbox"), (3, "address")]
    with sent.database.write() as connection:
        for delivery, kind in came:
            connection.execute(sa.insert(bounce).values(row | {"delivery": delivery, "kind": kind, "digest": kind}))
    page = words(Visitor(sent).enter(Role.ADMIN).http.get(PLACE).text)
    assert "Asia AI Daily 22 1 min 0 1 0" in page
    assert "All others 22 0 0 2" in page
    assert "not measured" not in page


def test_what_was_sent_before_outcomes_were_counted_is_said_not_to_be_measured(sent: Newsroom) -> None:
    with sent.database.write() as connection:
        connection.execute(sa.delete(outcome_tally))
    page = words(Visitor(sent).enter(Role.ADMIN).http.get(PLACE).text)
    assert "Asia AI Daily 22 not measured 0" in page
    assert "Not measured: this day's mail was sent before outcomes were counted." in page


@pytest.mark.parametrize("query", ["", *(f"?day={day}" for day in ("", "x", "2026-13-40", "0001-01-01", "9999-12-31"))])
def test_any_day_may_be_asked_for(sent: Newsroom, query: str) -> None:
    answer = Visitor(sent).enter(Role.VIEWER).http.get(f"/after{query}")
    assert answer.status_code == 200
    assert ("Asia AI Daily" in answer.text) == ("-" not in query or "13" in query)


@pytest.fixture
def address(sent: Newsroom) -> Iterator[str]:
    refuse(sent, 2)
    with sent.database.write() as connection:
        connection.execute(sa.update(outcome_tally).values(state="rejected"))
    sent.accounts.add("admin@desk.example", Role.ADMIN, sent.clock.now())
    with served(sent) as where:
        yield where


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (375, "dark"), (1440, "dark"), (375, "light")])
def test_it_is_clean(sent: Newsroom, address: str, browser: Any, width: int, scheme: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    admin = sent.accounts.find("admin@desk.example")
    assert admin is not None
    page.goto(f"{address}/login/link/{sent.accounts.make_login_link(admin, sent.clock.now())}")
    page.goto(address + PLACE)
    page.locator(".drawn canvas").wait_for()
    assert faults(page) == []
    context.close()
