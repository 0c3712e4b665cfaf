"""A story is corrected while its issue is being sent: nobody gets the issue twice, and everybody what is theirs."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from newsletter.errors import ChecksFailedError, NothingToDoError
from newsletter.model import DeliveryState, IssueId, IssueState
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import correcting, outcomes, sending
from newsletter.newsroom.issue import issues
from newsletter.schedule import day
from tests.deliver.fault_server import DROP, TAKE_AND_DROP, Fault

from .scene import Scene

READERS = 10_000
WRONG, RIGHT = "It goes on", "It has stopped"
CHIEF = "chief"


def corrected_in_mid_send(scene: Scene, room: Newsroom, reached: int) -> correcting.Corrected:
    """Senders are at work, the source corrects the story, and an editor the issue; the senders end by themselves."""
    senders = [scene.start() for _ in range(2)]
    while scene.server.taken.total() < reached:
        time.sleep(0.02)
    story = next(iter(room.stories.find(["desk:1"]).values()))
    room.stories.ingest([replace(story, title=RIGHT)], room.clock.now())
    done = correcting.correct(room, scene.issue, "desk:1", "It has stopped.", who=CHIEF)
    for sender in senders:
        sender.join(60)
        assert sender.exitcode == 0
    return done


def subjects(scene: Scene) -> dict[str, Counter[str]]:
    """How often the server took which subject for whom."""
    found: dict[str, Counter[str]] = {}
    for content in scene.server.contents:
        head = message_from_bytes(content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", policy=policy.default)
        found.setdefault(str(head["To"]), Counter())[str(head["Subject"])] += 1
    return found


def send(room: Newsroom, issue_id: IssueId) -> None:
    while True:
        try:
            sending.send(room, issue_id)
        except NothingToDoError:
            time.sleep(0.1)
        else:
            return


def test_whoever_was_not_reached_gets_what_is_right_and_all_others_the_correction(
    tmp_path: Path, empty_database: str
) -> None:
    # A few lines break while the server has a message: nobody knows whether those readers have it.
    faults = [Fault("dot", action, times=2, skip=500) for action in (DROP, TAKE_AND_DROP)]
    with (
        Scene(tmp_path / "desk", readers=READERS, database_url=empty_database, faults=faults) as scene,
        scene.room() as room,
    ):
        done = corrected_in_mid_send(scene, room, READERS // 3)
        assert done.issue.state is IssueState.REVIEW
        assert done.mail is not None
        assert day.due_issues(room) == [], "nothing leaves before it is approved anew"
        with pytest.raises(ChecksFailedError, match="not approved"):
            sending.send(room, scene.issue)
        with pytest.raises(NothingToDoError, match="issue correct"):
            issues.build(room, scene.issue.newsletter, scene.issue.date)
        issues.approve(room, scene.issue, CHIEF)
        send(room, scene.issue)
        issues.approve(room, done.mail.id, CHIEF)
        send(room, done.mail.id)

        books = room.issues.books(scene.issue)
        rows = list(room.deliveries.rows(scene.issue))
        first = {row.email for row in rows if row.revision == 1}
        second = {row.email for row in rows if row.revision == 2}
        assert books.balanced
        assert len(first | second) == READERS
        assert len(first) > READERS // 3
        assert len(second) > READERS // 3
        told = {row.email for row in room.deliveries.rows(done.mail.id, DeliveryState.SUBMITTED)}
        assert told == {row.email for row in rows if row.revision == 1}, "also who may not have got it: nobody knows"
        got = subjects(scene)
        unknown = {row.email for row in rows if row.state is DeliveryState.UNKNOWN}
        for email in first:
            assert got[email][f"Correction: {RIGHT}"] == 1
            assert got[email][WRONG] == 1 or email in unknown
            assert got[email][RIGHT] == 0
        for email in second:
            assert got[email] == {RIGHT: 1} or email in unknown
        assert room.issues.books(done.mail.id).balanced


def test_a_corrected_rest_may_be_corrected_again_or_given_up(tmp_path: Path) -> None:
    with Scene(tmp_path / "desk", readers=1500, delay=0.002) as scene, scene.room() as room:
        done = corrected_in_mid_send(scene, room, 50)
        story = next(iter(room.stories.find(["desk:1"]).values()))
        room.stories.ingest([replace(story, title="It may stop")], room.clock.now())
        again = correcting.correct(room, scene.issue, "desk:1", who=CHIEF)
        assert (again.issue.state, again.issue.revision) == (IssueState.REVIEW, done.issue.revision + 1)
        issues.approve(room, scene.issue, CHIEF)
        number = outcomes.give_up(room, scene.issue, who=CHIEF)
        books = room.issues.books(scene.issue)
        assert (books.state, books.balanced) == (IssueState.SUBMITTED, True)
        assert books.deliveries["cancelled"] == number == 1500 - scene.server.taken.total()
        assert again.mail is not None
        issues.approve(room, again.mail.id, CHIEF)
        assert sending.send(room, again.mail.id).deliveries["submitted"] == 1500 - number
