"""Accounts of the desk's own people: roles, passwords, sessions, one-time links."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy.engine import Connection

from newsletter.errors import ChecksFailedError, InputError, NotFoundError
from newsletter.storage.database import Database
from newsletter.storage.tables import account, login_link, session

__all__ = ["Account", "Accounts", "LinkPurpose", "Person", "Role", "SessionRow"]

SESSION_LASTS = timedelta(days=14)
LINK_LASTS = timedelta(hours=12)
_LONGEST_AGENT, _LONGEST_CLIENT = 300, 64


class Role(StrEnum):
    """What a person of the desk may do, each including the one before."""

    VIEWER = "viewer"
    EDITOR = "editor"
    APPROVER = "approver"
    ADMIN = "admin"


class LinkPurpose(StrEnum):
    """What a one-time link does: it logs in, lets a password be set, or stands between a password and its code."""

    LOGIN = "login"
    PASSWORD = "password"  # noqa: S105 - the word, no password
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Account:
    """One person of the desk. Who has no password yet was invited; `has_totp` means that a code is asked for, too."""

    id: int
    email: str
    role: Role
    has_password: bool = False
    has_totp: bool = False
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """An account as the list of users shows it: since when it is there, and when its owner last came in."""

    account: Account
    created_at: datetime
    entered_at: datetime | None


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One open session: `key` names it and opens nothing; network address and browser as they were at its start."""

    key: str
    began_at: datetime
    client: str
    agent: str


_WHOSE = (
    sa.select(account, session.c.expires_at)
    .join(session, session.c.account_id == account.c.id)
    .where(session.c.token_hash == sa.bindparam("token_hash"), account.c.disabled_at.is_(None))
)
"""Put together once, for every request asks it."""


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
        hashed = self._hasher.hash(password) if password else None
        with self._database.write() as connection:
            if connection.scalar(sa.select(account.c.id).where(account.c.email == email)) is not None:
                raise InputError(f"{email} has an account already")
            made = connection.execute(
                sa.insert(account).values(email=email, role=role, password_hash=hashed, created_at=now)
            )
            (row_id,) = made.inserted_primary_key or (0,)
        return Account(int(row_id), email, role, has_password=hashed is not None)

    def find(self, email: str) -> Account | None:
        """The account of that address, or None."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(account).where(account.c.email == email.strip().lower())).first()
        return _account(row) if row is not None else None

    def get(self, account_id: int) -> Account:
        """The account of that number; raises `NotFoundError`."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(account).where(account.c.id == account_id)).first()
        if row is None:
            raise NotFoundError(f"there is no account {account_id}")
        return _account(row)

    def people(self) -> Sequence[Person]:
        """Everybody, those who may come in first, by address."""
        query = sa.select(account).order_by(account.c.disabled_at.is_not(None), account.c.email)
        with self._database.read() as connection:
            return [Person(_account(row), row.created_at, row.entered_at) for row in connection.execute(query)]

    def change_role(self, account_id: int, role: Role) -> None:
        """Give the account another role, and end its sessions. Raises `ChecksFailedError` for the only admin."""
        with self._database.write() as connection:
            if role is not Role.ADMIN:
                _keep_an_admin(connection, account_id)
            connection.execute(sa.update(account).where(account.c.id == account_id).values(role=role))
            _void(connection, account_id, LinkPurpose.LOGIN, LinkPurpose.CODE)

    def disable(self, account_id: int, now: datetime) -> None:
        """Let nobody in by this account, and end its sessions and links. Raises `ChecksFailedError` for the only
        admin."""
        with self._database.write() as connection:
            _keep_an_admin(connection, account_id)
            those = account.c.id == account_id, account.c.disabled_at.is_(None)
            connection.execute(sa.update(account).where(*those).values(disabled_at=now))
            _void(connection, account_id, *LinkPurpose)

    def enable(self, account_id: int) -> None:
        """Let the account's owner in again."""
        with self._database.write() as connection:
            connection.execute(sa.update(account).where(account.c.id == account_id).values(disabled_at=None))

    def check_password(self, email: str, password: str) -> Account | None:
        """The account if that is its password and it is not disabled, else None; takes the same time either way."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(account).where(account.c.email == email.strip().lower())).first()
        stored = row.password_hash if row is not None and row.password_hash and row.disabled_at is None else None
        try:
            self._hasher.verify(stored or self._nobody, password)
        except VerificationError:
            return None
        return _account(row) if row is not None and stored else None

    def set_password(self, account_id: int, password: str) -> None:
        """Give the account a password, and end every session and link of it."""
        hashed = self._hasher.hash(password)
        with self._database.write() as connection:
            _put_password(connection, account_id, hashed)

    def set_password_by(self, token: str, password: str, now: datetime) -> Account | None:
        """As `set_password`, for the account of a link that lets it; None where the link is used up or too old."""
        hashed = self._hasher.hash(password)
        with self._database.write() as connection:
            found = _use(connection, token, LinkPurpose.PASSWORD, now)
            if found is not None:
                _put_password(connection, found.id, hashed)
        return found

    def make_login_link(self, who: Account, now: datetime) -> str:
        """A token that logs `who` in once, within twelve hours."""
        return self.make_link(who, LinkPurpose.LOGIN, now + LINK_LASTS)

    def use_login_link(self, token: str, now: datetime) -> Account | None:
        """The account of a login link that was never used and has not expired; it is used up by this."""
        return self.use_link(token, LinkPurpose.LOGIN, now)

    def make_link(self, who: Account, purpose: LinkPurpose, until: datetime) -> str:
        """A token that does one thing for `who`, once, until then."""
        token = secrets.token_urlsafe(24)
        row = {"token_hash": _hash(token), "account_id": who.id, "expires_at": until, "purpose": purpose}
        with self._database.write() as connection:
            connection.execute(sa.insert(login_link).values(row))
        return token

    def link_account(self, token: str, purpose: LinkPurpose, now: datetime) -> Account | None:
        """Whose link that is, while it can still be used; looking uses nothing up."""
        with self._database.read() as connection:
            return _of_link(connection, token, purpose, now)

    def use_link(self, token: str, purpose: LinkPurpose, now: datetime) -> Account | None:
        """The account of a link that was never used and has not expired; it is used up by this."""
        with self._database.write() as connection:
            return _use(connection, token, purpose, now)

    def open_session(self, who: Account, now: datetime, client: str = "", agent: str = "") -> str:
        """A session token for a cookie, good for 14 days; `client` is the network address it is opened from."""
        token = secrets.token_urlsafe(24)
        row = {
            "token_hash": _hash(token),
            "account_id": who.id,
            "began_at": now,
            "expires_at": now + SESSION_LASTS,
            "client": client[:_LONGEST_CLIENT],
            "agent": agent[:_LONGEST_AGENT],
        }
        with self._database.write() as connection:
            connection.execute(sa.delete(session).where(session.c.expires_at <= now))
            connection.execute(sa.delete(login_link).where(login_link.c.expires_at <= now))
            connection.execute(sa.insert(session).values(row))
            connection.execute(sa.update(account).where(account.c.id == who.id).values(entered_at=now))
        return token

    def session_account(self, token: str, now: datetime) -> Account | None:
        """Whose session that is, or None."""
        whose = self._database.standing(("session", token), lambda: self._whose(token))
        if whose is None:
            return None
        found, expires_at = whose
        return found if expires_at > now else None

    def _whose(self, token: str) -> tuple[Account, datetime] | None:
        with self._database.read() as connection:
            row = connection.execute(_WHOSE, {"token_hash": _hash(token)}).first()
        return (_account(row), row.expires_at) if row is not None else None

    def sessions(self, who: Account, now: datetime) -> Sequence[SessionRow]:
        """The open sessions of an account, the latest first."""
        query = (
            sa.select(session)
            .where(session.c.account_id == who.id, session.c.expires_at > now)
            .order_by(session.c.began_at.desc(), session.c.token_hash)
        )
        with self._database.read() as connection:
            return [
                SessionRow(row.token_hash, row.began_at, row.client, row.agent) for row in connection.execute(query)
            ]

    def close_session(self, token: str) -> None:
        """Log out."""
        with self._database.write() as connection:
            connection.execute(sa.delete(session).where(session.c.token_hash == _hash(token)))

    def end_session(self, who: Account, key: str) -> bool:
        """End one of the account's own sessions; False where it has none of that key."""
        with self._database.write() as connection:
            those = session.c.account_id == who.id, session.c.token_hash == key
            return connection.execute(sa.delete(session).where(*those)).rowcount == 1

    def end_sessions(self, who: Account, keep: str = "") -> None:
        """End every session of the account, but for that of the token `keep`."""
        with self._database.write() as connection:
            those = session.c.account_id == who.id, session.c.token_hash != _hash(keep)
            connection.execute(sa.delete(session).where(*those))

    @staticmethod
    def session_key(token: str) -> str:
        """The key by which `sessions` names the session of a token."""
        return _hash(token)


