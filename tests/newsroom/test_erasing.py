"""Who was erased is nowhere any more, is mailed nothing, and comes back only by their own word."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from newsletter.errors import NothingToDoError
from newsletter.model import DeliveryState, IssueId, Outcome
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import sending
from newsletter.newsroom.dispatch.freezing import freeze
from newsletter.newsroom.dispatch.ledgers import open_ledger
from newsletter.newsroom.readership import bouncing, erasing, imports, own_data, requests, subscriptions
from newsletter.newsroom.readership.envelopes import token_of
from subscribers.model import Fate, SignUp, Status, Subscription
from subscribers.requests import RequestKind
from subscribers.signups import sign_up
from tests.desks import NEWSLETTER
from tests.subscribers.bounces.modern import READER, TOKEN, modern

from .conftest import GONE, NAME

FORMER = "zoe.before@example.net"


def rows(room: Newsroom) -> str:
    """Every row of every table, as text."""
    tables = sa.MetaData()
    tables.reflect(room.database.engine)
    with room.database.read() as connection:
        return "\n".join(
            str(tuple(row)) for table in tables.sorted_tables for row in connection.execute(table.select())
        )


def files(room: Newsroom) -> str:
    """Every file of the desk but for mail that was caught in the outbox."""
    kept = (path for path in room.desk.rglob("*") if path.is_file() and room.outbox not in path.parents)
    return "\n".join(path.read_bytes().decode("utf-8", "replace") for path in kept)


def named(text: str) -> list[str]:
    """What of the person stands in a text, in whatever way it is written."""
    low = text.lower()
    forms = [form for each in (GONE, NAME, FORMER) for form in (each, each.encode("unicode_escape").decode())]
    return [form for form in forms if form.lower() in low]


def everything_about(room: Newsroom, issue_id: IssueId) -> None:
    """Have the person in every table that can hold one."""
    now = room.clock.now()
    with room.database.write() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO subscriber_event (subscriber_id, at, what, detail) VALUES (:n, :at, 'moved', :detail)"
            ),
            {"n": room.subscribers.find(GONE).id, "at": now, "detail": f'{{"before": "{FORMER}", "after": "{GONE}"}}'},
        )
        said = f"550 5.1.1 <{GONE}>: {GONE.lower()} is not here"
        for table, column in (("delivery", "reply"), ("issue_event", "why"), ("issue", "reason")):
            connection.execute(sa.text(f"UPDATE {table} SET {column} = :said WHERE {column} = ''"), {"said": said})
        connection.execute(sa.text("UPDATE delivery SET reply = '' WHERE email <> :email"), {"email": GONE})
    signup = sign_up(GONE, [NEWSLETTER])
    for kind in (RequestKind.SUBSCRIBE, RequestKind.LINK, RequestKind.DATA):
        room.subscribers.ask(kind, signup, now, language="en", network="192.0.2.0/24", form="1")
    room.subscribers.ask(RequestKind.LINK, sign_up(FORMER, [NEWSLETTER]), now, language="en", network="", form="1")
    own_data.ask_change(
        room, room.subscribers.find(GONE), "elsewhere@example.org", language="en", network="192.0.2.0/24"
    )
    requests.carry(room)
    trace = next(each for each in map(room.traces.find, range(1, 4)) if each and each.email == GONE)
    bounce = next(data for _, kind, data in modern() if kind == "mailbox")
    about = bounce.replace(TOKEN.encode(), token_of(room, trace.delivery).encode()).replace(
        READER.encode(), GONE.encode()
    )
    assert bouncing.take(room, about).fate == "scored"
    subscriptions.suppress(room, GONE, who="chief")


def test_a_dump_of_the_database_and_the_files_of_the_desk_name_them_nowhere(
    readers_desk: tuple[Newsroom, IssueId],
) -> None:
    room, issue_id = readers_desk
    assert sending.send(room, issue_id).balanced
    everything_about(room, issue_id)
    brought = room.desk / "brought.csv"
    brought.write_text(f"email\n{GONE}\n", encoding="utf-8")
    with brought.open("rb") as file:
        imports.bring(room, file, "a.csv", newsletters=(NEWSLETTER,), consent_source="", who="x")
    brought.unlink()
    assert len(named(rows(room))) >= 3
    number = room.subscribers.find(GONE).id
    before = room.issues.books(issue_id)
    assert subscriptions.forget(room, GONE) == number
    assert named(rows(room)) == []
    assert named(files(room)) == []
    assert room.issues.books(issue_id) == before
    assert before.balanced
    assert [row.email for row in room.deliveries.rows(issue_id)] == ["", "ann@example.com", "ben@example.net"]
    with pytest.raises(NothingToDoError):
        subscriptions.forget(room, GONE)
    shown = subscriptions.show(room, GONE)
    assert (shown["status"], shown["history"][0]["reason"]) == ("suppressed", "by hand")  # type: ignore[index]


def test_what_is_queued_for_them_is_never_mailed(readers_desk: tuple[Newsroom, IssueId]) -> None:
    room, issue_id = readers_desk
    freeze(room, room.issues.get(issue_id), room.transport(issue_id), lambda: False)
    subscriptions.forget(room, GONE)
    books = sending.send(room, issue_id)
    assert (books.deliveries["submitted"], books.deliveries["cancelled"]) == (2, 1)
    assert books.balanced
    mails = b"".join(path.read_bytes() for path in room.outbox.rglob("*.eml"))
    assert b"Quist" not in mails
    assert GONE.encode() not in mails


@pytest.mark.parametrize("state", [DeliveryState.SUBMITTED, DeliveryState.REJECTED, DeliveryState.DEFERRED])
def test_what_a_server_says_of_a_message_in_hand_names_nobody(
    readers_desk: tuple[Newsroom, IssueId], state: DeliveryState
) -> None:
    room, issue_id = readers_desk
    issue = freeze(room, room.issues.get(issue_id), room.transport(issue_id), lambda: False)
    now = room.clock.now()
    with open_ledger(room, issue, now + timedelta(hours=4), timedelta(hours=4)) as ledger:
        window = ledger.turn(now, claim=10)
        assert window is not None
        subscriptions.forget(room, GONE)
        ledger.turn(now, carried=window, outcomes=[Outcome(n, state, 250, f"<{GONE}> said") for n in (1, 2, 3)])
    assert named(rows(room)).count(GONE) == 1  # the words about the other two, which a server would not say
    first, *_ = room.deliveries.rows(issue_id)
    assert first.reply == ""
    assert room.issues.books(issue_id).balanced


def test_an_import_never_revives_them_and_their_own_confirmation_does(readers_desk: tuple[Newsroom, IssueId]) -> None:
    room, _ = readers_desk
    subscriptions.forget(room, GONE)
    now = room.clock.now()
    wanted = Subscription(Status.CONFIRMED, now, "a list")
    assert room.subscribers.add(sign_up(GONE, [NEWSLETTER], wanted=wanted), now) is Fate.SUPPRESSED
    signup = sign_up(GONE, [NEWSLETTER])
    room.subscribers.ask(RequestKind.SUBSCRIBE, signup, now, language="en", network="", form="1")
    (asked,) = room.subscribers.requests(6)
    held = room.subscribers.confirm(asked.id, [NEWSLETTER], now, "")
    assert held is not None
    assert room.subscribers.show(GONE)["status"] == "active"
    assert held.name == ""


@pytest.mark.parametrize(("reason", "mailed"), [("bounced", True), ("complaint", False), ("by hand", False)])
def test_a_complaint_outlives_the_erasure(readers_desk: tuple[Newsroom, IssueId], reason: str, mailed: bool) -> None:
    room, _ = readers_desk
    now = room.clock.now()
    room.subscribers.suppress(GONE, reason, now)
    subscriptions.forget(room, GONE)
    room.subscribers.ask(RequestKind.SUBSCRIBE, sign_up(GONE, [NEWSLETTER]), now, language="en", network="", form="1")
    assert bool(room.subscribers.requests(6)) is mailed
    assert subscriptions.unsuppress(room, GONE, "they wrote to us", who="chief") == reason
    assert subscriptions.unsuppress(room, GONE, "they wrote to us", who="chief") is None
    fresh = SignUp(address=sign_up(GONE, [NEWSLETTER]).address, newsletters=(NEWSLETTER,))
    assert room.subscribers.add(fresh, now) is Fate.ADDED


def test_who_is_only_suppressed_can_be_erased_too(readers_desk: tuple[Newsroom, IssueId]) -> None:
    room, _ = readers_desk
    room.subscribers.suppress("stranger@example.org", "complaint", room.clock.now(), "stranger@example.org complained")
    assert erasing.erase(room, "stranger@example.org").subscriber == 0
    assert "stranger" not in rows(room) + files(room)
    assert subscriptions.show(room, "stranger@example.org")["status"] == "suppressed"
    with pytest.raises(NothingToDoError):
        erasing.erase(room, "nobody@example.org")
