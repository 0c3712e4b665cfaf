"""`newsletter template …`."""

from __future__ import annotations

from pathlib import Path

import click

from newsletter.cli.console import DeskGroup, as_json, open_room, print_json


@click.group(cls=DeskGroup)
def template() -> None:
    """Check templates."""


@template.command()
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@as_json
def check(folder: Path | None, as_json: bool) -> int:
    """Check one template folder, or every template of this desk: each fault with file and line.

    Ends with 3 when there is a fault.
    """
    from newsletter import render

    if folder is not None:
        folders = [folder]
    else:
        with open_room() as room:
            folders = [room.templates.folder(name) for name in room.templates.names()]
    problems = [problem for each in folders for problem in render.check_template(each)]
    if as_json:
        print_json([{"file": p.file, "line": p.line, "column": p.column, "message": p.message} for p in problems])
    else:
        for problem in problems:
            click.echo(str(problem))
        if not problems:
            click.echo(f"{len(folders)} template{'s' if len(folders) != 1 else ''} without fault")
    return 3 if problems else 0
