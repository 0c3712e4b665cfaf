"""schedule.yaml in an editor."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.newsroom.planning import schedule_file as file
from newsletter.web.asking import Ask
from newsletter.web.desk.schedule.typed import check_text, editor_page

__all__ = ["schedule_file"]


def schedule_file(ask: Ask) -> Response:
    """The file as it lies there, with its faults where it has any."""
    text = file.text_of(ask.room)
    checked = check_text(ask, text)
    saved = "It is saved." if "saved" in ask.query else ""
    return editor_page(ask, text, text, checked=checked if checked.problems else None, notice=saved)
