"""schedule.yaml edited by the application: what it does not change stays as people wrote it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from newsletter.errors import ChecksFailedError, InputError, NothingToDoError, PlanError
from newsletter.newsroom import Newsroom, desks
from newsletter.newsroom.planning import applying
from newsletter.newsroom.planning.schedule_file import edit_newsletter, parse, put_in_place

COMMENTED = """\
# The desk's schedule.   Ask Anna before you change it.
version: 1   # the format

# What all have
defaults:
    timezone: Asia/Singapore
    sender: {name: 'Asia AI Daily', address: daily@example.com}   # whom it comes from
    postal_address: 1 Example Street
    template: daily

sources:
    # dropped by hand
    desk: {kind: folder, path: inbox}

newsletters:
    # the big one
    asia:
        title: "Asia: AI"     # with a colon
        at: "07:00"           # Singapore
        days: [mon, tue, wed, thu, fri]   # no weekends
        # Norway is no flag here
        countries: [NO, CN]


        stories: {max: 12, min: 1}   # not too many
        skip:
            - 2026-08-10    # National Day
            # the last one
            - 2026-12-25
    # and a small one
    oslo:
        title: Oslo
        at: 12:30
        days: [mon]
        countries: [NO]
# the end
"""


@pytest.fixture
def desk(light_room: Newsroom) -> Newsroom:
    light_room.plan_file.write_text(COMMENTED, encoding="utf-8")
    return light_room


def edited(room: Newsroom, changes: Mapping[str, object], name: str = "asia") -> str:
    """The file after the edit."""
    put_in_place(room, edit_newsletter(room, name, changes))
    return room.plan_file.read_text(encoding="utf-8")


def comments(text: str) -> list[str]:
    return re.findall(r"#.*", text)


def keys(text: str) -> list[str]:
    return re.findall(r"^ *([a-z_-]+):", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"at": "07:30"}, '        at: "07:30"           # Singapore'),
        ({"stories.max": 14}, "        stories: {max: 14, min: 1}   # not too many"),
        ({"days": ["mon", "fri"]}, "        days: [mon, fri]   # no weekends"),
        ({"countries": ["NO", "SG"]}, "        countries: [NO, SG]"),
        ({"title": "New: name"}, '        title: "New: name"     # with a colon'),
    ],
)
def test_one_line_changes_and_nothing_else(desk: Newsroom, changes: Mapping[str, object], line: str) -> None:
    before = COMMENTED.splitlines()
    after = edited(desk, changes).splitlines()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old.split("#")[0] != new.split("#")[0]]
    assert len([pair for pair in changed if pair[0].split() != pair[1].split()]) == 1
    assert line.split() in [new.split() for new in after]
    assert comments("\n".join(after)) == comments(COMMENTED)


@pytest.mark.parametrize(
    "changes",
    [
        {"approval.mode": "auto"},
        {"related": 2, "approval.by": "06:45", "delivery.spread": "10m"},
        {"skip": ["2026-08-11"]},
        {"editors": ["desk@example.com"]},
        {"enabled": False},
    ],
)
def test_comments_and_order_survive_what_is_added(desk: Newsroom, changes: Mapping[str, object]) -> None:
    if "skip" in changes:
        with pytest.raises(ChecksFailedError, match="would lose the comment '# National Day'"):
            edit_newsletter(desk, "asia", changes)
        return
    after = edited(desk, changes)
    assert sorted(comments(after)) == sorted(comments(COMMENTED))
    assert [key for key in keys(after) if key in keys(COMMENTED)] == keys(COMMENTED)
    assert desk.plan.newsletters["oslo"].at.hour == 12


def test_a_key_that_is_taken_out_leaves_its_default(desk: Newsroom) -> None:
    edited(desk, {"related": 2})
    assert desk.plan.newsletters["asia"].related == 2
    edited(desk, {"related": None})
    assert desk.plan.newsletters["asia"].related == 3


def test_the_change_is_shown_with_the_next_ten_runs_before_it_is_written(desk: Newsroom) -> None:
    change = edit_newsletter(desk, "asia", {"at": "07:30"})
    assert '-        at: "07:00"' in change.diff
    assert '+        at: "07:30"' in change.diff
    assert [f"{slot.local:%H:%M}" for slot in change.runs if slot.local and slot.newsletter == "asia"] == ["07:30"] * 9
    assert len(change.runs) == 10
    assert desk.plan_file.read_text(encoding="utf-8") == COMMENTED


def test_what_would_not_be_valid_is_told_with_its_place_and_not_written(desk: Newsroom) -> None:
    with pytest.raises(PlanError, match=r"schedule\.yaml:\d+:\d+: newsletters\.asia\.at: '25:00' is no time of day"):
        edit_newsletter(desk, "asia", {"at": "25:00"})
    with pytest.raises(PlanError, match=r"newsletters\.asia\.titel: unknown key; did you mean 'title'"):
        edit_newsletter(desk, "asia", {"titel": "x"})
    with pytest.raises(InputError, match="has no newsletter 'bangkok'"):
        edit_newsletter(desk, "bangkok", {"at": "07:30"})
    with pytest.raises(NothingToDoError, match="says that already"):
        edit_newsletter(desk, "asia", {"at": "07:00"})
    assert desk.plan_file.read_text(encoding="utf-8") == COMMENTED


def test_a_file_that_was_changed_meanwhile_is_left_as_it_is(desk: Newsroom) -> None:
    change = edit_newsletter(desk, "asia", {"at": "07:30"})
    other = COMMENTED.replace("12:30", "12:45")
    desk.plan_file.write_text(other, encoding="utf-8")
    with pytest.raises(ChecksFailedError, match="was changed meanwhile"):
        put_in_place(desk, change)
    assert desk.plan_file.read_text(encoding="utf-8") == other


def test_line_endings_mode_and_byte_order_mark_stay(desk: Newsroom) -> None:
    desk.plan_file.write_bytes(b"\xef\xbb\xbf" + COMMENTED.replace("\n", "\r\n").encode())
    desk.plan_file.chmod(0o640)
    edited(desk, {"at": "07:30"})
    data = desk.plan_file.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf# The desk")
    assert data.count(b"\n") == data.count(b"\r\n") == COMMENTED.count("\n")
    assert desk.plan_file.stat().st_mode & 0o777 == 0o640
    assert f"{desk.plan.newsletters['asia'].at:%H:%M}" == "07:30"


def test_what_is_in_force_for_all_hosts_is_not_changed_by_the_file(desk: Newsroom) -> None:
    applying.apply(desk, applying.propose(desk), who="anna")
    edited(desk, {"at": "07:30"})
    assert f"{desk.plan.newsletters['asia'].at:%H:%M}" == "07:00"
    assert applying.standing(desk).differs


@pytest.mark.parametrize("file", ["starter", "sample"])
def test_the_shipped_schedules_change_in_one_line(light_room: Newsroom, file: str) -> None:
    if file == "starter":
        light_room.plan_file.unlink()
        desks.make_desk(light_room.desk)
    before = light_room.plan_file.read_text(encoding="utf-8")
    after = edited(light_room, {"related": 2}, "asia-ai-daily")
    assert comments(after) == comments(before)
    changed = set(after.splitlines()) ^ set(before.splitlines())
    assert all("related" in line for line in changed)
    assert len(changed) <= 2


def test_values_are_written_as_in_the_file() -> None:
    assert [parse(text) for text in ('"07:30"', "07:30", "14", "[mon, NO]", "true", "{within: 1h}")] == [
        "07:30",
        "07:30",
        14,
        ["mon", "NO"],
        True,
        {"within": "1h"},
    ]
    with pytest.raises(InputError, match=r"'\[mon' is no value"):
        parse("[mon")
