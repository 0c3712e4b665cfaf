"""`newsletter subscribers …`."""

from __future__ import annotations

from pathlib import Path

import click

from newsletter.cli.console import (
    DeskGroup,
    as_json,
    by,
    open_room,
    opened,
    print_json,
    progress_bar,
    record,
    whisper,
    who,
)


@click.group(cls=DeskGroup)
def subscribers() -> None:
    """Import, export, show, suppress and unsubscribe subscribers."""


@subscribers.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--newsletter", "newsletters", metavar="NAME", multiple=True, help="For rows that name none; repeatable.")
@click.option("--consent-source", metavar="TEXT", help="Where the consent of confirmed rows comes from.")
@click.option("--dry-run", is_flag=True, help="Say what would happen; write nothing.")
@by
@as_json
def import_(
    file: Path,
    newsletters: tuple[str, ...],
    consent_source: str | None,
    dry_run: bool,
    by: str | None,
    as_json: bool,
) -> None:
    """Take the rows of a CSV file (commas, semicolons or tabs; UTF-8); twice changes nothing. Refused rows go to
    FILE.rejects.csv with the reason."""
    from newsletter.newsroom.readership import importing, replaying

    with open_room() as room, progress_bar("importing", quiet=as_json) as progress:
        replaying.catch_up(room)
        report = importing.take_in(
            room,
            file,
            newsletters=newsletters,
            consent_source=consent_source,
            dry_run=dry_run,
            progress=progress,
        )
        if not dry_run:
            counts = f"{report.added} added, {report.changed} changed, {report.refused} refused"
            record(room, "subscriber_import", by, remark=counts)
    for refusal in report.refusals:
        whisper(f"{file.name}: {refusal}")
    if report.rejects:
        whisper(f"{report.refused} rows refused; they stand in {report.rejects}")
    if as_json:
        print_json(report.as_json())
    else:
        would = "would be " if dry_run else ""
        click.echo(
            f"{report.rows} rows: {report.added} {would}added, {report.changed} {would}changed,"
            f" {report.unchanged} known, {report.already_unsubscribed} unsubscribed before,"
            f" {report.suppressed} suppressed, {report.refused} refused"
        )
    if report.refused and report.refused == report.rows:
        raise click.exceptions.Exit(2)


@subscribers.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--spreadsheet-safe", is_flag=True, help="Make cells inert that a spreadsheet would run as formulas.")
@by
def export(file: Path, spreadsheet_safe: bool, by: str | None) -> None:
    """Write every subscriber to a CSV file in the form that `subscribers import` takes."""
    with open_room() as room, progress_bar("exporting") as progress:
        record(room, "subscriber_export", by, remark="for a spreadsheet" if spreadsheet_safe else "as it is")
        count = room.subscribers.export_file(file, safe=spreadsheet_safe, progress=progress)
    click.echo(f"{file}: {count} rows")


@subscribers.command()
@click.argument("address")
@click.option("--newsletter", "newsletters", metavar="NAME", multiple=True, required=True, help="Repeatable.")
@click.option("--name", metavar="NAME")
@click.option("--countries", metavar="CN,JP", help="Only these; all by default.")
@click.option("--frequency", metavar="daily|weekly|breaking")
@click.option("--language", metavar="CODE")
@click.option("--timezone", metavar="ZONE")
@click.option("--consent-source", metavar="TEXT", help="States the consent, and confirms; without it: pending.")
@by
def add(
    address: str,
    newsletters: tuple[str, ...],
    name: str | None,
    countries: str | None,
    frequency: str | None,
    language: str | None,
    timezone: str | None,
    consent_source: str | None,
    by: str | None,
) -> None:
    """Add one subscriber; revives nobody who unsubscribed or is suppressed."""
    from newsletter.newsroom.readership import subscriptions

    with open_room() as room:
        fate, _ = subscriptions.enrol(
            room,
            address,
            newsletters,
            consent=(room.clock.now(), consent_source) if consent_source else None,
            name=name,
            countries=countries.replace(";", ",").split(",") if countries else None,
            frequency=frequency,
            language=language,
            timezone=timezone,
        )
        record(room, "subscriber_add", by, what=subscriptions.whom(room, address), remark=str(fate))
    click.echo(f"{address}: {fate.replace('_', ' ')}")


