"""A welcome: one letter to who has confirmed, never a second, and none to who has left."""

from __future__ import annotations

import email
import re
import threading
from datetime import timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from newsletter.errors import TransportError
from newsletter.model import DeliveryState, Outcome
from newsletter.newsroom import Newsroom, desks, posting
from newsletter.newsroom.readership import readers, requests
from newsletter.tokens import Purpose
from subscribers.model import Status
from subscribers.requests import Asked
from subscribers.signups import sign_up

from .conftest import NOW
from .test_digest import DAILY, DIGEST, WEEKLY, set_clock

ADDRESS = "ann@example.org"


@pytest.fixture
def desk(light_room: Newsroom) -> Newsroom:
    set_clock(light_room, NOW)
    with light_room.plan_file.open("a", encoding="utf-8") as file:
        file.write(DIGEST)
    return light_room


def asked(room: Newsroom, *names: str, language: str = "en", often: str = "daily", **choices: object) -> Asked:
    """What Ann asked for, its mail sent."""
    signup = sign_up(ADDRESS, names or (DAILY,), frequency=often, **choices)  # type: ignore[arg-type]
    requests.ask_to_subscribe(room, signup, language=language, network="192.0.2.0/24")
    found = room.subscribers.requests(9)[-1]
    requests.carry(room)
    return found


def confirm(room: Newsroom, found: Asked) -> None:
    requests.confirm(room, room.subscribers.request(found.id), found.newsletters, network="192.0.2.0/24")


def welcomes(room: Newsroom) -> list[EmailMessage]:
    """What lies in the outbox after the clock has ticked a few times within the hour."""
    for minutes in (0, 1, 5, 60):
        set_clock(room, room.clock.now() + timedelta(minutes=minutes))
        requests.carry(room)
    files = sorted((room.outbox / "readers").glob("*.eml"))
    mails = [email.message_from_bytes(file.read_bytes(), policy=default) for file in files]
    return [mail for mail in mails if "List-Unsubscribe" in mail]


