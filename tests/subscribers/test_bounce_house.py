"""What follows from what comes back: once, never too much, and to be undone by whoever looks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, event, select

from newsletter.storage import Database
from subscribers.audience import Audience
from subscribers.bounces.house import Bounces
from subscribers.bounces.judging import PATIENCE, PROBE_AFTER, is_dead, is_jump
from subscribers.bounces.model import FAILURES, BounceClass, Consequence, Origin, Report
from subscribers.database import upgrade, writing
from subscribers.house import Subscribers
from subscribers.model import Exclusion, Status, Subscription
from subscribers.signups import sign_up
from subscribers.tables import suppression

from .conftest import NOW

NAME = "daily"
DAY = timedelta(days=1)
NUMBERS = count(1)


class Desk:
    """A house with readers, and a sender that remembers what it handed over."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.people = Subscribers(engine)
        self.bounces = Bounces(engine)
        self.mailed: dict[int, list[tuple[int, datetime]]] = {}
        self.handed = 1000

    def add(self, *emails: str) -> None:
        for email in emails:
            wanted = Subscription(Status.CONFIRMED, NOW, "test")
            self.people.add(sign_up(email, [NAME], wanted=wanted), NOW)

    def send(self, email: str, at: datetime, issue: str = "") -> Origin:
        number = next(NUMBERS)
        who = self.people.find(email).id
        self.mailed.setdefault(who, []).append((number, at))
        issue = issue or f"{NAME}/{at:%Y-%m-%d}"
        return Origin(delivery=number, subscriber=who, email=email, newsletter=NAME, issue=issue, sent_at=at)

    def back(self, origin: Origin, kind: BounceClass, at: datetime | None = None, **fields: Any) -> Consequence:
        report = Report(kind=kind, status=fields.pop("status", ""), words=fields.pop("words", ""), **fields)
        _, then = self.bounces.take(
            report,
            origin,
            f"{kind}",
            at or origin.sent_at,
            mailed=lambda: self.mailed[origin.subscriber],
            handed=lambda: self.handed,
        )
        return then

    def suppressed(self) -> dict[str, str]:
        with self.engine.connect() as connection:
            return {row.address_key: row.reason for row in connection.execute(select(suppression))}

    def excluded(self, now: datetime) -> set[Exclusion | None]:
        with writing(self.engine) as connection:
            return {group.excluded for group in Audience(connection, NAME, {}, now).groups()}


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    with Database(database_url, lasting=False) as database:
        upgrade(database.engine)
        made = Desk(database.engine)
        made.add("mei@reader.example")
        yield made


ME = "mei@reader.example"


def test_an_unknown_address_is_suppressed_at_once_and_once(desk: Desk) -> None:
    sent = desk.send(ME, NOW)
    assert desk.back(sent, BounceClass.ADDRESS, status="5.1.1", words="User unknown") is Consequence.SUPPRESSED
    before = desk.people.show(ME)
    assert desk.back(sent, BounceClass.ADDRESS, status="5.1.1", words="User unknown") is Consequence.KNOWN
    assert desk.people.show(ME) == before
    assert before["status"] == "suppressed"
    history = before["history"]
    assert isinstance(history, list)
    assert history[-1] == {
        "at": NOW.isoformat(),
        "what": "bounced",
        "issue": sent.issue,
        "class": "address",
        "status": "5.1.1",
        "words": "User unknown",
        "then": "suppressed",
    }


@pytest.mark.parametrize("kind", [kind for kind in BounceClass if kind not in (*FAILURES, BounceClass.COMPLAINT)])
def test_what_is_no_failure_leaves_no_trace(desk: Desk, kind: BounceClass) -> None:
    before = desk.people.show(ME)
    assert desk.back(desk.send(ME, NOW), kind) is Consequence.NOTED
    assert desk.people.show(ME) == before


def test_policy_blames_nobody_however_often(desk: Desk) -> None:
    for day in range(40):
        assert desk.back(desk.send(ME, NOW + day * DAY), BounceClass.POLICY) is Consequence.NOTED
    assert desk.suppressed() == {}
    assert desk.excluded(NOW + 40 * DAY) == {None}


