"""What an operator types about one person: forgotten, let be mailed again, given out; a restored backup told."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from newsletter.cli import newsletter
from newsletter.newsroom import Newsroom
from newsletter.newsroom.readership import erasing, importing
from newsletter.storage.forgetting import KEPT_AS_IT_IS
from newsletter.storage.tables import METADATA
from subscribers.requests import RequestKind
from subscribers.signups import sign_up
from subscribers.tables import metadata

READER = "ines.ferreira@example.com"
SAMPLES = Path(__file__).parents[2] / "newsletter" / "demo" / "subscribers.csv"


@pytest.fixture
def desk(light_room: Newsroom) -> Newsroom:
    importing.take_in(light_room, SAMPLES, newsletters=(), consent_source=None)
    return light_room


def run(room: Newsroom, *words: str) -> tuple[int, Result]:
    command = ["--desk", str(room.desk), *words]
    environ = {"NEWSLETTER_NOW": room.clock.now().isoformat()}
    done = CliRunner().invoke(newsletter, command, env=environ, standalone_mode=False)
    return getattr(done.exception, "exit_code", done.return_value or 0), done


def test_an_import_is_a_line_of_the_audit_log_and_a_dry_run_is_none(desk: Newsroom) -> None:
    assert run(desk, "subscribers", "import", str(SAMPLES), "--dry-run")[0] == 0
    assert desk.audit.lines() == []
    assert run(desk, "subscribers", "import", str(SAMPLES), "--by", "anna")[0] == 0
    (line,) = desk.audit.lines()
    assert (line.kind, line.who, line.remark) == ("subscriber_import", "anna", "0 added, 0 changed, 0 refused")


def test_forget_erases_once_and_show_tells_of_it(desk: Newsroom) -> None:
    number = desk.subscribers.find(READER).id
    assert run(desk, "subscribers", "forget", READER, "--by", "anna")[0] == 0
    assert run(desk, "subscribers", "forget", READER)[0] == 4
    assert run(desk, "subscribers", "forget", "nonsense")[0] == 2
    shown = json.loads(run(desk, "subscribers", "show", READER, "--json")[1].stdout)
    assert (shown["status"], shown["name"], shown["subscriptions"]) == ("suppressed", "", {})
    assert [(line["what"], line["reason"]) for line in shown["history"]] == [("suppressed", "erased")]
    look, line = desk.audit.lines()
    assert (line.kind, line.who, line.what) == ("subscriber_erase", "anna", f"subscriber {number}")
    assert (look.kind, look.what) == ("subscriber", "an address without a subscriber")


def test_unsuppress_needs_a_reason_and_leaves_subscriptions_as_they_are(desk: Newsroom) -> None:
    assert run(desk, "subscribers", "unsuppress", READER, "--reason", "x")[0] == 4
    desk.subscribers.suppress(READER, "complaint", desk.clock.now())
    assert run(desk, "subscribers", "unsuppress", READER)[0] == 2
    assert run(desk, "subscribers", "unsuppress", READER, "--reason", " ")[0] == 2
    code, done = run(desk, "subscribers", "unsuppress", READER, "--reason", "wrote to us", "--by", "anna")
    assert (code, done.stdout.strip()) == (0, f"{READER}: may be mailed again; it was suppressed: complaint")
    shown = desk.subscribers.show(READER)
    assert shown["status"] == "active"
    assert {"what": "unsuppressed", "was": "complaint", "reason": "wrote to us", "how": "by anna"}.items() <= (
        shown["history"][-1].items()  # type: ignore[index]
    )


def test_what_is_done_about_one_person_is_in_the_audit_log_by_number(desk: Newsroom, tmp_path: Path) -> None:
    typed = "neighbour of ines.ferreira@example.com"
    number = desk.subscribers.find(READER).id
    for command in (
        ("show", READER),
        ("show", READER, "--json"),
        ("data", READER),
        ("export", str(tmp_path / "all.csv")),
        ("unsubscribe", READER),
        ("suppress", READER, "--reason", typed),
        ("unsuppress", READER, "--reason", typed),
        ("suppress", "stranger@example.org", "--reason", typed),
        ("add", "late@example.com", "--newsletter", "asia-ai-daily"),
    ):
        assert run(desk, "subscribers", *command, "--by", "anna")[0] == 0, command
    late, whom = desk.subscribers.find("late@example.com").id, f"subscriber {number}"
    lines = list(reversed(desk.audit.lines()))
    assert [(line.kind, line.what, line.remark) for line in lines] == [
        ("subscriber", whom, ""),
        ("subscriber", whom, ""),
        ("subscriber_data", whom, ""),
        ("subscriber_export", "", "as it is"),
        ("subscriber_unsubscribe", whom, "asia-ai-daily"),
        ("subscriber_suppress", whom, ""),
        ("subscriber_unsuppress", whom, "was by hand"),
        ("subscriber_suppress", "an address without a subscriber", ""),
        ("subscriber_add", f"subscriber {late}", "added"),
    ]
    assert {line.who for line in lines} == {"anna"}


@pytest.mark.usefixtures("_as_the_machines_clock")
def test_what_changed_nothing_leaves_no_line(desk: Newsroom) -> None:
    assert run(desk, "subscribers", "show", "nobody@example.org")[0] == 2
    assert run(desk, "subscribers", "unsuppress", READER, "--reason", "x")[0] == 4
    assert run(desk, "db", "prune")[0] == 4
    assert desk.audit.lines() == []


@pytest.mark.usefixtures("_as_the_machines_clock")
def test_a_pruning_leaves_a_line_with_what_went(desk: Newsroom) -> None:
    now = desk.clock.now()
    signup = sign_up("late@example.com", ["asia-ai-daily"])
    long_ago = now - timedelta(days=40)
    desk.subscribers.ask(RequestKind.SUBSCRIBE, signup, long_ago, language="en", network="", form="1")
    assert run(desk, "db", "prune", "--dry-run")[0] == 0
    assert desk.audit.lines() == []
    assert run(desk, "db", "prune", "--by", "anna")[0] == 0
    (line,) = desk.audit.lines()
    assert (line.kind, line.who, line.remark) == ("prune", "anna", "1 requests")


def test_data_is_one_document(desk: Newsroom, tmp_path: Path) -> None:
    code, done = run(desk, "subscribers", "data", READER)
    assert code == 0
    assert json.loads(done.stdout)["email"] == READER
    assert run(desk, "subscribers", "data", READER, "--out", str(tmp_path / "data.json"))[0] == 0
    assert json.loads((tmp_path / "data.json").read_text()) == json.loads(done.stdout)
    assert run(desk, "subscribers", "data", "nobody@example.org")[0] == 2


def test_reconcile_says_what_readers_had_decided(desk: Newsroom, tmp_path: Path) -> None:
    assert run(desk, "db", "reconcile")[0] == 4
    assert run(desk, "db", "backup", str(tmp_path / "old.db"))[0] == 0
    assert run(desk, "subscribers", "unsubscribe", READER)[0] == 0
    assert run(desk, "subscribers", "suppress", "asakura@example.com")[0] == 0
    assert run(desk, "subscribers", "forget", "rohan.iyer@example.com")[0] == 0
    desk.close()
    for beside in ("-wal", "-shm"):
        (desk.desk / f"newsletter.db{beside}").unlink(missing_ok=True)
    (tmp_path / "old.db").replace(desk.desk / "newsletter.db")
    code, done = run(desk, "db", "reconcile")
    assert (code, done.stdout.strip()) == (0, "readers: 1 unsubscribed, 1 suppressed, 1 erased")
    assert run(desk, "db", "reconcile")[0] == 4


def test_what_an_erasure_does_not_look_through_is_there() -> None:
    """A name that is none would hide that a table is looked through, or not."""
    columns = [column for table in METADATA.tables.values() for column in table.c]
    known = {*METADATA.tables, *(each.name for each in columns), *map(str, columns)}
    assert set(KEPT_AS_IT_IS) <= known
    assert set(erasing.KEPT_AS_IT_IS) <= set(metadata.tables)
