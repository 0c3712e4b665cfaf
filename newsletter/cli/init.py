"""`newsletter init`."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path, file_okay=False))
@click.option("--admin", metavar="EMAIL", help="Address of the first admin, who gets a password, shown once.")
def init(folder: Path, admin: str | None) -> None:
    """Make a starter desk in DIR (the current folder by default): schedule.yaml, templates/, inbox/, outbox/, .env
    with a fresh secret key, the database, and the first admin. What is there already stays as it is."""
    from newsletter.newsroom import desks

    if admin is None and sys.stdin.isatty():
        admin = click.prompt("Address of the first admin (empty: none now)", default="", show_default=False) or None
    made = desks.make_desk(folder, admin)
    click.echo(f"A desk stands in {made.desk}")
    if made.password and made.admin:
        click.echo(f"First admin: {made.admin.email}, password {made.password} (shown this once)")
    elif made.admin:
        click.echo(f"{made.admin.email} has an account already; the password stays as it is")
    click.echo(
        "Next: edit schedule.yaml, `newsletter schedule check`, `newsletter subscribers import FILE`, `newsletter run`"
    )
