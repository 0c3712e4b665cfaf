"""What the database remembers, on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import subscribers.database
from newsletter.errors import NotFoundError, StorageError
from newsletter.model import (
    CountryOrigin,
    CountrySection,
    DeliveryState,
    IssueId,
    IssueState,
    Outcome,
    PlacedStory,
    Precision,
    Sender,
    Snapshot,
    Story,
    StoryStatus,
)
from newsletter.storage import (
    Accounts,
    Contents,
    Database,
    Deliveries,
    IssueLedger,
    Issues,
    Journal,
    Role,
    Seals,
    Sends,
    Stories,
    schema,
)
from newsletter.storage.documents import STORY
from newsletter.storage.recorder import sweep_drafts
from newsletter.storage.schema import VERSION_TABLE
from newsletter.storage.tables import METADATA

from ..conftest import ROOT, audience_of

NOW = datetime(2026, 5, 27, 5, 30, tzinfo=UTC)
ISSUE = IssueId("asia-ai-daily", date(2026, 5, 27))


def story(number: int = 1, **values: object) -> Story:
    fields: dict[str, object] = {
        "source": "desk",
        "external_id": str(number),
        "url": f"https://example.com/{number}",
        "url_canonical": f"https://example.com/{number}",
        "title": f"Story {number}",
        "outlet": "Example Wire",
        "published_at": NOW - timedelta(hours=number),
        "country": "CN",
        "country_origin": CountryOrigin.FEED,
        "machine_tags": {"desk-id": str(number)},
        "tags": ("AI", "Chips"),
    }
    return Story(**{**fields, **values})  # type: ignore[arg-type]


def snapshot(*stories: Story) -> Snapshot:
    return Snapshot(
        newsletter=ISSUE.newsletter,
        date=ISSUE.date,
        title="Asia AI Daily",
        template="daily",
        sender=Sender("Asia AI Daily", "daily@example.com"),
        postal_address="1 Example Street",
        timezone="Asia/Singapore",
        languages=("en",),
        sections=(CountrySection("CN", tuple(PlacedStory(each) for each in stories)),),
        lead=stories[0].id,
    )


@pytest.mark.parametrize(
    ("house", "current"), [("newsletter/storage", schema.is_current), ("subscribers", subscribers.database.is_current)]
)
def test_migrations_stand_in_one_line_by_the_numbers_of_their_files(
    house: str, current: Callable[[sa.Engine], bool], tmp_path: Path
) -> None:
    folder = ROOT / house / "migrations"
    scripts = list(ScriptDirectory(str(folder)).walk_revisions())
    assert [Path(each.path).name[:4] for each in scripts] == [each.revision for each in scripts]
    assert [each.revision for each in scripts] == [f"{number:04}" for number in range(len(scripts), 0, -1)]
    with Database(f"sqlite:///{tmp_path / 'newsletter.db'}") as database:
        assert not current(database.engine)
        database.upgrade()
        subscribers.database.upgrade(database.engine)
        assert current(database.engine)
        for table in (schema.VERSION_TABLE, subscribers.database.VERSION_TABLE):
            with database.write() as connection:
                connection.exec_driver_sql(f"UPDATE {table} SET version_num = '0001'")
        assert not current(database.engine)


def test_tables_and_migrations_agree(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_stories_of_an_earlier_version_are_known_by_what_makes_copies(database_url: str) -> None:
    """A desk of version 0001, upgraded: its stories keep their words, and wait for their related reading."""
    import alembic.command

    from newsletter.storage import StoryLinks, schema

    with Database(database_url) as database:
        with database.write() as connection:
            alembic.command.upgrade(schema.config(connection), "0001")
            old = {
                "source": story(1).source,
                "external_id": story(1).external_id,
                "country": "CN",
                "status": "ready",
                "revision": 3,
            }
            document = STORY.dump_json(story(1)).decode()
            at = sa.bindparam("at", type_=sa.DateTime(timezone=True))
            connection.execute(
                sa.text(
                    "INSERT INTO story (source, external_id, country, status, revision, published_at, available_at,"
                    " document) VALUES (:source, :external_id, :country, :status, :revision, :at, :at, :document)"
                ).bindparams(at),
                old | {"document": document, "at": NOW},
            )
        database.upgrade()
        links = StoryLinks(database)
        assert [each.story.id for each in links.waiting(9)] == [story(1).id]
        assert links.changed_since(0, 9)[1] == 1
        found = links.copies([story(2, url=story(1).url, url_canonical=story(1).url_canonical)], timedelta(days=3))
        assert set(found[story(2).id]) == {story(1).id}


def test_a_send_of_an_earlier_version_goes_on(database_url: str, tmp_path: Path) -> None:
    """A desk of version 0004 that was killed while it sent: the books stay, and each delivery has one fate."""
    import alembic.command

    stood = ("submitted", "rejected", "sending", "sending", "deferred", "queued", "queued")
    at = sa.bindparam("at", type_=sa.DateTime(timezone=True))
    with Database(database_url) as database:
        with database.write() as connection:
            alembic.command.upgrade(schema.config(connection), "0004")
            connection.execute(
                sa.text(
                    "INSERT INTO issue (id, newsletter, local_date, number, state, reason, due_at,"
                    " revision, candidates,"
                    " excluded) VALUES (1, 'asia-ai-daily', '2026-05-27', 1, 'sending', '', :at, 1, 7, '{}')"
                ).bindparams(at),
                {"at": NOW},
            )
            for number, state in enumerate(stood, 1):
                values: dict[str, object] = {"n": number, "email": f"r{number}@example.com", "state": state}
                values |= {"mid": f"<{number}@example.com>", "tries": int(state != "queued"), "at": NOW}
                values |= {"owner": "dead" if state == "sending" else None}
                values |= {"due": NOW + timedelta(minutes=1) if state == "deferred" else None}
                due = sa.bindparam("due", type_=sa.DateTime(timezone=True))
                connection.execute(
                    sa.text(
                        "INSERT INTO delivery (issue_id, subscriber_id, email, name, edition, message_id, state, owner,"
                        " attempts, not_before, reply, changed_at) VALUES (1, :n, :email, '', 'CN.en', :mid, :state,"
                        " :owner, :tries, :due, '', :at)"
                    ).bindparams(at, due),
                    values,
                )
        database.upgrade()
        check(database)
        with ledger(database, tmp_path / "flights") as sender:
            assert sender.counts() == {"submitted": 1, "rejected": 1, "sending": 2, "deferred": 1, "queued": 2}
            assert sender.recover(NOW) == 2
            window = sender.turn(NOW, claim=9)
            assert window is not None
            assert [(one.subscriber, one.attempts) for one in window.recipients] == [(6, 1), (7, 1)]
            assert [one.message_id for one in window.recipients] == ["<6@example.com>", "<7@example.com>"]
        check(database)


def test_upgrade_is_repeatable_and_its_lack_is_explained(database_url: str) -> None:
    with Database(database_url) as database:
        with pytest.raises(StorageError, match="newsletter db upgrade"):
            database.require_schema()
        database.upgrade()
        database.upgrade()
        database.require_schema()


def test_ingest_twice_changes_nothing_and_a_change_is_a_revision(database: Database) -> None:
    stories = Stories(database)
    assert stories.ingest([story(1), story(2), story(1)], NOW).new == 2
    again = stories.ingest([story(1), story(2)], NOW + timedelta(hours=1))
    assert (again.new, again.revised, again.unchanged) == (0, 0, 2)
    changed = stories.ingest([story(1, title="Corrected")], NOW + timedelta(hours=2))
    assert changed.revised == 1
    stored = stories.get("desk:1")
    assert (stored.title, stored.revision, stored.gathered_at) == ("Corrected", 2, NOW)


def test_a_date_that_we_made_up_is_no_revision(database: Database) -> None:
    stories = Stories(database)
    undated = story(1, published_precision=Precision.FETCHED, published_at=NOW)
    stories.ingest([undated], NOW)
    later = NOW + timedelta(hours=3)
    assert stories.ingest([replace(undated, published_at=later)], later).unchanged == 1
    assert stories.get("desk:1").published_at == NOW


def test_an_editors_country_stays(database: Database) -> None:
    stories = Stories(database)
    stories.ingest([story(1, country="SG", country_origin=CountryOrigin.EDITOR)], NOW)
    stories.ingest([story(1, title="New title", country="CN", country_origin=CountryOrigin.FEED)], NOW)
    assert (stories.get("desk:1").country, stories.get("desk:1").title) == ("SG", "New title")


def test_the_window_leaves_out_what_a_sealed_issue_carried(database: Database) -> None:
    stories, issues = Stories(database), Issues(database)
    stories.ingest([story(1), story(2), story(3, country=None), story(4, status=StoryStatus.HELD)], NOW)
    names = ["asia-ai-daily"]

    def window(**values: object) -> list[str]:
        rule: dict[str, object] = {
            "available_after": None,
            "available_until": NOW,
            "published_after": NOW - timedelta(days=7),
            "published_until": NOW,
            "not_carried_by": names,
            "issue_id": IssueId("asia-ai-daily", date(2026, 5, 28)),
        }
        return [each.id for each in stories.window(**{**rule, **values})]  # type: ignore[arg-type]

    assert window() == ["desk:2", "desk:1"]
    issues.plan(ISSUE, NOW, NOW, "clock")
    issues.store_draft(ISSUE, snapshot(story(1)), IssueState.REVIEW, window_end=NOW, now=NOW, who="clock")
    assert window() == ["desk:2", "desk:1"], "a draft has carried nothing yet"
    assert Seals(database).seal(ISSUE, 1, [], "chief@example.com", NOW)
    assert window() == ["desk:2"]
    assert window(not_carried_by=["breaking"]) == ["desk:2", "desk:1"]
    assert window(issue_id=ISSUE) == ["desk:2", "desk:1"], "an issue built again keeps its own stories"
    assert window(available_after=NOW) == []
    other = IssueId("asia-ai-daily", date(2026, 5, 28))
    assert Contents(database).last_window_end("asia-ai-daily", other) == NOW
    assert Contents(database).last_window_end("asia-ai-daily", ISSUE) is None


def test_what_becomes_available_late_is_not_lost(database: Database) -> None:
    """A story that was filed, or whose embargo ended, after a window had closed belongs to the next one."""
    stories = Stories(database)
    unfiled, embargoed = story(1, country=None), story(2, embargo=NOW + timedelta(hours=3))
    stories.ingest([unfiled, embargoed], NOW)

    def window(after: datetime, until: datetime) -> list[str]:
        found = stories.window(
            available_after=after,
            available_until=until,
            published_after=NOW - timedelta(days=7),
            published_until=NOW,
            not_carried_by=[],
            issue_id=ISSUE,
        )
        return [each.id for each in found]

    assert window(NOW - timedelta(days=1), NOW) == []
    stories.ingest([story(1)], NOW + timedelta(hours=1))
    stories.ingest([story(1, title="And corrected later")], NOW + timedelta(hours=2))
    assert window(NOW, NOW + timedelta(hours=1)) == ["desk:1"]
    assert window(NOW, NOW + timedelta(hours=3)) == ["desk:2", "desk:1"]
    assert window(NOW + timedelta(hours=1), NOW + timedelta(hours=3)) == ["desk:2"]
    stories.ingest([story(2)], NOW + timedelta(hours=2))
    assert window(NOW + timedelta(hours=1), NOW + timedelta(hours=2)) == ["desk:2"], "its embargo was lifted"


def test_states_change_by_compare_and_set_and_are_recorded(database: Database) -> None:
    issues = Issues(database)
    first = issues.plan(ISSUE, NOW, NOW, "clock")
    assert issues.plan(ISSUE, NOW + timedelta(days=1), NOW, "another clock") == first
    assert issues.move(ISSUE, [IssueState.PLANNED], IssueState.MISSED, now=NOW, who="clock", why="down")
    assert not issues.move(ISSUE, [IssueState.PLANNED], IssueState.BUILDING, now=NOW, who="clock")
    assert [(step.before, step.after, step.why) for step in issues.history(ISSUE)] == [
        (None, IssueState.PLANNED, ""),
        (IssueState.PLANNED, IssueState.MISSED, "down"),
    ]
    with pytest.raises(NotFoundError, match="issue build"):
        issues.get(IssueId("asia-ai-daily", date(2020, 1, 1)))


def test_a_snapshot_comes_back_as_it_was_and_a_new_draft_voids_the_approval(database: Database) -> None:
    issues = Issues(database)
    issues.plan(ISSUE, NOW, NOW, "clock")
    said = snapshot(story(1), story(2))
    issues.store_draft(ISSUE, said, IssueState.REVIEW, window_end=NOW, now=NOW, who="clock")
    assert issues.get(ISSUE).snapshot == said
    assert not Seals(database).seal(ISSUE, 7, [], "chief@example.com", NOW), "another revision than the one looked at"
    assert Seals(database).seal(ISSUE, 1, [], "chief@example.com", NOW)
    edited = issues.store_draft(ISSUE, snapshot(story(2)), IssueState.REVIEW, window_end=NOW, now=NOW, who="editor")
    assert edited is not None
    assert (edited.revision, edited.approved_by, edited.state) == (2, None, IssueState.REVIEW)


def frozen_issue(database: Database, count: int) -> None:
    issues = Issues(database)
    issues.plan(ISSUE, NOW, NOW, "clock")
    issues.store_draft(ISSUE, snapshot(story(1)), IssueState.REVIEW, window_end=NOW, now=NOW, who="clock")
    Seals(database).seal(ISSUE, 1, [], "chief@example.com", NOW)
    recipients = audience_of(*(f"r{n}@example.com" for n in range(1, count + 1)))
    for revision, frozen in ((7, False), (1, True), (1, False)):  # not the approved one; it is; once is enough
        with database.write() as connection:
            assert frozen == Sends(database).freeze(
                connection,
                ISSUE,
                revision,
                recipients,
                excluded={"suppressed": 1},
                now=NOW,
                message_seed="5eed",
                message_domain="example.com",
            )


def check(database: Database) -> None:
    """The running totals are what counting gives."""
    books = Issues(database).books(ISSUE)
    assert books.balanced
    assert {state: number for state, number in books.deliveries.items() if number} == Deliveries(database).counts(ISSUE)


def ledger(
    database: Database,
    flights: Path,
    *,
    gone: frozenset[int] = frozenset(),
    resend: bool = False,
    give_up_at: datetime = NOW + timedelta(minutes=2),
    give_up_after: timedelta = timedelta.max,
) -> IssueLedger:
    return IssueLedger(
        database,
        ISSUE,
        flights=flights,
        journal=Journal(Path(f"{flights}.journal")),
        wanted=lambda connection, ids: set(ids) - gone,
        backoff=lambda attempts: timedelta(minutes=attempts),
        give_up_at=give_up_at,
        give_up_after=give_up_after,
        resend=resend,
    )


def test_books_balance_through_a_whole_send(database: Database, tmp_path: Path) -> None:
    frozen_issue(database, 6)
    issues = Issues(database)
    assert issues.books(ISSUE).balanced
    assert issues.books(ISSUE).candidates == 7
    with ledger(database, tmp_path, gone=frozenset({6})) as sender:
        window = sender.turn(NOW, claim=10)
        assert window is not None
        assert [each.subscriber for each in window.recipients] == [1, 2, 3, 4, 5]
        check(database)
        assert sender.turn(NOW, claim=10) is None
        states = (DeliveryState.SUBMITTED, DeliveryState.REJECTED, DeliveryState.DEFERRED, DeliveryState.UNKNOWN)
        outcomes = [
            Outcome(each.delivery, state, 250, "words")
            for each, state in zip(window.recipients, states, strict=False)  # of the fifth nothing left
        ]
        assert sender.turn(NOW, carried=window, outcomes=outcomes) is None
        assert sender.counts() == {
            "submitted": 1,
            "rejected": 1,
            "deferred": 1,
            "unknown": 1,
            "queued": 1,
            "cancelled": 1,
        }
        check(database)
        due = sender.next_due()
        assert due is not None
        assert due <= NOW, "what never left is due at once"
        again = sender.turn(NOW, claim=10)
        assert again is not None
        assert [(each.subscriber, each.attempts) for each in again.recipients] == [(5, 1)], "and has used no attempt"
        taken = [Outcome(again.recipients[0].delivery, DeliveryState.SUBMITTED)]
        assert sender.turn(NOW, carried=again, outcomes=taken, claim=10) is None
        assert sender.next_due() == NOW + timedelta(minutes=1)
        late = NOW + timedelta(minutes=1)
        deferred = sender.turn(late, claim=10)
        assert deferred is not None
        assert [(each.subscriber, each.attempts) for each in deferred.recipients] == [(3, 2)]
        check(database)
        words = [Outcome(deferred.recipients[0].delivery, DeliveryState.DEFERRED, 451, "later")]
        sender.turn(late, carried=deferred, outcomes=words)
    books = issues.books(ISSUE)
    assert books.deliveries["expired"] == 1, "its next try would come after the deadline"
    assert books.doubts == 1
    check(database)
    rows = {row.email: row for row in Deliveries(database).rows(ISSUE)}
    assert rows["r1@example.com"].message_id == window.recipients[0].message_id
    assert len({row.message_id for row in rows.values()}) == 6
    assert {row.email: row.attempts for row in rows.values()} == {
        f"r{number}@example.com": tries for number, tries in enumerate((1, 1, 2, 1, 1, 0), 1)
    }


def test_a_turn_records_and_claims_at_once(database: Database, tmp_path: Path) -> None:
    frozen_issue(database, 5)
    with ledger(database, tmp_path) as sender:
        seen: list[int] = []
        window, outcomes = None, []
        while window := sender.turn(NOW, carried=window, outcomes=outcomes, claim=2):
            seen += [each.subscriber for each in window.recipients]
            outcomes = [Outcome(each.delivery, DeliveryState.SUBMITTED, 250, "ok") for each in window.recipients]
            check(database)
    assert seen == [1, 2, 3, 4, 5]
    assert Deliveries(database).counts(ISSUE) == {"submitted": 5}


def test_under_resend_a_doubt_is_tried_again_until_the_deadline(database: Database, tmp_path: Path) -> None:
    frozen_issue(database, 1)
    with ledger(database, tmp_path, resend=True) as sender:
        for minutes, state in ((0, "deferred"), (1, "unknown")):
            window = sender.turn(NOW + timedelta(minutes=minutes), claim=1)
            assert window is not None
            doubt = Outcome(window.recipients[0].delivery, DeliveryState.UNKNOWN, None, "the line broke")
            sender.turn(NOW + timedelta(minutes=minutes), carried=window, outcomes=[doubt])
            assert sender.counts() == {state: 1}
            check(database)


def test_only_the_owner_records_and_the_living_are_not_robbed(database: Database, tmp_path: Path) -> None:
    frozen_issue(database, 2)
    with ledger(database, tmp_path) as first, ledger(database, tmp_path) as second:
        window = first.turn(NOW, claim=2)
        assert window is not None
        assert second.turn(NOW, claim=2) is None
        words = [Outcome(window.recipients[0].delivery, DeliveryState.REJECTED, 550, "not yours")]
        second.turn(NOW, carried=window, outcomes=words)
        assert second.recover(NOW) == 0
        assert first.counts() == {"sending": 2}
        assert [row.state for row in Deliveries(database).rows(ISSUE, DeliveryState.SENDING)] == ["sending"] * 2
        assert list(Deliveries(database).rows(ISSUE, DeliveryState.QUEUED)) == []
        check(database)


CRASH = """
import sys, os, signal
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from newsletter.model import DeliveryState, IssueId, Outcome
from newsletter.storage import Database, IssueLedger, Journal
ledger = IssueLedger(Database(sys.argv[1]), IssueId("asia-ai-daily", date(2026, 5, 27)), flights=Path(sys.argv[2]),
    journal=Journal(Path(sys.argv[2] + ".journal")),
    wanted=lambda connection, ids: set(ids), backoff=lambda n: timedelta(minutes=1),
    give_up_at=datetime(2026, 5, 28, tzinfo=UTC))