def void(connection: Connection, account_id: int) -> None:
    """End every session and link of an account, within a transaction of the caller."""
    _void(connection, account_id, *LinkPurpose)


def _void(connection: Connection, account_id: int, *purposes: LinkPurpose) -> None:
    connection.execute(sa.delete(session).where(session.c.account_id == account_id))
    those = login_link.c.account_id == account_id, login_link.c.purpose.in_(purposes)
    connection.execute(sa.delete(login_link).where(*those))


def _keep_an_admin(connection: Connection, account_id: int) -> None:
    """Raise `ChecksFailedError` for the last admin who can come in; two who demote each other wait for one another."""
    admins = connection.scalars(
        sa.select(account.c.id)
        .where(account.c.role == Role.ADMIN, account.c.disabled_at.is_(None))
        .order_by(account.c.id)
        .with_for_update()
    ).all()
    if list(admins) == [account_id]:
        raise ChecksFailedError("this is the desk's only admin; make somebody else an admin first")


def _put_password(connection: Connection, account_id: int, hashed: str) -> None:
    connection.execute(sa.update(account).where(account.c.id == account_id).values(password_hash=hashed))
    void(connection, account_id)


def _of_link(connection: Connection, token: str, purpose: LinkPurpose, now: datetime) -> Account | None:
    row = connection.execute(
        sa.select(account)
        .join(login_link, login_link.c.account_id == account.c.id)
        .where(
            login_link.c.token_hash == _hash(token),
            login_link.c.purpose == purpose,
            login_link.c.expires_at > now,
            account.c.disabled_at.is_(None),
        )
    ).first()
    return _account(row) if row is not None else None


def _use(connection: Connection, token: str, purpose: LinkPurpose, now: datetime) -> Account | None:
    found = _of_link(connection, token, purpose, now)
    those = login_link.c.token_hash == _hash(token), login_link.c.purpose == purpose
    used = connection.execute(sa.delete(login_link).where(*those)).rowcount
    return found if used == 1 else None


def _account(row: Any) -> Account:
    return Account(
        row.id,
        row.email,
        Role(row.role),
        has_password=row.password_hash is not None,
        has_totp=row.totp_since is not None,
        disabled=row.disabled_at is not None,
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
