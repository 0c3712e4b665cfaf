"""What is too old goes, once a day; the books balance afterwards, and nothing of an open issue goes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from newsletter.cli import newsletter
from newsletter.errors import InputError, StorageError
from newsletter.model import DeliveryState, IssueId
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import sending
from newsletter.newsroom.dispatch.freezing import freeze
from newsletter.newsroom.readership import pruning
from newsletter.schedule import day
from newsletter.settings import load_settings
from newsletter.storage import AuditLine
from newsletter.storage.tables import audit, delivery, issue
from subscribers.errors import UnknownSubscriberError
from subscribers.signups import sign_up
from tests.desks import NEWSLETTER

from .conftest import GONE
from .test_erasing import named, rows

NEVER = "never@example.org"


def aged(room: Newsroom, days: int) -> Newsroom:
    """The same desk so many days later."""
    later = room.clock.now() + timedelta(days=days)
    environ = {"NEWSLETTER_NOW": later.isoformat(), "NEWSLETTER_DATABASE_URL": room.settings.database_url}
    return Newsroom.open(room.desk, environ=environ)


def gone(room: Newsroom, *, dry_run: bool = False) -> dict[str, int]:
    return {each.what: each.number for each in pruning.prune(room, dry_run=dry_run) if each.number}


def test_a_settled_issue_names_nobody_after_a_year_and_balances(readers_desk: tuple[Newsroom, IssueId]) -> None:
    room, issue_id = readers_desk
    books = sending.send(room, issue_id)
    room.subscribers.add(sign_up(NEVER, [NEWSLETTER]), room.clock.now())
    with aged(room, 360) as early:
        assert "deliveries" not in gone(early)
    with aged(room, 366) as later:
        expected = {"deliveries": 3, "pending sign-ups": 1}
        assert expected.items() <= gone(later, dry_run=True).items()
        assert len(named(rows(later))) > 0
        assert expected.items() <= gone(later).items()
        assert gone(later) == {}
        assert {row.email for row in later.deliveries.rows(issue_id)} == {""}
        assert later.issues.books(issue_id) == books
        assert books.balanced
        assert later.subscribers.find(GONE)
        with pytest.raises(UnknownSubscriberError):
            later.subscribers.find(NEVER)


@pytest.mark.parametrize("fault", ["never settled", "unbalanced"])
def test_nothing_of_an_open_or_unbalanced_issue_goes(readers_desk: tuple[Newsroom, IssueId], fault: str) -> None:
    room, issue_id = readers_desk
    if fault == "never settled":
        freeze(room, room.issues.get(issue_id), room.transport(issue_id), lambda: False)
    else:
        sending.send(room, issue_id)
        with room.database.write() as connection:
            connection.execute(sa.update(issue).values(candidates=4))
    with aged(room, 4000) as later:
        gone(later)
        assert all(row.email for row in later.deliveries.rows(issue_id))


def test_who_is_named_no_more_is_mailed_nothing_when_it_is_sent_again(readers_desk: tuple[Newsroom, IssueId]) -> None:
    room, issue_id = readers_desk
    sending.send(room, issue_id)
    with room.database.write() as connection:
        connection.execute(sa.update(delivery).values(email="", state=DeliveryState.UNKNOWN))
    room.sends.decide(
        issue_id, DeliveryState.UNKNOWN, DeliveryState.QUEUED, email=None, now=room.clock.now(), who="x", why="y"
    )
    mails = len(list(room.outbox.rglob("*.eml")))
    sending.send(room, issue_id)
    assert len(list(room.outbox.rglob("*.eml"))) == mails


def test_the_audit_log_lets_nobody_change_it_and_old_lines_alone_go(readers_desk: tuple[Newsroom, IssueId]) -> None:
    room, _ = readers_desk
    now = datetime.now(UTC)
    for days in (1, 364, 367, 3000):
        room.audit.write(AuditLine(at=now - timedelta(days=days), kind="login", who=f"{days}"))
    for order in (
        sa.update(audit).values(who="nobody"),
        sa.update(audit).where(audit.c.who == "3000").values(remark="x"),
        sa.delete(audit),
        sa.delete(audit).where(audit.c.who == "364"),
    ):
        with pytest.raises((sa.exc.DBAPIError, StorageError), match="append-only"), room.database.write() as connection:
            connection.execute(order)
    assert len(room.audit.lines()) == 4
    environ = {"NEWSLETTER_KEEP_AUDIT": "400", "NEWSLETTER_NOW": now.isoformat()}
    settings = {"NEWSLETTER_DATABASE_URL": room.settings.database_url} | environ
    with Newsroom.open(room.desk, environ=settings) as strict:
        assert gone(strict)["lines of the audit log"] == 1
        assert [line.who for line in strict.audit.lines()] == ["367", "364", "1"]


@pytest.mark.usefixtures("_as_the_machines_clock")
def test_the_clock_prunes_and_says_so(readers_desk: tuple[Newsroom, IssueId], caplog: pytest.LogCaptureFixture) -> None:
    room, issue_id = readers_desk
    sending.send(room, issue_id)
    with aged(room, 400) as later, caplog.at_level("INFO"):
        day.prune(later)
        day.prune(later)
    (said,) = [record.getMessage() for record in caplog.records if record.getMessage().startswith("pruned")]
    assert "3 deliveries" in said


def test_nothing_goes_by_a_clock_that_somebody_set(readers_desk: tuple[Newsroom, IssueId]) -> None:
    room, issue_id = readers_desk
    sending.send(room, issue_id)
    with aged(room, 400) as later:
        day.prune(later)
        environ = {
            "NEWSLETTER_NOW": later.clock.now().isoformat(),
            "NEWSLETTER_DATABASE_URL": room.settings.database_url,
        }
        done = CliRunner().invoke(newsletter, ["--desk", str(room.desk), "db", "prune"], env=environ)
        assert isinstance(done.exception, InputError)
        assert len(named(rows(later))) > 0


@pytest.mark.usefixtures("_as_the_machines_clock")
def test_the_command_says_what_would_go(readers_desk: tuple[Newsroom, IssueId]) -> None:
    room, issue_id = readers_desk
    sending.send(room, issue_id)
    later = (room.clock.now() + timedelta(days=400)).isoformat()
    environ = {"NEWSLETTER_NOW": later, "NEWSLETTER_DATABASE_URL": room.settings.database_url}

    def run(*words: str) -> tuple[int, str]:
        command = ["--desk", str(room.desk), "db", "prune", *words]
        done = CliRunner().invoke(newsletter, command, env=environ, standalone_mode=False)
        return done.return_value, done.stdout

    code, text = run("--dry-run", "--json")
    told = {each["what"]: each for each in json.loads(text)}
    assert code == 0
    assert told["deliveries"] == {
        "what": "deliveries",
        "number": 3,
        "setting": "NEWSLETTER_KEEP_DELIVERIES",
        "days": 365,
        "dry_run": True,
    }
    assert set(told) == set(pruning.KINDS)
    assert run()[0] == 0
    assert run()[0] == 4


@pytest.mark.parametrize("text", ["-1", "3", "forever", "40000"])
def test_a_setting_that_cannot_be_followed_is_refused(tmp_path, text: str) -> None:  # type: ignore[no-untyped-def]
    from newsletter.errors import SettingError

    with pytest.raises(SettingError, match="KEEP_REQUESTS"):
        load_settings(tmp_path, {"NEWSLETTER_KEEP_REQUESTS": text})
