"""Every setting, and where it came from."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.web.asking import Ask
from newsletter.web.pages import desk_page

__all__ = ["setting_list"]


def setting_list(ask: Ask) -> Response:
    """The settings as `newsletter config` prints them: secrets are masked."""
    return desk_page(ask, "setting_list.html", settings=ask.room.settings.table(), desk=ask.room.desk)
