"""Keep a template file as it was typed."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from newsletter.errors import ChecksFailedError, NothingToDoError, TemplateError
from newsletter.newsroom.planning import template_files
from newsletter.newsroom.planning.schedule_file import diff_of
from newsletter.web.asking import Ask
from newsletter.web.desk.schedule.typed import typed_text
from newsletter.web.desk.templates.typed import address_of, editor_page, name_asked

__all__ = ["template_save"]


def template_save(ask: Ask) -> Response:
    """Write it, all or nothing, if the file still says what it said when the editor was opened."""
    name, text, began = name_asked(ask), typed_text(ask), ask.field("began")
    ask.remarks.append(name)
    try:
        template_files.save(ask.room, name, began, text)
    except TemplateError as error:
        return editor_page(ask, text, began, problems=error.problems, status=400)
    except NothingToDoError as error:
        return editor_page(ask, text, began, notice=f"{error}.", status=409)
    except ChecksFailedError as error:
        present = template_files.text_of(ask.room, name)
        words = f"{error}. Nothing was written. Bring what is different into your text, or it is lost when you save."
        meanwhile = diff_of(text, present, f"{name} (yours)", f"{name} (now)")
        began = template_files.stamp(present)
        return editor_page(ask, text, began, notice=words, meanwhile=meanwhile, status=409)
    ask.figures.forget_checks()
    return RedirectResponse(f"{address_of(name)}&saved", 303)
