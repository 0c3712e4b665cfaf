"""A reader's own data, address and end: by a fresh link alone, looked at without a trace, done once, told to nobody."""

from __future__ import annotations

import email
import json
import re
from datetime import timedelta
from email.policy import default

import pytest

from newsletter.newsroom import Newsroom
from newsletter.newsroom.readership import readers, requests
from newsletter.storage import EventKind, Role
from newsletter.tokens import Purpose
from subscribers.errors import UnknownSubscriberError
from subscribers.model import Status

from .conftest import ISSUE, NEWSLETTER, Visitor, dump

KNOWN, NEW, OTHER = "mei.tan@example.com", "mei.new@example.org", "seo.haneul@example.com"


def letters(room: Newsroom) -> dict[str, tuple[str, str]]:
    """By address: subject and the path of the link in the last mail that was written there."""
    requests.carry(room)
    found = {}
    for path in sorted((room.outbox / "readers").glob("*.eml"), key=lambda path: path.stat().st_mtime_ns):
        message = email.message_from_bytes(path.read_bytes(), policy=default)
        body = message.get_body(("plain",))
        assert body is not None
        link = re.search(r"https?://\S+/(?:data|move)/\S+", body.get_content())
        if link is not None:
            place = link[0].removeprefix(room.settings.base_url)
            found[str(message["to"])] = (str(message["subject"]).partition(":")[0], place)
    return found


@pytest.fixture
def visitor(sent: Newsroom) -> Visitor:
    return Visitor(sent)


@pytest.fixture
def link(sent: Newsroom, visitor: Visitor) -> str:
    assert visitor.http.post("/data/", data={"email": KNOWN}).status_code == 200
    subject, place = letters(sent)[KNOWN]
    assert subject == "Your data"
    return place


def test_known_and_unknown_addresses_are_answered_alike_and_mailed_once_a_day(sent: Newsroom, visitor: Visitor) -> None:
    sent.subscribers.suppress("gone@example.org", "complaint", sent.clock.now())
    answers = set()
    for address in (KNOWN, "stranger@example.org", "gone@example.org", KNOWN):
        answer = visitor.http.post("/data/", data={"email": address})
        answers.add((answer.status_code, answer.text.replace(address, "ADDRESS")))
    assert len(answers) == 1
    assert set(letters(sent)) == {KNOWN}
    assert visitor.http.post("/data/", data={"email": "nobody"}).status_code == 400


def test_the_links_of_an_issue_do_not_suffice_and_a_fresh_one_grows_old(
    sent: Newsroom, visitor: Visitor, link: str
) -> None:
    held = sent.subscribers.find(KNOWN)
    now, number = sent.clock.now(), sent.subscribers.requests(6)
    assert number == []
    address = readers.preferences_address(sent, held, sent.plan.newsletters[NEWSLETTER])
    payload = f"{held.id}|{ISSUE}"
    asked = link.rpartition("/")[2]
    wrong = [
        address.rpartition("/")[2],
        *(sent.signer.sign(purpose, payload) for purpose in Purpose if purpose not in (Purpose.DATA, Purpose.MOVE)),
        *(sent.signer.sign(purpose, "1") for purpose in Purpose if purpose is not Purpose.DATA),
        sent.signer.sign(Purpose.DATA, "1", now - timedelta(seconds=2)),
        asked[:-2],
    ]
    before = dump(sent)
    for token in wrong:
        for path in (f"/data/{token}", f"/data/{token}/file", f"/data/{token}/address", f"/data/{token}/delete"):
            for method in ("GET", "POST"):
                form = {"delete": "everything", "email": NEW, "answer": "agree"}
                assert visitor.http.request(method, path, data=form).status_code in (404, 405), (path, method)
        assert visitor.http.post(f"/move/{token}", data={"answer": "agree"}).status_code == 404
    assert dump(sent) == before


def test_looking_changes_nothing(sent: Newsroom, visitor: Visitor, link: str) -> None:
    before = dump(sent)
    for path in ("", "/file", "/address", "/delete"):
        for method in ("GET", "HEAD", "OPTIONS"):
            answer = visitor.http.request(method, link + path)
            assert answer.status_code in (200, 405), (path, method)
            assert method == "OPTIONS" or answer.headers["referrer-policy"] == "no-referrer"
            assert len(answer.content) < 15_000
    assert dump(sent) == before


