"""What every test may use: where the real data lies, and what a missing piece of the machine is called."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

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
