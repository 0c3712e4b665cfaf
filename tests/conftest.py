"""What every test may use: where the real data lies, and what a missing piece of the machine is called."""

from __future__ import annotations

import functools
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import pytest
import sqlalchemy as sa

from newsletter.storage.tables import Instant

from .servers import free_port

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real data (`NEWSLETTER_TEST_DATA`, else ../shared/data); skips by name where it is absent."""
    folder = Path(os.environ.get("NEWSLETTER_TEST_DATA") or ROOT / ".." / "shared" / "data").resolve()
    if not (folder / "feeds").is_dir():
        pytest.skip(f"missing test data: no feeds/ in {folder} (NEWSLETTER_TEST_DATA names another folder)")
    return folder


def system_tool(name: str, package: str) -> str:
    """The path of a program from a system package; skips as "missing system package" where it is not installed.

    With `NEWSLETTER_REQUIRE_SYSTEM` set (as in .ci/run) it fails instead: nothing is passed over there.
    """
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/lib/postgresql/15/bin")
    if found:
        return found
    reason = f"missing system package: {package} (provides {name}); `make system` installs it"
    if os.environ.get("NEWSLETTER_REQUIRE_SYSTEM"):
        pytest.fail(reason)
    pytest.skip(reason)


def npm_packages() -> Path:
    """The folder of what tests take from npm; skips (or fails, see `system_tool`) where it is not installed."""
    folder = ROOT / "tests" / "npm" / "node_modules"
    if (folder / ".package-lock.json").is_file():
        return folder
    reason = "missing npm packages in tests/npm; `make test` installs them (npm ci)"
    if os.environ.get("NEWSLETTER_REQUIRE_SYSTEM"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def smtp_sink() -> str:
    """Path of Postfix's smtp-sink."""
    return system_tool("smtp-sink", "postfix")


@pytest.fixture(scope="session")
def smtp_source() -> str:
    """Path of Postfix's smtp-source."""
    return system_tool("smtp-source", "postfix")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of Debian's Chromium."""
    return system_tool("chromium", "chromium")


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL server of our own, on loopback, gone after the session."""
    initdb = system_tool("initdb", "postgresql")
    pg_ctl = system_tool("pg_ctl", "postgresql")
    # PostgreSQL refuses to run as root, and its user must be able to reach its folder.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_user:
        shutil.chown(folder, "postgres")
    port = free_port()
    data, log = folder / "data", folder / "log"
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    run = functools.partial(subprocess.run, check=True, cwd="/", stdout=subprocess.DEVNULL)
    run([*as_user, initdb, "-A", "trust", "-U", "postgres", "-D", str(data)])
    run([*as_user, pg_ctl, "-w", "-D", str(data), "-l", str(log), "-o", options, "start"])
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}"
    finally:
        run([*as_user, pg_ctl, "-m", "immediate", "-D", str(data), "stop"])
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database: each test that asks runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'newsletter.db'}"
    server = request.getfixturevalue("postgresql")
    name = f"test_{secrets.token_hex(6)}"
    import psycopg

    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{server}/{name}"


def audience_of(
    *emails: str, waves: Mapping[int, datetime] = MappingProxyType({})
) -> sa.Select[tuple[int, str, str, str, datetime | None]]:
    """An audience as `Sends.freeze` takes it: subscribers 1, 2, 3 … with these addresses, some of them in a wave
    to come."""
    names = {"id": sa.BigInteger, "email": sa.Text, "name": sa.Text, "edition": sa.Text, "not_before": Instant}
    rows = [(number, email, "", "CN.en", waves.get(number)) for number, email in enumerate(emails, 1)]
    each = [
        sa.select(*(sa.literal(value, names[name]).label(name) for name, value in zip(names, row, strict=True)))
        for row in rows or [(0, "", "", "", None)]
    ]
    found = sa.union_all(*each).subquery()
    return sa.select(found).where(found.c.id > 0).order_by(found.c.id)
