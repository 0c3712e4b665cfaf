"""What the outbox holds: a folder an issue."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import Response

from newsletter.storage import Role
from newsletter.web.asking import Ask
from newsletter.web.desk.outbox import caught
from newsletter.web.pages import desk_page

__all__ = ["folder_asked", "outbox"]


def outbox(ask: Ask) -> Response:
    """Every folder with mail in it."""
    return desk_page(
        ask,
        "outbox.html",
        folders=[each for each in caught.folders(ask.room.outbox) if _is_open(ask, each.path)],
        in_use=ask.room.settings.smtp_url is None,
        place=ask.room.outbox,
    )


def folder_asked(ask: Ask) -> tuple[str, str]:
    """The folder that the address names; 403 for one that is not for whoever asks."""
    newsletter, day = ask.path["newsletter"], ask.path["day"]
    if not _is_open(ask, day):
        raise HTTPException(403, "These mails hold approvers' own links, so only an admin may open them.")
    return newsletter, day


def _is_open(ask: Ask, folder: str) -> bool:
    """Mails to the desk's people (`DAY-desk`) hold links that speak for them."""
    return not folder.endswith("-desk") or (ask.account is not None and ask.account.role is Role.ADMIN)
