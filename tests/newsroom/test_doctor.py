"""What the doctor says of a whole desk, with an injected DNS."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from newsletter.deliver import dkim_keys
from newsletter.deliver.doctor import Diagnosis, Verdict
from newsletter.deliver.doctor.dkim_record import record_of
from newsletter.newsroom import Newsroom, desks
from newsletter.newsroom import doctor as examination
from newsletter.newsroom.doctor import examine
from newsletter.settings import load_settings
from newsletter.testing import MemoryResolver

OK, WARNING, FAILED, LEFT_OUT = Verdict.OK, Verdict.WARNING, Verdict.FAILED, Verdict.LEFT_OUT
DOMAIN = "the-paper.news"

Found = dict[str, Diagnosis]
Look = Callable[..., Found]


@pytest.fixture(scope="module")
def pem() -> str:
    key = generate_private_key(65537, 2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture
def folder(tmp_path: Path, pem: str) -> Path:
    """A sample desk with a domain of its own and a key."""
    desk = tmp_path / "desk"
    desks.make_sample_desk(desk)
    plan = (desk / "schedule.yaml").read_text(encoding="utf-8")
    (desk / "schedule.yaml").write_text(plan.replace("example.com", DOMAIN), encoding="utf-8")
    (desk / "dkim.pem").write_text(pem, encoding="utf-8")
    return desk


def good_zone(folder: Path) -> dict[str, list[str]]:
    record = record_of(dkim_keys(load_settings(folder, SIGNED))[0])
    return {
        DOMAIN: ["TXT v=spf1 mx -all", f"MX 10 mx.{DOMAIN}"],
        f"mx.{DOMAIN}": ["A 192.0.2.1"],
        f"_dmarc.{DOMAIN}": ["TXT v=DMARC1; p=reject"],
        record.name: [f"TXT {record.value}"],
    }


SIGNED = {
    "NEWSLETTER_DKIM_DOMAIN": DOMAIN,
    "NEWSLETTER_DKIM_SELECTOR": "news1",
    "NEWSLETTER_DKIM_KEY_FILE": "dkim.pem",
    "NEWSLETTER_UNSUBSCRIBE_MAILTO": f"leave@{DOMAIN}",
}


@pytest.fixture
def look(folder: Path) -> Look:
    def look(zone: dict[str, list[str]] | None = None, silent: tuple[str, ...] = (), **settings: str) -> Found:
        environ = SIGNED | {f"NEWSLETTER_{name.upper()}": value for name, value in settings.items()}
        resolver = MemoryResolver(good_zone(folder) if zone is None else zone, silent)
        with Newsroom.open(folder, environ=environ) as room:
            parts = examine(room, resolver)
        assert [part.name for part in parts] == ["mail server", "domains", "desk", "database"]
        found = [each for part in parts for each in part.found]
        assert all(each.message.endswith(".") and each.message.isprintable() for each in found)
        return {each.place if each.check == "settings" else each.check: each for each in found}

    return look


def verdicts(found: Found, verdict: Verdict) -> set[str]:
    return {name for name, each in found.items() if each.verdict is verdict}


def test_a_desk_in_good_order(look: Look) -> None:
    found = look()
    assert verdicts(found, FAILED) == verdicts(found, WARNING) == set()
    assert verdicts(found, LEFT_OUT) == {"clock"}
    assert set(found) >= {"SMTP", "live", "SPF", "bounces", "DKIM", "DMARC", "disk", "database"}
    assert "outbox/" in found["SMTP"].message


def test_a_desk_of_which_the_dns_knows_nothing(look: Look) -> None:
    found = look({})
    assert verdicts(found, FAILED) == {"SPF", "bounces", "DKIM"}
    assert verdicts(found, WARNING) == {"DMARC"}
    assert {name for name, each in found.items() if each.record} == {"SPF", "bounces", "DKIM", "DMARC"}


def test_name_servers_that_do_not_answer(look: Look, folder: Path) -> None:
    found = look(silent=tuple(good_zone(folder)))
    assert verdicts(found, LEFT_OUT) == {"SPF", "bounces", "DKIM", "DMARC", "clock"}
    assert found["SPF"].message == "the name server did not answer."


def test_the_bounce_domain_is_what_spf_is_asked_of(look: Look, folder: Path) -> None:
    found = look(bounce_domain="Mailer.Net")
    assert (found["SPF"].place, found["bounces"].place) == ("mailer.net", "mailer.net")
    assert found["DMARC"].message.endswith("our mail aligns by DKIM.")
    zone = good_zone(folder) | {"mailer.net": ["MX 0 .", "TXT v=spf1 +all"]}
    found = look(zone, bounce_domain="mailer.net", dkim_domain="mailer.net")
    assert verdicts(found, FAILED) == {"SPF", "bounces", "DKIM", "DMARC"}


def test_a_relay_that_cannot_be_reached_and_is_named_in_the_record(look: Look) -> None:
    zone = {"relay.invalid": ["A 192.0.2.9"]}
    found = look(zone, smtp_url="smtps://relay.invalid:1", live="true", base_url="http://example.org")
    assert found["SMTP"].verdict is FAILED
    assert "cannot be reached" in found["SMTP"].message
    assert found["live"].verdict is OK
    assert found["SPF"].record is not None
    assert found["SPF"].record.value == "v=spf1 a:relay.invalid ~all"
    assert found["NEWSLETTER_BASE_URL"].verdict is WARNING
    found = look(smtp_url="smtps://192.0.2.1:1?cafile=none.pem")
    assert "cafile" in found["SMTP"].message
    assert found["live"].verdict is WARNING
    assert found["SPF of the relay"].message == "what its name stands for passes (192.0.2.1)."


def test_settings_that_cannot_be_followed(look: Look, folder: Path) -> None:
    found = look(smtp_url="smtp://127.0.0.1?starttls=maybe", dkim_selector="a,b", unsubscribe_mailto="")
    assert "starttls=maybe" in found["SMTP"].message
    assert "2 selectors" in found["DKIM"].message
    assert {"SMTP", "DKIM"} <= verdicts(found, FAILED)
    (folder / ".env").unlink()
    (folder / "schedule.yaml").write_text("version: 1\nnewsletters: [", encoding="utf-8")
    found = look(now="2026-05-27T05:25:00+08:00", bounce_domain="")
    assert verdicts(found, FAILED) == {"NEWSLETTER_SECRET_KEY", "schedule"}
    assert "NEWSLETTER_NOW" in verdicts(found, WARNING)


def test_no_key_and_no_address_are_warnings(look: Look) -> None:
    found = look(dkim_domain="", dkim_selector="", dkim_key_file="", unsubscribe_mailto="")
    assert verdicts(found, WARNING) == {"DKIM", "NEWSLETTER_UNSUBSCRIBE_MAILTO"}
    assert "docs/sending.md" in found["DKIM"].fix


def test_names_for_examples(light_room: Newsroom) -> None:
    resolver = MemoryResolver({})
    found = {each.check: each.verdict for part in examine(light_room, resolver) for each in part.found}
    assert (found["SPF"], found["DMARC"]) == (LEFT_OUT, LEFT_OUT)
    assert resolver.asked == []


def test_names_for_examples_that_would_be_mailed_from(folder: Path) -> None:
    environ = {
        "NEWSLETTER_SMTP_URL": "smtps://192.0.2.1:1?cafile=none.pem",
        "NEWSLETTER_BOUNCE_DOMAIN": "b.example.com",
    }
    with Newsroom.open(folder, environ=environ) as room:
        found = {each.check: each.verdict for part in examine(room, MemoryResolver({})) for each in part.found}
    assert found["SPF"] is FAILED


@pytest.mark.parametrize(("free", "verdict"), [(2 << 30, OK), (900 << 20, WARNING), (90 << 20, FAILED)])
def test_the_disk(look: Look, monkeypatch: pytest.MonkeyPatch, free: int, verdict: Verdict) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    assert look()["disk"].verdict is verdict


def test_a_folder_that_cannot_be_written_to(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(examination.tempfile, "TemporaryFile", refuse)
    assert look()["disk"].message == "the folder cannot be written to: Read-only file system."


def test_a_database_that_is_not_there_or_old(look: Look, folder: Path) -> None:
    (folder / "newsletter.db").unlink()
    found = look()
    assert verdicts(found, FAILED) == {"database"}
    assert "newsletter db upgrade" in found["database"].message
    assert not (folder / "newsletter.db").exists()
    with Newsroom.open(folder, environ={}) as room:
        room.bare_database.upgrade()
    assert "subscribers' tables" in look()["database"].message
    found = look(database_url="postgresql://nobody:secret@127.0.0.1:1/none")
    assert "cannot be reached" in found["database"].message
    assert "secret" not in str(found)
    assert look(database_url="postgresql:nonsense")["database"].verdict is FAILED


@pytest.fixture
def on_postgresql(postgresql: str) -> str:
    name = f"desk_{secrets.token_hex(6)}"
    with psycopg.connect(f"{postgresql}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{postgresql}/{name}"


def test_clocks_are_compared_on_postgresql(
    look: Look, folder: Path, on_postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Newsroom.open(folder, environ={"NEWSLETTER_DATABASE_URL": on_postgresql}) as room:
        desks.upgrade(room)
    assert look(database_url=on_postgresql)["clock"].verdict is OK

    def late(self: object) -> datetime:
        return datetime.now(UTC) - timedelta(seconds=3)

    monkeypatch.setattr("newsletter.storage.Database.time", late)
    found = look(database_url=on_postgresql)["clock"]
    assert found.verdict is WARNING
    assert "3.0 s apart" in found.message


def test_what_never_answers_is_a_finding(light_room: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    def forever(room: Newsroom) -> list[Diagnosis]:
        time.sleep(2)
        return []

    monkeypatch.setattr(examination, "_disk", forever)
    began = time.monotonic()
    parts = {part.name: part.found for part in examine(light_room, MemoryResolver({}), seconds=0.5)}
    assert time.monotonic() - began < 1.5
    assert [each.message for each in parts["desk"]] == ["it had not answered after 0.5 s."]
