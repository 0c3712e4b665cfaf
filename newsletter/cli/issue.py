"""`newsletter issue …`."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.console import DeskGroup, as_json, open_room, opened, print_json, print_table, whisper

if TYPE_CHECKING:
    from newsletter.model import Books, Issue, IssueId
    from newsletter.newsroom import Newsroom


_FORMS = ("html", "text", "eml", "png")


@click.group(cls=DeskGroup)
def issue() -> None:
    """Build, preview, check, proof, approve and send issues. ISSUE is an id like asia-ai-daily/2026-05-27."""


@issue.command()
@click.argument("newsletter")
@click.option("--date", type=click.DateTime(["%Y-%m-%d"]), help="Local date of the issue; today's by default.")
@click.option("--extra", is_flag=True, help="Make a second issue of the day.")
@as_json
def build(newsletter: str, date: datetime | None, extra: bool, as_json: bool) -> None:
    """Make or refresh the draft of NEWSLETTER's issue and print its id; never sends."""
    from newsletter.newsroom import issues

    with open_room() as room:
        made = issues.build(room, newsletter, date.date() if date else None, extra=extra)
        if as_json:
            print_json(_document(room, made))
            return
    click.echo(str(made.id))
    placed = made.snapshot.placed if made.snapshot else ()
    countries = len(made.snapshot.sections) if made.snapshot else 0
    whisper(
        f"{made.state}{': ' + made.reason if made.reason else ''};"
        f" {len(placed)} stories from {countries} countries, revision {made.revision}"
    )


