"""A send is stopped by a person or by itself, and goes on, or is given up, with nobody lost or reached twice."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.errors import ChecksFailedError, InputError, NothingToDoError, RefusingError
from newsletter.model import Books, DeliveryState, IssueId, IssueState
from newsletter.newsroom.dispatch import outcomes, sending
from newsletter.schedule import day
from newsletter.storage import Issues
from tests.deliver.fault_server import Fault
from tests.servers import Answering, serving

from .scene import Scene


@pytest.fixture
def bell() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """An address that alerts go to, and what came."""
    heard: list[dict[str, str]] = []

    class Bell(Answering):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

    with serving(Bell) as port:
        yield f"http://127.0.0.1:{port}/alerts", heard


def stopped_in_mid_send(scene: Scene) -> None:
    """Begin to send, and stop it from another process's point of view."""
    sender = scene.start()
    while len(scene.server.taken) < 20:
        time.sleep(0.02)
    with scene.room() as room:
        outcomes.stop(room, scene.issue, who="ed", why="a name is wrong")
    sender.join(60)
    assert sender.exitcode == 0, "the sender finishes what it has in hand and ends by itself"


def test_stopped_it_begins_nothing_more_and_the_rest_is_sent_later(tmp_path: Path, empty_database: str) -> None:
    with Scene(tmp_path / "desk", readers=1500, database_url=empty_database, delay=0.002) as scene:
        stopped_in_mid_send(scene)
        reached = len(scene.server.taken)
        assert 20 <= reached < 1500
        with scene.room() as room:
            issue = room.issues.get(scene.issue)
            assert (issue.state, issue.reason) == (IssueState.STOPPED, "a name is wrong")
            assert room.issues.books(scene.issue).balanced
            assert day.due_issues(room) == [], "the program never takes it up again by itself"
            with pytest.raises(NothingToDoError, match="stopped, not being sent"):
                outcomes.stop(room, scene.issue, who="ed")
        scene.finish()
        verdict = scene.verdict()
        assert verdict.kept, verdict
        assert verdict.submitted == 1500


def test_what_is_given_up_is_cancelled_and_the_books_balance(tmp_path: Path, empty_database: str) -> None:
    with Scene(tmp_path / "desk", readers=1500, database_url=empty_database, delay=0.002) as scene:
        with scene.room() as room, pytest.raises(ChecksFailedError, match="is approved, not stopped"):
            outcomes.give_up(room, scene.issue, who="ed")
        stopped_in_mid_send(scene)
        reached = len(scene.server.taken)
        with scene.room() as room:
            assert outcomes.give_up(room, scene.issue, who="ed") == 1500 - reached
            books = room.issues.books(scene.issue)
            assert books.balanced
            assert books.state is IssueState.SUBMITTED
            assert room.deliveries.counts(scene.issue) == {"submitted": reached, "cancelled": 1500 - reached}


def test_who_was_given_up_gets_nothing_when_a_failure_is_tried_again(tmp_path: Path, empty_database: str) -> None:
    gone = Fault("RCPT", "550 5.1.1 no such user", to="r100@example.com")
    with (
        Scene(tmp_path / "desk", readers=1500, database_url=empty_database, delay=0.002, faults=[gone]) as scene,
        scene.room() as room,
    ):
        stopped_in_mid_send(scene)
        reached = set(scene.server.taken)
        outcomes.give_up(room, scene.issue, who="ed")
        assert outcomes.retry(room, scene.issue, state=DeliveryState.REJECTED, email=None, who="ed") == 1
        sending.send(room, scene.issue)
        assert scene.server.taken.keys() == reached | {"r100@example.com"}
        assert room.issues.get(scene.issue).state is IssueState.SUBMITTED
        assert room.issues.books(scene.issue).balanced


def test_only_a_person_sends_the_rest(tmp_path: Path) -> None:
    """Neither a list of due issues that was read before the stop, nor a sender that was about to begin."""
    with Scene(tmp_path / "desk", readers=1500, delay=0.002) as scene, scene.room() as room:
        stopped_in_mid_send(scene)
        with pytest.raises(NothingToDoError, match="is stopped"):
            sending.send(room, scene.issue)
        assert room.issues.get(scene.issue).state is IssueState.STOPPED
        sending.send(room, scene.issue, resume=True, who="ed")
        assert scene.verdict().submitted == 1500


