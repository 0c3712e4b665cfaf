"""API tokens: what programs show instead of a session."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from newsletter.storage.accounts import Role
from newsletter.storage.database import Database
from newsletter.storage.tables import api_token

__all__ = ["ApiToken", "ApiTokens"]

PREFIX = "newsdesk_"
"""Programs that look for leaked secrets find ours by it."""

_NOTICED = timedelta(minutes=1)
"""How old the note of the last use may be: a busy program costs one write a minute."""


@dataclass(frozen=True, slots=True)
class ApiToken:
    """One token of a program: its name, what it may do, who made it; the secret itself is nowhere kept."""

    id: int
    name: str
    role: Role
    made_by: str
    made_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


class ApiTokens:
    """Every API token of the desk, stored as SHA-256 only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def make(self, name: str, role: Role, made_by: str, now: datetime) -> str:
        """A new token of 256 bits; this is the only time that anybody sees it."""
        secret = PREFIX + secrets.token_urlsafe(32)
        row = {"token_hash": _hash(secret), "name": name, "role": role, "made_by": made_by, "made_at": now}
        with self._database.write() as connection:
            connection.execute(sa.insert(api_token).values(row))
        return secret

    def all(self) -> Sequence[ApiToken]:
        """Every token, those in force first, the latest first."""
        query = sa.select(api_token).order_by(api_token.c.revoked_at.is_not(None), api_token.c.id.desc())
        with self._database.read() as connection:
            return [_token(row) for row in connection.execute(query)]

    def revoke(self, token_id: int, now: datetime) -> str | None:
        """End a token at once; returns its name, or None where there is none in force of that number."""
        those = api_token.c.id == token_id, api_token.c.revoked_at.is_(None)
        with self._database.write() as connection:
            done = sa.update(api_token).where(*those).values(revoked_at=now).returning(api_token.c.name)
            name: str | None = connection.scalar(done)
        return name

    def use(self, secret: str, now: datetime) -> ApiToken | None:
        """The token in force that a program shows, or None; that it was used is noted."""
        those = api_token.c.token_hash == _hash(secret), api_token.c.revoked_at.is_(None)
        with self._database.read() as connection:
            row = connection.execute(sa.select(api_token).where(*those)).first()
        if row is None:
            return None
        if row.used_at is None or now - row.used_at >= _NOTICED:
            with self._database.write() as connection:
                connection.execute(sa.update(api_token).where(api_token.c.id == row.id).values(used_at=now))
        return _token(row)


def _token(row: sa.Row[tuple[object, ...]]) -> ApiToken:
    return ApiToken(row.id, row.name, Role(row.role), row.made_by, row.made_at, row.used_at, row.revoked_at)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
