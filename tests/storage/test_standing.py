"""What still stands in a database is not asked for again, and never told wrongly."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from newsletter.errors import StorageError
from newsletter.storage import Database

number = sa.table("number", sa.column("is_now", sa.Integer))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with Database(database_url) as opened:
        with opened.write() as connection:
            connection.execute(sa.text("CREATE TABLE number (is_now INTEGER NOT NULL)"))
            connection.execute(sa.insert(number).values(is_now=0))
        yield opened


def put(database: Database, value: int) -> None:
    with database.write() as connection:
        connection.execute(sa.update(number).values(is_now=value))


class Asking:
    def __init__(self, database: Database) -> None:
        self._database = database
        self.times = 0

    def __call__(self) -> int:
        self.times += 1
        with self._database.read() as connection:
            found: int = connection.execute(sa.select(number.c.is_now)).scalar_one()
        return found

    def now(self) -> int:
        return self._database.standing("number", self)


def test_it_is_asked_again_once_somebody_has_written(database: Database) -> None:
    asking = Asking(database)
    assert [asking.now() for _ in range(3)] == [0, 0, 0]
    assert asking.times == (1 if database.is_sqlite else 3)
    put(database, 1)
    assert asking.now() == 1
    put(database, 2)
    put(database, 3)
    assert asking.now() == 3


def test_what_another_process_has_written_is_seen(database: Database) -> None:
    asking = Asking(database)
    assert asking.now() == 0
    url = database.url.render_as_string(hide_password=False)
    code = (
        "import sys, sqlalchemy as sa; from newsletter.storage import Database\n"
        "with Database(sys.argv[1]) as opened, opened.write() as connection:\n"
        "    connection.execute(sa.text('UPDATE number SET is_now = 7'))"
    )
    subprocess.run([sys.executable, "-c", code, url], check=True, timeout=60)
    assert asking.now() == 7


def test_who_has_written_sees_it_whatever_others_ask_meanwhile(database: Database) -> None:
    asking, rounds = Asking(database), 200

    def ask_on() -> None:
        seen = 0
        while seen < rounds:
            now = asking.now()
            assert now >= seen, "what was known before came back"
            seen = now

    with ThreadPoolExecutor(3) as others:
        asked = [others.submit(ask_on) for _ in range(3)]
        for value in range(1, rounds + 1):
            put(database, value)
            assert asking.now() == value
        for each in asked:
            each.result(30)


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    file = tmp_path / "none" / "newsletter.db"
    with Database(f"sqlite:///{file}") as database, pytest.raises(StorageError, match="cannot be reached"):
        Asking(database).now()
    assert not file.parent.exists()


def test_a_closed_one_can_be_asked_again(tmp_path: Path) -> None:
    with Database(f"sqlite:///{tmp_path / 'newsletter.db'}") as database:
        with database.write() as connection:
            connection.execute(sa.text("CREATE TABLE number (is_now INTEGER NOT NULL)"))
            connection.execute(sa.insert(number).values(is_now=0))
        asking = Asking(database)
        assert asking.now() == 0
        database.close()
        put(database, 1)
        assert asking.now() == 1
