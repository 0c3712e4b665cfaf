"""A database that was restored from an old backup has forgotten mail, and sends none of it again."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from newsletter.deliver.conversing import MOST
from newsletter.errors import NothingToDoError, StorageError
from newsletter.model import DeliveryState, IssueState
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import outcomes, reconciling, sending
from newsletter.storage.reconciling import forgotten
from tests.deliver.fault_server import Fault

from .scene import Scene
from .test_stopping import stopped_in_mid_send


def backed_up(scene: Scene) -> Callable[[], None]:
    """Back up the scene's database; returns what puts it back."""
    if not scene.database_url:
        kept, database = scene.folder / "old.db", scene.folder / "newsletter.db"
        with scene.room() as room:
            room.database.backup(kept)

        def restore_file() -> None:
            for beside in ("-wal", "-shm"):
                database.with_name(database.name + beside).unlink(missing_ok=True)
            shutil.copy(kept, database)

        return restore_file
    server, _, name = scene.database_url.rpartition("/")

    def copy(source: str, target: str) -> None:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {target} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {target} TEMPLATE {source}")

    copy(name, f"{name}_old")
    return lambda: copy(f"{name}_old", name)


def command(scene: Scene, *words: str) -> subprocess.CompletedProcess[str]:
    whole = [sys.executable, "-m", "newsletter", *words]
    return subprocess.run(whole, cwd=scene.folder, env=dict(scene.environ), capture_output=True, text=True, check=False)


def killed(scene: Scene) -> None:
    """Have a sender carry two windows and die."""
    sender = scene.start("before the outcome's commit", 3)
    sender.join()
    assert sender.exitcode == -9


@pytest.mark.parametrize("settled", [False, True], ids=["in mid-send", "when all was sent"])
def test_a_backup_made_in_mid_send_sends_nobody_anything_again(
    tmp_path: Path, empty_database: str, settled: bool
) -> None:
    with Scene(tmp_path / "desk", readers=2400, database_url=empty_database, connections=2) as scene:
        killed(scene)
        restore = backed_up(scene)
        if settled:
            scene.finish()
        else:
            killed(scene)
        taken = dict(scene.server.taken)
        restore()
        refused = command(scene, "issue", "send", str(scene.issue))
        assert refused.returncode == 1
        assert "it is an old backup" in refused.stderr
        assert dict(scene.server.taken) == taken
        told = command(scene, "db", "reconcile")
        assert told.returncode == 0, told.stderr
        assert "submitted" in told.stdout
        assert command(scene, "db", "reconcile").returncode == 4
        with scene.room() as room:
            assert room.issues.books(scene.issue).balanced
            assert room.issues.get(scene.issue).state is (IssueState.SENDING if settled else IssueState.STOPPED)
        scene.finish()
        verdict = scene.verdict()
        assert verdict.kept, verdict
        # In doubt is what the dead had in hand, of which nobody wrote down the end: a window a connection each.
        assert settled or verdict.unknown
        assert len(verdict.unknown) <= (2 if settled else 2 + 2 * MOST), verdict


def test_no_command_makes_an_old_backup_look_like_a_new_one(tmp_path: Path, empty_database: str) -> None:
    with Scene(tmp_path / "desk", readers=200, database_url=empty_database, connections=2) as scene:
        killed(scene)
        restore = backed_up(scene)
        scene.finish()
        taken = dict(scene.server.taken)
        restore()
        for _ in range(3):
            for words in (("retry", "--state", "rejected"), ("resolve", "--unknown", "resend"), ("stop",)):
                assert command(scene, "issue", words[0], str(scene.issue), *words[1:]).returncode == 1
        assert "it is an old backup" in command(scene, "issue", "send", str(scene.issue)).stderr
        assert dict(scene.server.taken) == taken


