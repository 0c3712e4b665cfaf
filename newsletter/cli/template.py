"""`newsletter template …`."""

from __future__ import annotations

from pathlib import Path

import click

from newsletter.cli.console import DeskGroup, as_json, open_room, print_json, whisper


@click.group(cls=DeskGroup)
def template() -> None:
    """Check templates, and start one of your own."""


@template.command()
@click.argument("folder", metavar="[DIR|NAME]", required=False, type=click.Path(path_type=Path))
@as_json
def check(folder: Path | None, as_json: bool) -> int:
    """Check one template, by folder or name, or every template of this desk: each fault with file and line.

    Colours of theme.toml that are hard to read, values that no template asks for, and languages of schedule.yaml
    without words are named on standard error and are no fault. Ends with 3 when there is a fault.
    """
    from newsletter import render

    languages: list[str] = []
    if folder is not None and folder.is_dir():
        folders, templates = [folder], render.Templates([folder.resolve().parent])
    else:
        with open_room() as room:
            templates = room.templates
            languages = sorted({tag for each in room.plan.newsletters.values() for tag in each.languages})
            folders = [templates.folder(name) for name in ([str(folder)] if folder else templates.names())]
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
        for language in languages:
            if lacking := len(templates.unsaid(language)):
                advice = f"`newsletter template words {language}` lists them"
                whisper(f"warning: {language}: {lacking} words of the mails stay English; {advice}")
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


@template.command()
@click.argument("language", metavar="LANG")
def words(language: str) -> None:
    """Start or complete the words of the mails in a language: templates/words/LANG.po, each with a place to say it.

    What is left empty stays English. What the file says already stays as it is.
    """
    from newsletter import render
    from newsletter.errors import InputError

    with open_room() as room:
        path = room.desk / "templates" / "words" / f"{language.replace('-', '_')}.po"
        if not render.is_language(language):
            raise InputError(f"{language!r} is no language; write its tag, such as sv or zh-Hant")
        lacking = room.templates.unsaid(language)
        if not lacking:
            click.echo(f"nothing lacks in {language}; a desk's own {path.name} may better a word")
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(render.catalogue_for(language, path, lacking))
    click.echo(f"{path}: {len(lacking)} words to say; those left empty stay English")
