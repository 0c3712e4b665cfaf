"""A restored backup forgets nobody who left: what readers decided since is done again, whoever asks first."""

from __future__ import annotations

import quopri
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from newsletter.errors import NotFoundError, NothingToDoError
from newsletter.model import IssueId, IssueState
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import sending
from newsletter.newsroom.people import telling
from newsletter.newsroom.readership import own_data, readers, replaying, requests, subscriptions
from newsletter.schedule import day
from newsletter.storage.tables import issue
from newsletter.tokens import Purpose
from subscribers.journal import Word
from subscribers.model import Fate, Status, Subscriber, Subscription
from subscribers.requests import RequestKind
from subscribers.signups import sign_up
from tests.desks import NEWSLETTER

from .conftest import GONE, copied
from .test_erasing import FORMER, named, rows

ANN, BEN, NEW = "ann@example.com", "ben@example.net", "new.ben@example.net"

PURPOSES = (Purpose.PREFERENCES, Purpose.UNSUBSCRIBE)

Restore = Callable[[], Newsroom]


@pytest.fixture
def restore(readers_desk: tuple[Newsroom, IssueId], tmp_path: Path) -> Restore:
    """The database is backed up now; puts it back, and opens the desk, whose other files stay as they are."""
    room, _ = readers_desk
    url = room.settings.database_url
    kept = f"sqlite:///{tmp_path / 'backup.db'}" if room.database.is_sqlite else f"{url}_backup"
    if room.database.is_sqlite:
        room.database.backup(tmp_path / "backup.db")
    else:
        room.close()
        copied(url, kept)

    def put_back() -> Newsroom:
        room.close()
        if kept.startswith("sqlite"):
            for beside in ("-wal", "-shm"):
                Path(url.removeprefix("sqlite:///") + beside).unlink(missing_ok=True)
            shutil.copy(tmp_path / "backup.db", url.removeprefix("sqlite:///"))
        else:
            copied(kept, url)
        room.__dict__.clear()
        room.__init__(Newsroom.open(room_folder, environ=environ).settings)  # type: ignore[misc]
        return room

    room_folder = room.desk
    environ = {"NEWSLETTER_NOW": "2026-05-27T08:00:00+00:00", "NEWSLETTER_DATABASE_URL": url}
    return put_back


def mailed(room: Newsroom) -> set[str]:
    text = b"".join(path.read_bytes() for path in room.outbox.rglob("*.eml")).decode()
    told = [line for line in text.splitlines() if line.startswith("To: ")]
    return {each for each in (ANN, BEN, GONE, NEW) if any(each in line for line in told)}


def test_who_left_since_the_backup_is_not_mailed(readers_desk: tuple[Newsroom, IssueId], restore: Restore) -> None:
    room, issue_id = readers_desk
    room.subscribers.unsubscribe(ANN, None, room.clock.now())
    subscriptions.forget(room, GONE)
    journal = (room.desk / ".journal" / "readers.jsonl").read_text()
    assert [word in journal for word in (ANN, GONE, GONE.lower(), "Quist")] == [False] * 4
    room = restore()
    assert room.subscribers.find(ANN).subscriptions[NEWSLETTER].status is Status.CONFIRMED
    assert named(rows(room))
    books = sending.send(room, issue_id)
    assert mailed(room) == {BEN}
    assert books.balanced
    assert named(rows(room)) == []
    assert not replaying.catch_up(room).anybody
    with pytest.raises(NothingToDoError):
        subscriptions.forget(room, GONE)
    wanted = Subscription(Status.CONFIRMED, room.clock.now(), "a list")
    assert room.subscribers.add(sign_up(GONE, [NEWSLETTER], wanted=wanted), room.clock.now()) is Fate.SUPPRESSED


@pytest.mark.parametrize("reason", ["complaint", "bounced", "asked by telephone"])
def test_suppressions_are_known_again_also_of_who_came_after_the_backup(
    readers_desk: tuple[Newsroom, IssueId],
    restore: Restore,
    reason: str,
) -> None:
    room, _ = readers_desk
    now = room.clock.now()
    room.subscribers.add(sign_up("later@example.org", [NEWSLETTER]), now)
    for address in (ANN, "later@example.org", "stranger@example.org"):
        room.subscribers.suppress(address, reason, now, f"{address} said so")
    room = restore()
    done = replaying.catch_up(room)
    assert (done.suppressed, done.unsubscribed, done.erased) == (3, 0, 0)
    for address in (ANN, "later@example.org", "stranger@example.org"):
        shown = room.subscribers.show(address)
        assert shown["status"] == "suppressed"
    assert "stranger" not in rows(room)
    ask = sign_up("stranger@example.org", [NEWSLETTER])
    room.subscribers.ask(RequestKind.SUBSCRIBE, ask, now, language="en", network="", form="1")
    assert bool(room.subscribers.requests(6)) is (reason == "bounced")


