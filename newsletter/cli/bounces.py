"""`newsletter bounces …`: what came back of messages."""

from __future__ import annotations

from pathlib import Path

import click

from newsletter.cli.console import (
    DeskGroup,
    as_json,
    by,
    open_room,
    print_json,
    print_table,
    progress_bar,
    record,
    whisper,
    who,
)


@click.group(cls=DeskGroup)
def bounces() -> None:
    """Read what came back; look at providers whose bounces are held, and decide."""


@bounces.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@as_json
def read(files: tuple[Path, ...], as_json: bool) -> int:
    """Read bounces and complaints from .eml files, mboxes, Maildirs or folders of .eml files; twice changes nothing.

    The files stay as they are. What cannot be read, and what names no delivery of this desk, is listed on standard
    error. The exit code is 2 when nothing could be read, 4 when there was no message.
    """
    from newsletter.newsroom.readership import mailboxes

    with open_room() as room, progress_bar("reading", quiet=as_json) as progress:
        reading = mailboxes.read_files(room, files, progress)
    for name, why in [*reading.unread, *reading.unclear]:
        whisper(f"{name}: {why}")
    if as_json:
        print_json(reading.as_json())
    else:
        classes = ", ".join(f"{number:,} {kind}" for kind, number in reading.classes.most_common())
        fates = ", ".join(f"{number:,} {fate}" for fate, number in reading.fates.most_common())
        click.echo(f"{reading.messages:,} messages" + (f": {classes}; {fates}" if classes else ""))
    if reading.messages:
        return 0
    return 2 if reading.unread else 4


@bounces.command()
@as_json
def held(as_json: bool) -> None:
    """List providers that knew so many readers no longer at once that nobody was suppressed yet."""
    with open_room() as room:
        found = room.bounces.held()
    if as_json:
        print_json(
            [
                {
                    "provider": each.provider,
                    "people": each.people,
                    "first": each.first.isoformat(),
                    "last": each.last.isoformat(),
                    "words": each.words,
                }
                for each in found
            ]
        )
        return
    rows = [(each.provider, each.people, f"{each.first:%Y-%m-%d %H:%M}", each.words[:80]) for each in found]
    print_table(("provider", "people", "since (UTC)", "what its servers say"), rows, "Nothing is held.")


@bounces.command()
@click.argument("provider")
@by
def release(provider: str, by: str | None) -> int:
    """Let everybody be whose bounces from PROVIDER are held: it was its fault."""
    return _settle(provider, by, dead=False)


@bounces.command()
@click.argument("provider")
@by
def confirm(provider: str, by: str | None) -> int:
    """Suppress everybody whose bounces from PROVIDER are held: those mailboxes are gone."""
    return _settle(provider, by, dead=True)


def _settle(provider: str, by: str | None, *, dead: bool) -> int:
    from newsletter.newsroom.readership import bouncing

    with open_room() as room:
        number = bouncing.settle(room, provider, dead=dead, who=who(by))
        done = "suppressed" if dead else "let be"
        if number:
            record(room, "bounce_settle", by, remark=f"{provider}: {number} {done}")
    click.echo(f"{provider}: {number:,} {done}" if number else f"{provider}: nothing is held")
    return 0 if number else 4