def test_an_issue_whose_audience_is_forgotten_is_not_sent_again(tmp_path: Path, empty_database: str) -> None:
    with Scene(tmp_path / "desk", readers=60, database_url=empty_database) as scene:
        restore = backed_up(scene)
        scene.finish()
        restore()
        with scene.room() as room:
            with pytest.raises(StorageError, match="it is an old backup"):
                sending.send(room, scene.issue)
            (found,) = reconciling.reconcile(room)
            assert not found.held
            assert found.counts == {"submitted": 60}
            issue = room.issues.get(scene.issue)
            assert issue.state is IssueState.CANCELLED
            assert "60 submitted" in issue.reason
            assert command(scene, "issue", "send", str(scene.issue)).returncode == 3
        assert set(scene.server.taken.values()) == {1}


def test_what_was_sent_since_is_remembered_whatever_order_the_senders_wrote_in(tmp_path: Path) -> None:
    """Four senders write into one journal; each line is whole."""
    with Scene(tmp_path / "desk", readers=1200) as scene:
        senders = [scene.start() for _ in range(4)]
        for sender in senders:
            sender.join()
        with scene.room() as room:
            turns = list(room.journal.turns(scene.issue))
            ids = sorted(number for turn in turns for number in turn.taken)
            ends = sorted(number for turn in turns for numbers in turn.settled.values() for number in numbers)
            assert len(ids) == len(set(ids)) == 1200
            assert ends == ids
            assert len({turn.turn for turn in turns}) == len(turns)
            assert not forgotten(room.database, room.journal, scene.issue)


def test_each_desk_of_a_shared_database_tells_what_its_journal_knows(tmp_path: Path, postgresql: str) -> None:
    name = f"shared_{secrets.token_hex(4)}"
    with psycopg.connect(f"{postgresql}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    later = [Fault("RCPT", "451 4.2.0 later", to=f"r{n}@example.com", times=1) for n in range(10)]
    gone = Fault("RCPT", "550 5.1.1 no such user", to="r20@example.com", times=1)
    url = f"{postgresql}/{name}"
    with Scene(tmp_path / "a", readers=60, database_url=url, faults=[*later, gone]) as scene:
        shutil.copytree(scene.folder, tmp_path / "b")

        def room(desk: str) -> Newsroom:
            return Newsroom.open(tmp_path / desk, environ=dict(scene.environ))

        with room("a") as first:
            sending.send(first, scene.issue)
        restore = backed_up(scene)
        with room("b") as second:  # ten that were deferred
            sending.send(second, scene.issue, retry_now=True)
        with room("a") as first:
            outcomes.retry(first, scene.issue, state=DeliveryState.REJECTED, email=None, who="ed")
            sending.send(first, scene.issue)
        restore()
        with room("a") as first:
            assert [each.issue for each in reconciling.reconcile(first)] == [scene.issue]
        with room("b") as second:
            with pytest.raises(StorageError, match="db reconcile"):
                sending.send(second, scene.issue, resume=True, retry_now=True, who="ed")
            assert [each.issue for each in reconciling.reconcile(second)] == [scene.issue]
        for desk in ("a", "b"):
            with room(desk) as each, suppress(NothingToDoError):
                sending.send(each, scene.issue, resume=True, retry_now=True, who="ed")
        assert scene.server.taken.total() == len(scene.server.taken) == 60
        assert scene.verdict().kept


def test_a_sender_that_the_backup_knows_nothing_of_is_seen_all_the_same(tmp_path: Path) -> None:
    with Scene(tmp_path / "desk", readers=800, delay=0.005, connections=1) as scene:
        stopped_in_mid_send(scene)
        kept, database = scene.folder / "old.db", scene.folder / "newsletter.db"
        with scene.room() as room:
            room.database.backup(kept)
        before = scene.server.taken.total()
        sender = scene.start(retry=True)
        while scene.server.taken.total() < before + 100:
            time.sleep(0.02)
        kept.replace(database)  # the living sender goes on in the file that was
        for beside in ("-wal", "-shm"):
            database.with_name(database.name + beside).unlink(missing_ok=True)
        with scene.room() as room, pytest.raises(StorageError, match="being sent at this moment"):
            list(reconciling.reconcile(room))
        sender.kill()
        sender.join()
        with scene.room() as room:
            assert list(reconciling.reconcile(room))
        scene.finish()
        assert scene.verdict().kept