ledger.__enter__()
window = ledger.turn(datetime(2026, 5, 27, 5, 30, tzinfo=UTC), claim=5)
claimed = [each.delivery for each in window.recipients]
for delivery in claimed[:4]:
    ledger.leaving(delivery)
for delivery, state, code in zip(claimed, [DeliveryState.SUBMITTED, DeliveryState.DEFERRED, DeliveryState.REJECTED],
        [250, 451, 550]):
    ledger.answered(Outcome(delivery, state, code, "words"))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("resend", [False, True])
def test_what_a_killed_sender_had_in_flight_is_settled_by_its_recorder(
    database: Database, database_url: str, tmp_path: Path, resend: bool
) -> None:
    """Of five claimed: three answered, one whose dot had left, one that had not; a sixth nobody had claimed."""
    frozen_issue(database, 6)
    flights = tmp_path / "flights"
    killed = subprocess.run([sys.executable, "-c", CRASH, database_url, str(flights)], check=False)
    assert killed.returncode == -9
    with ledger(database, flights, resend=resend) as survivor:
        assert survivor.counts() == {"queued": 1, "sending": 5}
        assert survivor.recover(NOW) == 5
        doubtful = {"deferred": 2} if resend else {"deferred": 1, "unknown": 1}
        assert survivor.counts() == {"submitted": 1, "rejected": 1, "queued": 2, **doubtful}
        assert survivor.recover(NOW) == 0
    assert list(flights.iterdir()) == [], "nothing is left of the dead"
    rows = {row.state: row for row in Deliveries(database).rows(ISSUE)}
    assert rows[DeliveryState.REJECTED].code == 550
    check(database)


