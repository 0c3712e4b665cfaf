"""Check a schedule.yaml that is being typed: its faults on their lines, or what would be due next. Nothing is kept."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse, Response

from newsletter.plan import Plan, Slot
from newsletter.web.asking import Ask
from newsletter.web.desk.schedule.typed import Checked, check_text, editor_page, typed_text, unpacked
from newsletter.web.words import city, day_words

__all__ = ["schedule_file_check"]


def schedule_file_check(ask: Ask) -> Response:
    """The editor with what was found; as JSON for the script that asks while somebody types."""
    text = typed_text(ask)
    checked = check_text(ask, text)
    if ask.request.headers.get("accept") == "application/json":
        return JSONResponse(_document(ask, checked))
    return editor_page(ask, text, unpacked(ask.field("began")), checked=checked)


def _document(ask: Ask, checked: Checked) -> dict[str, Any]:
    problems = [
        {
            "file": each.file,
            "line": each.line,
            "column": each.column,
            "path": each.path,
            "message": each.message,
            "here": each.file == ask.room.plan_file.name,
        }
        for each in checked.problems
    ]
    plan = checked.plan
    runs = [_run(ask, plan, slot) for slot in checked.runs] if plan else []
    return {"problems": problems, "warnings": list(plan.warnings) if plan else [], "runs": runs}


def _run(ask: Ask, plan: Plan, slot: Slot) -> dict[str, str]:
    newsletter = plan.newsletters[slot.newsletter]
    local = slot.instant.astimezone(newsletter.timezone)
    return {
        "title": newsletter.title,
        "local": f"{day_words(local, ask.now)}, {local:%H:%M} {city(newsletter.timezone)}",
        "utc": f"{day_words(slot.instant, ask.now)}, {slot.instant:%H:%M}",
        "note": slot.note or "—",
    }