def test_the_page_says_which_programs_were_told(sent: Newsroom, visitor: Visitor, link: str) -> None:
    assert "Told to other programs" not in visitor.http.get(link).text
    now, events = sent.clock.now(), [EventKind.UNSUBSCRIBED, EventKind.SUBSCRIBED]
    sent.webhooks.make("Board", "https://board.example", "s", events, with_address=True, who="x", now=now)
    sent.subscribers.unsubscribe(KNOWN, NEWSLETTER, now)
    held = sent.subscribers.find(KNOWN)
    sent.subscribers.undo_unsubscribe(held.id, NEWSLETTER, now - timedelta(days=1), now)
    assert '<dt>Told to other programs</dt><dd>2<span class="meta"><bdi>Board</bdi></span></dd>' in (
        visitor.http.get(link).text
    )


def test_the_file_holds_everything_and_nothing_of_anybody_else(sent: Newsroom, visitor: Visitor, link: str) -> None:
    page = visitor.http.get(link)
    assert KNOWN in page.text
    assert page.headers["cache-control"] == "no-store"
    answer = visitor.http.get(f"{link}/file")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    held = json.loads(answer.text)
    assert held["email"] == KNOWN
    assert set(held) >= {"name", "countries", "frequency", "language", "timezone", "attributes", "created_at"}
    (subscription,) = held["subscriptions"]
    assert {"newsletter", "status", "consent_at", "consent_source"} <= set(subscription)
    assert [line["what"] for line in held["history"]][:1] == ["subscribed"]
    assert [line["kind"] for line in held["requests"]] == ["data"]
    (message,) = held["messages"]
    assert (message["issue"], message["state"], message["address"]) == (str(ISSUE), "submitted", KNOWN)
    assert OTHER not in answer.text


def agreed(visitor: Visitor, place: str) -> str:
    return visitor.http.post(place, data={"answer": "agree"}).text


@pytest.mark.parametrize("first", [KNOWN, NEW])
def test_the_address_changes_when_both_have_agreed(sent: Newsroom, visitor: Visitor, link: str, first: str) -> None:
    before = sent.subscribers.find(KNOWN)
    assert "Check your mail" in visitor.http.post(f"{link}/address", data={"email": NEW}).text
    found = letters(sent)
    assert {found[KNOWN][0], found[NEW][0]} == {"Change of address"}
    second = NEW if first == KNOWN else KNOWN
    assert KNOWN not in visitor.http.get(found[NEW][1]).text, "the new address is not told the old one"
    assert "as soon as the other address" in agreed(visitor, found[first][1])
    assert "as soon as the other address" in agreed(visitor, found[first][1])
    assert sent.subscribers.find(KNOWN) == before
    assert visitor.http.post(found[second][1]).status_code == 400
    assert "Your address is changed" in agreed(visitor, found[second][1])
    after = sent.subscribers.find(NEW)
    assert (after.id, after.subscriptions, after.preferences) == (before.id, before.subscriptions, before.preferences)
    with pytest.raises(UnknownSubscriberError):
        sent.subscribers.find(KNOWN)
    history = sent.subscribers.show(NEW)["history"]
    assert [line["what"] for line in history][-1] == "moved"  # type: ignore[attr-defined]
    assert visitor.http.get(link).status_code == 404, "a link to the old address shows nothing any more"
    assert "Your address is changed" in visitor.http.get(found[KNOWN][1]).text


def test_the_address_that_mail_goes_to_is_asked_nothing(sent: Newsroom, visitor: Visitor, link: str) -> None:
    answer = visitor.http.post(f"{link}/address", data={"email": KNOWN.replace("example.com", "EXAMPLE.com")})
    assert answer.status_code == 400
    assert "goes to this address already" in answer.text
    assert letters(sent)[KNOWN][0] == "Your data"


@pytest.mark.parametrize("who", [KNOWN, NEW])
def test_either_may_refuse(sent: Newsroom, visitor: Visitor, link: str, who: str) -> None:
    visitor.http.post(f"{link}/address", data={"email": NEW})
    found = letters(sent)
    other = NEW if who == KNOWN else KNOWN
    agreed(visitor, found[other][1])
    assert "Nothing is changed" in visitor.http.post(found[who][1], data={"answer": "refuse"}).text
    for place in (found[who][1], found[other][1]):
        assert "Nothing is changed" in agreed(visitor, place)
    assert sent.subscribers.find(KNOWN)