def test_a_complaint_outlasts_the_bounce_that_the_backup_knows(
    readers_desk: tuple[Newsroom, IssueId], request: pytest.FixtureRequest
) -> None:
    room, _ = readers_desk
    now = room.clock.now()
    room.subscribers.suppress(ANN, "bounced", now)
    restore: Restore = request.getfixturevalue("restore")
    assert room.subscribers.suppress(ANN, "complaint", now)
    assert not room.subscribers.suppress(ANN, "bounced", now)
    room = restore()
    assert replaying.catch_up(room).suppressed == 1
    ask = sign_up(ANN, [NEWSLETTER])
    room.subscribers.ask(RequestKind.SUBSCRIBE, ask, now, language="en", network="", form="1")
    assert not room.subscribers.requests(6), "a complaint is not lifted"


def test_the_last_word_counts(readers_desk: tuple[Newsroom, IssueId], restore: Restore) -> None:
    room, _ = readers_desk
    now = room.clock.now()
    room.subscribers.unsubscribe(ANN, NEWSLETTER, now)
    assert room.subscribers.undo_unsubscribe(
        room.subscribers.find(ANN).id, NEWSLETTER, now.min.replace(tzinfo=now.tzinfo), now
    )
    room.subscribers.suppress(BEN, "bounced", now)
    subscriptions.unsuppress(room, BEN, "it works again", who="chief")
    room = restore()
    assert not replaying.catch_up(room).anybody
    assert room.subscribers.find(ANN).subscriptions[NEWSLETTER].status is Status.CONFIRMED
    assert room.subscribers.show(BEN)["status"] == "active"


def test_who_moved_gets_nothing_at_the_old_address(readers_desk: tuple[Newsroom, IssueId], restore: Restore) -> None:
    room, issue_id = readers_desk
    held = room.subscribers.find(BEN)
    own_data.ask_change(room, held, NEW, language="en", network="")
    for asked in room.subscribers.requests(6):
        token = room.signer.sign(Purpose.MOVE, str(asked.id))
        move = own_data.moving(room, token)
        assert move is not None
        own_data.agree(room, move, "")
    assert room.subscribers.find(NEW).id == held.id
    subscriptions.forget(room, GONE)
    room = restore()
    sending.send(room, issue_id)
    assert mailed(room) == {ANN}
    assert room.subscribers.find(BEN).subscriptions[NEWSLETTER].status is Status.UNSUBSCRIBED


def test_what_is_decided_before_the_database_has_caught_up_hides_nothing(
    readers_desk: tuple[Newsroom, IssueId],
    restore: Restore,
) -> None:
    room, _ = readers_desk
    room.subscribers.unsubscribe(ANN, None, room.clock.now())
    room = restore()
    room.subscribers.unsubscribe(BEN, None, room.clock.now())
    day.tick(room)
    for address in (ANN, BEN):
        assert room.subscribers.find(address).subscriptions[NEWSLETTER].status is Status.UNSUBSCRIBED
    assert room.reader_journal.last() == 2
    with room.database.read() as connection:
        assert room.reader_journal.mark(connection) == 2


def test_what_was_written_down_and_not_committed_is_done(readers_desk: tuple[Newsroom, IssueId]) -> None:
    """The process dies between the line and the commit: the reader pressed the button."""
    room, _ = readers_desk

    with suppress(ZeroDivisionError), room.database.write() as connection:
        room.reader_journal.note(connection, room.clock.now(), Word.UNSUBSCRIBED, ANN, newsletters=[NEWSLETTER])
        _ = 1 / 0
    assert replaying.catch_up(room).unsubscribed == 1
    assert not replaying.catch_up(room).anybody


def test_a_line_that_was_cut_short_spoils_no_other(readers_desk: tuple[Newsroom, IssueId], restore: Restore) -> None:
    room, _ = readers_desk
    room.subscribers.unsubscribe(ANN, None, room.clock.now())
    with (room.desk / ".journal" / "readers.jsonl").open("a") as file:
        file.write('{"line": 2, "at": "2026-05-')
    room.subscribers.unsubscribe(BEN, None, room.clock.now())
    room = restore()
    assert replaying.catch_up(room).unsubscribed == 2


def test_the_desk_of_a_database_that_knows_all_asks_nothing_of_it(readers_desk: tuple[Newsroom, IssueId]) -> None:
    room, _ = readers_desk
    requests.carry(room)
    said: list[str] = []
    sa.event.listen(room.database.engine, "before_cursor_execute", lambda *words: said.append(words[2]))
    assert not replaying.catch_up(room).anybody
    assert said == []
    assert FORMER not in rows(room)


