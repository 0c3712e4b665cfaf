"""`newsletter template …`."""

from __future__ import annotations

from pathlib import Path

import click

from newsletter.cli.console import DeskGroup, as_json, open_room, print_json, whisper


@click.group(cls=DeskGroup)
def template() -> None:
    """Check templates, and start one of your own."""


@template.command()
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@as_json
def check(folder: Path | None, as_json: bool) -> int:
    """Check one template folder, or every template of this desk: each fault with file and line.

    Colours of theme.toml that are hard to read, and values that no template asks for, are named on standard error and
    are no fault. Ends with 3 when there is a fault.
    """
    from newsletter import render

    if folder is not None:
        folders, templates = [folder], render.Templates([folder.resolve().parent])
    else:
        with open_room() as room:
            templates = room.templates
            folders = [templates.folder(name) for name in templates.names()]
    found = [problem for each in folders for problem in render.check_template(each, templates)]
    problems = list(dict.fromkeys(found))  # a partial that several mails share is told once
    if as_json:
        print_json([{"file": p.file, "line": p.line, "column": p.column, "message": p.message} for p in problems])
    else:
        for problem in problems:
            click.echo(str(problem))
        if not problems:
            click.echo(f"{len(folders)} template{'s' if len(folders) != 1 else ''} without fault")
    if not problems:
        for faint in render.faint_colours(templates.theme()):
            whisper(f"warning: {faint.place}: {faint.message} {faint.fix}")
        for unused in templates.unused_values():
            whisper(f"warning: theme.toml: {unused}")
    return 3 if problems else 0


@template.command()
@click.argument("name")
@click.option("--like", default="daily", show_default=True, metavar="TEMPLATE", help="The template to start from.")
def new(name: str, like: str) -> None:
    """Start a template of this desk's own: templates/NAME/, with the files of another.

    Its partials, words and theme stay the shipped ones; a file of the same name under templates/ takes the place of
    one of these.
    """
    with open_room() as room:
        for path in room.templates.start(name, like):
            click.echo(path.relative_to(room.desk) if path.is_relative_to(room.desk) else path)
        click.echo(f"name it in schedule.yaml: template: {name}")
