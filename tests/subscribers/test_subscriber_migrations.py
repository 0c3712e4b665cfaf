"""The migrations build exactly the tables that the code reads and writes."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, inspect
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from subscribers.database import VERSION_TABLE, upgrade
from subscribers.tables import metadata, request


def test_metadata_and_migrations_agree(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'house.db'}")
    upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_migrations_keep_the_checks_of_the_metadata(tmp_path: Path) -> None:
    """Alembic compares no CHECK constraints, and these guard consent."""
    engine = create_engine(f"sqlite:///{tmp_path / 'house.db'}")
    upgrade(engine)
    seen = inspect(engine)
    fresh = create_engine("sqlite://")
    metadata.create_all(fresh)
    wanted = inspect(fresh)
    for table in metadata.tables:
        checks = {(check["name"], check["sqltext"]) for check in seen.get_check_constraints(table)}
        assert checks == {(check["name"], check["sqltext"]) for check in wanted.get_check_constraints(table)}
    engine.dispose()
    fresh.dispose()


def test_upgrade_twice_is_quiet(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    engine = create_engine(f"sqlite:///{tmp_path / 'house.db'}")
    upgrade(engine)
    upgrade(engine)
    engine.dispose()
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_tables_compile_for_postgresql() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    statements = [str(CreateTable(table).compile(dialect=dialect)) for table in metadata.sorted_tables]
    assert any("BIGSERIAL" in each for each in statements)
    assert any("TIMESTAMP WITH TIME ZONE" in each for each in statements)


def test_requests_that_wait_are_kept_and_their_numbers_never_come_twice(tmp_path: Path) -> None:
    """SQLite makes their table anew; a link in somebody's mailbox names one by number."""
    from alembic import command

    from subscribers.database import _config, writing

    engine = create_engine(f"sqlite:///{tmp_path / 'house.db'}")
    config = _config()
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")
        connection.exec_driver_sql(
            "INSERT INTO subscriber_request (id, kind, email, address_key, newsletters, choices, language, asked_at,"
            " network, form, tries, settled, reply) VALUES (41, 'link', 'a@b.test', 'a@b.test', '[]', '{}', 'en',"
            " '2026-05-27 05:30:00.000000', '', '1', 0, 0, '')"
        )
    upgrade(engine)
    with writing(engine) as connection:
        kept = connection.execute(request.select()).one()
        assert (kept.id, kept.kind, kept.newsletters) == (41, "link", [])
        again = dict(kept._mapping) | {"kind": "data"}
        connection.execute(request.delete())
        connection.execute(request.insert().values({name: value for name, value in again.items() if name != "id"}))
        assert connection.execute(request.select()).one().id == 42
    engine.dispose()
