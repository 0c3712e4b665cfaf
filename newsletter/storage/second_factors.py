"""Second factors of accounts: the sealed secret of an authenticator, the last code that was taken, recovery codes."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from newsletter.storage.accounts import Account, void
from newsletter.storage.database import Database
from newsletter.storage.tables import account, recovery_code

__all__ = ["SecondFactor", "SecondFactors"]


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """An account's authenticator: its sealed secret; `since` is None until a code of it was shown."""

    sealed: str
    since: datetime | None
    codes_left: int


class SecondFactors:
    """Every second factor of the desk. Secrets come sealed, recovery codes are stored as SHA-256 only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, who: Account) -> SecondFactor | None:
        """The account's second factor, or None."""
        left = sa.select(sa.func.count()).where(recovery_code.c.account_id == who.id).scalar_subquery()
        query = sa.select(account.c.totp_secret, account.c.totp_since, left).where(account.c.id == who.id)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return SecondFactor(row[0], row[1], row[2]) if row is not None and row[0] is not None else None

    def offer(self, who: Account, sealed: str) -> bool:
        """Keep the secret until a code of it is shown; False where the account has a second factor in use."""
        those = account.c.id == who.id, account.c.totp_since.is_(None)
        with self._database.write() as connection:
            done = connection.execute(sa.update(account).where(*those).values(totp_secret=sealed, totp_last=None))
            return done.rowcount == 1

    def confirm(self, who: Account, sealed: str, step: int, codes: Collection[str], now: datetime) -> bool:
        """Ask for codes of that secret from now on; the one of time step `step` is used up. False where the secret is
        not the one that was offered, or is in use already."""
        those = account.c.id == who.id, account.c.totp_secret == sealed, account.c.totp_since.is_(None)
        with self._database.write() as connection:
            done = connection.execute(sa.update(account).where(*those).values(totp_since=now, totp_last=step))
            if done.rowcount == 1:
                _put_codes(connection, who, codes)
            return done.rowcount == 1

    def use_step(self, who: Account, step: int) -> bool:
        """Take the code of a time step; False for that step or an earlier one once it was taken (RFC 6238, 5.2)."""
        fresh = sa.or_(account.c.totp_last.is_(None), account.c.totp_last < step)
        those = account.c.id == who.id, account.c.totp_since.is_not(None), fresh
        with self._database.write() as connection:
            return connection.execute(sa.update(account).where(*those).values(totp_last=step)).rowcount == 1

    def use_recovery_code(self, who: Account, code: str) -> bool:
        """Take a recovery code, once."""
        those = recovery_code.c.account_id == who.id, recovery_code.c.code_hash == _hash(who, code)
        with self._database.write() as connection:
            return connection.execute(sa.delete(recovery_code).where(*those)).rowcount == 1

    def renew_codes(self, who: Account, codes: Collection[str]) -> None:
        """Put new recovery codes in the place of all old ones."""
        with self._database.write() as connection:
            _put_codes(connection, who, codes)

    def forget(self, who: Account) -> None:
        """Ask for no code any more, and end every session of the account."""
        nothing = {"totp_secret": None, "totp_since": None, "totp_last": None}
        with self._database.write() as connection:
            connection.execute(sa.update(account).where(account.c.id == who.id).values(nothing))
            _put_codes(connection, who, ())
            void(connection, who.id)


def _put_codes(connection: sa.Connection, who: Account, codes: Collection[str]) -> None:
    connection.execute(sa.delete(recovery_code).where(recovery_code.c.account_id == who.id))
    for code in codes:
        connection.execute(sa.insert(recovery_code).values(account_id=who.id, code_hash=_hash(who, code)))


def _hash(who: Account, code: str) -> str:
    """80 random bits need no slow hash; the account in it keeps codes of two people apart."""
    return hashlib.sha256(f"{who.id}|{code}".encode()).hexdigest()
