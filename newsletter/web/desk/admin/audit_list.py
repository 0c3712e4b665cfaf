"""The audit log: who did what, when, to what, from where."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.web.asking import Ask
from newsletter.web.pages import desk_page

__all__ = ["ACT_WORDS", "audit_list"]

ROWS = 100

ACT_WORDS = {
    "login": "logged in",
    "login_failed": "failed to log in",
    "logout": "logged out",
    "forgot": "asked for a new password",
    "password": "set a password by link",
    "account_password": "changed their password",
    "account_session_end": "ended a session",
    "account_totp_begin": "began a second factor",
    "account_totp_confirm": "set up a second factor",
    "account_totp_codes": "made recovery codes",
    "account_totp_end": "gave up the second factor",
    "user_invite": "invited",
    "user_role": "changed the role of",
    "user_disable": "disabled",
    "user_enable": "enabled",
    "user_link": "mailed a link to",
    "user_login_link": "made a login link for",
    "user_totp": "forgot the second factor of",
    "token_make": "made an API token",
    "token_revoke": "revoked an API token",
    "issue_approve": "approved",
    "story_file": "filed a story",
    "subscriber": "looked at",
    "subscriber_list": "searched subscribers",
    "subscriber_change": "changed a subscriber",
    "subscriber_data": "downloaded the data of",
    "subscriber_export": "exported all subscribers",
    "subscriber_import": "imported a file of subscribers",
    "subscriber_add": "added",
    "subscriber_suppress": "suppressed",
    "subscriber_unsubscribe": "unsubscribed",
    "subscriber_erase": "erased",
    "subscriber_unsuppress": "let be mailed again",
    "webhook_make": "made a webhook",
    "webhook_on": "switched on a webhook",
    "webhook_off": "switched off a webhook",
    "webhook_test": "tried a webhook",
    "webhook_again": "had an event sent again to a webhook",
    "webhook_remove": "removed a webhook",
    "bounce_settle": "settled held bounces",
    "prune": "pruned what was too old",
}
"""What an act is called on screen; one that is not here goes by its name."""


def audit_list(ask: Ask) -> Response:
    """A page of the log, of one person, of one kind of act, or of all."""
    page, who, kind = ask.page_number(), _asked(ask, "who"), _asked(ask, "kind")
    lines = ask.room.audit.lines(who=who, kind=kind, start=(page - 1) * ROWS, limit=ROWS + 1)
    return desk_page(
        ask,
        "audit_list.html",
        lines=lines[:ROWS],
        page=page,
        more=len(lines) > ROWS,
        who=who,
        kind=kind,
        people=ask.room.audit.people(),
        kinds=[(each, _act_words(each)) for each in ask.room.audit.kinds()],
        act=_act_words,
    )


def _asked(ask: Ask, name: str) -> str:
    """What to show alone; PostgreSQL knows no text with a NUL in it."""
    return ask.query.get(name, "").replace("\0", "")


def _act_words(kind: str) -> str:
    return ACT_WORDS.get(kind, kind.replace("_", " "))
