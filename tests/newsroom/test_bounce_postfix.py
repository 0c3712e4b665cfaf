"""The whole way round: an issue leaves through a real Postfix, which bounces it, and its readers are found again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import sending
from newsletter.newsroom.readership import bouncing
from newsletter.newsroom.readership.bouncing import Fate
from subscribers.bounces.model import BounceClass
from tests.conftest import system_tool
from tests.deliver.postfix_server import postfix
from tests.deliver.recording_server import RecordingServer
from tests.desks import approved_desk
from tests.servers import free_port, wait_until

from .test_bouncing import holder, suppressed

SAYS = {
    "5.1.1 no such mailbox here": (BounceClass.ADDRESS, Fate.SUPPRESSED),
    "5.2.2 the mailbox is full": (BounceClass.MAILBOX, Fate.SCORED),
    "5.7.1 we do not like this": (BounceClass.POLICY, Fate.NOTED),
}


@pytest.mark.parametrize("says", SAYS)
def test_what_a_real_postfix_bounces_comes_home(tmp_path: Path, says: str) -> None:
    program = system_tool("postfix", "postfix")
    if os.geteuid() != 0:
        pytest.skip("missing permission: Postfix is started by root")
    with RecordingServer() as home:
        at_home = home.url.rpartition(":")[2].strip("/")
        settings = {
            "default_transport": f"error:{says}",
            "transport_maps": f"inline:{{ {{ example.com = smtp:[127.0.0.1]:{at_home} }} }}",
            "smtpd_reject_unlisted_recipient": "no",
        }
        with postfix(program, free_port(), settings) as server:
            environ = {"NEWSLETTER_SMTP_URL": f"smtp://localhost:{server.port}"}
            folder = tmp_path / "desk"
            issue_id = approved_desk(folder, environ, ((f"r{n}@d{n}.example", "") for n in range(3)))
            with Newsroom.open(folder, environ=environ) as room:
                sending.send(room, issue_id)
                wait_until(lambda: len(home.taken) == 3, 30)
                taken = [bouncing.take(room, each.undotted) for each in home.taken]
                assert {(each.kind, each.fate) for each in taken} == {SAYS[says]}
                people = {holder(room, number) for number in range(1, 4)} if says.startswith("5.1") else set()
                assert suppressed(room) == people
