"""`newsletter config`."""

from __future__ import annotations

import click

from newsletter.cli.console import DeskCommand, as_json, desk_folder, print_json, print_table


@click.command(cls=DeskCommand)
@as_json
def config(as_json: bool) -> None:
    """Print every setting with its value, where it came from, and what it means; secrets are masked."""
    from newsletter.settings import load_settings

    rows = load_settings(desk_folder()).table()
    if as_json:
        print_json(rows)
    else:
        print_table(
            ("variable", "value", "from", "meaning"),
            [(row["variable"], row["value"], row["origin"], row["meaning"]) for row in rows],
            "There are no settings.",
        )
