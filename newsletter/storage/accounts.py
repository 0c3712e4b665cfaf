"""Accounts of the desk's own people: passwords, sessions, one-time login links."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from newsletter.errors import InputError
from newsletter.storage.database import Database
from newsletter.storage.tables import account, login_link, session

__all__ = ["Account", "Accounts", "Role"]

SESSION_LASTS = timedelta(days=14)
LINK_LASTS = timedelta(hours=12)


class Role(StrEnum):
    """What a person of the desk may do, each including the one before."""

    VIEWER = "viewer"
    EDITOR = "editor"
    APPROVER = "approver"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Account:
    """One person of the desk."""

    id: int
    email: str
    role: Role


class Accounts:
    """Everybody who may log in. Passwords are argon2id hashes; tokens are stored as SHA-256 only."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._hasher = PasswordHasher()
        # Checked when there is no such account, so that the answer takes as long.
        self._nobody = self._hasher.hash(secrets.token_urlsafe())

    def add(self, email: str, role: Role, now: datetime, password: str | None = None) -> Account:
        """A new account; raises `InputError` when the address has one. Without a password only links log in."""
        email = email.strip().lower()
        with self._database.write() as connection:
            if connection.scalar(sa.select(account.c.id).where(account.c.email == email)) is not None:
                raise InputError(f"{email} has an account already")
            made = connection.execute(
                sa.insert(account).values(
                    email=email,
                    role=role,
                    password_hash=self._hasher.hash(password) if password else None,
                    created_at=now,
                )
            )
            (row_id,) = made.inserted_primary_key or (0,)
        return Account(int(row_id), email, role)

    def find(self, email: str) -> Account | None:
        """The account of that address, or None."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(account).where(account.c.email == email.strip().lower())).first()
        return Account(row.id, row.email, Role(row.role)) if row is not None else None

    def check_password(self, email: str, password: str) -> Account | None:
        """The account if that is its password, else None; takes the same time either way."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(account).where(account.c.email == email.strip().lower())).first()
        stored = row.password_hash if row is not None and row.password_hash else None
        try:
            self._hasher.verify(stored or self._nobody, password)
        except VerificationError:
            return None
        return Account(row.id, row.email, Role(row.role)) if row is not None and stored else None

    def make_login_link(self, who: Account, now: datetime) -> str:
        """A token that logs `who` in once, within twelve hours."""
        token = secrets.token_urlsafe(24)
        with self._database.write() as connection:
            connection.execute(
                sa.insert(login_link).values(token_hash=_hash(token), account_id=who.id, expires_at=now + LINK_LASTS)
            )
        return token

    def use_login_link(self, token: str, now: datetime) -> Account | None:
        """The account of a login link that was never used and has not expired; it is used up by this."""
        with self._database.write() as connection:
            row = connection.execute(
                sa.select(account)
                .join(login_link, login_link.c.account_id == account.c.id)
                .where(login_link.c.token_hash == _hash(token), login_link.c.expires_at > now)
            ).first()
            used = connection.execute(sa.delete(login_link).where(login_link.c.token_hash == _hash(token))).rowcount
        return Account(row.id, row.email, Role(row.role)) if row is not None and used == 1 else None

    def open_session(self, who: Account, now: datetime) -> str:
        """A session token for a cookie, good for 14 days."""
        token = secrets.token_urlsafe(24)
        with self._database.write() as connection:
            connection.execute(sa.delete(session).where(session.c.expires_at <= now))
            connection.execute(
                sa.insert(session).values(token_hash=_hash(token), account_id=who.id, expires_at=now + SESSION_LASTS)
            )
        return token

    def session_account(self, token: str, now: datetime) -> Account | None:
        """Whose session that is, or None."""
        with self._database.read() as connection:
            row = connection.execute(
                sa.select(account)
                .join(session, session.c.account_id == account.c.id)
                .where(session.c.token_hash == _hash(token), session.c.expires_at > now)
            ).first()
        return Account(row.id, row.email, Role(row.role)) if row is not None else None

    def close_session(self, token: str) -> None:
        """Log out."""
        with self._database.write() as connection:
            connection.execute(sa.delete(session).where(session.c.token_hash == _hash(token)))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
