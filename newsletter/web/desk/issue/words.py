"""Give an issue an editor's own subject, preheader, and word to the readers."""

from __future__ import annotations

import re

from starlette.responses import RedirectResponse, Response

from newsletter.newsroom.issue import editing
from newsletter.web.asking import Ask
from newsletter.web.desk.issue.page import issue_page

__all__ = ["issue_words"]

_PARTS = ("subject", "preheader", "word")


def issue_words(ask: Ask) -> Response:
    """Take what differs from what the form was shown with; another editor's words meanwhile are shown, not lost."""
    issue = ask.room.issues.get(ask.issue_id)
    given = {part: _clean(ask.field(part)) for part in _PARTS if part in ask.form}
    changed = {part: text for part, text in given.items() if text != _clean(ask.field(f"{part}_was"))}
    now = _said(ask)
    beaten = [part for part in changed if now[part] not in (_clean(ask.field(f"{part}_was")), changed[part])]
    if beaten:
        lost = "\n".join(
            f"The {part} is now: {now[part] or 'made by itself'}\nYours was: {changed[part]}" for part in beaten
        )
        return issue_page(ask, issue, notice=f"Somebody else wrote it meanwhile.\n{lost}", status=409)
    word = re.split(r"\n\s*\n", changed["word"]) if "word" in changed else None
    editing.edit(
        ask.room,
        issue.id,
        subject=changed.get("subject"),
        preheader=changed.get("preheader"),
        word=word,
        who=ask.who,
    )
    ask.figures.forget_checks()
    return RedirectResponse(ask.same_view(f"/issues/{issue.id}"), 303)


def _said(ask: Ask) -> dict[str, str]:
    snapshot = ask.room.issues.get(ask.issue_id).snapshot
    if snapshot is None:
        return dict.fromkeys(_PARTS, "")
    return {
        "subject": snapshot.subject or "",
        "preheader": snapshot.preheader or "",
        "word": "\n\n".join(snapshot.word),
    }


def _clean(text: str) -> str:
    return re.sub(r"\r\n?", "\n", text).strip()
