"""What is to be told, over every state of an issue: none that needs a person is silent, none is told twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.model import DeliveryState, Issue, IssueId, IssueState, Sender
from newsletter.newsroom.people.notices import Told, notices_of, trial_at
from newsletter.plan import Approval, ApprovalMode, Newsletter, OnTimeout
from newsletter.storage import Change

DUE = datetime(2026, 5, 26, 23, 0, tzinfo=UTC)
WHO = ("clock", "sender", "breaker", "ed@desk.example")
MINUTES = st.integers(-120, 300).map(lambda minutes: timedelta(minutes=minutes))

newsletters = st.builds(
    lambda mode, by, on_timeout, lock: Newsletter(
        name="asia",
        title="Asia",
        at=time(7),
        timezone=ZoneInfo("Asia/Singapore"),
        days=frozenset(range(1, 8)),
        sender=Sender("Asia", "daily@example.com"),
        postal_address="x",
        countries=("CN",),
        approval=Approval(mode=mode, by=by, on_timeout=on_timeout),
        lock=lock,
    ),
    st.sampled_from(ApprovalMode),
    st.sampled_from([None, time(6, 45), time(22)]),
    st.sampled_from(OnTimeout),
    st.sampled_from([None, time(6, 30), time(23)]),
)
changes = st.builds(
    lambda at, who, state, why: Change(7, DUE + at, who, IssueState.PLANNED, state, why),
    MINUTES,
    st.sampled_from(WHO),
    st.sampled_from(IssueState),
    st.sampled_from(
        ["", "not approved by 06:45", "too few stories: 1 of at least 3", "x" * 500, "no story for it yet"]
    ),
)
REASONS = st.text(max_size=80)


@st.composite
def issues(draw: st.DrawFn, last: Change) -> Issue:
    approved = draw(st.booleans())
    return Issue(
        id=IssueId("asia", date(2026, 5, 27), draw(st.sampled_from([1, 1, 2]))),
        state=last.after,
        reason=draw(st.one_of(st.just(last.why), REASONS)),
        due_at=DUE + draw(st.sampled_from([timedelta(0), timedelta(hours=1), -timedelta(hours=1)])),
        revision=draw(st.integers(0, 3)),
        approved_by=draw(st.sampled_from(["auto", "chief"])) if approved else None,
        approved_at=DUE + draw(MINUTES) if approved else None,
        frozen_at=DUE + draw(MINUTES) if last.after in (IssueState.SENDING, IssueState.SUBMITTED) else None,
    )


COUNTS = st.dictionaries(st.sampled_from([str(state) for state in DeliveryState]), st.integers(0, 2000), max_size=4)


@settings(max_examples=400, deadline=None)
@given(st.data(), newsletters, changes, COUNTS, MINUTES, MINUTES, st.booleans())
def test_every_state_is_told_in_words_that_fit(
    data: st.DataObject,
    newsletter: Newsletter,
    last: Change,
    counts: dict[str, int],
    now: timedelta,
    until: timedelta,
    told: bool,
) -> None:
    issue = data.draw(issues(last))
    earlier = {"draft": DUE - timedelta(hours=2)} if told else {}
    found = list(notices_of(newsletter, issue, [last], counts, earlier, DUE + now, DUE + until))
    kinds = [notice.kind for notice in found]
    assert len(kinds) == len(set(kinds)), "one of each kind"
    for notice in found:
        assert len(notice.kind) <= 60
        assert notice.word.isalpha()
        assert 0 < len(notice.headline) <= 100
        assert "\n" not in notice.headline
        assert notice.headline == notice.headline.strip()
        kept = Told(notice=notice, revision=1, stories=(("a:1", "T"),))
        assert Told.read(kept.write()) == kept
    words = {notice.word for notice in found}
    needs_a_person = {
        IssueState.WAITING: {"held", "few"},
        IssueState.MISSED: {"missed"},
        IssueState.FAILED: {"failed"},
        IssueState.SUBMITTED: {"submitted"},
    }
    if issue.state in needs_a_person:
        assert words & needs_a_person[issue.state]
    if issue.state is IssueState.STOPPED and last.who == "breaker":
        assert "stopped" in words
    if counts.get("unknown") and issue.state is IssueState.SENDING:
        assert "unknown" in words


@settings(max_examples=200, deadline=None)
@given(st.data(), newsletters, changes)
def test_the_mail_server_is_tried_before_the_hour(data: st.DataObject, newsletter: Newsletter, last: Change) -> None:
    issue = data.draw(issues(last))
    assert trial_at(newsletter, issue) <= issue.due_at
