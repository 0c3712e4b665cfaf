"""The life of a file in the inbox."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

import pytest

from newsletter.errors import ConfigurationError, SourceError
from newsletter.gather import open_source
from newsletter.plan.values import SourcePlan
from newsletter.ports import Fetched, SourceState

PLAN = SourcePlan(id="inbox", kind="folder", path="inbox/", outlet="The Desk")


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def story(number: int, **change: object) -> dict[str, object]:
    url = f"https://desk.example/{number}"
    return {"title": f"Story {number}", "url": url, "published_at": "2026-05-27T00:00:00Z"} | change


def put(folder: Path, name: str, *documents: dict[str, object]) -> None:
    (folder / name).write_text(json.dumps(documents), encoding="utf-8")


def poll(inbox: Path, now: datetime) -> Fetched:
    return open_source(PLAN, inbox.parent).fetch(SourceState(), now)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_files_are_taken_and_put_away_after_their_stories_are_stored(inbox: Path, now: datetime) -> None:
    put(inbox, "a.json", story(1))
    put(inbox, "b.json", story(2), story(3, title=""))
    put(inbox, "c.json", story(4, title=""))
    (inbox / "d.csv").write_text("nothing,useful\n1,2\n", encoding="utf-8")
    fetched = poll(inbox, now)
    assert sorted(found.title for found in fetched.stories) == ["Story 1", "Story 2"]
    assert [refusal.where for refusal in fetched.refused] == [
        "b.json: story 2", "c.json: story 1", "d.csv: the whole file",
    ]  # fmt: skip
    assert fetched.state.polled_at == now
    assert names(inbox) == ["a.json", "b.json", "c.json", "d.csv"]
    fetched.settle()
    assert names(inbox) == ["done", "rejected"]
    assert names(inbox / "done") == ["a.json", "b.json", "b.json.reason.txt"]
    assert names(inbox / "rejected") == ["c.json", "c.json.reason.txt", "d.csv", "d.csv.reason.txt"]
    assert "story 2: title is missing" in (inbox / "done" / "b.json.reason.txt").read_text(encoding="utf-8")
    assert "d.csv:1: the header has no column" in (inbox / "rejected" / "d.csv.reason.txt").read_text(encoding="utf-8")
    again = poll(inbox, now)
    assert again.unchanged
    assert not again.stories


def test_a_crash_before_settling_only_reads_the_file_again(inbox: Path, now: datetime) -> None:
    put(inbox, "a.json", story(1))
    assert poll(inbox, now).stories == poll(inbox, now).stories


def test_a_name_that_was_there_before_is_not_overwritten(inbox: Path, now: datetime) -> None:
    for number in (1, 2, 3):
        put(inbox, "day.json", story(number))
        poll(inbox, now).settle()
    assert names(inbox / "done") == ["day-2.json", "day-3.json", "day.json"]
    kept = [
        json.loads((inbox / "done" / name).read_text(encoding="utf-8"))[0]["title"] for name in names(inbox / "done")
    ]
    assert kept == ["Story 2", "Story 3", "Story 1"]


def test_a_file_written_anew_since_it_was_read_stays(inbox: Path, now: datetime) -> None:
    put(inbox, "a.json", story(1))
    fetched = poll(inbox, now)
    put(inbox, "a.json", story(1), story(2))
    fetched.settle()
    assert len(poll(inbox, now).stories) == 2


def test_only_plain_finished_story_files_are_taken(inbox: Path, now: datetime, tmp_path: Path) -> None:
    put(tmp_path, "outside.json", story(9))
    (inbox / "link.json").symlink_to(tmp_path / "outside.json")
    (inbox / "folder.json").mkdir()
    os.mkfifo(inbox / "pipe.json")
    for name in (".hidden.json", "a.json.part", "a.tmp", "notes.txt"):
        put(inbox, name, story(1))
    before = names(inbox)
    fetched = poll(inbox, now)
    fetched.settle()
    assert fetched.unchanged
    assert names(inbox) == before


def test_older_files_come_first(inbox: Path, now: datetime) -> None:
    put(inbox, "a.json", story(2))
    put(inbox, "b.json", story(1))
    os.utime(inbox / "b.json", (1, 1))
    assert [found.title for found in poll(inbox, now).stories] == ["Story 1", "Story 2"]


def test_two_readers_of_one_inbox_do_not_disturb_each_other(inbox: Path, now: datetime) -> None:
    put(inbox, "a.json", story(1))
    first, second = poll(inbox, now), poll(inbox, now)
    first.settle()
    second.settle()
    assert names(inbox / "done") == ["a.json"]


def test_a_file_that_is_too_large_is_rejected(inbox: Path, now: datetime) -> None:
    with (inbox / "big.json").open("wb") as file:
        file.truncate(10 * 2**20 + 1)
    fetched = poll(inbox, now)
    assert "larger than 10 MiB" in fetched.refused[0].reason
    fetched.settle()
    assert names(inbox / "rejected") == ["big.json", "big.json.reason.txt"]


def test_a_file_that_vanished_or_became_a_link_keeps_nobody(inbox: Path, now: datetime, tmp_path: Path) -> None:
    put(inbox, "a.json", story(1))
    put(inbox, "b.json", story(2))
    source = open_source(PLAN, tmp_path)
    listed = [inbox / "a.json", inbox / "b.json"]
    source._files = lambda: listed  # type: ignore[attr-defined]
    (inbox / "a.json").unlink()
    (inbox / "a.json").symlink_to(inbox / "b.json")
    fetched = source.fetch(SourceState(), now)
    assert [found.title for found in fetched.stories] == ["Story 2"]
    assert "cannot be read" in fetched.refused[0].reason
    fetched.settle()
    assert names(inbox) == ["a.json", "done"]


def test_a_shelf_that_cannot_be_made_is_told_and_the_file_stays(inbox: Path, now: datetime) -> None:
    put(inbox, "a.json", story(1))
    (inbox / "done").write_text("in the way", encoding="utf-8")
    with pytest.raises(SourceError, match=r"source inbox: .*1 of 1 files stay"):
        poll(inbox, now).settle()
    assert "a.json" in names(inbox)


def test_a_folder_that_is_not_there_is_a_source_error(tmp_path: Path, now: datetime) -> None:
    with pytest.raises(SourceError, match=r"source inbox: .*inbox: No such file or directory; make the folder"):
        open_source(PLAN, tmp_path).fetch(SourceState(), now)
    with pytest.raises(ConfigurationError, match="path is missing"):
        open_source(SourcePlan(id="inbox", kind="folder"), tmp_path)


def test_a_name_as_long_as_a_file_system_allows_is_no_hindrance(inbox: Path, now: datetime) -> None:
    put(inbox, f"{'n' * 250}.json", story(1, title=""))
    poll(inbox, now).settle()
    assert [Path(name).suffix for name in names(inbox / "rejected")] == [".json", ".txt"]
    assert poll(inbox, now).unchanged
