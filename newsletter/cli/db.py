"""`newsletter db …`."""

from __future__ import annotations

from pathlib import Path

import click

from newsletter.cli.console import DeskGroup, open_room


@click.group(cls=DeskGroup)
def db() -> None:
    """Bring the database's schema up to date; back it up; tell a restored one what it has forgotten."""


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


@db.command()
def reconcile() -> None:
    """Tell a database that was restored from a backup what has been sent since.

    What left from a desk is also written into its .journal, and nothing is sent while the database knows less. What
    nobody wrote the end of becomes unknown (see `issue resolve`). An issue whose audience the backup does not hold is
    cancelled: it is never sent a second time.
    """
    from newsletter.newsroom.dispatch import reconciling

    with open_room() as room:
        for forgotten in reconciling.reconcile(room):
            counts = ", ".join(f"{number:,} {state}" for state, number in sorted(forgotten.counts.items()))
            kept = "" if forgotten.held else "; the backup does not hold its audience, so it is cancelled"
            click.echo(f"{forgotten.issue}: {counts}{kept}")
        click.echo(
            "Who unsubscribed, or was suppressed, since the backup is not in the database: take them off before you"
            " send again (`newsletter subscribers unsubscribe`, `suppress`).",
            err=True,
        )