@issue.command("list")
@click.option("--newsletter", metavar="NAME", help="Only issues of this newsletter.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, metavar="N")
@as_json
def list_(newsletter: str | None, limit: int, as_json: bool) -> None:
    """List issues, latest due first."""
    with open_room() as room:
        found = room.issues.list(newsletter, limit)
        if as_json:
            print_json([_row(each) for each in found])
            return
        rows = [
            (each.id, each.state, f"{each.due_at:%Y-%m-%d %H:%M}", each.approved_by or "", each.reason)
            for each in found
        ]
    print_table(
        ("issue", "state", "due (UTC)", "approved by", "why"),
        rows,
        "No issues yet: `newsletter issue build NEWSLETTER`.",
    )


@issue.command()
@click.argument("issue_id", metavar="ISSUE")
@as_json
def show(issue_id: str, as_json: bool) -> None:
    """Show one issue: its stories by country with related reading, its editions, and what happened to it."""
    from newsletter.newsroom import issues

    with open_room() as room:
        found = room.issues.get(_parse(issue_id))
        if as_json:
            print_json(_document(room, found))
            return
        click.secho(f"{found.id}  {found.state}{': ' + found.reason if found.reason else ''}", bold=True)
        for section in found.snapshot.sections if found.snapshot else ():
            click.secho(f"\n{section.country}", bold=True)
            for placed in section.stories:
                click.echo(f"  {placed.story.title}  (via {placed.story.outlet})")
                for related in placed.related:
                    click.echo(f"      related: {related.title}  (shares: {', '.join(related.reasons)})")
        if found.snapshot:
            click.secho("\nEditions", bold=True)
            for reach in issues.editions(room, found):
                click.echo(f"  {reach.edition.key}: {reach.readers} readers")
        click.secho("\nHistory", bold=True)
        for step in room.issues.history(found.id):
            why = f": {step.why}" if step.why else ""
            click.echo(f"  {step.at:%Y-%m-%d %H:%M:%S} UTC  {step.before or 'new'} → {step.after} by {step.who}{why}")


@issue.command()
@click.argument("issue_id", metavar="ISSUE")
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
    issue_id: str,
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
    from newsletter.newsroom import issues, readers, sending

    asked = [code.strip() for code in countries.split(",") if code.strip()] if countries else None
    form = form or _form_of(out)
    if form != "png" and (dark or width):
        raise InputError("--dark and --width are of a picture; add --format png")
    if form == "png" and out is None and sys.stdout.isatty():
        raise InputError("a picture is not for the terminal; add --out phone.png")
    with open_room() as room:
        wanted = _parse(issue_id)
        if form == "eml":
            data = sending.message_for(room, wanted, as_email=as_email, countries=asked, language=language)
        else:
            edition = issues.preview(room, wanted, as_email=as_email, countries=asked, language=language)
            slots = readers.slots_of(room, wanted, edition.edition.key, as_email)
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


@issue.command()
@click.argument("issue_id", metavar="ISSUE")
@click.option("--no-links", is_flag=True, help="Do not ask whether links answer, which takes up to 20 s.")
@as_json
def check(issue_id: str, no_links: bool, as_json: bool) -> int:
    """Run the preflight over every edition, see whether its links answer, and ask SpamAssassin where it is installed.

    Ends with 3 when a blocking check fails.
    """
    from newsletter.newsroom import issues, looking

    with open_room() as room:
        findings = issues.check(room, _parse(issue_id))
        findings += looking.look(room, _parse(issue_id), links=not no_links)
    if as_json:
        print_json(
            [
                {"severity": f.severity, "check": f.check, "place": f.place, "message": f.message, "fix": f.fix}
                for f in findings
            ]
        )
    else:
        for finding, places in issues.grouped(findings):
            colour = "red" if finding.severity == "blocking" else "yellow"
            fix = f" {finding.fix}" if finding.fix else ""
            click.echo(f"{click.style(finding.severity, fg=colour)}  {finding.message}{fix}  ({'; '.join(places)})")
        if not findings:
            click.echo("No finding: ready for approval.")
    return 3 if any(finding.severity == "blocking" for finding in findings) else 0


@issue.command()
@click.argument("issue_id", metavar="ISSUE")
@click.option("--subject", metavar="TEXT", help="The subject line of every edition; an empty one is made again.")
@click.option("--preheader", metavar="TEXT", help="What an inbox shows behind it; an empty one is made again.")
@click.option(
    "--word", metavar="TEXT", multiple=True, help="Words before the stories, an empty line between paragraphs."
)
@click.option("--by", metavar="NAME", help="Who edits; your login name by default.")
def edit(issue_id: str, subject: str | None, preheader: str | None, word: tuple[str, ...], by: str | None) -> None:
    """Set an editor's own subject, preheader, or word to the readers.

    Makes a new revision and voids an approval. A later `issue build` keeps the words. --word "" takes the word out.
    """
    import getpass

    from newsletter.errors import InputError
    from newsletter.newsroom import issues

    if subject is None and preheader is None and not word:
        raise InputError("nothing to edit; name --subject, --preheader or --word")
    paragraphs = tuple(part for text in word for part in re.split(r"\n\s*\n", text)) or None
    with open_room() as room:
        before = room.issues.get(_parse(issue_id))
        edited = issues.edit(
            room, before.id, subject=subject, preheader=preheader, word=paragraphs, who=by or getpass.getuser()
        )
    if edited.revision == before.revision:
        click.echo(f"{edited.id} says that already")
        return
    void = "; its approval is void" if before.approved_by and not edited.approved_by else ""
    click.echo(f"{edited.id} is {edited.state}, revision {edited.revision}{void}")


@issue.command()
@click.argument("issue_id", metavar="ISSUE")
@click.argument("addresses", metavar="ADDRESS...", nargs=-1, required=True)
def proof(issue_id: str, addresses: tuple[str, ...]) -> int:
    """Mail the issue to editors, its subject marked [Proof]."""
    from newsletter.newsroom import sending

    with open_room() as room:
        outcomes = sending.proof(room, _parse(issue_id), addresses)
    for address, outcome in outcomes:
        click.echo(f"{address}: {outcome.state}  {outcome.reply}")
    return 0 if all(outcome.state == "submitted" for _, outcome in outcomes) else 1


@issue.command()
@click.argument("issue_id", metavar="ISSUE")
@click.option("--by", metavar="NAME", help="Who approves; your login name by default.")
def approve(issue_id: str, by: str | None) -> None:
    """Seal the exact bytes of the draft for sending; any later edit voids it."""
    import getpass

    from newsletter.newsroom import issues

    with open_room() as room:
        approved = issues.approve(room, _parse(issue_id), by or getpass.getuser())
    if approved.approved_by is None:
        click.echo(f"{approved.id}: {approved.reason}")
    else:
        click.echo(f"{approved.id} approved by {approved.approved_by}; due {approved.due_at:%Y-%m-%d %H:%M} UTC")


@issue.command()
@click.argument("issue_id", metavar="ISSUE")
@click.option("--dry-run", is_flag=True, help="Count the readers of each edition; send nothing.")
@click.option("--wait", is_flag=True, help="Stay for the deferred deliveries, too.")
@click.option("--retry-now", is_flag=True, help="Try deferred deliveries without waiting for their time.")
@as_json
def send(issue_id: str, dry_run: bool, wait: bool, retry_now: bool, as_json: bool) -> int:
    """Send now what is approved and not yet settled; safe to repeat after any crash, and from several processes.

    Ends with 0 when all is settled, 3 without an approval, 4 when it was settled before, 5 when deferred or
    unknown deliveries remain.
    """
    from newsletter.newsroom import sending

    wanted = _parse(issue_id)
    with open_room() as room:
        if dry_run:
            counts = sending.dry_run(room, wanted)
            if as_json:
                print_json(counts)
            else:
                print_table(("edition", "readers"), list(counts.items()), "Nobody would get it.")
            return 0
        with _progress(not as_json) as progress:
            books = sending.send(room, wanted, wait=wait, retry_now=retry_now, progress=progress)
        if as_json:
            print_json(books.as_json())
        else:
            _print_books(books)
            if not room.settings.smtp_url:
                click.echo(f"The mail lies in {room.outbox / wanted.newsletter}")
    return 5 if sending.deliveries_left(books) else 0


@issue.command()
@click.argument("issue_id", metavar="ISSUE")
@as_json
def status(issue_id: str, as_json: bool) -> None:
    """Print the books: candidates, who was left out and why, and what became of each message."""
    with open_room() as room:
        books = room.issues.books(_parse(issue_id))
    if as_json:
        print_json(books.as_json())
    else:
        _print_books(books)


@issue.command()
@click.argument("issue_id", metavar="ISSUE")
@click.option("--state", metavar="STATE", help="Only deliveries in this state, for example unknown.")
@as_json
def recipients(issue_id: str, state: str | None, as_json: bool) -> None:
    """List who was mailed: state, time, the mail server's own words, Message-ID."""
    from newsletter.errors import InputError
    from newsletter.model import DeliveryState

    try:
        wanted = DeliveryState(state) if state else None
    except ValueError:
        raise InputError(f"{state!r} is no delivery state; there are {', '.join(DeliveryState)}") from None
    with open_room() as room:
        rows = list(room.deliveries.rows(_parse(issue_id), wanted))
    if as_json:
        print_json([row.as_json() for row in rows])
    else:
        print_table(
            ("recipient", "edition", "state", "tries", "the server's words"),
            [(row.email, row.edition, row.state, row.attempts, row.reply) for row in rows],
            "No such delivery.",
        )


def _parse(text: str) -> IssueId:
    from newsletter.model import IssueId

    return IssueId.parse(text)


def _row(each: Issue) -> dict[str, object]:
    return {
        "issue": str(each.id),
        "state": str(each.state),
        "reason": each.reason,
        "due_at": each.due_at.isoformat(),
        "revision": each.revision,
        "approved_by": each.approved_by,
        "approved_at": each.approved_at.isoformat() if each.approved_at else None,
    }


def _document(room: Newsroom, each: Issue) -> dict[str, object]:
    sections = each.snapshot.sections if each.snapshot else ()
    return {
        **_row(each),
        "lead": each.snapshot.lead if each.snapshot else None,
        "sections": [
            {
                "country": section.country,
                "stories": [
                    {
                        "id": placed.story.id,
                        "title": placed.story.title,
                        "outlet": placed.story.outlet,
                        "related": [{"id": r.id, "title": r.title, "reasons": list(r.reasons)} for r in placed.related],
                    }
                    for placed in section.stories
                ],
            }
            for section in sections
        ],
        "history": [
            {"at": s.at.isoformat(), "who": s.who, "from": s.before, "to": s.after, "why": s.why}
            for s in room.issues.history(each.id)
        ],
    }


def _print_books(books: Books) -> None:
    click.secho(f"{books.issue}  {books.state}", bold=True)
    click.echo(f"  candidates {books.candidates}")
    for reason, count in books.excluded.items():
        if count:
            click.echo(f"  - {reason} {count}")
    for state, count in books.deliveries.items():
        if count:
            click.echo(f"  = {state} {count}")
    click.echo("  the books balance" if books.balanced else click.style("  THE BOOKS DO NOT BALANCE", fg="red"))


@contextmanager
def _progress(wanted: bool) -> Iterator[Callable[[Mapping[str, int]], None] | None]:
    """A bar over the deliveries, where standard error is a terminal."""
    if not wanted or not sys.stderr.isatty():
        yield None
        return
    from newsletter.model import UNSETTLED

    bar = None

    def show(counts: Mapping[str, int]) -> None:
        nonlocal bar
        if bar is None:
            bar = click.progressbar(length=sum(counts.values()), label="sending", file=sys.stderr, show_pos=True)
            bar.__enter__()
        bar.update(sum(number for state, number in counts.items() if state not in UNSETTLED) - bar.pos)

    yield show
    if bar is not None:
        bar.__exit__(None, None, None)
