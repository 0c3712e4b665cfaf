"""A server that does everything wrong that a server can do, under both policies, through the whole send."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.model import DeliveryState
from tests.deliver.fault_server import DROP, TAKE_AND_DROP, Fault

from .scene import Scene

EARLY = "r73@example.com"
"""Refused before the content, which this server then takes all the same: its word counts."""
REFUSED = {EARLY, "r78@example.com", "r83@example.com", "r88@example.com"}
DOUBTFUL = {"r43@example.com", "r63@example.com", "r68@example.com"}


def faults() -> list[Fault]:
    """Each happens once: to one recipient where it can be, else to whoever comes."""
    return [
        *(Fault(verb, DROP, to=f"r{place}@example.com") for place, verb in ((3, "RCPT"), (23, "DATA"))),
        Fault("content", DROP, to="r43@example.com"),
        *(Fault(verb, "421 4.3.2 away", to=f"r{place}@example.com") for place, verb in ((8, "RCPT"), (28, "DATA"))),
        *(Fault(verb, "451 4.3.0 later", to=f"r{place}@example.com") for place, verb in ((13, "RCPT"), (33, "DATA"))),
        Fault("dot", "451 4.3.0 later", to="r53@example.com"),
        Fault("dot", "421 4.3.2 away", to="r58@example.com"),
        Fault("dot", DROP, to="r63@example.com"),
        Fault("dot", TAKE_AND_DROP, to="r68@example.com"),
        Fault("content", "550 5.7.1 early no", to=EARLY),
        Fault("RCPT", "550 5.1.1 no such user", to="r78@example.com"),
        Fault("DATA", "554 5.7.1 no", to="r83@example.com"),
        Fault("dot", "554 5.7.1 no", to="r88@example.com"),
        Fault("MAIL", DROP, skip=9),
        Fault("MAIL", "421 4.7.0 too many messages", skip=19),
        Fault("MAIL", "451 4.3.0 later", skip=29),
        Fault("greeting", "421 4.3.2 busy", skip=2),
        Fault("EHLO", DROP, skip=3),
    ]


@pytest.mark.parametrize("resend", [False, True], ids=["hold", "resend"])
def test_twenty_faults_in_one_issue(tmp_path: Path, empty_database: str, resend: bool) -> None:
    """Whoever was refused for good is rejected; everybody else is reached or, under `hold`, named as a doubt."""
    wrong = faults()
    assert len(wrong) == 20
    with Scene(
        tmp_path / "desk", readers=120, database_url=empty_database, connections=3, resend=resend, faults=wrong
    ) as scene:
        scene.finish()
        assert all(fault.times == 0 for fault in wrong), "every fault has happened"
        with scene.room() as room:
            rows = {row.email: row.state for row in room.deliveries.rows(scene.issue)}
            assert room.issues.books(scene.issue).balanced
        taken = scene.server.taken
        assert {email for email, state in rows.items() if state is DeliveryState.REJECTED} == REFUSED
        assert not (REFUSED - {EARLY}) & taken.keys()
        unknown = {email for email, state in rows.items() if state is DeliveryState.UNKNOWN}
        assert unknown == (set() if resend else DOUBTFUL)
        for email in rows.keys() - REFUSED - DOUBTFUL:
            assert (rows[email], taken[email]) == (DeliveryState.SUBMITTED, 1), email
        twice = {email for email, number in taken.items() if number > 1}
        assert twice == ({"r68@example.com"} if resend else set()), "it was taken before the line broke"
