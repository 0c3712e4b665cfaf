"""Subscribing by a form: one mail, one button; the same answer for everybody; nothing by looking."""

from __future__ import annotations

import email
import re
import threading
from datetime import timedelta
from email.policy import default

import pytest

from newsletter.newsroom import Newsroom
from newsletter.newsroom.readership import readers, requests
from newsletter.tokens import Purpose, Signer
from subscribers.errors import UnknownSubscriberError
from subscribers.model import Status
from tests.newsroom.test_digest import DIGEST

from .conftest import NEWSLETTER, Visitor, dump

NEW, KNOWN = "new@example.org", "mei.tan@example.com"
COUNTRIES = ["CN", "JP", "KR", "IN", "SG", "ID", "VN"]


def post(visitor: Visitor, address: str, path: str = "/subscribe", **more: object) -> tuple[int, str]:
    answer = visitor.http.post(path, data={"email": address, "country": COUNTRIES, **more})
    return answer.status_code, answer.text.replace(address, "ADDRESS") if address else answer.text


def mails(room: Newsroom) -> list[email.message.EmailMessage]:
    requests.carry(room)
    files = sorted((room.outbox / "readers").glob("*.eml")) if (room.outbox / "readers").is_dir() else []
    return [email.message_from_bytes(file.read_bytes(), policy=default) for file in files]