def test_an_address_that_is_known_or_suppressed_is_answered_alike_and_never_agrees(
    sent: Newsroom, visitor: Visitor, link: str
) -> None:
    sent.subscribers.suppress("gone@example.org", "complaint", sent.clock.now())
    answers = set()
    for address in (NEW, OTHER, "gone@example.org", "fourth@example.org"):
        text = visitor.http.post(f"{link}/address", data={"email": address}).text
        answers.add(text.replace(address, "ADDRESS"))
    assert len(answers) == 1
    found = letters(sent)
    assert not {OTHER, "gone@example.org", "fourth@example.org"} & set(found), "three a day, and none to these"
    assert NEW not in found, "the first one had ended before its mail left"
    assert visitor.http.post(f"{link}/address", data={"email": "a@b@c"}).status_code == 400


def test_whoever_took_the_new_address_meanwhile_keeps_it(sent: Newsroom, visitor: Visitor, link: str) -> None:
    visitor.http.post(f"{link}/address", data={"email": NEW})
    found = letters(sent)
    agreed(visitor, found[KNOWN][1])
    signup = requests.read_address(sent, NEW)
    sent.subscribers.add(signup, sent.clock.now())
    assert "Nothing is changed" in agreed(visitor, found[NEW][1])
    assert sent.subscribers.find(KNOWN).id != sent.subscribers.find(NEW).id


def test_a_reader_deletes_everything(sent: Newsroom, visitor: Visitor, link: str) -> None:
    assert "cannot be undone" in visitor.http.get(f"{link}/delete").text
    assert visitor.http.post(f"{link}/delete").status_code == 400
    assert sent.subscribers.find(KNOWN)
    assert "Everything is deleted" in visitor.http.post(f"{link}/delete", data={"delete": "everything"}).text
    assert KNOWN not in "".join(dump(sent))
    assert visitor.http.post(f"{link}/delete", data={"delete": "everything"}).status_code == 404
    assert visitor.http.get(link).status_code == 404
    visitor.http.post("/subscribe", data={"email": KNOWN, "country": ["CN"]})
    (asked,) = sent.subscribers.requests(6)
    assert requests.confirm(sent, asked, [NEWSLETTER], network="")
    assert sent.subscribers.find(KNOWN).subscriptions[NEWSLETTER].status is Status.CONFIRMED


def test_every_page_speaks_arabic_from_right_to_left(sent: Newsroom, visitor: Visitor, link: str) -> None:
    for path in ("/data/", link, f"{link}/address", f"{link}/delete"):
        assert 'lang="ar" dir="rtl"' in visitor.http.get(path, params={"lang": "ar"}).text
    assert "بياناتك" in visitor.http.get(f"{link}?lang=ar").text


def test_an_admin_erases_by_typing_the_address_and_the_log_names_nobody(sent: Newsroom) -> None:
    admin, number = Visitor(sent).enter(Role.ADMIN), sent.subscribers.find(KNOWN).id
    place = "/subscribers/one"
    admin.http.get(place, params={"address": KNOWN})
    told = admin.order(f"{place}/file", address=KNOWN)
    assert json.loads(told.text)["email"] == KNOWN
    admin.order(place, address=KNOWN, act="suppress")
    assert "Lift the suppression" in admin.http.get(place, params={"address": KNOWN}).text
    assert admin.order(place, address=KNOWN, act="unsuppress", reason=" ").status_code == 400
    admin.order(place, address=KNOWN, act="unsuppress", reason="wrote to us")
    assert sent.subscribers.show(KNOWN)["status"] == "active"
    assert admin.order(place, address=KNOWN, act="erase", typed="mei").status_code == 400
    done = admin.order(place, address=KNOWN, act="erase", typed=KNOWN)
    assert (done.status_code, done.headers["location"]) == (303, "/subscribers")
    assert KNOWN not in "".join(dump(sent))
    lines = [(line.kind, line.remark) for line in reversed(sent.audit.lines())]
    assert lines == [
        ("subscriber", f"subscriber {number}"),
        ("subscriber_data", f"subscriber {number}"),
        ("subscriber_suppress", f"subscriber {number}"),
        ("subscriber", f"subscriber {number}"),
        ("subscriber_unsuppress", f"subscriber {number}"),
        ("subscriber_erase", f"subscriber {number}"),
    ]
    shown = admin.http.get(place, params={"address": KNOWN})
    assert "erased" in shown.text
    assert sent.audit.lines()[0].remark == "an address without a subscriber"
