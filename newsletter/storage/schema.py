"""The schema's versions: Alembic migrations beside this file, run from code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

# Alembic is loaded where it is needed: every command asks whether the schema is current, and few ever change it.
if TYPE_CHECKING:
    from alembic.config import Config

__all__ = ["config", "is_current", "upgrade"]

VERSION_TABLE = "newsletter_version"
_MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(engine: Engine) -> None:
    """Run every migration that this database has not seen, in one transaction."""
    from alembic import command

    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            # Two programs that start at once: the second waits, then finds nothing to do.
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7310429)")
        command.upgrade(config(connection), "head")


def is_current(engine: Engine) -> bool:
    """Whether the database stands at this version's last migration, the one whose file has the highest number."""
    newest = max((_MIGRATIONS / "versions").glob("[0-9]*.py")).name
    version = sa.select(sa.column("version_num", sa.String)).select_from(sa.table(VERSION_TABLE))
    with engine.connect() as connection:
        known = connection.dialect.has_table(connection, VERSION_TABLE)
        return known and newest.startswith(f"{connection.scalar(version)}_")


def config(connection: Connection | None = None) -> Config:
    """What Alembic is told."""
    from alembic.config import Config

    told = Config()
    told.set_main_option("script_location", str(_MIGRATIONS))
    told.attributes["connection"] = connection
    told.attributes["version_table"] = VERSION_TABLE
    return told
