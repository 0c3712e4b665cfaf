"""Everybody who may come in, and as what."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.storage import AccountMailRow, Person, Role
from newsletter.web.asking import Ask
from newsletter.web.pages import desk_page

__all__ = ["user_list", "user_page"]


def user_list(ask: Ask) -> Response:
    """The screen."""
    return user_page(ask, done=ask.query.get("done") == "mailed")


def user_page(ask: Ask, *, status: int = 200, message: str = "", email: str = "", done: bool = False) -> Response:
    """The screen, with why nothing was changed."""
    mails = ask.room.account_mails.last_links()
    people = [(person, _mail_words(person, mails.get(person.account.id))) for person in ask.room.accounts.people()]
    return desk_page(
        ask, "user_list.html", status=status, message=message, email=email, people=people, roles=list(Role), done=done
    )


def _mail_words(person: Person, mail: AccountMailRow | None) -> str:
    """What became of the last mail with a link, as long as it matters."""
    if mail is None or person.account.disabled or (mail.settled and not mail.reply and person.account.has_password):
        return ""
    if mail.reply:
        return f"Not mailed: {mail.reply}"
    return "A link was mailed." if mail.settled else "The mail leaves with the next waking of the clock."
