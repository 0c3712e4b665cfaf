"""`newsletter db …`."""

from __future__ import annotations

from pathlib import Path

import click

from newsletter.cli.console import DeskGroup, open_room


@click.group(cls=DeskGroup)
def db() -> None:
    """Bring the database's schema up to date; back it up."""


@db.command()
def upgrade() -> None:
    """Bring the schema to this version's; safe to repeat."""
    from newsletter.newsroom import desks

    with open_room() as room:
        desks.upgrade(room)
        click.echo(f"{room.bare_database.url.render_as_string()} is up to date")


@db.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Write a consistent copy of the SQLite database to FILE, which must be new; work may go on meanwhile."""
    with open_room() as room:
        room.database.backup(file)
        click.echo(f"{file}: {file.stat().st_size / 1e6:.1f} MB")
