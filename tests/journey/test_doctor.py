"""`newsletter doctor` as a person types it, and as a program reads it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from newsletter.cli import newsletter
from newsletter.deliver.doctor.name_servers import NameServers
from tests.deliver.dns_server import name_server

from .conftest import Desk, Mailbox, schedule

DOMAIN = "the-paper.news"


def test_a_starter_desk_has_nothing_failed(desk: Desk) -> None:
    done = desk.run("doctor")
    assert not done.stderr
    assert "  ✓ SMTP      outbox/: NEWSLETTER_SMTP_URL is not set: mail goes to outbox/.\n" in done.stdout
    assert "  – SPF       example.com: left out: this is a name for examples" in done.stdout
    assert "  ! DKIM      mail is not signed" in done.stdout
    assert "\x1b" not in done.stdout, "plain where it is no terminal"
    document = desk.json("doctor")
    assert set(document) == {"counts", "findings"}
    assert document["counts"]["failed"] == 0
    assert sum(document["counts"].values()) == len(document["findings"])
    assert set(document["findings"][0]) == {"part", "check", "place", "verdict", "message", "fix", "record"}


def test_a_real_server_is_visited_and_gets_no_mail(desk: Desk, mailbox: Mailbox) -> None:
    found = desk.json("doctor", environ={"NEWSLETTER_SMTP_URL": mailbox.url})["findings"]
    said = {each["check"]: (each["verdict"], each["message"]) for each in found if each["part"] == "mail server"}
    assert said["SMTP"] == ("ok", "the mail server answers and takes us.")
    assert said["TLS"][1].startswith("TLSv1.3, and the certificate holds until")
    assert mailbox.taken == []


def test_what_failed_is_exit_3(desk: Desk) -> None:
    refused = {"NEWSLETTER_SMTP_URL": "smtp://127.0.0.1:1"}
    done = desk.run("doctor", code=3, environ=refused)
    assert "  ✗ SMTP      127.0.0.1:1: the mail server 127.0.0.1:1 cannot be reached" in done.stdout
    assert desk.json("doctor", code=3, environ=refused)["counts"]["failed"] == 1


def test_records_come_from_a_name_server(desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plan = schedule({"desk": "kind: folder, path: inbox"}).replace("example.com", DOMAIN)
    desk.write("schedule.yaml", plan)
    hostile = {
        DOMAIN: [f"TXT v=spf1 include:{DOMAIN} -all", "TXT \x1b[2J\xff", f"MX 10 {DOMAIN}", "A 192.0.2.1"],
        f"_dmarc.{DOMAIN}": ["TXT v=DMARC1; p=reject\x07"],
    }
    with name_server(hostile) as place:
        monkeypatch.setattr("newsletter.newsroom.doctor._name_servers", lambda: NameServers(place, each=2))
        done = CliRunner().invoke(newsletter, ["--desk", str(desk.folder), "doctor"], standalone_mode=False)
        assert done.return_value == 3
        assert f"✗ SPF       {DOMAIN}: receivers cannot use the record: {DOMAIN} includes itself" in done.output
        assert "\x1b" not in done.output
        assert f'→ _dmarc.{DOMAIN}. TXT "v=DMARC1; p=none; rua=mailto:dmarc@{DOMAIN}"' in done.output
        done = CliRunner().invoke(newsletter, ["--desk", str(desk.folder), "doctor", "--json"], standalone_mode=False)
    found = {each["check"]: each for each in json.loads(done.output)["findings"]}
    assert found["DMARC"]["record"]["name"] == f"_dmarc.{DOMAIN}"
    assert found["bounces"]["verdict"] == "ok"