def test_a_report_about_other_addresses_is_no_proof(desk: Desk) -> None:
    """Where theirs forwards to is gone; theirs may well have kept the message."""
    sent = desk.send(ME, NOW)
    assert desk.back(sent, BounceClass.ADDRESS, recipients=("old@elsewhere.example",)) is Consequence.SCORED
    again = desk.send(ME, NOW)
    assert desk.back(again, BounceClass.ADDRESS, recipients=("x@y.example", ME)) is Consequence.SUPPRESSED


def test_an_address_that_was_changed_since_is_not_touched(desk: Desk) -> None:
    sent = desk.send(ME, NOW)
    old = Origin(
        delivery=99, subscriber=sent.subscriber, email="old@reader.example", newsletter=NAME, issue="x", sent_at=NOW
    )
    assert desk.back(old, BounceClass.ADDRESS) is Consequence.NOTED
    assert desk.suppressed() == {}


def test_five_in_a_row_over_a_week_pause_and_a_failed_probe_suppresses(desk: Desk) -> None:
    then = [desk.back(desk.send(ME, NOW + 2 * day * DAY), BounceClass.MAILBOX) for day in range(5)]
    assert then == [Consequence.SCORED] * 4 + [Consequence.PAUSED]
    paused = NOW + 8 * DAY
    assert desk.excluded(paused + DAY) == {Exclusion.PAUSED}
    assert desk.bounces.awaking(paused + DAY) == []
    probing = paused + PROBE_AFTER
    assert desk.excluded(probing) == {None}
    probe = desk.send(ME, probing)
    ((who, probe_at, left),) = desk.bounces.awaking(probing)
    assert (probe_at, left) == (probing, None)
    assert not desk.bounces.probed(who, probing, probing)
    assert desk.excluded(probing + DAY) == {Exclusion.PAUSED}  # one probe, and no more
    assert desk.back(probe, BounceClass.MAILBOX, probing + DAY) is Consequence.SUPPRESSED
    assert desk.suppressed() == {ME: "bounced"}
    assert desk.bounces.awaking(probing + 30 * DAY) == []


def test_a_probe_that_arrives_ends_the_pause_and_the_count_begins_anew(desk: Desk) -> None:
    late = desk.send(ME, NOW)
    for day in range(1, 6):
        desk.back(desk.send(ME, NOW + 2 * day * DAY), BounceClass.MAILBOX)
    probing = NOW + 10 * DAY + PROBE_AFTER
    who = late.subscriber
    desk.send(ME, probing)
    assert not desk.bounces.probed(who, probing, probing)
    assert desk.bounces.awaking(probing + PATIENCE) == [(who, probing, probing)]
    assert desk.bounces.probed(who, probing, probing + PATIENCE)
    assert desk.bounces.awaking(probing + 99 * DAY) == []
    assert desk.excluded(probing + PATIENCE) == {None}
    assert desk.back(late, BounceClass.MAILBOX, probing + PATIENCE) is Consequence.SCORED
    history = desk.people.show(ME)["history"]
    assert isinstance(history, list)
    assert "resumed" in [line["what"] for line in history]


def test_what_was_sent_before_the_pause_is_no_probe(desk: Desk) -> None:
    sent = [desk.send(ME, NOW + 2 * day * DAY) for day in range(6)]
    fates = [desk.back(each, BounceClass.MAILBOX, NOW + 12 * DAY) for each in sent]
    assert fates[4:] == [Consequence.PAUSED, Consequence.SCORED]
    assert desk.suppressed() == {}


def test_a_message_that_arrived_breaks_the_row() -> None:
    mailed = [(number, NOW + number * 2 * DAY) for number in range(9)]
    assert is_dead(4, mailed, {0, 1, 2, 3, 4}, set())
    assert not is_dead(4, mailed, {0, 1, 3, 4, 5}, set())
    assert is_dead(4, mailed, {0, 1, 3, 4, 5}, {2})  # a refusal by policy says nothing of the mailbox
    assert not is_dead(8, mailed, {0, 1, 2, 3, 4, 8}, set())
    assert is_dead(2, mailed, {0, 1, 2, 3, 4}, set())  # the third of them was slow to come back
    hours = [(number, NOW + number * timedelta(hours=1)) for number in range(50)]
    assert not is_dead(49, hours, set(range(50)), set())
    assert not is_dead(1, [], {1}, set())


