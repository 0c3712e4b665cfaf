"""Errors that readers report: by whoever holds a link, inert whatever is written, in a queue for editors."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from typing import Any
from urllib.parse import urlsplit

import pytest

from newsletter.model import story_address
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import day_after
from newsletter.newsroom.readership import reports
from newsletter.storage import Role
from newsletter.tokens import Purpose
from newsletter.web.public import report as reporting

from .browsing import faults, served
from .conftest import ISSUE, NEWSLETTER, Visitor, also_in_arabic, dump
from .test_web_schedules import words

SMALL = 15_000
NASTY = (
    "<script>window.ran = 1</script>",
    "<img src=x onerror='window.ran=1'>",
    '"><svg/onload=window.ran=1>',
    "</textarea><script>window.ran=1</script>",
    "javascript:window.ran=1",
    "{{ 7*7 }} {% raw %} ${7*7} <!--% if 1 %-->",
    "</th></tr></table><iframe srcdoc='<script>parent.ran=1</script>'></iframe>",
    "\u202eesrever\u202c and \u0000nul\u0007",
    "=cmd|' /C calc'!A0",
    "<style>*{display:none}</style><meta http-equiv=refresh content='0;url=//evil.example'>",
)


def edition_of(room: Newsroom) -> str:
    """The edition with most stories."""
    return max(room.seals.editions(ISSUE, 1), key=len)


def link(room: Newsroom) -> str:
    return urlsplit(reports.address_of_edition(room, ISSUE, edition_of(room))).path


def a_story(room: Newsroom) -> tuple[str, str]:
    snapshot = room.issues.get(ISSUE).snapshot
    assert snapshot is not None
    return snapshot.placed[0].story.id, snapshot.placed[0].story.title


def kept(room: Newsroom) -> list[tuple[str, str]]:
    return [(each.story, each.words) for each in room.reader_reports.list(closed=False, limit=100)]


def test_the_mail_the_web_view_and_a_storys_page_lead_to_the_form(sent: Newsroom) -> None:
    file = next((sent.outbox / NEWSLETTER / "2026-05-27").glob("*.eml"))
    message = message_from_bytes(file.read_bytes(), policy=default)
    for kind in ("html", "plain"):
        part = message.get_body((kind,))
        assert part is not None
        (mailed,) = re.findall(rf"{sent.settings.base_url}(/report/[\w.-]+)", part.get_content())
        assert Visitor(sent).http.get(mailed).status_code == 200
    story, title = a_story(sent)
    page = Visitor(sent).http.get(story_address("", NEWSLETTER, story))
    (address,) = re.findall(r'href="(/report/[^"]+)"', page.text)
    form = Visitor(sent).http.get(address)
    assert form.status_code == 200
    assert title in html.unescape(form.text)
    assert 'type="radio"' not in form.text, "there is one story to report about"
    whole = Visitor(sent).http.get(link(sent)).text
    snapshot = sent.issues.get(ISSUE).snapshot
    assert snapshot is not None
    assert whole.count('type="radio"') == len(snapshot.placed) + 1


def test_looking_changes_nothing_and_the_page_is_small_and_has_no_script(sent: Newsroom) -> None:
    before = dump(sent)
    answer = Visitor(sent).http.get(link(sent))
    assert dump(sent) == before
    assert "<script" not in answer.text
    assert "set-cookie" not in answer.headers
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert len(answer.content) < SMALL


def test_a_report_reaches_the_queue_and_is_taken_up_and_closed(sent: Newsroom) -> None:
    story, title = a_story(sent)
    for _ in range(2):  # sent twice is kept once
        answer = Visitor(sent).http.post(link(sent), data={"story": story, "words": " It was\r\nTuesday. "})
        assert answer.status_code == 200
        assert "Thank you." in answer.text
    assert kept(sent) == [(story, "It was\nTuesday.")]
    editor = Visitor(sent).enter(Role.EDITOR)
    assert "1 reader's report waits" in html.unescape(editor.http.get("/").text)
    page = editor.http.get("/reports").text
    assert title in html.unescape(page)
    assert f"/issues/{ISSUE}/story?id=" in page
    assert editor.order("/reports/1", act="take").status_code == 303
    assert "taken up by editor@desk.example" in words(editor.http.get("/reports").text)
    assert editor.order("/reports/1", act="close").status_code == 303
    assert editor.order("/reports/1", act="close").status_code == 409
    assert "Nothing waits" in editor.http.get("/reports").text
    assert "closed by editor@desk.example" in words(editor.http.get("/reports?closed=1").text)
    assert editor.order("/reports/1", act="reopen").status_code == 303
    assert len(kept(sent)) == 1
    assert editor.order("/reports/1", act="frame").status_code == 400
    assert editor.order("/reports/99", act="close").status_code == 404
    assert editor.order("/reports/99999999999999999999", act="close").status_code == 404
    viewer = Visitor(sent).enter(Role.VIEWER)
    assert viewer.http.get("/reports").status_code == 403
    assert "report waits" not in html.unescape(viewer.http.get("/").text)


def test_the_day_after_counts_them_by_country(sent: Newsroom) -> None:
    story, _ = a_story(sent)
    page = reports.reportable(sent, reports.address_of_story(sent, NEWSLETTER, story).rpartition("/")[2])
    mail = reports.reportable(sent, link(sent).rpartition("/")[2])
    assert page is not None
    assert mail is not None
    reports.report(sent, page, story, "from its page")
    reports.report(sent, mail, story, "from the mail")
    reports.report(sent, mail, "", "all of it")
    (found,) = day_after.after(sent, ISSUE.date)
    country = sent.stories.get(story).country
    assert (found.reports.of_issue, found.reports.otherwise) == (2, 1)
    assert found.reports.by_country == {country: 2}


def test_what_is_no_report_is_refused_and_what_was_typed_stays(sent: Newsroom) -> None:
    story, _ = a_story(sent)
    visitor = Visitor(sent)
    for fields in ({"words": ""}, {"words": " \n"}, {"words": "x" * 2001}, {"words": "so", "story": "desk:another"}):
        answer = visitor.http.post(link(sent), data={"story": story} | fields)
        assert answer.status_code == 400
        assert fields["words"].strip() in answer.text
    assert visitor.http.post(link(sent), data={"words": "x" * 70_000}).status_code == 413
    own = reports.address_of_story(sent, NEWSLETTER, story)
    assert visitor.http.post(own, data={"words": "so"}).status_code == 400, "a story's page is of no whole issue"
    assert kept(sent) == []


def test_a_program_that_fills_every_field_is_thanked_and_forgotten(sent: Newsroom) -> None:
    answer = Visitor(sent).http.post(link(sent), data={"words": "buy this", "website": "https://spam.example"})
    assert answer.status_code == 200
    assert "Thank you." in answer.text
    assert kept(sent) == []


def test_a_network_and_all_together_are_braked(sent: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Visitor(sent, "192.0.2.7")
    for number in range(10):
        assert one.http.post(link(sent), data={"words": f"report {number}"}).status_code == 200
    braked = one.http.post(link(sent), data={"words": "one more"}, headers={"x-forwarded-for": "198.51.100.1"})
    assert braked.status_code == 429
    assert int(braked.headers["retry-after"]) > 3000
    assert "one more" in braked.text, "what was typed is not lost"
    assert Visitor(sent, "198.51.100.8").http.post(link(sent), data={"words": "another"}).status_code == 200
    monkeypatch.setattr(reporting._everybody, "_limit", 11)
    assert Visitor(sent, "203.0.113.9").http.post(link(sent), data={"words": "a third"}).status_code == 429
    assert len(kept(sent)) == 11


def test_no_other_link_opens_it(review: Newsroom, sent: Newsroom) -> None:
    payload = f"{ISSUE}|{edition_of(sent)}"
    for purpose in Purpose:
        token = sent.signer.sign(purpose, payload)
        assert Visitor(sent).http.get(f"/report/{token}").status_code == (200 if purpose is Purpose.REPORT else 404)
    for bad in ("x", "..", "a.b.c", sent.signer.sign(Purpose.REPORT, f"{NEWSLETTER}|desk:none"), "%00"):
        assert Visitor(sent).http.post(f"/report/{bad}", data={"words": "so"}).status_code in (404, 405), bad
    unsent = review.signer.sign(Purpose.REPORT, payload)
    assert Visitor(review).http.get(f"/report/{unsent}").status_code == 404, "nobody has that issue yet"
    assert kept(sent) == []


def test_it_speaks_the_readers_language(review: Newsroom) -> None:
    also_in_arabic(review)
    story, _ = a_story(review)
    address = reports.address_of_story(review, NEWSLETTER, story)
    page = Visitor(review).http.get(f"{address}?lang=ar").text
    assert 'lang="ar" dir="rtl"' in page
    assert "الإبلاغ عن خطأ" in page
    assert 'lang="en"' in Visitor(review).http.get(f"{address}?lang=xx").text
    assert "سيطّلع" in Visitor(review).http.post(f"{address}?lang=ar", data={"story": story, "words": "خطأ"}).text


@pytest.fixture
def address(sent: Newsroom) -> Iterator[str]:
    about = reports.reportable(sent, link(sent).rpartition("/")[2])
    assert about is not None
    for nasty in NASTY:
        reports.report(sent, about, a_story(sent)[0], nasty)
    sent.accounts.add("admin@desk.example", Role.ADMIN, sent.clock.now())
    with served(sent) as where:
        yield where


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (375, "dark"), (1440, "dark"), (375, "light")])
def test_whatever_is_written_runs_nowhere_and_the_pages_are_clean(
    sent: Newsroom, address: str, browser: Any, width: int, scheme: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    admin = sent.accounts.find("admin@desk.example")
    assert admin is not None
    page.goto(f"{address}/login/link/{sent.accounts.make_login_link(admin, sent.clock.now())}")
    for place in ("/reports", "/", f"/after?day={ISSUE.date}", link(sent)):
        page.goto(address + place)
        assert page.evaluate("window.ran") is None, place
        assert page.locator("iframe[srcdoc]").count() == 0
        assert faults(page) == [], place
    page.goto(f"{address}/reports")
    assert page.locator(".reports tbody tr").count() == len(NASTY)
    shown = page.locator(".reports tbody th").all_inner_texts()
    assert "<script>window.ran = 1</script>" in shown
    assert any("esrever and nul" in each for each in shown), "what turns text about, or cannot be shown, is left out"
    context.close()


def test_a_long_text_is_refused_before_its_accents_are_put_in_order(sent: Newsroom) -> None:
    """That takes the square of their number, while nothing else of the process goes on."""
    began = time.perf_counter()
    fields = {"story": "", "words": "a" + "\u0301\u0327" * 5_000}
    assert Visitor(sent).http.post(link(sent), data=fields).status_code == 400
    assert time.perf_counter() - began < 0.5
    assert not kept(sent)
