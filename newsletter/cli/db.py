"""`newsletter db …`."""

from __future__ import annotations

from pathlib import Path

import click

from newsletter.cli.console import DeskGroup, as_json, by, open_room, print_json, print_table, record


@click.group(cls=DeskGroup)
def db() -> None:
    """Upgrade and back up the database; tell a restored one what it has forgotten; prune what is too old."""


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
    """Tell a database that was restored from a backup what has been sent, and what readers decided, since.

    What left from a desk is also written into its .journal, and nothing is sent while the database knows less. What
    nobody wrote the end of becomes unknown (see `issue resolve`). An issue whose audience the backup does not hold is
    cancelled: it is never sent a second time. Who unsubscribed, was suppressed or erased since is so again; who changed
    their address gets nothing until they subscribe again, for the journal names nobody.
    """
    from newsletter.errors import NothingToDoError
    from newsletter.newsroom.dispatch import reconciling
    from newsletter.newsroom.readership import replaying

    with open_room() as room:
        readers = replaying.catch_up(room)
        if readers.anybody:
            told = {each: getattr(readers, each) for each in ("unsubscribed", "suppressed", "erased", "moved")}
            click.echo("readers: " + ", ".join(f"{number:,} {what}" for what, number in told.items() if number))
        try:
            for forgotten in reconciling.reconcile(room):
                counts = ", ".join(f"{number:,} {state}" for state, number in sorted(forgotten.counts.items()))
                kept = "" if forgotten.held else "; the backup does not hold its audience, so it is cancelled"
                click.echo(f"{forgotten.issue}: {counts}{kept}")
        except NothingToDoError:
            if not readers.anybody:
                raise


@db.command()
@click.option("--dry-run", is_flag=True, help="Say what would go; take nothing away.")
@by
@as_json
def prune(dry_run: bool, by: str | None, as_json: bool) -> int:
    """Take away what the settings NEWSLETTER_KEEP_… say is too old; the clock does it once a day.

    Of an issue that is not settled, or whose books do not balance, nothing goes. Exit code 4 where nothing is too old.
    """
    from newsletter.errors import InputError
    from newsletter.newsroom.readership import pruning

    with open_room() as room:
        if room.clock.rehearsing and not dry_run:
            raise InputError("NEWSLETTER_NOW sets the clock: only --dry-run says what is too old by it")
        pruned = pruning.prune(room, dry_run=dry_run)
        gone = ", ".join(f"{each.number} {each.what}" for each in pruned if each.number)
        if gone and not dry_run:
            record(room, "prune", by, remark=gone)
    if as_json:
        print_json([{**each.as_json(), "dry_run": dry_run} for each in pruned])
    else:
        rows = [(each.what, f"{each.number:,}", each.kept) for each in pruned]
        print_table(("what", "would go" if dry_run else "gone", "kept for"), rows, "Nothing is pruned.")
    return 0 if any(each.number for each in pruned) else 4