def test_an_issue_never_settles_over_a_delivery_that_was_just_queued_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = Fault("RCPT", "550 5.1.1 no such user", to="r3@example.com")
    with Scene(tmp_path / "desk", readers=10, faults=[gone]) as scene, scene.room() as room:
        books = Issues.books

        def and_then_a_retry(self: Issues, issue_id: IssueId) -> Books:
            found = books(self, issue_id)
            monkeypatch.setattr(Issues, "books", books)
            outcomes.retry(room, issue_id, state=DeliveryState.REJECTED, email=None, who="ed")
            return found

        monkeypatch.setattr(Issues, "books", and_then_a_retry)
        sending.send(room, scene.issue)
        assert room.issues.get(scene.issue).state is IssueState.SENDING
        sending.send(room, scene.issue)
        assert room.deliveries.counts(scene.issue) == {"submitted": 10}


def test_a_relay_that_rejects_everybody_stops_the_issue_and_rings_the_bell(
    tmp_path: Path, bell: tuple[str, list[dict[str, str]]]
) -> None:
    url, heard = bell
    denied = Fault("RCPT", "554 5.7.1 relay access denied", times=10**6)
    with Scene(tmp_path / "desk", readers=900, faults=[denied], settings={"NEWSLETTER_ALERT_URL": url}) as scene:
        with scene.room() as room:
            with pytest.raises(RefusingError, match="relay access denied"):
                sending.send(room, scene.issue)
            assert room.issues.get(scene.issue).state is IssueState.STOPPED
            (alert,) = heard
            assert (alert["kind"], alert["issue"]) == ("stopped", str(scene.issue))
            assert "relay access denied" in alert["text"]
            scene.server.faults.clear()
            with pytest.raises(InputError, match="submitted is no failure"):
                outcomes.retry(room, scene.issue, state=DeliveryState.SUBMITTED, email=None, who="ed")
            assert outcomes.retry(room, scene.issue, state=DeliveryState.REJECTED, email=None, who="ed") >= 50
            assert room.issues.get(scene.issue).state is IssueState.STOPPED, "a person says when it goes on"
            sending.send(room, scene.issue, resume=True)
        verdict = scene.verdict()
        assert verdict.kept, verdict
        assert verdict.submitted == 900


def test_a_settled_issue_is_sent_again_to_those_whose_failure_is_mended(tmp_path: Path) -> None:
    gone = Fault("RCPT", "550 5.1.1 no such user", to="r3@example.com")
    with Scene(tmp_path / "desk", readers=20, faults=[gone]) as scene, scene.room() as room:
        sending.send(room, scene.issue)
        assert room.issues.get(scene.issue).state is IssueState.SUBMITTED
        assert outcomes.retry(room, scene.issue, state=DeliveryState.REJECTED, email="R3@example.com", who="ed") == 1
        with pytest.raises(NothingToDoError, match=r"no delivery of .* is rejected"):
            outcomes.retry(room, scene.issue, state=DeliveryState.REJECTED, email=None, who="ed")
        assert room.issues.get(scene.issue).state is IssueState.SENDING
        sending.send(room, scene.issue)
        assert set(scene.server.taken.values()) == {1}
        assert room.deliveries.counts(scene.issue) == {"submitted": 20}


def test_a_send_of_another_process_is_watched_to_its_end(tmp_path: Path) -> None:
    with Scene(tmp_path / "desk", readers=300, delay=0.002) as scene:
        sender = scene.start()
        words = [sys.executable, "-m", "newsletter", "issue", "status", str(scene.issue), "--follow"]
        watched = subprocess.run(
            words, cwd=scene.folder, env=dict(scene.environ), capture_output=True, text=True, timeout=60, check=True
        )
        sender.join()
    assert "= submitted 300" in watched.stdout
    assert "300 submitted" in watched.stderr.splitlines()[-1]
