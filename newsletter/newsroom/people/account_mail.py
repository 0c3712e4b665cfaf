"""Mails about accounts: what is asked for is carried until it is taken, a bounded number of times.

The link in a mail is made at the moment it is written, so that the database never holds one in clear. In the outbox
these mails lie in a folder of their own, which no screen shows: who may look at issues' mail could enter as an admin.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from pathlib import Path

from newsletter import deliver, render
from newsletter.errors import NewsletterError, NotLiveError, TransportError
from newsletter.model import DeliveryState, Message, Sender
from newsletter.newsroom.people.saying import day_words, length_words
from newsletter.newsroom.room import Newsroom
from newsletter.pipeline import send_once
from newsletter.storage import Account, AccountMailKind, AccountMailRow, LinkPurpose
from newsletter.tokens import Purpose

__all__ = ["INVITATION_LASTS", "MOST_TRIES", "RESET_LASTS", "carry", "outbox_of_accounts"]

log = logging.getLogger("newsletter.telling")

INVITATION_LASTS, RESET_LASTS = timedelta(days=7), timedelta(hours=1)
MOST_TRIES = 6
PAUSE = timedelta(minutes=1)
SECONDS = 60.0

_FOR_GOOD = (DeliveryState.SUBMITTED, DeliveryState.UNKNOWN, DeliveryState.REJECTED)


def outbox_of_accounts(room: Newsroom) -> Path:
    """Where these mails lie when no mail server is set."""
    return room.outbox / "accounts"


def carry(room: Newsroom) -> None:
    """Carry what is due; what is not taken is tried again later. Raises nothing that has to do with a mail server."""
    if not _due(room):
        return
    with room.database.hold("mail about accounts") as held:
        for row in _due(room) if held else ():
            if not room.account_mails.claim(row, room.clock.now()):
                continue
            try:
                _carry_one(room, row)
            except TransportError as error:
                _note(room, row, str(error))
                return  # a server that hangs is waited for once
            except Exception as error:  # noqa: BLE001 - one mail that cannot be made keeps no other one
                _note(room, row, str(error) or type(error).__name__)


def _due(room: Newsroom) -> list[AccountMailRow]:
    now = room.clock.now()
    rows = room.account_mails.open(MOST_TRIES)
    return [row for row in rows if not row.tries or row.at + PAUSE * 2 ** (row.tries - 1) <= now]


def _carry_one(room: Newsroom, row: AccountMailRow) -> None:
    account = room.accounts.get(row.account_id)
    if account.disabled:
        room.account_mails.settle(row, "the account was disabled")
        return
    transport = deliver.open_transport(room.settings, outbox_of_accounts(room))
    try:
        deliver.refuse_strangers(transport, room.settings, [account.email])
    except NotLiveError as error:
        log.warning("a mail about account %d is not sent: the desk is not live", account.id)
        room.account_mails.settle(row, str(error))
        return
    (outcome,) = send_once(transport, [_message(room, account, row)], seconds=SECONDS)
    if outcome.state in _FOR_GOOD:
        taken = outcome.state is not DeliveryState.REJECTED
        room.account_mails.settle(row, "" if taken else outcome.reply)
    else:
        _note(room, row, outcome.reply or str(outcome.state))


def _note(room: Newsroom, row: AccountMailRow, why: str) -> None:
    after = "It is tried again." if row.tries + 1 < MOST_TRIES else "It is not tried again."
    log.warning("a mail about account %d was not taken: %s. %s", row.account_id, why, after)
    room.account_mails.settle(row, f"{why}. {after}", settled=False)


def _message(room: Newsroom, account: Account, row: AccountMailRow) -> Message:
    sender, now = _sender(room), room.clock.now()
    contents = _contents(room, account, row.kind, now)
    html, text = render.desk_letter(contents)
    thread = room.signer.digest(Purpose.MESSAGE_ID, f"account|{account.id}")
    unique = room.signer.digest(Purpose.MESSAGE_ID, f"account|{account.id}|{row.id}|{row.tries}")
    letter = deliver.DeskLetter(
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
        else f"You get this because the account is yours, {account.email}.",
    }


def _sender(room: Newsroom) -> Sender:
    """The desk in the name of its first newsletter: an address that its mail server may send from."""
    newsletter = next(iter(room.plan.newsletters.values()), None)
    if newsletter is None:
        raise NewsletterError("schedule.yaml names no newsletter, so there is no address to write from")
    return Sender("Newsdesk", newsletter.sender.address)