@subscribers.command()
@click.argument("address")
@by
@as_json
def show(address: str, by: str | None, as_json: bool) -> None:
    """Show one subscriber: subscriptions, preferences, history. The audit log says who looked."""
    from newsletter.newsroom.readership import subscriptions

    with open_room() as room:
        document = subscriptions.show(room, address)
        record(room, "subscriber", by, what=subscriptions.whom(room, address))
    if as_json:
        print_json(document)
        return
    for key, value in document.items():
        if key != "history":
            click.echo(f"{click.style(key, bold=True)}: {_plain(value, _UNSAID.get(key, 'none'))}")
    click.secho("history", bold=True)
    history = document["history"]
    assert isinstance(history, list)
    for line in history:
        rest = ", ".join(f"{name}: {_plain(value)}" for name, value in line.items() if name not in ("at", "what"))
        click.echo(f"  {line['at']}  {line['what']}  {rest}")


@subscribers.command()
@click.argument("address")
@click.option("--reason", metavar="TEXT", default="by hand", show_default=True)
@by
def suppress(address: str, reason: str, by: str | None) -> int:
    """Never mail ADDRESS again, whatever is imported."""
    from newsletter.newsroom.readership import subscriptions

    with open_room() as room:
        new = subscriptions.suppress(room, address, who=who(by), reason=reason)
        if new:
            record(room, "subscriber_suppress", by, what=subscriptions.whom(room, address))
    click.echo(f"{address}: suppressed" if new else f"{address}: was suppressed before")
    return 0 if new else 4


@subscribers.command()
@click.argument("address")
@click.option("--newsletter", metavar="NAME", help="From this one only; from all by default.")
@by
def unsubscribe(address: str, newsletter: str | None, by: str | None) -> int:
    """End the subscriptions of ADDRESS."""
    from newsletter.newsroom.readership import subscriptions

    with open_room() as room:
        if newsletter:
            room.newsletter(newsletter)
        ended = subscriptions.end(room, address, newsletter, who=who(by))
        if ended:
            whom = subscriptions.whom(room, address)
            record(room, "subscriber_unsubscribe", by, what=whom, remark=", ".join(ended))
    click.echo(f"{address}: unsubscribed from {', '.join(ended)}" if ended else f"{address}: nothing left to end")
    return 0 if ended else 4


@subscribers.command()
@click.argument("address")
@click.option("--reason", metavar="TEXT", required=True, help="Why; it stands in the history.")
@by
def unsuppress(address: str, reason: str, by: str | None) -> int:
    """Let ADDRESS be mailed again, whatever spoke against it; its subscriptions stay as they are."""
    from newsletter.newsroom.readership import subscriptions

    with open_room() as room:
        lifted = subscriptions.unsuppress(room, address, reason, who=who(by))
        if lifted:
            whom, was = subscriptions.whom(room, address), subscriptions.was(lifted)
            record(room, "subscriber_unsuppress", by, what=whom, remark=was)
    click.echo(
        f"{address}: may be mailed again; it was suppressed: {lifted}" if lifted else f"{address}: not suppressed"
    )
    return 0 if lifted else 4


@subscribers.command()
@click.argument("address")
@by
def forget(address: str, by: str | None) -> None:
    """Erase whoever has ADDRESS, for good: nothing brings that back.

    Subscriptions, choices, history, requests and bounces go; deliveries stay as numbers without an address. A salted
    hash keeps the address from being mailed, whatever is imported, until they subscribe again themselves. Exit code 4
    where nothing is held of it.
    """
    from newsletter.newsroom.readership import subscriptions

    with open_room() as room:
        number = subscriptions.forget(room, address)
        record(room, "subscriber_erase", by, what=f"subscriber {number}" if number else subscriptions.NOBODY)
    click.echo(f"erased: subscriber {number}" if number else "erased: an address without a subscriber")
    if any(room.outbox.glob("**/*.eml")):
        whisper("Messages in the outbox folder went nowhere and are left as they are; delete them by hand.")


@subscribers.command()
@click.argument("address")
@click.option(
    "--out", metavar="FILE", type=click.Path(path_type=Path), help="Into this file; standard output otherwise."
)
@by
def data(address: str, out: Path | None, by: str | None) -> None:
    """Write all that is held of whoever has ADDRESS as one JSON document, as they may ask for themselves."""
    from newsletter.newsroom.readership import own_data, subscriptions

    with open_room() as room, opened(out) as file:
        held = subscriptions.find(room, address)
        record(room, "subscriber_data", by, what=f"subscriber {held.id}")
        for piece in own_data.document(room, held):
            file.write(piece.encode())


_UNSAID = {
    "countries": "all",
    "language": "the newsletter's",
    "timezone": "the newsletter's",
    "paused_until": "not paused",
}
"""What it means that a subscriber has said nothing of it."""


def _plain(value: object, unsaid: str = "none") -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    return unsaid if value is None else str(value)
