"""A template file as it is typed on the screen, and the page that shows it with its faults and its mail."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from starlette.responses import Response

from newsletter.errors import Problem
from newsletter.newsroom.planning import template_files
from newsletter.web.asking import Ask
from newsletter.web.desk.schedule.list import excerpts
from newsletter.web.desk.schedule.typed import MOST_TYPED
from newsletter.web.pages import desk_page

__all__ = ["address_of", "editor_page", "name_asked"]


def name_asked(ask: Ask) -> str:
    """Which file the address, or the form, is about."""
    return ask.field("name") or ask.query.get("name", "")


def address_of(name: str) -> str:
    """Where that file is edited."""
    return f"/templates/file?{urlencode({'name': name})}"


def editor_page(
    ask: Ask,
    text: str,
    began: str,
    *,
    problems: Sequence[Problem] | None = None,
    notice: str = "",
    meanwhile: str = "",
    status: int = 200,
) -> Response:
    """The editor with `text` in it; `problems` is None where nobody has looked, `meanwhile` what somebody else has
    changed in the file since it said what `began` is the stamp of."""
    name = name_asked(ask)
    here = [problem for problem in problems or () if problem.file == name]
    return desk_page(
        ask,
        "template_file.html",
        status=status,
        file=template_files.one(ask.room, name),
        mail=template_files.mail_of(ask.room, name),
        frame=f"/templates/mail?{urlencode({'name': name})}",
        text=text,
        began=began,
        problems=problems,
        excerpts=list(excerpts(text.splitlines(), here)),
        elsewhere=[problem for problem in problems or () if problem not in here],
        notice=notice,
        meanwhile=meanwhile,
        too_large=len(text.encode()) > MOST_TYPED,
    )
