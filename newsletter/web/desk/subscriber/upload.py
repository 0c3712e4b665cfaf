"""Take a file of subscribers, to look at it: it is not imported by that."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from newsletter.errors import InputError
from newsletter.newsroom.readership import imports
from newsletter.web.asking import Ask

__all__ = ["subscriber_upload"]

LONGEST_SOURCE = 300


def subscriber_upload(ask: Ask) -> Response:
    """Keep it, and show what an import of it would do."""
    if ask.upload is None or not ask.upload.name:
        raise InputError("no file came with the form; choose one")
    brought = imports.bring(
        ask.room,
        ask.upload.data,
        ask.upload.name,
        newsletters=ask.form.get("newsletter", ()),
        consent_source=ask.field("consent_source").strip()[:LONGEST_SOURCE],
        who=ask.who,
    )
    ask.remarks.append(brought.id)
    return RedirectResponse(f"/subscribers/import/{brought.id}", 303)
