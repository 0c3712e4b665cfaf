"""`newsletter schedule apply`, `set` and `schema`: schedule.yaml as a file."""

from __future__ import annotations

import sys

import click

from newsletter.cli.console import DeskCommand, as_json, by, open_room, print_json, whisper, who
from newsletter.cli.slots_shown import print_slots

__all__ = ["apply", "schema", "set_"]


@click.command(cls=DeskCommand)
@click.option("--release", is_flag=True, help="Give every host its own schedule.yaml back.")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@as_json
@by
def apply(release: bool, dry_run: bool, as_json: bool, by: str | None) -> None:
    """Have every host of this desk follow the schedule.yaml that lies here, with the calendars it names.

    It is checked first; the difference to what is in force and the next ten runs are shown. From then on each host
    follows what was applied last, whatever its own file says, within two seconds.
    """
    from newsletter.newsroom.documents import slot_document
    from newsletter.newsroom.planning import applying

    with open_room() as room:
        if release:
            if not dry_run:
                applying.release(room, who=who(by))
            click.echo("each host follows its own schedule.yaml" + (" then" if dry_run else " from now on"))
            return
        proposal = applying.propose(room)
        if not dry_run:
            applying.apply(room, proposal, who=who(by))
    revision = proposal.plan.digest[:12]
    if as_json:
        runs = [slot_document(slot) for slot in proposal.runs]
        print_json({"revision": proposal.plan.digest, "applied": not dry_run, "diff": proposal.diff, "next": runs})
        return
    click.echo(proposal.diff or "The schedule says the same as before.")
    click.echo("")
    print_slots(proposal.runs)
    verb = "would be" if dry_run else "is"
    click.echo(f"\nrevision {revision} {verb} in force on every host")


@click.command("set", cls=DeskCommand)
@click.argument("name")
@click.argument("key")
@click.argument("value", required=False)
@click.option("--default", "to_default", is_flag=True, help="Take the key out, so that the default holds.")
@click.option("--yes", is_flag=True, help="Write it without asking.")
def set_(name: str, key: str, value: str | None, to_default: bool, yes: bool) -> None:
    """Set a KEY of newsletter NAME in schedule.yaml, comments and order kept.

    KEY is dotted (stories.max); VALUE is written as in the file: "07:30", 14, [mon, fri], {within: 1h}. The difference
    and the next ten runs are shown before anything is written.
    """
    from newsletter.errors import InputError
    from newsletter.newsroom.planning import schedule_file

    if (value is None) is not to_default:
        raise InputError("write a VALUE, or --default to take the key out")
    with open_room() as room:
        change = schedule_file.edit_newsletter(room, name, {key: None if value is None else schedule_file.parse(value)})
        click.echo(change.diff)
        click.echo("")
        print_slots(change.runs)
        for warning in change.plan.warnings:
            whisper(f"warning: {warning}")
        if not yes:
            if not sys.stdin.isatty():
                raise InputError("nothing is written; add --yes")
            click.confirm("\nWrite it?", abort=True)
        schedule_file.put_in_place(room, change)
        applied = room.in_force.applied
    click.echo("\nschedule.yaml is written")
    if applied is not None:
        whisper(f"revision {applied.digest[:12]} stays in force until `newsletter schedule apply`")


@click.command(cls=DeskCommand)
def schema() -> None:
    """Print a JSON Schema of schedule.yaml, for editors that check and complete while one types.

    The first line of the file names it: # yaml-language-server: $schema=schedule.schema.json
    """
    from newsletter.plan.json_schema import json_schema

    print_json(json_schema())
