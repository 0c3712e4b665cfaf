"""schedule.yaml as it is typed on the screen: what the form holds, and the page that shows it with its faults."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from newsletter.errors import InputError, PlanError, Problem
from newsletter.newsroom.planning import applying, schedule_file
from newsletter.plan import Plan, Slot
from newsletter.web.asking import Ask
from newsletter.web.desk.schedule.list import excerpts
from newsletter.web.pages import desk_page

__all__ = ["Checked", "applied_everywhere", "check_text", "editor_page", "packed", "typed_text", "unpacked"]

MOST_TYPED = 40 * 1024
"""Bytes of a file that the screen takes: a posted form is at most 64 KB, and holds what the file said before too."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a text would be as schedule.yaml: its faults, or the plan with what is due next under it."""

    problems: Sequence[Problem] = ()
    plan: Plan | None = None
    runs: Sequence[Slot] = ()


def check_text(ask: Ask, text: str) -> Checked:
    """The faults of a text, or what it leads to."""
    try:
        plan = ask.room.in_force.read_text(text)
    except PlanError as error:
        return Checked(error.problems)
    return Checked(plan=plan, runs=schedule_file.next_runs(ask.room, plan))


def applied_everywhere(ask: Ask) -> applying.Standing | None:
    """Which revision every host follows; None where each has its own file, or the one that was applied is broken."""
    try:
        standing = applying.standing(ask.room)
    except PlanError:
        return None
    return standing if standing.applied else None


def typed_text(ask: Ask) -> str:
    """What stands in the form; browsers end its lines by CR LF."""
    return ask.field("text").replace("\r\n", "\n").replace("\r", "\n")


def packed(text: str) -> str:
    """What the file said when somebody began, as a field that the form carries along."""
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def unpacked(field: str) -> str:
    """The same, read back; raises `InputError` for what no form of ours holds."""
    try:
        stream = zlib.decompressobj()
        data = stream.decompress(base64.b64decode(field, validate=True), MOST_TYPED)
        if not stream.eof:
            raise InputError("the form is not whole; open the editor again")
        return data.decode()
    except (binascii.Error, zlib.error, UnicodeDecodeError):
        raise InputError("the form is not whole; open the editor again") from None


def editor_page(
    ask: Ask,
    text: str,
    began: str,
    *,
    checked: Checked | None = None,
    notice: str = "",
    meanwhile: str = "",
    status: int = 200,
) -> Response:
    """The editor with `text` in it; `meanwhile` is what somebody else has changed in the file since."""
    problems = checked.problems if checked else ()
    here = [problem for problem in problems if problem.file == ask.room.plan_file.name]
    return desk_page(
        ask,
        "schedule_file.html",
        status=status,
        text=text,
        began=packed(began),
        checked=checked,
        excerpts=list(excerpts(text.splitlines(), here)),
        elsewhere=[problem for problem in problems if problem not in here],
        notice=notice,
        meanwhile=meanwhile,
        too_large=len(text.encode()) > MOST_TYPED,
        standing=applied_everywhere(ask),
    )
