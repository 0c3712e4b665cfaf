"""Accounts, second factors, API tokens and the audit log, on SQLite and on PostgreSQL."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from newsletter.errors import ChecksFailedError, NotFoundError, StorageError
from newsletter.storage import (
    AccountMailKind,
    AccountMails,
    Accounts,
    ApiTokens,
    Audit,
    AuditLine,
    Database,
    LinkPurpose,
    Role,
    SecondFactors,
)
from newsletter.storage.tables import audit

NOW = datetime(2026, 5, 27, 5, 30, tzinfo=UTC)


def test_the_log_can_only_grow(database: Database) -> None:
    log = Audit(database)
    for number in range(3):
        log.write(AuditLine(at=NOW, kind="login", who=f"{number}@desk.example", remark="x" * 1000))
    before = log.lines()
    orders = [sa.update(audit).values(who="nobody"), sa.delete(audit), sa.delete(audit).where(audit.c.id == 1)]
    if not database.is_sqlite:
        orders.append(sa.text("TRUNCATE audit"))
    for order in orders:
        with pytest.raises((sa.exc.DBAPIError, StorageError), match="append-only"), database.write() as connection:
            connection.execute(order)
    assert log.lines() == before
    assert [len(line.remark) for line in before] == [400] * 3
    assert [line.who for line in log.lines(start=1, limit=1)] == ["1@desk.example"]
    assert log.people() == ["0@desk.example", "1@desk.example", "2@desk.example"]


def test_two_admins_who_keep_each_other_out_leave_one(database: Database) -> None:
    accounts = Accounts(database)
    both = [accounts.add(f"{name}@desk.example", Role.ADMIN, NOW) for name in ("a", "b")]

    def keep_out(number: int) -> bool:
        try:
            accounts.disable(both[number].id, NOW)
        except ChecksFailedError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(keep_out, (0, 1))) == [False, True]
    assert [person.account.disabled for person in accounts.people()] == [False, True]
    with pytest.raises(ChecksFailedError, match="only admin"):
        accounts.change_role(accounts.people()[0].account.id, Role.VIEWER)


def test_a_link_does_one_thing_once(database: Database) -> None:
    accounts = Accounts(database)
    anna = accounts.add("anna@desk.example", Role.EDITOR, NOW, "correct horse")
    until = NOW + timedelta(hours=1)
    for purpose in LinkPurpose:
        token = accounts.make_link(anna, purpose, until)
        for other in set(LinkPurpose) - {purpose}:
            assert accounts.use_link(token, other, NOW) is None
        assert accounts.link_account(token, purpose, NOW) == anna
        assert accounts.use_link(token, purpose, until) is None, "its time is over"
        token = accounts.make_link(anna, purpose, until)
        with ThreadPoolExecutor(4) as pool:
            used = list(
                pool.map(lambda _, token=token, purpose=purpose: accounts.use_link(token, purpose, NOW), range(4))
            )
        assert sorted(used, key=bool) == [None, None, None, anna]
    with pytest.raises(NotFoundError):
        accounts.get(99)


def test_a_password_set_by_link_voids_all_else(database: Database) -> None:
    accounts = Accounts(database)
    anna = accounts.add("anna@desk.example", Role.EDITOR, NOW, "correct horse")
    session = accounts.open_session(anna, NOW, "192.0.2.7", "x" * 1000)
    links = [accounts.make_link(anna, purpose, NOW + timedelta(hours=1)) for purpose in LinkPurpose]
    other = accounts.make_link(anna, LinkPurpose.PASSWORD, NOW + timedelta(hours=1))
    assert [each.client for each in accounts.sessions(anna, NOW)] == ["192.0.2.7"]
    assert accounts.set_password_by(other, "a stapler", NOW) == anna
    assert accounts.session_account(session, NOW) is None
    for token, purpose in zip(links, LinkPurpose, strict=True):
        assert accounts.link_account(token, purpose, NOW) is None
    assert accounts.check_password(anna.email, "correct horse") is None
    assert accounts.check_password(anna.email, "a stapler") == anna


def test_a_code_is_taken_once_by_whoever_is_first(database: Database) -> None:
    factors, accounts = SecondFactors(database), Accounts(database)
    anna = accounts.add("anna@desk.example", Role.ADMIN, NOW, "correct horse")
    assert not factors.use_step(anna, 5), "there is none yet"
    assert factors.offer(anna, "sealed")
    assert not factors.confirm(anna, "another", 5, ["one"], NOW)
    assert factors.confirm(anna, "sealed", 5, ["one", "two"], NOW)
    assert not factors.offer(anna, "in its place")
    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(lambda _: factors.use_step(anna, 6), range(4))) == [False, False, False, True]
        assert sorted(pool.map(lambda _: factors.use_recovery_code(anna, "one"), range(4))) == [False] * 3 + [True]
    assert not factors.use_step(anna, 5)
    found = factors.of(anna)
    assert found is not None
    assert (found.sealed, found.codes_left) == ("sealed", 1)
    factors.forget(anna)
    assert factors.of(anna) is None
    assert not factors.use_recovery_code(anna, "two")


def test_the_last_use_of_a_token_costs_a_write_a_minute(database: Database) -> None:
    tokens = ApiTokens(database)
    secret = tokens.make("Board", Role.VIEWER, "chief@desk.example", NOW)
    for seconds, noted in ((0, 0), (59, 0), (60, 60), (61, 60)):
        assert tokens.use(secret, NOW + timedelta(seconds=seconds)) is not None
        assert tokens.all()[0].used_at == NOW + timedelta(seconds=noted)


def test_mails_are_claimed_once_and_forgotten_in_time(database: Database) -> None:
    mails, accounts = AccountMails(database), Accounts(database)
    anna = accounts.add("anna@desk.example", Role.EDITOR, NOW)
    mails.ask("Anna@desk.example", AccountMailKind.INVITATION, NOW)
    mails.ask("nobody@desk.example", AccountMailKind.PASSWORD, NOW)
    (row,) = mails.open(6)
    assert (row.account_id, mails.last_links()[anna.id]) == (anna.id, row)
    assert mails.claim(row, NOW)
    assert not mails.claim(row, NOW)
    mails.settle(row, "451 later", settled=False)
    (again,) = mails.open(6)
    assert (again.tries, again.reply, mails.open(1)) == (1, "451 later", [])
    mails.settle(again, "")
    assert mails.open(6) == []
    mails.ask("anna@desk.example", AccountMailKind.PASSWORD, NOW + timedelta(days=31))
    assert [each.kind for each in mails.open(6)] == [AccountMailKind.PASSWORD]
    with database.read() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM account_mail")) == 1


def test_people_of_an_earlier_version_log_in_once_more(database_url: str) -> None:
    """A desk of version 0007, upgraded: passwords go on, sessions do not; login links are still of that kind."""
    import alembic.command

    from newsletter.storage import schema

    with Database(database_url) as database:
        link = hashlib.sha256(b"link").hexdigest()
        with database.write() as connection:
            alembic.command.upgrade(schema.config(connection), "0007")
            at = sa.bindparam("at", type_=sa.DateTime(timezone=True))
            account = "INSERT INTO account (id, email, role, password_hash, created_at)"
            for order in (
                f"{account} VALUES (7, 'anna@desk.example', 'admin', :hash, :at)",
                "INSERT INTO session (token_hash, account_id, expires_at) VALUES (:link, 7, :at)",
                "INSERT INTO login_link (token_hash, account_id, expires_at) VALUES (:link, 7, :at)",
            ):
                values = {"hash": PasswordHasher().hash("correct horse"), "link": link, "at": NOW}
                words = sa.text(order)
                connection.execute(
                    words.bindparams(at) if ":at" in order else words,
                    {name: value for name, value in values.items() if f":{name}" in order},
                )
        database.upgrade()
        accounts = Accounts(database)
        anna = accounts.check_password("anna@desk.example", "correct horse")
        assert anna is not None
        assert (anna.id, anna.has_totp, anna.disabled) == (7, False, False)
        earlier = NOW - timedelta(minutes=1)
        assert accounts.session_account("link", earlier) is None
        assert accounts.use_login_link("link", earlier) == anna
