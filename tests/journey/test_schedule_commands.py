"""`newsletter schedule …` as a person types it."""

from __future__ import annotations

import json

from .conftest import Desk

NAME = "asia-ai-daily"
TUESDAY = {"NEWSLETTER_NOW": "2026-05-26T20:00:00+08:00"}


def notes(desk: Desk, *words: str) -> dict[str, str | None]:
    """The notes of the next three slots, by date."""
    return {slot["date"]: slot["note"] for slot in desk.json("schedule", "next", "-n", "3", *words)}


def test_decisions_beside_the_file_are_told_listed_and_taken_back(desk: Desk) -> None:
    desk.environ = TUESDAY
    paused = desk.run("schedule", "pause", NAME, "--until", "2026-05-27", "--reason", "typhoon", "--by", "anna")
    assert "asia-ai-daily, 2026-05-26 to 2026-05-27: paused by anna: typhoon" in paused.stdout
    assert "Thu 28 May 2026  07:00 +08" in paused.stdout, "what will happen now"
    desk.run("schedule", "move", NAME, "2026-05-28", "09:30", "--by", "ben")
    extra = desk.run("schedule", "extra", NAME, "2026-05-28", "18:00", "--reason", "summit", "--by", "ben")
    assert "asia-ai-daily/2026-05-28/2 is planned" in extra.stdout
    slots = desk.json("schedule", "next", "-n", "3")
    assert [(slot.get("number", 1), slot["local"], slot["note"]) for slot in slots] == [
        (1, None, "paused by anna: typhoon"),
        (1, "2026-05-28T09:30:00+08:00", "moved from 07:00 by ben"),
        (2, "2026-05-28T18:00:00+08:00", "extra issue by ben: summit"),
    ]
    assert desk.json("schedule", "list")[0]["paused"] == "paused by anna: typhoon"
    assert [each["kind"] for each in desk.json("schedule", "overlays")] == ["extra", "move", "pause"]
    desk.run("schedule", "resume", NAME)
    desk.run("schedule", "skip", NAME, "2026-05-27", "--by", "cleo")
    assert desk.run("schedule", "skip", NAME, "2026-05-27", code=4).stderr == (
        "Error: asia-ai-daily/2026-05-27 is not due: skipped by cleo\n"
    )
    desk.run("schedule", "skip", NAME, "2026-05-27", "--undo")
    assert notes(desk)["2026-05-27"] is None
    assert desk.run("schedule", "move", NAME, "2026-05-27", "7:77", code=2).stderr.endswith("write 07:30, or now\n")


def test_a_schedule_is_set_applied_and_released(desk: Desk) -> None:
    desk.environ = TUESDAY
    assert "nothing is written; add --yes" in desk.run("schedule", "set", NAME, "at", '"07:30"', code=2).stderr
    done = desk.run("schedule", "set", NAME, "at", '"07:30"', "--yes")
    assert '+    at: "07:30"' in done.stdout
    assert "07:30 +08" in done.stdout
    applied = desk.json("schedule", "apply", "--by", "anna")
    assert (len(applied["next"]), applied["applied"]) == (10, True)
    assert desk.run("schedule", "apply", code=4)
    desk.run("schedule", "set", NAME, "related", "1", "--yes")
    check = desk.run("schedule", "check")
    assert f"revision {applied['revision'][:12]}, applied by anna" in check.stderr
    assert "The schedule.yaml here is another one" in check.stderr
    desk.run("schedule", "run", NAME)
    (step, *_) = desk.json("issue", "show", f"{NAME}/2026-05-26")["history"]
    assert step["plan"] == applied["revision"][:12]
    assert f"[schedule {step['plan']}]" in desk.run("issue", "show", f"{NAME}/2026-05-26").stdout
    desk.run("schedule", "apply", "--release")
    assert "this desk's own schedule.yaml" in desk.run("schedule", "list").stderr


def test_a_dry_run_says_what_would_be_built(desk: Desk) -> None:
    desk.environ = TUESDAY
    found = desk.json("schedule", "run", NAME, "--date", "2026-05-25", "--dry-run")
    assert (found["issue"], found["state"], found["present"]) == (f"{NAME}/2026-05-25", "waiting", None)
    assert desk.json("issue", "list") == []


def test_the_schema_is_one_json_document(desk: Desk) -> None:
    schema = json.loads(desk.run("schedule", "schema").stdout)
    assert schema["$schema"].endswith("2020-12/schema")
