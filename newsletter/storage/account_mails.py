"""Mails to the desk's people about their accounts: asked for first, carried by the clock until they are taken.

No link is kept here: it is made when its mail is written, and only its hash stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from newsletter.storage.database import Database
from newsletter.storage.tables import account, account_mail

__all__ = ["AccountMailKind", "AccountMailRow", "AccountMails"]

KEPT = timedelta(days=30)


class AccountMailKind(StrEnum):
    """What a mail about an account says."""

    INVITATION = "invitation"
    PASSWORD = "password"  # noqa: S105 - the word, no password
    CHANGED = "changed"
    WEBHOOK = "webhook"
    """A webhook was switched off, which admins are told."""


@dataclass(frozen=True, slots=True)
class AccountMailRow:
    """One mail to one account's address. `at` is its last try, `reply` what came of that."""

    id: int
    account_id: int
    kind: AccountMailKind
    at: datetime
    tries: int
    settled: bool
    reply: str


class AccountMails:
    """Every mail about an account."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ask(self, email: str, kind: AccountMailKind, now: datetime) -> None:
        """Have a mail sent to the account of that address. Where there is none, or it is disabled, a row is written
        all the same, so that nobody can tell by the time it takes."""
        who = (account.c.email == email.strip().lower(), account.c.disabled_at.is_(None))
        with self._database.write() as connection:
            old = account_mail.c.settled, account_mail.c.at < now - KEPT
            connection.execute(sa.delete(account_mail).where(*old))
            found = connection.scalar(sa.select(account.c.id).where(*who))
            row = {"account_id": found, "kind": kind, "at": now, "tries": 0, "settled": found is None, "reply": ""}
            connection.execute(sa.insert(account_mail).values(row))

    def open(self, most_tries: int) -> Sequence[AccountMailRow]:
        """What is not settled and was tried fewer than `most_tries` times, the oldest first."""
        return self._rows(~account_mail.c.settled, account_mail.c.tries < most_tries)

    def last_links(self) -> Mapping[int, AccountMailRow]:
        """The latest mail with a link to each account."""
        with_link = account_mail.c.kind.in_((AccountMailKind.INVITATION, AccountMailKind.PASSWORD))
        return {row.account_id: row for row in self._rows(with_link)}

    def claim(self, row: AccountMailRow, now: datetime) -> bool:
        """Count one more try before it is made; False when somebody else was first."""
        those = account_mail.c.id == row.id, account_mail.c.tries == row.tries, ~account_mail.c.settled
        with self._database.write() as connection:
            done = connection.execute(sa.update(account_mail).where(*those).values(tries=row.tries + 1, at=now))
            return done.rowcount == 1

    def settle(self, row: AccountMailRow, reply: str, *, settled: bool = True) -> None:
        """Note what came of the last try; not `settled`, it is tried again."""
        with self._database.write() as connection:
            changed = sa.update(account_mail).where(account_mail.c.id == row.id)
            connection.execute(changed.values(settled=settled, reply=reply))

    def _rows(self, *those: sa.ColumnElement[bool]) -> Sequence[AccountMailRow]:
        query = sa.select(account_mail).where(account_mail.c.account_id.is_not(None), *those)
        with self._database.read() as connection:
            return [
                AccountMailRow(
                    row.id, row.account_id, AccountMailKind(row.kind), row.at, row.tries, row.settled, row.reply
                )
                for row in connection.execute(query.order_by(account_mail.c.id))
            ]
