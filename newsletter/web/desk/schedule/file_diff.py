"""What saving a schedule.yaml would change: the difference and the next ten runs, before anything is written."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.errors import ChecksFailedError, NothingToDoError, PlanError
from newsletter.newsroom.planning import schedule_file
from newsletter.web.asking import Ask
from newsletter.web.desk.schedule.typed import applied_everywhere, check_text, editor_page, packed, typed_text, unpacked
from newsletter.web.pages import desk_page

__all__ = ["changed_meanwhile", "schedule_file_diff"]


def schedule_file_diff(ask: Ask) -> Response:
    """The difference; or the editor again, with what stands in the way."""
    text, began = typed_text(ask), unpacked(ask.field("began"))
    try:
        change = schedule_file.retype(ask.room, began, text)
    except PlanError:
        return editor_page(ask, text, began, checked=check_text(ask, text), status=400)
    except NothingToDoError as error:
        return editor_page(ask, text, began, notice=f"{error}.", status=409)
    except ChecksFailedError as error:
        return changed_meanwhile(ask, text, began, error)
    standing = applied_everywhere(ask)
    return desk_page(ask, "schedule_diff.html", text=text, began=packed(began), change=change, standing=standing)


def changed_meanwhile(ask: Ask, text: str, began: str, error: ChecksFailedError) -> Response:
    """The editor with what was typed, and beside it what somebody else has changed: both are kept until a person has
    brought them together. From here on the file counts as it is now."""
    present = schedule_file.text_of(ask.room)
    name = ask.room.plan_file.name
    meanwhile = schedule_file.diff_of(began, present, f"{name} (as you opened it)", f"{name} (now)")
    words = f"{error}. Nothing was written. Bring that change into your text too, or it is taken back when you save."
    return editor_page(ask, text, present, notice=words, meanwhile=meanwhile, status=409)
