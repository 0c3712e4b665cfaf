"""How this house opens, upgrades and writes to its database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, Table, column, select, table
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = ["VERSION_TABLE", "conflict_insert", "upgrade", "writing"]

VERSION_TABLE = "subscribers_version"
_MIGRATIONS = Path(__file__).parent / "migrations"


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that reads before it writes; committed at the end, rolled back on an error.

    SQLite takes its write lock at once: a transaction that has read cannot become a writer after somebody
    else wrote (https://sqlite.org/lang_transaction.html, "BEGIN IMMEDIATE").
    """
    # An engine that begins transactions itself is told by the option which kind this one is.
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if connection.dialect.name == "sqlite":
            driver = connection.connection.dbapi_connection
            if not getattr(driver, "in_transaction", False):
                connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection


def conflict_insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that understands ON CONFLICT, in the words of the database at hand."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def upgrade(engine: Engine) -> None:
    """Bring the tables of this house to the newest version, in one transaction; safe to repeat."""
    from alembic import command

    config = _config()
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def is_current(engine: Engine) -> bool:
    """Whether the tables of this house are of the newest version."""
    newest = max((_MIGRATIONS / "versions").glob("[0-9]*.py")).name
    with engine.connect() as connection:
        there = connection.dialect.has_table(connection, VERSION_TABLE)
        version = connection.scalar(select(column("version_num")).select_from(table(VERSION_TABLE))) if there else None
    return version is not None and newest.startswith(f"{version}_")


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
