"""Save schedule.yaml as it was typed."""

from __future__ import annotations

import logging

from starlette.responses import RedirectResponse, Response

from newsletter.errors import ChecksFailedError, NothingToDoError, PlanError
from newsletter.newsroom.planning import schedule_file
from newsletter.web.asking import Ask
from newsletter.web.desk.schedule.file_diff import changed_meanwhile
from newsletter.web.desk.schedule.typed import applied_everywhere, check_text, editor_page, typed_text, unpacked

__all__ = ["schedule_file_save"]

_log = logging.getLogger(__name__)


def schedule_file_save(ask: Ask) -> Response:
    """Write it, all or nothing, if the file still says what it said when the editor was opened."""
    assert ask.account is not None
    text, began = typed_text(ask), unpacked(ask.field("began"))
    try:
        change = schedule_file.retype(ask.room, began, text)
        schedule_file.put_in_place(ask.room, change)
    except PlanError:
        return editor_page(ask, text, began, checked=check_text(ask, text), status=400)
    except NothingToDoError as error:
        return editor_page(ask, text, began, notice=f"{error}.", status=409)
    except ChecksFailedError as error:
        return changed_meanwhile(ask, text, began, error)
    _log.info("schedule.yaml changed on screen by account %d", ask.account.id)
    ask.figures.forget()
    return RedirectResponse("/schedules/file/apply" if applied_everywhere(ask) else "/schedules/file?saved", 303)