def test_who_confirms_is_welcomed_once_in_their_language_and_leaves_by_one_click(room: Newsroom) -> None:
    set_clock(room, NOW)
    confirm(room, asked(room, countries=["JP", "VN"], language="ja", timezone="Asia/Tokyo"))
    (mail,) = welcomes(room)
    assert (mail["to"], mail["subject"]) == (ADDRESS, "Asia AI Daily へようこそ")
    assert mail["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    body = mail.get_body(("plain",))
    assert body is not None
    said = body.get_content()
    assert "日本、ベトナム" in said
    assert "2026年5月27日水曜日 08:00 (日本時間)" in said  # 07:00 in Singapore
    address = mail["list-unsubscribe"].strip("<>")
    assert address in said
    reader = readers.reader_of(room, Purpose.UNSUBSCRIBE, address.rpartition("/")[2])
    assert reader is not None
    readers.unsubscribe(room, reader, "one-click")
    assert room.subscribers.find(ADDRESS).subscriptions[DAILY].status is Status.UNSUBSCRIBED


def test_who_leaves_before_it_left_gets_none(desk: Newsroom) -> None:
    confirm(desk, asked(desk))
    desk.subscribers.unsubscribe(ADDRESS, None, NOW)
    assert welcomes(desk) == []


def test_a_suppressed_address_gets_none(desk: Newsroom) -> None:
    confirm(desk, asked(desk))
    desk.subscribers.suppress(ADDRESS, "complaint", NOW)
    assert welcomes(desk) == []


def test_who_comes_back_or_never_left_is_not_welcomed_again(desk: Newsroom) -> None:
    confirm(desk, asked(desk))
    assert len(welcomes(desk)) == 1
    set_clock(desk, NOW + timedelta(days=2))
    confirm(desk, asked(desk))
    assert len(welcomes(desk)) == 1
    desk.subscribers.unsubscribe(ADDRESS, None, desk.clock.now())
    set_clock(desk, NOW + timedelta(days=4))
    confirm(desk, asked(desk))
    assert desk.subscribers.find(ADDRESS).subscriptions[DAILY].status is Status.CONFIRMED
    assert len(welcomes(desk)) == 1


def test_one_letter_for_all_that_was_confirmed_which_one_click_ends(desk: Newsroom) -> None:
    confirm(desk, asked(desk, DAILY, WEEKLY, often="weekly"))
    (mail,) = welcomes(desk)
    body = mail.get_body(("plain",))
    assert body is not None
    said = body.get_content()
    assert "How often: once a week" in said
    assert "The next issue leaves: Friday, 29 May 2026, 08:00" in said
    assert "every day" not in said
    reader = readers.reader_of(desk, Purpose.UNSUBSCRIBE, mail["list-unsubscribe"].strip("<>").rpartition("/")[2])
    assert reader is not None
    assert reader.titles == ("Asia AI Daily", "Asia AI Weekly")
    readers.unsubscribe(desk, reader, "one-click")
    held = desk.subscribers.find(ADDRESS).subscriptions
    assert {held[name].status for name in (DAILY, WEEKLY)} == {Status.UNSUBSCRIBED}
    assert readers.undo_unsubscribe(desk, reader)
    held = desk.subscribers.find(ADDRESS).subscriptions
    assert {held[name].status for name in (DAILY, WEEKLY)} == {Status.CONFIRMED}


def test_what_does_not_come_with_the_chosen_frequency_is_named(desk: Newsroom) -> None:
    confirm(desk, asked(desk, DAILY, WEEKLY, often="daily"))
    (mail,) = welcomes(desk)
    assert mail["subject"] == "Welcome to Asia AI Daily and Asia AI Weekly"
    body = mail.get_body(("plain",))
    assert body is not None
    said = " ".join(body.get_content().split())
    assert "You chose “every day”, so this does not come: Asia AI Weekly." in said
    assert said.count("The next issue leaves") == 1


def test_a_newsletter_without_days_comes_when_news_breaks(desk: Newsroom) -> None:
    text = desk.plan_file.read_text(encoding="utf-8")
    desk.plan_file.write_text(re.sub(r"days: \[mon.*?\]", "days: []", text, count=1), encoding="utf-8")
    confirm(desk, asked(desk, DAILY))
    (mail,) = welcomes(desk)
    body = mail.get_body(("plain",))
    assert body is not None
    assert "How often: when news breaks" in body.get_content()


def test_a_newsletter_may_have_none(desk: Newsroom) -> None:
    text = desk.plan_file.read_text(encoding="utf-8")
    desk.plan_file.write_text(text.replace("archive: public", "archive: public\n    welcome: false"), encoding="utf-8")
    confirm(desk, asked(desk))
    assert welcomes(desk) == []


@pytest.mark.parametrize("when", ["while it is carried", "before it is noted"])
def test_a_sender_that_dies_over_it_never_sends_it_twice(
    desk: Newsroom, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    confirm(desk, asked(desk))
    carried = []
    true_send = posting.send_once

    def dying(transport: object, messages: list[object], **more: object) -> object:
        carried.append(len(messages))
        if when == "before it is noted":
            true_send(transport, messages, **more)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(posting, "send_once", dying)
        with pytest.raises(KeyboardInterrupt):
            requests.carry(desk)
    assert carried == [1]
    assert len(welcomes(desk)) == (when == "before it is noted")


@pytest.mark.parametrize("answer", ["deferred", "nobody there"])
def test_what_was_surely_not_taken_is_tried_again(desk: Newsroom, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    confirm(desk, asked(desk))

    def refusing(*_: object, **__: object) -> list[Outcome]:
        if answer == "nobody there":
            raise TransportError("nobody there")
        return [Outcome(0, DeliveryState.DEFERRED, 451, "later")]

    with monkeypatch.context() as patch:
        patch.setattr(posting, "send_once", refusing)
        requests.carry(desk)
    assert len(welcomes(desk)) == 1


def test_a_confirm_mail_that_is_noted_late_takes_no_welcome_away(desk: Newsroom) -> None:
    found = asked(desk)
    confirm(desk, found)
    desk.subscribers.settle_request(found, "")  # by who carried the first letter, and was slow to say so
    assert not desk.subscribers.claim_request(found, NOW)
    assert len(welcomes(desk)) == 1


def test_two_links_followed_at_once_bring_one(database_url: str, tmp_path: Path) -> None:
    desks.make_sample_desk(tmp_path / "desk")
    with Newsroom.open(tmp_path / "desk", {"database_url": database_url}, environ={}) as room:
        desks.upgrade(room)
        set_clock(room, NOW)
        first = asked(room)
        set_clock(room, NOW + timedelta(days=2))
        both = [first, asked(room)]
        assert len({each.id for each in both}) == 2
        threads = [threading.Thread(target=confirm, args=(room, each)) for each in both]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(welcomes(room)) == 1


@pytest.mark.parametrize("kind", ["confirm", "known", "link", "data", "leave", "join"])
def test_the_postal_address_is_read_in_its_own_direction_in_arabic_letters(desk: Newsroom, kind: str) -> None:
    facts = {"kind": kind, "title": "T", "titles": "T", "address": "https://x.example", "days": 7}
    letter = desk.templates.letter(facts | {"postal_address": "Example Street, Singapore 1"}, "ar")
    assert '<span dir="auto">Example Street, Singapore 1</span>' in letter.html
