"""Days of a desk whose processes are killed while they build and send, in a short form; `make torture ARGS="--days 60"`
is the long one."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest

from .days import Days


@pytest.mark.timeout(300)
def test_days_under_kills_leave_every_issue_in_a_state_with_a_reason_and_books_that_balance(
    tmp_path: Path, empty_database: str
) -> None:
    seed = int(os.environ.get("TORTURE_SEED", secrets.randbelow(10**6)))
    with Days(tmp_path / "desk", days=3, newsletters=4, kills=5, seed=seed, database_url=empty_database) as days:
        days.run()
        account = days.account()
    print(f"seed {seed}: {account}")
    assert not account.faults, (seed, account.faults)
    assert account.kills
    assert account.states["submitted"] > 6, "most are sent all the same"
