"""One database behind one door: SQLite (WAL, foreign keys, full fsync) or PostgreSQL, and locks that die with
their owner."""

from __future__ import annotations

import fcntl
import hashlib
import os
import select
import sqlite3
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, Engine, ExceptionContext, make_url

from newsletter.errors import StorageError
from newsletter.storage import schema
from newsletter.storage.standing import Standing

__all__ = ["Database", "Hold", "insert_or_ignore"]

BUSY_SECONDS = 30

_Value = TypeVar("_Value")

_OVERFLOW = 60
"""Sessions at once beyond the five that are kept: each sender holds its lock in one, and needs one or two for moments;
with 16 issues under way and the screens' threads that is more than the usual ten."""


class Hold:
    """A lock that was asked for; true where we have it."""

    def __init__(self, held: bool, session: int | None = None) -> None:
        self._held = held
        self._session: select.poll | None = None
        if session is not None:
            self._session = select.poll()
            self._session.register(session, select.POLLIN)

    def __bool__(self) -> bool:
        return self._held

    @property
    def lost(self) -> bool:
        """Whether the database session it hung on has ended, so that somebody else may have it by now.

        Nothing is asked of the session while it only holds a lock: a server that speaks all the same takes its leave.
        """
        return self._session is not None and bool(self._session.poll(0))


class Database:
    """The engine of a desk and what hangs on it: transactions, locks, schema, backup.

    `url` is absolute. Usable from several threads; `close` when done. One that is not `lasting` is thrown away
    afterwards: SQLite then never waits for the disk, which is nearly all the time of a commit. Raises `StorageError`
    for a URL that no database can have.
    """

    def __init__(self, url: str, *, lasting: bool = True) -> None:
        try:
            self.url: URL = make_url(url)
            self.engine = _open(self.url, lasting)
        except (sa.exc.ArgumentError, ImportError) as error:  # the text may hold a password: it is not quoted
            raise StorageError(
                f"NEWSLETTER_DATABASE_URL cannot be used ({str(error).partition(' from given')[0]});"
                " one looks like sqlite:///newsletter.db or postgresql://user@host/name"
            ) from None
        self._standing = Standing(Path(self.url.database or "")) if self.is_sqlite else None

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.engine.dialect.name == "sqlite"

    @property
    def exists(self) -> bool:
        """Whether there is one; connecting to an SQLite file that is not there would leave an empty one."""
        return not self.is_sqlite or Path(self.url.database or "").exists()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that commits at the end of the block. On SQLite it takes the write lock at its start, so
        that what it read cannot change before it writes."""
        with self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view that blocks no writer."""
        with self.engine.connect() as connection:
            if not self.is_sqlite:
                # SQLite's readers see one state of the database anyway; PostgreSQL's do so when asked.
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    def standing(self, key: Hashable, ask: Callable[[], _Value]) -> _Value:
        """The value of `ask`, a read that is asked for at every request; called anew once anybody has written, and on
        PostgreSQL always."""
        return ask() if self._standing is None else self._standing.of(key, ask)

    @contextmanager
    def hold(self, name: str) -> Iterator[Hold]:
        """Take the lock `name` for the length of the block, without waiting; yields whether we have it.

        The lock dies with its process, even by kill -9, and never by a clock: `flock` on a file beside SQLite's,
        a session advisory lock on PostgreSQL.
        """
        with ExitStack() as stack:
            if self.is_sqlite:
                yield Hold(stack.enter_context(_flock(self._lock_file(name))))
            else:
                yield stack.enter_context(_advisory_lock(self.engine, name))

    def sweep_locks(self) -> None:
        """Throw away the lock files of the dead, which under random names would pile up. Those of the last hour stay:
        one that was made this moment is not locked yet."""
        if not self.is_sqlite:
            return
        for path in self._lock_file("").parent.iterdir():
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > _OLD:
                    with _flock(path):
                        pass  # who lets go of it removes it

    def upgrade(self) -> None:
        """Bring the schema to this version's; safe to repeat and from several processes."""
        if self.is_sqlite:
            _guard_file(self.url)
        schema.upgrade(self.engine)

    def require_schema(self) -> None:
        """Raise `StorageError` unless the schema is this version's."""
        if not self.exists:
            raise StorageError(
                f"there is no database {self.url.database}; is this a desk? `newsletter init` makes one,"
                " `newsletter db upgrade` only the database"
            )
        if not schema.is_current(self.engine):
            raise StorageError(
                f"the database {self.url.set(query={}).render_as_string()} has no schema or one of another version;"
                " `newsletter db upgrade` brings it up to date"
            )

    def time(self) -> datetime | None:
        """The clock of the database's server, aware and UTC; None for SQLite, which goes by ours."""
        if self.is_sqlite:
            return None
        with self.engine.connect() as connection:
            told: datetime = connection.scalars(sa.select(sa.func.clock_timestamp())).one()
        return told.astimezone(UTC)

    def backup(self, target: Path) -> None:
        """Write a consistent copy of an SQLite database to a new file, which its owner alone may read: all of it or
        nothing. Others may go on writing meanwhile."""
        if not self.is_sqlite:
            raise StorageError("`db backup` copies SQLite databases; for PostgreSQL use pg_dump")
        if target.exists():
            raise StorageError(f"{target} is there already; name a new file")
        draft = target.with_name(f"{target.name}.part")
        raw = self.engine.raw_connection()  # outside SQLAlchemy's transactions: VACUUM wants none
        try:
            draft.unlink(missing_ok=True)
            os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            raw.cursor().execute("VACUUM INTO ?", (str(draft),))
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            draft.rename(target)
        except (sqlite3.Error, OSError) as error:
            draft.unlink(missing_ok=True)
            raise StorageError(f"{target} cannot be written: {error}") from None
        finally:
            raw.close()

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()
        if self._standing is not None:
            self._standing.close()

    def __enter__(self) -> Database:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _lock_file(self, name: str) -> Path:
        assert self.url.database
        folder = Path(self.url.database + ".locks")
        folder.mkdir(exist_ok=True)
        return folder / hashlib.sha256(name.encode()).hexdigest()[:24]


