"""`newsletter issue preview` and `check`: an issue looked at before it is approved."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.console import DeskCommand, as_json, issue_argument, open_room, opened, print_json, whisper

if TYPE_CHECKING:
    from newsletter.model import IssueId

__all__ = ["check", "preview"]

_FORMS = ("html", "text", "eml", "png")


@click.command(cls=DeskCommand)
@issue_argument
@click.option("--as", "as_email", metavar="EMAIL", help="As this subscriber gets it.")
@click.option("--countries", metavar="CN,JP", help="As a reader of these countries gets it.")
@click.option("--language", metavar="LANG", help="In this language of the newsletter; its first by default.")
@click.option("--format", "form", type=click.Choice(_FORMS), help="By the ending of --out, or else html.")
@click.option(
    "--width",
    type=click.IntRange(200, 2000),
    help="Of a png, in pixels, 640 by default; its first 16,000 downwards are shown.",
)
@click.option("--dark", is_flag=True, help="A png as a dark screen shows it.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
def preview(
    issue_id: IssueId,
    as_email: str | None,
    countries: str | None,
    language: str | None,
    form: str | None,
    width: int | None,
    dark: bool,
    out: Path | None,
) -> None:
    """Print an edition exactly as it would be mailed, or make a picture of its first 16,000 pixels (png)."""
    from newsletter import render
    from newsletter.errors import InputError
    from newsletter.newsroom.issue import previews, proofs
    from newsletter.newsroom.readership import readers

    asked = [code.strip() for code in countries.split(",") if code.strip()] if countries else None
    form = form or _form_of(out)
    if form != "png" and (dark or width):
        raise InputError("--dark and --width are of a picture; add --format png")
    if form == "png" and out is None and sys.stdout.isatty():
        raise InputError("a picture is not for the terminal; add --out phone.png")
    with open_room() as room:
        if form == "eml":
            data = proofs.message_for(room, issue_id, as_email=as_email, countries=asked, language=language)
        else:
            edition = previews.preview(room, issue_id, as_email=as_email, countries=asked, language=language)
            slots = readers.slots_of(room, issue_id, edition.edition.key, as_email)
            if form == "text":
                data = render.fill_text(edition.text, slots).encode()
            else:
                html = render.fill_html(edition.html, slots)
                data = render.picture(html, width=width or 640, dark=dark) if form == "png" else html.encode()
    with opened(out) as file:
        file.write(data)
    if out is not None:
        whisper(f"{out}: {len(data):,} bytes")


def _form_of(out: Path | None) -> str:
    ending = out.suffix.lower().removeprefix(".") if out else ""
    return ending if ending in _FORMS else "text" if ending == "txt" else "html"


@click.command(cls=DeskCommand)
@issue_argument
@click.option("--no-links", is_flag=True, help="Do not ask whether links answer, which takes up to 20 s.")
@as_json
def check(issue_id: IssueId, no_links: bool, as_json: bool) -> int:
    """Run the preflight over every edition, see whether its links answer, and ask SpamAssassin where it is installed.

    Ends with 3 when a blocking check fails.
    """
    from newsletter.newsroom.issue import looking, preflight

    with open_room() as room:
        findings = preflight.check(room, issue_id)
        findings += looking.look(room, issue_id, links=not no_links)
    if as_json:
        print_json(
            [
                {"severity": f.severity, "check": f.check, "place": f.place, "message": f.message, "fix": f.fix}
                for f in findings
            ]
        )
    else:
        for finding, places in preflight.grouped(findings):
            colour = "red" if finding.severity == "blocking" else "yellow"
            fix = f" {finding.fix}" if finding.fix else ""
            click.echo(f"{click.style(finding.severity, fg=colour)}  {finding.message}{fix}  ({'; '.join(places)})")
        if not findings:
            click.echo("No finding: ready for approval.")
    return 3 if any(finding.severity == "blocking" for finding in findings) else 0