def test_a_complaint_is_for_good(desk: Desk) -> None:
    sent = desk.send(ME, NOW)
    desk.back(sent, BounceClass.ADDRESS)
    assert desk.suppressed() == {ME: "bounced"}
    assert desk.back(sent, BounceClass.COMPLAINT) is Consequence.SUPPRESSED
    assert desk.suppressed() == {ME: "complaint"}
    assert desk.back(desk.send(ME, NOW), BounceClass.ADDRESS) is Consequence.NOTED
    assert desk.suppressed() == {ME: "complaint"}


def test_a_provider_that_knows_nobody_any_more_is_looked_at_together(desk: Desk) -> None:
    many = [f"r{number}@big.example" for number in range(8)]
    desk.add(*many)
    desk.handed = 40
    fates = [desk.back(desk.send(each, NOW, issue="daily/1"), BounceClass.ADDRESS) for each in many]
    assert fates == [Consequence.SUPPRESSED] * 4 + [Consequence.HELD] * 4
    assert desk.suppressed() == {}  # those four are held with the others
    (held,) = desk.bounces.held()
    assert (held.provider, held.people) == ("big.example", 8)
    assert desk.back(desk.send(ME, NOW, issue="daily/1"), BounceClass.ADDRESS) is Consequence.SUPPRESSED
    assert desk.bounces.settle("Big.example", NOW, dead=False, how="by chief") == 8
    assert desk.suppressed() == {ME: "bounced"}
    assert desk.bounces.held() == []
    assert desk.bounces.settle("big.example", NOW, dead=True, how="by chief") == 0


def test_what_is_held_can_be_confirmed(desk: Desk) -> None:
    many = [f"r{number}@big.example" for number in range(6)]
    desk.add(*many)
    desk.handed = 10
    for each in many:
        desk.back(desk.send(each, NOW, issue="daily/1"), BounceClass.ADDRESS)
    assert desk.bounces.settle("big.example", NOW, dead=True, how="by chief") == 6
    assert set(desk.suppressed()) == set(many)


def test_people_who_left_are_no_jump() -> None:
    assert not is_jump(4, 4)
    assert not is_jump(50, 1000)
    assert is_jump(51, 1000)


def test_an_erased_subscriber_is_nobody(desk: Desk) -> None:
    ghost = Origin(delivery=7, subscriber=999, email=ME, newsletter=NAME, issue="x", sent_at=NOW)
    desk.mailed[999] = []
    assert desk.back(ghost, BounceClass.ADDRESS) is Consequence.NOBODY


STEPS = st.tuples(
    st.sampled_from(["arrives", *BounceClass]),
    st.integers(1, 60).map(lambda hours: timedelta(hours=hours)),
)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path_factory.mktemp('sequences') / 'house.db'}")
    event.listen(engine, "connect", lambda dbapi, _: dbapi.execute("PRAGMA synchronous = OFF"))
    upgrade(engine)
    yield engine
    engine.dispose()


@given(st.lists(STEPS, max_size=14), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nobody_is_suppressed_wrongly(shared: Engine, steps: list[tuple[str, timedelta]], chance: Any) -> None:
    """Whatever comes back, in whatever order and however often, without cause nobody is suppressed or paused."""
    desk = Desk(shared)
    email = f"reader@r{next(NUMBERS)}.example"
    desk.add(email)
    now, sent = NOW, []
    for kind, wait in steps:
        sent.append((desk.send(email, now), kind))
        now += wait
    after = now + PATIENCE
    chance.shuffle(sent)
    fates = []
    for origin, kind in [*sent, *sent]:
        if kind != "arrives":
            fates.append(desk.back(origin, BounceClass(kind), after))
    kinds = [BounceClass(kind) for _, kind in sent if kind != "arrives"]
    cause = {BounceClass.ADDRESS, BounceClass.COMPLAINT} & set(kinds)
    scored = sum(kind in (BounceClass.MAILBOX, BounceClass.OTHER, BounceClass.ADDRESS) for kind in kinds)
    assert (email in desk.suppressed()) == bool(cause)
    if Consequence.PAUSED in fates:
        assert scored >= 5
        assert now - NOW >= timedelta(days=7)
    failures = [kind for kind in kinds if kind in (*FAILURES, BounceClass.COMPLAINT)]
    assert fates.count(Consequence.KNOWN) == len(failures)


def test_a_second_suppression_by_hand_is_none(desk: Desk) -> None:
    assert desk.people.suppress(ME, "by hand", NOW)
    before = desk.people.show(ME)
    assert not desk.people.suppress(ME, "by hand", NOW)
    assert desk.people.show(ME) == before