def link_in(room: Newsroom, message: email.message.EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    found = re.search(r"https?://\S+/(?:confirm|preferences)/\S+", body.get_content())
    assert found is not None
    return found[0].removeprefix(room.settings.base_url)


def confirmed(room: Newsroom, address: str) -> bool:
    try:
        held = room.subscribers.find(address)
    except UnknownSubscriberError:
        return False
    return held.subscriptions[NEWSLETTER].status is Status.CONFIRMED


def test_from_the_form_to_the_first_issue(review: Newsroom) -> None:
    visitor = Visitor(review)
    assert "Subscribe" in visitor.http.get("/subscribe").text
    assert post(visitor, NEW, country=["JP", "VN"])[0] == 200
    assert not confirmed(review, NEW)
    (mail,) = mails(review)
    assert (mail["to"], mail["subject"]) == (NEW, "Confirm your subscription: Asia AI Daily")
    assert mail["auto-submitted"] == "auto-generated"
    link = link_in(review, mail)
    before = dump(review)
    for method in ("GET", "HEAD", "OPTIONS"):
        for _ in range(3):
            assert visitor.http.request(method, link).status_code in (200, 405)
    assert dump(review) == before
    assert visitor.http.post(link, data={"newsletter": []}).status_code == 400
    assert not confirmed(review, NEW)
    done = visitor.http.post(link, data={"newsletter": [NEWSLETTER]})
    assert "You are subscribed" in done.text
    assert confirmed(review, NEW)
    assert review.subscribers.find(NEW).preferences.countries == ("JP", "VN")
    assert "used before" in visitor.http.post(link, data={"newsletter": [NEWSLETTER]}).text
    assert "set-cookie" not in done.headers
    assert sorted(each["subject"] for each in mails(review)) == [mail["subject"], "Welcome to Asia AI Daily"]


def test_forged_old_and_foreign_links_confirm_nothing(review: Newsroom) -> None:
    visitor, now = Visitor(review), review.clock.now()
    post(visitor, NEW)
    (asked,) = review.subscribers.requests(6)
    links = [
        "nonsense",
        Signer(["another key"]).sign(Purpose.CONFIRM, str(asked.id), now + timedelta(days=1)),
        review.signer.sign(Purpose.PREFERENCES, str(asked.id), now + timedelta(days=1)),
        review.signer.sign(Purpose.CONFIRM, str(asked.id), now - timedelta(seconds=2)),
        review.signer.sign(Purpose.CONFIRM, "4711", now + timedelta(days=1)),
    ]
    for link in links:
        for method in ("GET", "POST"):
            answer = visitor.http.request(method, f"/confirm/{link}", data={"newsletter": [NEWSLETTER]})
            assert answer.status_code == 404, link
    assert not confirmed(review, NEW)


def test_known_unknown_suppressed_and_overdone_addresses_get_the_same_answer(review: Newsroom) -> None:
    visitor = Visitor(review)
    review.subscribers.suppress("gone@example.org", "complaint", review.clock.now())
    answers = {post(visitor, address) for address in (NEW, KNOWN, "gone@example.org", NEW, KNOWN)}
    assert len(answers) == 1
    assert sorted(str(each["to"]) for each in mails(review)) == [KNOWN, NEW]
    for _ in range(40):
        answers.add(post(visitor, "many@example.org"))
    assert len(answers) == 1
    answers = {post(visitor, address, "/preferences/") for address in (NEW, KNOWN, "gone@example.org")}
    assert len(answers) == 1


def test_who_is_subscribed_already_is_sent_the_way_to_their_preferences(review: Newsroom) -> None:
    visitor = Visitor(review)
    post(visitor, KNOWN)
    post(visitor, KNOWN, "/preferences/")
    found = {str(each["subject"]).partition(":")[0]: each for each in mails(review)}
    assert set(found) == {"You are subscribed already", "The link to your preferences"}
    for mail in found.values():
        assert KNOWN in visitor.http.get(link_in(review, mail)).text


def test_programs_fill_in_the_field_that_no_person_sees(review: Newsroom) -> None:
    assert post(Visitor(review), NEW, website="https://spam.example") == post(Visitor(review), NEW, website="")
    assert len(mails(review)) == 1


@pytest.mark.parametrize("address", ["", "nobody", "a@b@c", "x\x01@example.org", "a" * 400 + "@example.org"])
def test_a_wrong_address_is_said_and_nothing_is_kept(review: Newsroom, address: str) -> None:
    before = dump(review)
    for path in ("/subscribe", "/preferences/"):
        status, page = post(Visitor(review), address, path)
        assert status == 400
        assert "Please look at your address" in page
    assert dump(review) == before


def test_two_processes_mail_a_link_once(review: Newsroom) -> None:
    post(Visitor(review), NEW)
    threads = [threading.Thread(target=requests.carry, args=(review,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(mails(review)) == 1


def test_a_page_speaks_the_readers_language(review: Newsroom) -> None:
    http = Visitor(review).http
    assert 'lang="ja"' in http.get("/subscribe", headers={"accept-language": "fr, ja;q=0.8, en;q=0.5"}).text
    arabic = http.get("/subscribe?lang=ar").text
    assert 'lang="ar" dir="rtl"' in arabic
    assert "الصين" in arabic
    assert 'lang="en"' in http.get("/subscribe?lang=xx", headers={"accept-language": ";;q=,*;q=z"}).text
    post(Visitor(review), NEW, lang="ar")
    (mail,) = mails(review)
    assert str(mail["subject"]).startswith("تأكيد اشتراكك")


def test_each_fault_of_the_form_is_said_and_what_was_chosen_stays(review: Newsroom) -> None:
    with review.plan_file.open("a", encoding="utf-8") as file:
        file.write(DIGEST)
    http = Visitor(review).http
    shown = http.get("/subscribe").text
    assert 'Asia AI Weekly</bdi> <span class="meta">once a week</span></span>' in shown
    assert shown.count('name="newsletter"') == 2
    assert "checked" in shown
    answer = http.post("/subscribe", data={"email": "nobody", "country": COUNTRIES})
    assert answer.status_code == 400
    assert "look at your address" in answer.text
    assert "at least one newsletter" in answer.text
    assert "at least one country" not in answer.text
    assert not re.search('name="newsletter" value="[a-z-]+" checked', answer.text)
    answer = http.post("/subscribe", data={"email": NEW, "newsletter": NEWSLETTER})
    assert answer.status_code == 400
    assert "at least one country" in answer.text
    assert "look at your address" not in answer.text


def test_a_reader_sees_their_domain_as_they_write_it(review: Newsroom) -> None:
    answer = Visitor(review).http.post("/preferences/", data={"email": "ann@xn--exmple-cua.org"})
    assert "ann@exämple.org" in answer.text


@pytest.fixture
def reader(review: Newsroom) -> str:
    held = review.subscribers.find(KNOWN)
    address = readers.preferences_address(review, held, review.plan.newsletters[NEWSLETTER])
    return address.removeprefix(review.settings.base_url)


def test_the_way_out_stands_beside_the_choices(review: Newsroom, reader: str) -> None:
    http = Visitor(review).http
    found = re.search(r'href="\S+?(/unsubscribe/[^"?]+)\?lang=en"', http.get(reader).text)
    assert found is not None
    assert http.post(found[1], data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert not confirmed(review, KNOWN)
    assert "/unsubscribe/" not in http.get(reader).text


def test_a_language_is_spoken_as_soon_as_it_is_chosen(review: Newsroom, reader: str) -> None:
    text = review.plan_file.read_text(encoding="utf-8")
    review.plan_file.write_text(text.replace("archive: public", "archive: public\n    languages: [en, ar]"), "utf-8")
    http = Visitor(review).http
    answer = http.post(reader, data={"country": COUNTRIES, "language": "ar", "lang": "en"})
    assert 'lang="ar" dir="rtl"' in answer.text
    answer = http.post(reader, data={"country": COUNTRIES, "language": "ar", "lang": "en"})
    assert 'lang="en" dir="ltr"' in answer.text


def test_a_reader_pauses_and_comes_back(review: Newsroom, reader: str) -> None:
    http = Visitor(review).http
    assert http.post(reader, data={"country": COUNTRIES, "pause": "14"}).status_code == 200
    until = review.subscribers.find(KNOWN).preferences.paused_until
    assert until is not None
    assert (until - review.clock.now()).days in (13, 14)
    assert re.search(r"until \d+ [A-Z][a-z]+ 20\d\d<", http.get(reader).text)
    http.post(reader, data={"country": COUNTRIES})
    assert review.subscribers.find(KNOWN).preferences.paused_until == until
    http.post(reader, data={"country": COUNTRIES, "pause": "end", "frequency": "hourly", "language": "xx"})
    held = review.subscribers.find(KNOWN).preferences
    assert held.paused_until is None
    assert held.frequency == "daily"