def insert_or_ignore(connection: Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that does nothing where a row of the same key is there already."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def _open(url: URL, lasting: bool) -> Engine:
    if url.get_backend_name() == "postgresql":
        engine = sa.create_engine(url.set(drivername="postgresql+psycopg"), pool_pre_ping=True, max_overflow=_OVERFLOW)
    else:
        engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS}, max_overflow=_OVERFLOW)
        event.listen(engine, "connect", partial(_prepare_sqlite, "FULL" if lasting else "OFF"))
        event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "handle_error", _explain)
    return engine


def _guard_file(url: URL) -> None:
    """Make a new SQLite file readable to its owner alone: it holds addresses."""
    if url.database and url.database != ":memory:" and Path(url.database).parent.is_dir():
        os.close(os.open(url.database, os.O_CREAT | os.O_CLOEXEC, 0o600))


def _prepare_sqlite(synchronous: str, dbapi: Any, _record: object) -> None:
    # The driver's own transaction handling begins too late for us; `_begin_sqlite` does it (SQLAlchemy's
    # documentation of pysqlite, "Enabling non-legacy SQLite transactional modes").
    dbapi.isolation_level = None
    # What is deleted is overwritten: an erased address must not stay readable in the file. Debian's SQLite does that
    # anyway (https://sqlite.org/pragma.html#pragma_secure_delete).
    for pragma in ("journal_mode = WAL", f"synchronous = {synchronous}", "foreign_keys = ON", "secure_delete = ON"):
        dbapi.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that reads and then writes fails at once with SQLITE_BUSY_SNAPSHOT when somebody
    # wrote in between, whatever the time-out: so writers queue up at the door.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _explain(context: ExceptionContext) -> None:
    words = str(context.original_exception).strip()
    if any(sign in words for sign in ("disk is full", "No space left", "disk I/O error")):
        raise StorageError(
            f"the disk of the database is full or failing ({words}); nothing recorded is lost:"
            " make room and repeat the command"
        ) from context.original_exception
    if "database is locked" in words:
        raise StorageError(
            f"the database stayed locked for {BUSY_SECONDS} s by another program; repeat the command"
        ) from context.original_exception
    if "no such table" in words or "UndefinedTable" in type(context.original_exception).__name__:
        raise StorageError(
            f"the database has no schema yet ({words}); `newsletter db upgrade` makes it"
        ) from context.original_exception
    if any(sign in words for sign in ("readonly database", "read-only transaction")):
        raise StorageError(
            f"the database can be read and not written ({words}); who runs the desk must own its folder and files"
        ) from context.original_exception
    unreachable = ("unable to open database", "connection failed", "could not connect", "Connection refused")
    if context.is_disconnect or any(sign in words for sign in unreachable):
        raise StorageError(f"the database cannot be reached ({words}); see NEWSLETTER_DATABASE_URL") from (
            context.original_exception
        )
    if "malformed" in words or "not a database" in words:
        raise StorageError(
            f"the database is damaged ({words}); was a backup put back beside the old one's `-wal` or `-shm` file?"
            " docs/sending.md tells how it is done"
        ) from context.original_exception
    if isinstance(context.sqlalchemy_exception, sa.exc.OperationalError | sa.exc.InternalError):
        raise StorageError(f"the database refused ({words}); repeat the command") from context.original_exception


_OLD = 3600.0


@contextmanager
def _flock(path: Path) -> Iterator[bool]:
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            yield False
            return
        # The last owner removes the file: a lock on a removed file excludes nobody.
        try:
            if os.fstat(file).st_ino == path.stat().st_ino:
                break
        except FileNotFoundError:
            pass
        os.close(file)
    try:
        yield True
    finally:
        path.unlink(missing_ok=True)
        os.close(file)


@contextmanager
def _advisory_lock(engine: Engine, name: str) -> Iterator[Hold]:
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        held = bool(connection.scalar(sa.select(sa.func.pg_try_advisory_lock(key))))
        session = connection.connection.dbapi_connection
        assert session is not None, "it has just answered"
        try:
            yield Hold(held, session.fileno())
        finally:
            if held:
                with suppress(StorageError):  # the session has ended, and the lock with it
                    connection.execute(sa.select(sa.func.pg_advisory_unlock(key)))