def test_without_a_recorder_of_this_boot_everything_in_flight_is_in_doubt(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    frozen_issue(database, 6)
    flights = tmp_path / "flights"
    subprocess.run([sys.executable, "-c", CRASH, database_url, str(flights)], check=False)
    (flight,) = flights.iterdir()
    data = bytearray(flight.read_bytes())
    data[8:16] = b"00000000"  # another boot id: the power failed, and what memory held is worth nothing
    flight.write_bytes(data)
    with ledger(database, flights) as survivor:
        assert survivor.recover(NOW) == 5
        assert survivor.counts() == {"queued": 1, "unknown": 5}


def test_a_sender_that_could_not_record_leaves_its_recorder_behind(database: Database, tmp_path: Path) -> None:
    frozen_issue(database, 2)
    with ledger(database, tmp_path / "flights") as sender:
        window = sender.turn(NOW, claim=2)
        assert window is not None
        first, _ = window.recipients
        sender.leaving(first.delivery)
        sender.answered(Outcome(first.delivery, DeliveryState.SUBMITTED, 250, "taken"))
    with ledger(database, tmp_path / "flights") as another:
        assert another.recover(NOW) == 2
        assert another.counts() == {"submitted": 1, "queued": 1}
    check(database)


def test_a_claim_that_its_sender_never_learnt_of_is_taken_back(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line to the database can break between a commit and the word of it."""
    frozen_issue(database, 4)
    whole = Database.write

    @contextmanager
    def breaks(self: Database) -> Iterator[sa.Connection]:
        with whole(self) as connection:
            yield connection
        raise StorageError("the line broke")

    with ledger(database, tmp_path) as sender:
        window = sender.turn(NOW, claim=2)
        assert window is not None
        outcomes = [Outcome(each.delivery, DeliveryState.SUBMITTED, 250, "ok") for each in window.recipients]
        monkeypatch.setattr(Database, "write", breaks)
        with pytest.raises(StorageError):
            sender.turn(NOW, carried=window, outcomes=outcomes, claim=2)
        monkeypatch.setattr(Database, "write", whole)
        assert sender.turn(NOW, carried=window, outcomes=outcomes) is None, "what is recorded is recorded once"
        assert sender.counts() == {"submitted": 2, "sending": 2}
        assert sender.recover(NOW) == 2
        assert sender.counts() == {"submitted": 2, "queued": 2}
        monkeypatch.setattr(Database, "write", breaks)
        with pytest.raises(StorageError):
            sender.turn(NOW, claim=2)
        monkeypatch.setattr(Database, "write", whole)
    with ledger(database, tmp_path) as another:
        assert another.recover(NOW) == 2
        assert another.counts() == {"submitted": 2, "queued": 2}, "its recorder says that nothing of it ever left"
    check(database)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_sender_whose_session_ended_sends_no_more_and_is_not_robbed(database: Database, tmp_path: Path) -> None:
    frozen_issue(database, 2)
    with ledger(database, tmp_path) as sender, ledger(database, tmp_path) as another:
        window = sender.turn(NOW, claim=2)
        assert window is not None
        first, second = window.recipients
        sender.leaving(first.delivery)
        with database.write() as connection:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            connection.execute(sa.text(others + " AND datname = current_database()"))

        def leave_until_told() -> None:
            for _ in range(100):  # the word of goodbye may take a moment
                sender.leaving(second.delivery)
                time.sleep(0.05)

        with pytest.raises(StorageError, match="the session with the database ended"):
            leave_until_told()
        assert another.recover(NOW) == 0, "its process lives, and has one message in the air"
        taken = [Outcome(first.delivery, DeliveryState.SUBMITTED, 250, "ok")]
        sender.turn(NOW, carried=window, outcomes=taken)
        assert sender.counts() == {"submitted": 1, "queued": 1}
    check(database)


def test_what_the_dead_left_without_anything_in_hand_is_swept_away(database: Database, tmp_path: Path) -> None:
    frozen_issue(database, 2)
    flights = tmp_path / "flights"
    with ledger(database, flights) as living:
        (flights / "dead.flight").write_bytes(b"")
        with ledger(database, flights):
            assert len(list(flights.glob("*.flight"))) == 2, "the living keep theirs"
        assert living.recover(NOW) == 0
    assert list(flights.iterdir()) == []


def test_a_desk_without_room_for_a_recorder_says_so(database: Database, tmp_path: Path) -> None:
    frozen_issue(database, 2)
    (tmp_path / "flights").write_text("no folder")
    with pytest.raises(StorageError, match="cannot be written"), ledger(database, tmp_path / "flights"):
        pass


def test_a_lock_excludes_and_is_given_back(database: Database) -> None:
    with database.hold("build x") as first, database.hold("build x") as second, database.hold("build y") as other:
        assert (bool(first), bool(second), bool(other)) == (True, False, True)
    with database.hold("build x") as again:
        assert again


def test_links_log_in_once_and_passwords_are_checked(database: Database) -> None:
    accounts = Accounts(database)
    admin = accounts.add("Chief@Example.com", Role.ADMIN, NOW, "correct horse")
    assert accounts.check_password("chief@example.com", "correct horse") == admin
    assert accounts.check_password("chief@example.com", "wrong") is None
    assert accounts.check_password("nobody@example.com", "correct horse") is None
    link = accounts.make_login_link(admin, NOW)
    assert accounts.use_login_link(link, NOW) == admin
    assert accounts.use_login_link(link, NOW) is None
    assert accounts.use_login_link(accounts.make_login_link(admin, NOW), NOW + timedelta(days=1)) is None
    token = accounts.open_session(admin, NOW)
    assert accounts.session_account(token, NOW) == admin
    assert accounts.session_account(token, NOW + timedelta(days=30)) is None
    accounts.close_session(token)
    assert accounts.session_account(token, NOW) is None


def test_a_backup_is_a_database(tmp_path: Path, database: Database) -> None:
    if not database.is_sqlite:
        with pytest.raises(StorageError, match="pg_dump"):
            database.backup(tmp_path / "copy.db")
        return
    Stories(database).ingest([story(1)], NOW)
    database.backup(tmp_path / "copy.db")
    with Database(f"sqlite:///{tmp_path / 'copy.db'}") as copy:
        copy.require_schema()
        assert Stories(copy).get("desk:1").title == "Story 1"
    with pytest.raises(StorageError, match="already"):
        database.backup(tmp_path / "copy.db")


def test_instants_must_be_aware(database: Database) -> None:
    with pytest.raises(sa.exc.StatementError, match="no zone"):
        Issues(database).plan(ISSUE, datetime(2026, 5, 27), NOW, "clock")  # noqa: DTZ001


def test_what_the_dead_leave_is_swept_and_what_the_living_hold_stays(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/one.db")
    folder = Path(f"{database.url.database}.locks")
    with database.hold("the living"):
        (folder / "left by a kill").touch()
        (folder / "made this moment").touch()
        for path in folder.iterdir():
            if path.name != "made this moment":
                os.utime(path, (0, 0))
        (held,) = (path.name for path in folder.iterdir() if " " not in path.name)
        database.sweep_locks()
        assert {path.name for path in folder.iterdir()} == {held, "made this moment"}
        with database.hold("the living") as again:
            assert not again


def test_a_recorder_that_was_never_whole_is_swept(tmp_path: Path) -> None:
    old, fresh = tmp_path / "a.new", tmp_path / "b.new"
    old.touch()
    fresh.touch()
    os.utime(old, (0, 0))
    sweep_drafts(tmp_path)
    assert list(tmp_path.iterdir()) == [fresh]
