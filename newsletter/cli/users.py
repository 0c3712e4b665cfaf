"""`newsletter users …`: the desk's own people, for whoever runs the machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from newsletter.cli.console import DeskGroup, as_json, by, open_room, print_json, print_table, record

if TYPE_CHECKING:
    from newsletter.newsroom import Newsroom
    from newsletter.storage import Account

ROLES = ("viewer", "editor", "approver", "admin")
_role = click.argument("role", type=click.Choice(ROLES))


@click.group(cls=DeskGroup)
def users() -> None:
    """List and invite the desk's people; change roles, disable, enable; a link that logs in."""


@users.command("list")
@as_json
def list_(as_json: bool) -> None:
    """List everybody who has an account: role, how they log in, when they last did."""
    with open_room() as room:
        people = room.accounts.people()
    rows = [
        (person.account.email, str(person.account.role), _login(person.account), person.entered_at) for person in people
    ]
    if as_json:
        print_json([dict(zip(("email", "role", "login", "entered_at"), row, strict=True)) for row in rows])
        return
    shown = [(*row[:3], f"{row[3]:%Y-%m-%d %H:%M}" if row[3] else "never") for row in rows]
    print_table(("address", "role", "login", "last came in (UTC)"), shown, "Nobody yet; `newsletter users invite`")


@users.command()
@click.argument("email")
@_role
@by
def invite(email: str, role: str, by: str | None) -> None:
    """Make an account for EMAIL with ROLE, and mail its owner a link to set a password.

    The mail leaves with the clock of `newsletter run`. On a desk that may not mail them yet, hand them the link that
    `newsletter users link` prints.
    """
    from newsletter.newsroom.people import accounts

    with open_room() as room:
        made = accounts.invite(room, email, accounts.role_of(role))
        record(room, "user_invite", by, what=made.email, remark=f"{made.email}, {made.role}")
    click.echo(f"{made.email} is invited as {made.role}")


@users.command("role")
@click.argument("email")
@_role
@by
def role_(email: str, role: str, by: str | None) -> None:
    """Give EMAIL another ROLE; every session of theirs ends."""
    from newsletter.newsroom.people import accounts

    with open_room() as room:
        account = _account(room, email)
        accounts.change_role(room, account, accounts.role_of(role))
        record(room, "user_role", by, what=account.email, remark=f"{account.role} → {role}")
    click.echo(f"{account.email} is {role} now, and logged out everywhere")


@users.command()
@click.argument("email")
@by
def disable(email: str, by: str | None) -> None:
    """Keep EMAIL out; every session and link of theirs ends."""
    from newsletter.newsroom.people import accounts

    with _acting("user_disable", email, by) as (room, account):
        accounts.disable(room, account)
    click.echo(f"{account.email} is disabled, and logged out everywhere")


@users.command()
@click.argument("email")
@by
def enable(email: str, by: str | None) -> None:
    """Let EMAIL in again."""
    from newsletter.newsroom.people import accounts

    with _acting("user_enable", email, by) as (room, account):
        accounts.enable(room, account)
    click.echo(f"{account.email} may come in again")


@users.command()
@click.argument("email")
@by
def link(email: str, by: str | None) -> None:
    """Print a link that logs EMAIL in once, within twelve hours, without password and code; give it to nobody else.

    There they set a password on "My account".
    """
    with _acting("user_login_link", email, by) as (room, account):
        token = room.accounts.make_login_link(account, room.clock.now())
        address = f"{room.settings.base_url}/login/link/{token}"
    click.echo(address)


@users.command("forget-totp")
@click.argument("email")
@by
def forget_totp(email: str, by: str | None) -> None:
    """Forget the second factor of EMAIL, who lost it: they log in with the password alone, and set up another one."""
    from newsletter.newsroom.people import second_factor

    with _acting("user_totp", email, by) as (room, account):
        second_factor.end(room, account)
    click.echo(f"{account.email} logs in with the password alone, and is logged out everywhere")


@contextmanager
def _acting(kind: str, email: str, by: str | None) -> Iterator[tuple[Newsroom, Account]]:
    """The desk and the account of that address; what is done with it stands in the audit log once it is done."""
    with open_room() as room:
        account = _account(room, email)
        yield room, account
        record(room, kind, by, what=account.email)


def _account(room: Newsroom, email: str) -> Account:
    from newsletter.errors import NotFoundError

    account = room.accounts.find(email)
    if account is None:
        raise NotFoundError(f"nobody has an account of the address {email}; see `newsletter users list`")
    return account


def _login(account: Account) -> str:
    if account.disabled:
        return "disabled"
    if not account.has_password:
        return "invited"
    return "password and code" if account.has_totp else "password"
