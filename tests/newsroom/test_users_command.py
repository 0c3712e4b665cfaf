"""`newsletter users`: what the screen does, for whoever runs the machine; and how mails about accounts are carried."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from newsletter.cli import newsletter
from newsletter.clock import Clock
from newsletter.newsroom import Newsroom, desks
from newsletter.newsroom.people import account_mail, accounts
from newsletter.settings import Settings
from newsletter.storage import Role

from ..deliver.recording_server import RecordingServer


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    desks.make_sample_desk(tmp_path / "desk")
    return tmp_path / "desk"


def run(desk: Path, *words: str) -> Result:
    return CliRunner().invoke(newsletter, ["--desk", str(desk), "users", *words])


def test_people_are_managed_from_the_command_line(desk: Path) -> None:
    assert run(desk, "invite", "Anna@Example.com", "editor", "--by", "root").output == (
        "anna@example.com is invited as editor\n"
    )
    assert run(desk, "role", "anna@example.com", "approver", "--by", "root").exit_code == 0
    assert run(desk, "disable", "anna@example.com").exit_code == 0
    assert "disabled" in run(desk, "list").output
    assert run(desk, "enable", "anna@example.com").exit_code == 0
    link = run(desk, "link", "anna@example.com").output.strip()
    assert run(desk, "forget-totp", "anna@example.com").exit_code == 0
    (anna, _) = json.loads(run(desk, "list", "--json").output)
    assert anna == {"email": "anna@example.com", "role": "approver", "login": "invited", "entered_at": None}
    with Newsroom.open(desk, environ={}) as room:
        kinds = [(line.kind, line.what, line.client) for line in reversed(room.audit.lines())]
        assert [kind for kind, _, _ in kinds] == [
            *("user_invite", "user_role", "user_disable", "user_enable", "user_login_link", "user_totp")
        ]
        assert {(what, client) for _, what, client in kinds} == {("anna@example.com", "")}
        assert room.audit.lines()[-1].who == "root"
        assert room.accounts.use_login_link(link.rpartition("/")[2], room.clock.now()) is None, "forgetting voids links"


def test_a_link_logs_in_and_the_last_admin_stays(desk: Path) -> None:
    link = run(desk, "link", "editor@example.com").output.strip()
    for refused in (("disable", "editor@example.com"), ("role", "editor@example.com", "viewer")):
        assert "only admin" in str(run(desk, *refused).exception)
    assert "nobody has an account" in str(run(desk, "link", "nobody@example.com").exception)
    with Newsroom.open(desk, environ={}) as room:
        found = room.accounts.use_login_link(link.rpartition("/")[2], room.clock.now())
        assert found == room.accounts.find("editor@example.com")


def test_a_mail_that_is_not_taken_is_tried_again_and_its_link_is_new_each_time(desk: Path) -> None:
    with RecordingServer() as server:
        flags = {"smtp_url": server.url, "test_allow": "@example.com"}
        with Newsroom.open(desk, flags, environ={}) as room:
            start = room.clock.now()
            accounts.invite(room, "anna@example.com", Role.VIEWER)
            room.settings = replaced(room, "smtp://127.0.0.1:9?starttls=never")
            account_mail.carry(room)
            account_mail.carry(room)
            (row,) = room.account_mails.open(9)
            assert row.tries == 1, "its pause is not over"
            assert "It is tried again" in row.reply
            room.settings = replaced(room, flags["smtp_url"])
            room.clock = Clock.parse((start + timedelta(minutes=2)).isoformat(), 1)
            account_mail.carry(room)
            account_mail.carry(room)
            assert room.account_mails.open(9) == []
        assert [taken.recipient for taken in server.taken] == ["anna@example.com"]


def replaced(room: Newsroom, smtp_url: str) -> Settings:
    return dataclasses.replace(room.settings, smtp_url=smtp_url)
