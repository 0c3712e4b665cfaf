"""What comes back finds its delivery by the MAC of a token and by nothing else, and stops what has to stop."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.deliver import open_transport
from newsletter.model import IssueId, IssueState, Recipient
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import sending
from newsletter.newsroom.dispatch.messages import message_maker
from newsletter.newsroom.readership import bouncing
from newsletter.newsroom.readership.bouncing import Fate
from newsletter.newsroom.readership.envelopes import delivery_of, token_of
from newsletter.newsroom.readership.readers import personal
from newsletter.storage.tables import delivery, issue, issue_progress
from subscribers.bounces.judging import PATIENCE, PROBE_AFTER
from subscribers.bounces.model import BounceClass
from subscribers.tables import bounce, bounce_pause, suppression
from tests.desks import approved_desk
from tests.subscribers.bounces.modern import READER, SENDER, TOKEN, modern
from tests.subscribers.test_bounce_reading import MODERN, OLD, labels

READERS = 200
NOW, LATER = "2026-05-27T08:00:00+00:00", "2026-05-27T10:00:00+00:00"


@pytest.fixture(scope="session")
def sent_desk(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, IssueId]:
    """A desk whose issue of the day was handed over to 200 readers, each of another provider."""
    folder = tmp_path_factory.mktemp("bounces") / "desk"
    environ = {"NEWSLETTER_NOW": NOW}
    readers = ((f"r{number}@d{number}.example", "") for number in range(READERS))
    issue_id = approved_desk(folder, environ, readers)
    with Newsroom.open(folder, environ=environ) as room:
        sending.send(room, issue_id)
    return folder, issue_id


@pytest.fixture
def desk(sent_desk: tuple[Path, IssueId], tmp_path: Path) -> Iterator[Newsroom]:
    folder = tmp_path / "desk"
    shutil.copytree(sent_desk[0], folder)
    # An address where nobody listens: what is to be told stays noted.
    environ = {"NEWSLETTER_NOW": LATER, "NEWSLETTER_ALERT_URL": "http://127.0.0.1:9/"}
    with Newsroom.open(folder, environ=environ) as room:
        yield room


@pytest.fixture
def issue_id(sent_desk: tuple[Path, IssueId]) -> IssueId:
    return sent_desk[1]


def holder(room: Newsroom, number: int) -> str:
    """To whom a delivery went."""
    trace = room.traces.find(number)
    assert trace is not None
    return trace.email


def addressed(data: bytes, room: Newsroom, number: int) -> bytes:
    """The same bounce, of one of our deliveries."""
    email = holder(room, number)
    return data.replace(TOKEN.encode(), token_of(room, number).encode()).replace(READER.encode(), email.encode())


def suppressed(room: Newsroom) -> set[str]:
    with room.database.read() as connection:
        return set(connection.scalars(sa.select(suppression.c.address_key)))


def back(room: Newsroom, name: str, number: int) -> Fate:
    return bouncing.take(room, addressed(MODERN[name][1], room, number)).fate


def told(room: Newsroom, issue_id: IssueId) -> set[str]:
    return {row.kind for row in room.desk_mails.of(issue_id)}


def test_every_message_carries_the_token_of_its_delivery(desk: Newsroom, issue_id: IssueId) -> None:
    held = desk.issues.get(issue_id)
    (edition, *_) = desk.seals.editions(issue_id, 1)
    make = message_maker(desk, held, open_transport(desk.settings, desk.outbox), ())
    for number in (1, 77, READERS):
        trace = desk.traces.find(number)
        assert trace is not None
        given = {"subscriber": trace.subscriber, "email": trace.email, "edition": edition}
        who = Recipient(delivery=number, name="", message_id="<a@b.c>", **given)
        local, _, _ = make(who).envelope_from.partition("@")
        assert delivery_of(desk, local.removeprefix("bounce+")) == number
        assert trace.issue == issue_id
        assert delivery_of(desk, local.removeprefix("bounce+").upper()) == number
    assert desk.traces.find(READERS + 1) is None


def test_the_corpora_find_their_recipients(desk: Newsroom, capsys: pytest.CaptureFixture[str]) -> None:
    """Every failure and complaint of both corpora, each as if it were of another delivery."""
    cases = [(labels()[name], b"Delivered-To: " + SENDER.encode() + b"\n" + data) for name, data in OLD.items()]
    cases += [(kind, data) for _, kind, data in modern()]
    assert len(cases) <= READERS
    right = telling = 0
    deserved = set()
    for number, (meant, data) in enumerate(cases, 1):
        # An old bounce speaks of the address of its own day; here it is about ours.
        taken = bouncing.take(desk, addressed(data, desk, number))
        if taken.fate is Fate.IGNORED:
            continue
        telling += 1
        with desk.database.read() as connection:
            row = connection.execute(sa.select(bounce).where(bounce.c.delivery == number)).one()
        trace = desk.traces.find(number)
        assert trace is not None
        right += row.subscriber_id == trace.subscriber
        if meant in (BounceClass.ADDRESS, BounceClass.COMPLAINT):
            deserved.add(trace.email)
    wrong = suppressed(desk) - deserved
    with capsys.disabled():
        print(f"\nrecipient by token: {right} of {telling} ({len(cases)} messages); suppressed wrongly: {len(wrong)}")
    assert right == telling
    assert telling > 150
    assert wrong == set()
    complained = {holder(desk, n) for n, (kind, _) in enumerate(cases, 1) if kind is BounceClass.COMPLAINT}
    assert complained <= suppressed(desk)


def test_twice_changes_nothing(desk: Newsroom) -> None:
    assert back(desk, "postfix, unknown", 3) is Fate.SUPPRESSED
    shown = desk.subscribers.show(holder(desk, 3))
    assert back(desk, "postfix, unknown", 3) is Fate.KNOWN
    crossed = addressed(MODERN["postfix, unknown"][1], desk, 3).replace(b"\n", b"\r\n")
    assert bouncing.take(desk, b"From x Wed May 27\r\n" + crossed + b"\r\n\r\n").fate is Fate.KNOWN
    assert desk.subscribers.show(holder(desk, 3)) == shown


def test_a_forged_token_is_refused(desk: Newsroom) -> None:
    for name in ("postfix, unknown", "arf, abuse"):
        assert bouncing.take(desk, MODERN[name][1].replace(READER.encode(), b"r0@d0.example")).fate is Fate.FORGED
    ours = token_of(desk, 5)
    number, _, mac = ours.partition("-")
    for forged in (f"6-{mac}", ours[:-1] + ("0" if ours[-1] != "0" else "1"), f"-{number}-{mac}", f"{'f' * 16}-{mac}"):
        assert delivery_of(desk, forged) is None
    nobodys = MODERN["163, no user"][1].replace(SENDER.encode(), b"x@y.example")
    assert bouncing.take(desk, nobodys).fate is Fate.UNADDRESSED
    assert suppressed(desk) == set()
    with desk.database.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(bounce)) == 0


def test_what_comes_back_of_a_message_that_a_restored_backup_does_not_know_is_nobodys(
    desk: Newsroom, issue_id: IssueId
) -> None:
    """Its number is given a second time, to somebody else."""
    lost = token_of(desk, 5, "who.had.it@example.org")
    complaint = MODERN["arf, abuse"][1].replace(TOKEN.encode(), lost.encode())
    assert bouncing.take(desk, complaint).fate is Fate.FORGED
    assert suppressed(desk) == set()
    own = token_of(desk, 5, holder(desk, 5))
    assert bouncing.take(desk, complaint.replace(lost.encode(), own.encode())).fate is Fate.SUPPRESSED
    assert suppressed(desk) == {holder(desk, 5)}


@given(st.text("0123456789abcdefxyzABC-", max_size=50))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nobody_guesses_a_token(desk: Newsroom, text: str) -> None:
    assert delivery_of(desk, text) is None


def test_a_valid_token_beside_a_forged_one_counts(desk: Newsroom) -> None:
    data = addressed(MODERN["postfix, unknown"][1], desk, 9)
    assert bouncing.take(desk, f"X-Old: bounce+{TOKEN}@news.example.com\n".encode() + data).fate is Fate.SUPPRESSED
    assert suppressed(desk) == {holder(desk, 9)}


def test_a_complaint_without_envelope_sender_goes_by_the_link(desk: Newsroom, issue_id: IssueId) -> None:
    trace = desk.traces.find(4)
    assert trace is not None
    who = Recipient(delivery=4, subscriber=trace.subscriber, email=trace.email, name="", edition="", message_id="")
    link = personal(desk, issue_id, who)["unsubscribe"].encode()
    data = MODERN["arf, abuse"][1].replace(SENDER.encode(), b"redacted@example.invalid")
    stripped = data.replace(b"https://news.example.com/unsubscribe/AbCd.fDF8MjM.AAAAAAAAAAAAAAAAAAAAAA", link)
    assert bouncing.take(desk, data).fate is Fate.UNADDRESSED
    assert bouncing.take(desk, stripped).fate is Fate.SUPPRESSED
    assert suppressed(desk) == {trace.email}


def set_row(room: Newsroom, table: sa.Table, **values: object) -> None:
    with room.database.write() as connection:
        connection.execute(sa.update(table).values(values))


def test_refusals_by_policy_stop_the_issue_and_blame_nobody(desk: Newsroom, issue_id: IssueId) -> None:
    set_row(desk, issue, state="sending")
    for number in range(1, 5):
        assert back(desk, "outlook.com, block list", number) is Fate.NOTED
    assert desk.issues.get(issue_id).state is IssueState.SENDING
    back(desk, "outlook.com, block list", 5)
    stopped = desk.issues.get(issue_id)
    assert stopped.state is IssueState.STOPPED
    assert "5 of 200 messages came back as refused by policy" in stopped.reason
    assert any(kind.startswith("stopped") for kind in told(desk, issue_id))
    assert suppressed(desk) == set()


def test_a_few_of_very_many_refusals_stop_nothing(desk: Newsroom, issue_id: IssueId) -> None:
    set_row(desk, issue, state="sending")
    set_row(desk, issue_progress, submitted=1000)
    for number in range(1, 10):
        back(desk, "outlook.com, block list", number)
    assert desk.issues.get(issue_id).state is IssueState.SENDING
    back(desk, "outlook.com, block list", 10)
    assert desk.issues.get(issue_id).state is IssueState.STOPPED


def test_refusals_of_what_is_settled_are_told(desk: Newsroom, issue_id: IssueId) -> None:
    for number in range(1, 6):
        back(desk, "outlook.com, block list", number)
    assert desk.issues.get(issue_id).state is IssueState.SUBMITTED
    assert any(kind.startswith("refused") for kind in told(desk, issue_id))


@pytest.mark.parametrize(
    ("submitted", "complaints", "warned", "paused"),
    [
        (999, 20, False, False),
        (1000, 4, False, False),
        (1000, 5, True, True),
        (4000, 5, True, False),
        (5000, 5, False, False),
    ],
)
def test_complaints_warn_and_then_pause_the_newsletter(
    desk: Newsroom, issue_id: IssueId, submitted: int, complaints: int, warned: bool, paused: bool
) -> None:
    set_row(desk, issue_progress, submitted=submitted)
    for number in range(1, complaints + 1):
        assert back(desk, "arf, abuse", number) is Fate.SUPPRESSED
    in_force = [each for each in desk.overlays.list("torture") if each.ended_at is None]
    assert bool(in_force) == paused
    assert any(kind.startswith(("complaints", "paused")) for kind in told(desk, issue_id)) == warned
    if paused:
        assert in_force[0].who == "breaker"
        assert "(0.50%)" in in_force[0].why


def test_a_newsletter_that_is_there_no_more_is_not_paused(desk: Newsroom, issue_id: IssueId) -> None:
    set_row(desk, issue_progress, submitted=1000)
    plan = desk.plan_file.read_text(encoding="utf-8")
    desk.plan_file.write_text(plan.replace("  torture:\n", "  another:\n"), encoding="utf-8")
    for number in range(1, 7):
        assert back(desk, "arf, abuse", number) is Fate.SUPPRESSED
    assert list(desk.overlays.list()) == []


def test_who_resumes_it_begins_to_count_anew(desk: Newsroom, issue_id: IssueId) -> None:
    from newsletter.newsroom.planning import scheduling

    set_row(desk, issue_progress, submitted=1000)
    for number in range(1, 6):
        back(desk, "arf, abuse", number)
    scheduling.resume(desk, "torture", who="chief")
    back(desk, "arf, abuse", 6)
    assert [each for each in desk.overlays.list("torture") if each.ended_at is None] == []


def forgotten(desk: Newsroom) -> None:
    """Seven readers move to big.example, which knows none of them."""
    for number in range(1, 8):
        with desk.database.write() as connection:
            email = f"r{number - 1}@big.example"
            connection.execute(sa.update(delivery).where(delivery.c.id == number).values(email=email))
            connection.exec_driver_sql(
                f"UPDATE subscriber SET email = '{email}', address_key = '{email}' WHERE id ="
                f" (SELECT subscriber_id FROM delivery WHERE id = {number})"
            )
        data = MODERN["postfix, unknown"][1].replace(TOKEN.encode(), token_of(desk, number).encode())
        bouncing.take(desk, data.replace(READER.encode(), email.encode()))


def test_a_provider_that_forgets_its_people_is_held_and_released(desk: Newsroom, issue_id: IssueId) -> None:
    forgotten(desk)
    assert suppressed(desk) == set()
    assert "held big.example" in told(desk, issue_id)
    assert bouncing.settle(desk, "big.example", dead=True, who="chief") == 7
    assert len(suppressed(desk)) == 7


def test_the_clock_sees_the_probe_leave_and_lets_people_be(desk: Newsroom) -> None:
    trace = desk.traces.find(1)
    assert trace is not None
    now = desk.clock.now()
    ago = now - timedelta(hours=3)
    with desk.database.write() as connection:
        values = {"since": ago - PROBE_AFTER, "probe_at": ago, "probed_at": None, "until": ago}
        connection.execute(sa.insert(bounce_pause).values(subscriber_id=trace.subscriber, **values))
    bouncing.awake(desk)  # its issue was handed over since
    with desk.database.read() as connection:
        row = connection.execute(sa.select(bounce_pause)).one()
    assert row.until == row.probed_at + PATIENCE > now
    bouncing.awake(desk)
    with desk.database.read() as connection:
        assert connection.execute(sa.select(bounce_pause)).one() == row


def test_on_both_databases(database_url: str, tmp_path: Path) -> None:
    environ = {"NEWSLETTER_NOW": NOW, "NEWSLETTER_DATABASE_URL": database_url}
    folder = tmp_path / "desk"
    readers = ((f"r{number}@d{number}.example", "") for number in range(8))
    issue_id = approved_desk(folder, environ, readers)
    with Newsroom.open(folder, environ=environ) as room:
        sending.send(room, issue_id)
        first = room.traces.mailed(1, room.clock.now() - timedelta(days=1))[0][0]
        numbers = [room.traces.latest(subscriber, "torture") or 0 for subscriber in range(1, 9)]
        assert numbers[0] == first
        assert back(room, "postfix, unknown", numbers[0]) is Fate.SUPPRESSED
        assert back(room, "arf, abuse", numbers[1]) is Fate.SUPPRESSED
        assert back(room, "qq, full", numbers[2]) is Fate.SCORED
        assert back(room, "qq, full", numbers[2]) is Fate.KNOWN
        for number in numbers[3:]:
            assert back(room, "outlook.com, block list", number) is Fate.NOTED
        assert room.bounces.people([str(issue_id)], BounceClass.POLICY) == 5
        assert room.traces.submitted("torture", room.clock.now() - timedelta(days=1)) == ([issue_id], 8)
        assert room.traces.handed_to(issue_id, "d3.example") == 1
        assert suppressed(room) == {holder(room, numbers[0]), holder(room, numbers[1])}
        bouncing.awake(room)


def test_nobody_is_suppressed_but_by_what_is_theirs(desk: Newsroom) -> None:
    """Random sequences of everything that may come back, some of it forged, some of it twice, to whomever."""
    deserved: set[str] = set()
    harsh = (BounceClass.ADDRESS, BounceClass.COMPLAINT)

    @given(st.lists(st.tuples(st.sampled_from(sorted(MODERN)), st.integers(1, READERS), st.booleans()), max_size=12))
    @settings(max_examples=25, deadline=None)
    def check(sequence: list[tuple[str, int, bool]]) -> None:
        for name, number, forged in [*sequence, *sequence[:3]]:
            kind, data = MODERN[name]
            if forged:
                data = data.replace(TOKEN.encode(), f"{number:x}-{'0' * 28}".encode())
            taken = bouncing.take(desk, addressed(data, desk, number))
            if kind in harsh and not forged:
                deserved.add(holder(desk, number))
            elif forged:
                assert taken.fate in (Fate.FORGED, Fate.IGNORED)
        assert suppressed(desk) == deserved

    check()
