"""Mails about accounts: what is asked for is carried until it is taken, a bounded number of times.

The link in a mail is made at the moment it is written, so that the database never holds one in clear. In the outbox
these mails lie in a folder of their own, which no screen shows: who may look at issues' mail could enter as an admin.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from newsletter import deliver, render
from newsletter.errors import NewsletterError
from newsletter.model import Message, Sender
from newsletter.newsroom.people.saying import day_words, length_words
from newsletter.newsroom.posting import Outgoing, UnwantedError, post
from newsletter.newsroom.room import Newsroom
from newsletter.storage import Account, AccountMailKind, AccountMailRow, LinkPurpose
from newsletter.tokens import Purpose

__all__ = ["INVITATION_LASTS", "RESET_LASTS", "carry", "outbox_of_accounts"]

INVITATION_LASTS, RESET_LASTS = timedelta(days=7), timedelta(hours=1)


def outbox_of_accounts(room: Newsroom) -> Path:
    """Where these mails lie when no mail server is set."""
    return room.outbox / "accounts"


def carry(room: Newsroom) -> None:
    """Carry what is due, as `posting.post` does."""
    post(room, "mail about account", room.account_mails, partial(_letter, room), outbox_of_accounts(room))


def _letter(room: Newsroom, row: AccountMailRow) -> Outgoing:
    account = room.accounts.get(row.account_id)
    if account.disabled:
        raise UnwantedError("the account was disabled")
    return account.email, partial(_message, room, account, row)


def _message(room: Newsroom, account: Account, row: AccountMailRow) -> Message:
    sender, now = _sender(room), room.clock.now()
    contents = _contents(room, account, row.kind, now)
    html, text = render.desk_letter(contents)
    thread = room.signer.digest(Purpose.MESSAGE_ID, f"account|{account.id}")
    unique = room.signer.digest(Purpose.MESSAGE_ID, f"account|{account.id}|{row.id}|{row.tries}")
    letter = deliver.Letter(
        sender=sender,
        to=account.email,
        subject=str(contents["subject"]),
        html=html,
        text=text,
        date=now,
        message_id=f"<{unique}@{sender.domain}>",
        thread=f"<{thread}@{sender.domain}>",
    )
    envelope = deliver.envelope_sender(room.settings.bounce_domain or sender.domain, "desk")
    return deliver.write_letter(letter, 0, envelope, deliver.dkim_keys(room.settings))


def _contents(room: Newsroom, account: Account, kind: AccountMailKind, now: datetime) -> dict[str, object]:
    """What `render.desk_letter` is given; a link in it is made here."""
    base = room.settings.base_url
    headline, sentences, words, lasts = {
        AccountMailKind.INVITATION: (
            "You are invited to the desk",
            [f"There is an account for {account.email} at {base}, with the role {account.role}."],
            "Set a password",
            INVITATION_LASTS,
        ),
        AccountMailKind.PASSWORD: (
            "Set a new password",
            [f"Somebody, probably you, asked for a new password for {account.email} at {base}."],
            "Set a new password",
            RESET_LASTS,
        ),
        AccountMailKind.CHANGED: (
            "Your password was changed",
            [
                f"The password of {account.email} at {base} was changed, and every session was ended.",
                "If that was not you, ask an admin to disable the account.",
            ],
            "",
            None,
        ),
        AccountMailKind.WEBHOOK: (
            "A webhook was switched off",
            [
                f"A program that is told what happens at {base} took nothing for days, or said that it is gone.",
                f"Why, and what it was not told, stands at {base}/webhooks; there it can be switched on again.",
            ],
            "",
            None,
        ),
    }[kind]
    button = None
    if lasts is not None:
        token = room.accounts.make_link(account, LinkPurpose.PASSWORD, now + lasts)
        about = f"For {account.email} alone, once, within {length_words(lasts)}."
        button = {"address": f"{base}/password/{token}", "words": words, "about": about}
    return {
        "subject": f"Newsdesk: {headline[:1].lower()}{headline[1:]}",
        "preheader": " ".join(sentences),
        "title": "Newsdesk",
        "day": day_words(now, now),
        "headline": headline,
        "sentences": sentences,
        "button": button,
        "links": [],
        "books": [],
        "balance": "",
        "checks": [],
        "sections": [],
        "stories": "",
        "why": "Without you nothing changes: a link that nobody uses ends by itself."
        if button
        else f"You get this because the account is yours, {account.email}"
        f"{', and you are an admin' if kind is AccountMailKind.WEBHOOK else ''}.",
    }


def _sender(room: Newsroom) -> Sender:
    """The desk in the name of its first newsletter: an address that its mail server may send from."""
    newsletter = next(iter(room.plan.newsletters.values()), None)
    if newsletter is None:
        raise NewsletterError("schedule.yaml names no newsletter, so there is no address to write from")
    return Sender("Newsdesk", newsletter.sender.address)
