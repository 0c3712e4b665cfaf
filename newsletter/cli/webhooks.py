"""`newsletter webhooks …`: programs elsewhere that are told what happens here."""

from __future__ import annotations

import click

from newsletter.cli.console import DeskGroup, as_json, by, open_room, print_json, print_table, record, who

EVENTS = (
    *("subscriber.subscribed", "subscriber.unsubscribed", "subscriber.bounced", "subscriber.complained"),
    *("subscribers.imported", "issue.submitted"),
)
_name = click.argument("name")


@click.group(cls=DeskGroup)
def webhooks() -> None:
    """List, add and try webhooks; see what each was told; switch them on and off."""


@webhooks.command("list")
@as_json
def list_(as_json: bool) -> None:
    """List the webhooks: where to, of what, and how it goes."""
    from newsletter.newsroom.programs import webhooks as programs

    with open_room() as room:
        found = programs.documents(room)
    if as_json:
        print_json(found)
        return
    rows = [
        (each["name"], each["host"], _plain(each["events"]), _standing(each), _told(each["told"])) for each in found
    ]
    print_table(("name", "host", "events", "", "told"), rows, "No webhook yet; `newsletter webhooks add NAME URL`.")


@webhooks.command()
@_name
@click.argument("url")
@click.option("--event", "events", type=click.Choice(EVENTS), multiple=True, help="Repeatable; all by default.")
@click.option("--with-address", is_flag=True, help="Tell the address, too, and not only the subscriber's number.")
@by
def add(name: str, url: str, events: tuple[str, ...], with_address: bool, by: str | None) -> None:
    """Tell URL what happens, from now on; prints the secret by which it knows that it was us, this once."""
    from newsletter.newsroom.programs import webhooks as programs

    with open_room() as room:
        made, secret = programs.make(room, name, url, events or EVENTS, with_address=with_address, who=who(by))
        record(room, "webhook_make", by, what=made.name)
    click.echo(secret)


@webhooks.command()
@_name
@as_json
def test(name: str, as_json: bool) -> int:
    """Call it now with an event that tells of nothing; ends with 1 when it is not taken."""
    from newsletter.newsroom.programs import webhooks as programs

    with open_room() as room:
        called = programs.try_out(room, room.webhooks.find(name))
    if as_json:
        print_json({"taken": called.taken, "status": called.status, "answer": called.words})
    else:
        click.echo(f"{name}: {'taken' if called.taken else 'not taken'}: {called.words}")
    return 0 if called.taken else 1


@webhooks.command()
@_name
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, metavar="N")
@as_json
def log(name: str, limit: int, as_json: bool) -> None:
    """Show what it was told lately, and how it answered."""
    from newsletter.newsroom.documents import webhook_delivery_document

    with open_room() as room:
        found = room.webhooks.told(room.webhooks.find(name).id, limit)
    if as_json:
        print_json([webhook_delivery_document(each) for each in found])
        return
    rows = [
        (each.event, f"{each.happening.at:%Y-%m-%d %H:%M}", each.happening.kind, each.fate, each.tries, each.reply)
        for each in found
    ]
    print_table(("event", "at (UTC)", "what", "", "tries", "last answer"), rows, "It was told nothing yet.")


@webhooks.command()
@_name
@click.argument("event", type=click.IntRange(1))
@by
def again(name: str, event: int, by: str | None) -> None:
    """Have EVENT, a number of `webhooks log`, sent once more; the clock does it."""
    from newsletter.newsroom.programs import webhooks as programs

    with open_room() as room:
        found = room.webhooks.find(name)
        programs.send_again(room, found, event)
        record(room, "webhook_again", by, what=found.name)
    click.echo(f"{name}: event {event} is sent again")


@webhooks.command()
@_name
@by
def on(name: str, by: str | None) -> None:
    """Tell it again, from now on."""
    from newsletter.newsroom.programs import webhooks as programs

    with open_room() as room:
        found = room.webhooks.find(name)
        programs.switch_on(room, found)
        record(room, "webhook_on", by, what=found.name)
    click.echo(f"{name} is on")


@webhooks.command()
@_name
@by
def off(name: str, by: str | None) -> None:
    """Tell it nothing more; what waits is given up."""
    from newsletter.newsroom.programs import webhooks as programs

    with open_room() as room:
        found = room.webhooks.find(name)
        programs.switch_off(room, found, who=who(by))
        record(room, "webhook_off", by, what=found.name)
    click.echo(f"{name} is off")


@webhooks.command()
@_name
@by
def remove(name: str, by: str | None) -> None:
    """Forget it, with all it was told."""
    with open_room() as room:
        found = room.webhooks.find(name)
        room.webhooks.remove(found.id)
        record(room, "webhook_remove", by, what=found.name)
    click.echo(f"{name} is removed")


def _plain(events: object) -> str:
    return ", ".join(map(str, events)) if isinstance(events, list) else ""


def _standing(each: dict[str, object]) -> str:
    if each["off"]:
        return f"off: {each['off']}"
    return f"failing since {str(each['failing_since'])[:16]}" if each["failing_since"] else "on"


def _told(counts: object) -> str:
    return ", ".join(f"{number} {fate}" for fate, number in counts.items()) if isinstance(counts, dict) else ""