def test_whoever_came_back_after_an_erasure_is_let_be(readers_desk: tuple[Newsroom, IssueId], restore: Restore) -> None:
    room, _ = readers_desk
    now = room.clock.now()
    subscriptions.forget(room, GONE)
    room.subscribers.ask(RequestKind.SUBSCRIBE, sign_up(GONE, [NEWSLETTER]), now, language="en", network="", form="1")
    (asked,) = room.subscribers.requests(6)
    assert room.subscribers.confirm(asked.id, [NEWSLETTER], now, "") is not None
    room = restore()
    assert replaying.catch_up(room).erased == 1
    wanted = Subscription(Status.CONFIRMED, room.clock.now(), "a list")
    assert room.subscribers.add(sign_up(GONE, [NEWSLETTER], wanted=wanted), room.clock.now()) is Fate.ADDED


def test_nobody_is_answered_who_was_erased_since_the_backup(
    readers_desk: tuple[Newsroom, IssueId], request: pytest.FixtureRequest
) -> None:
    room, _ = readers_desk
    ask = sign_up(GONE, [NEWSLETTER])
    room.subscribers.ask(RequestKind.LINK, ask, room.clock.now(), language="en", network="", form="1")
    restore: Restore = request.getfixturevalue("restore")
    subscriptions.forget(room, GONE)
    room = restore()
    telling.tell(room)
    assert list((room.outbox / "readers").rglob("*.eml")) == []


STRANGER = "stranger@example.org"


def test_nor_is_a_stranger_who_had_asked_for_something_and_was_erased(
    readers_desk: tuple[Newsroom, IssueId], request: pytest.FixtureRequest
) -> None:
    room, _ = readers_desk
    now = room.clock.now()
    for kind in (RequestKind.SUBSCRIBE, RequestKind.DATA):
        room.subscribers.ask(kind, sign_up(STRANGER, [NEWSLETTER]), now, language="en", network="", form="1")
    own_data.ask_change(room, room.subscribers.find(BEN), STRANGER, language="en", network="")
    room.subscribers.suppress("noted@example.org", "complaint", now)
    restore: Restore = request.getfixturevalue("restore")
    subscriptions.forget(room, STRANGER)
    subscriptions.forget(room, "noted@example.org")
    room = restore()
    assert {asked.address.email for asked in room.subscribers.requests(6)} == {STRANGER, BEN}
    assert replaying.catch_up(room).erased == 2
    assert [asked.address.email for asked in room.subscribers.requests(6)] == [BEN], "whose own request stays"
    held = rows(room)
    assert STRANGER not in held
    assert "noted@example.org" not in held
    assert room.subscribers.add(sign_up(STRANGER, [NEWSLETTER]), now) is Fate.SUPPRESSED
    telling.tell(room)
    assert all(STRANGER not in path.read_text() for path in (room.outbox / "readers").rglob("*.eml"))


def test_a_stranger_who_is_suppressed_since_the_backup_is_so_again(
    readers_desk: tuple[Newsroom, IssueId], request: pytest.FixtureRequest
) -> None:
    room, _ = readers_desk
    now = room.clock.now()
    signup = sign_up(STRANGER, [NEWSLETTER])
    room.subscribers.ask(RequestKind.SUBSCRIBE, signup, now, language="en", network="", form="1")
    restore: Restore = request.getfixturevalue("restore")
    room.subscribers.suppress(STRANGER, "complaint", now)
    room = restore()
    assert replaying.catch_up(room).suppressed == 1
    assert room.subscribers.add(signup, now) is Fate.SUPPRESSED
    telling.tell(room)
    assert list((room.outbox / "readers").rglob("*.eml")) == []
    assert room.subscribers.requests(6) == []


def test_a_move_that_failed_is_not_done_again(
    readers_desk: tuple[Newsroom, IssueId], monkeypatch: pytest.MonkeyPatch
) -> None:
    room, _ = readers_desk
    own_data.ask_change(room, room.subscribers.find(BEN), NEW, language="en", network="")
    tokens = [room.signer.sign(Purpose.MOVE, str(asked.id)) for asked in room.subscribers.requests(6)]
    first, second = (own_data.moving(room, token) for token in tokens)
    assert first is not None
    assert second is not None
    own_data.agree(room, first, "")
    monkeypatch.setattr(own_data, "move_reader", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        own_data.agree(room, second, "")
    assert not replaying.catch_up(room).anybody
    assert room.subscribers.find(BEN).subscriptions[NEWSLETTER].status is Status.CONFIRMED


@pytest.mark.parametrize("state", [IssueState.STOPPED, IssueState.REVIEW, IssueState.WAITING, IssueState.APPROVED])
def test_the_rest_of_an_issue_under_correction_follows_a_move(
    readers_desk: tuple[Newsroom, IssueId], state: IssueState
) -> None:
    room, issue_id = readers_desk
    sending.send(room, issue_id, stop=lambda: room.issues.get(issue_id).frozen_at is not None)
    with room.database.write() as connection:
        connection.execute(sa.update(issue).values(state=state))
    own_data.ask_change(room, room.subscribers.find(BEN), NEW, language="en", network="")
    for asked in room.subscribers.requests(6):
        move = own_data.moving(room, room.signer.sign(Purpose.MOVE, str(asked.id)))
        assert move is not None
        own_data.agree(room, move, "")
    assert {row.email for row in room.deliveries.rows(issue_id)} == {ANN, GONE, NEW}


def test_no_link_speaks_for_who_was_given_its_number_afterwards(
    readers_desk: tuple[Newsroom, IssueId], restore: Restore
) -> None:
    """Numbers that the backup does not know are given a second time, and links of mails that left name numbers."""
    room, _ = readers_desk

    def come(address: str) -> tuple[str, ...]:
        """Somebody signs up, asks for their data, and is subscribed; the paths of their links."""
        now = room.clock.now()
        requests.ask_to_subscribe(room, sign_up(address, [NEWSLETTER]), language="en", network="net")
        requests.carry(room)
        wanted = Subscription(Status.CONFIRMED, now, "a list")
        room.subscribers.add(sign_up(address, [NEWSLETTER], wanted=wanted), now)
        own_data.ask_for_data(room, sign_up(address, [NEWSLETTER]), language="en", network="net")
        requests.carry(room)
        held, newsletter = room.subscribers.find(address), room.plan.newsletters[NEWSLETTER]
        sent = b"".join(path.read_bytes() for path in (room.outbox / "readers").glob(f"{address}*.eml"))
        plain = quopri.decodestring(sent).decode()
        found = [re.search(rf"/{place}/([\w.-]+)", plain) for place in ("confirm", "data")]
        links = [
            *(match[1] for match in found if match),
            readers.preferences_address(room, held, newsletter).rpartition("/")[2],
            readers.unsubscribe_address(room, held, [newsletter]).rpartition("/")[2],
        ]
        assert len(links) == 4
        return tuple(links)

    def speaks(links: tuple[str, ...]) -> list[str]:
        """For whom each of those links speaks."""
        asked, data = requests.request_of(room, links[0]), own_data.whose(room, links[1])
        held = [readers.reader_of(room, purpose, link) for purpose, link in zip(PURPOSES, links[2:], strict=True)]
        people = [asked.address.email if asked else "", data[0].email if data else ""]
        return [*people, *(each.subscriber.email if each else "" for each in held)]

    first = come("first@example.org")
    assert speaks(first) == ["first@example.org"] * 4
    number = room.subscribers.find("first@example.org").id
    room = restore()
    second = come("second@example.org")
    assert room.subscribers.find("second@example.org").id == number
    assert speaks(second) == ["second@example.org"] * 4
    assert speaks(first) == [""] * 4


def _move(room: Newsroom, held: Subscriber) -> None:
    """Their address becomes `NEW`, as both have agreed."""
    own_data.ask_change(room, held, NEW, language="en", network="net")
    for asked in room.subscribers.requests(6):
        move = own_data.moving(room, room.signer.sign(Purpose.MOVE, str(asked.id)))
        assert move is not None
        own_data.agree(room, move, "net")


def test_a_link_speaks_for_its_reader_at_their_next_address_too(readers_desk: tuple[Newsroom, IssueId]) -> None:
    room, _ = readers_desk
    held, newsletter = room.subscribers.find(BEN), room.plan.newsletters[NEWSLETTER]
    link = readers.unsubscribe_address(room, held, [newsletter]).rpartition("/")[2]
    _move(room, held)
    reader = readers.reader_of(room, Purpose.UNSUBSCRIBE, link)
    assert reader is not None
    assert reader.subscriber.email == NEW


def test_who_moves_or_is_erased_at_that_moment_leaves_all_the_same(readers_desk: tuple[Newsroom, IssueId]) -> None:
    room, _ = readers_desk
    newsletter = room.plan.newsletters[NEWSLETTER]

    def looked_at(email: str) -> readers.Reader:
        link = readers.unsubscribe_address(room, room.subscribers.find(email), [newsletter]).rpartition("/")[2]
        reader = readers.reader_of(room, Purpose.UNSUBSCRIBE, link)
        assert reader is not None
        return reader

    moving, gone = looked_at(BEN), looked_at(ANN)
    _move(room, moving.subscriber)
    subscriptions.forget(room, ANN)
    for reader in (moving, gone):
        readers.unsubscribe(room, reader, "one-click")
    assert room.subscribers.find(NEW).subscriptions[NEWSLETTER].status is Status.UNSUBSCRIBED
    assert not readers.undo_unsubscribe(room, gone)
    with pytest.raises(NotFoundError):
        readers.choose(room, gone, countries=newsletter.countries)
