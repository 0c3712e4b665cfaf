"""`newsletter issue stop`, `retry` and `resolve`: what a person decides about deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from newsletter.cli.console import DeskCommand, by, issue_argument, open_room, who

if TYPE_CHECKING:
    from newsletter.model import IssueId

__all__ = ["resolve", "retry", "stop"]


@click.command(cls=DeskCommand)
@issue_argument
@click.option("--give-up", is_flag=True, help="Cancel what a stopped issue has not sent; it is settled then.")
@click.option("--reason", default="", help="Why; it stands in the issue's history.")
@by
def stop(issue_id: IssueId, give_up: bool, reason: str, by: str | None) -> None:
    """Begin nothing more of an issue that is being sent; `issue send` sends the rest, `--give-up` cancels it.

    What is in flight is finished and recorded. The program stops an issue itself when the mail server rejects nearly
    every message.
    """
    from newsletter.newsroom.dispatch import outcomes

    with open_room() as room:
        if give_up:
            number = outcomes.give_up(room, issue_id, who=who(by))
            click.echo(f"{issue_id}: {number:,} not sent are cancelled")
            return
        flying = outcomes.stop(room, issue_id, who=who(by), why=reason)
        counts = room.deliveries.counts(issue_id)
        left = counts.get("queued", 0) + counts.get("deferred", 0)
    click.echo(f"{issue_id} is stopped with {left:,} to go" + (f"; {flying:,} are in flight" if flying else ""))
    click.echo(f"`newsletter issue send {issue_id}` sends the rest,")
    click.echo(f"`newsletter issue stop {issue_id} --give-up` cancels it")


@click.command(cls=DeskCommand)
@issue_argument
@click.option("--state", type=click.Choice(["rejected", "failed", "expired"]), required=True, help="Which failures.")
@click.option("--address", metavar="EMAIL", help="Of this reader only.")
@by
def retry(issue_id: IssueId, state: str, address: str | None, by: str | None) -> None:
    """Queue failures again once you have mended what caused them; `issue send` sends them.

    For example when the relay refused everybody, or a template failed. What is deferred needs no such word: it is tried
    again by itself, or at once with `issue send --retry-now`.
    """
    from newsletter.model import DeliveryState
    from newsletter.newsroom.dispatch import outcomes

    with open_room() as room:
        number = outcomes.retry(room, issue_id, state=DeliveryState(state), email=address, who=who(by))
    click.echo(f"{number:,} {state}: queued again; `newsletter issue send {issue_id}` sends them")


@click.command(cls=DeskCommand)
@issue_argument
@click.option(
    "--unknown",
    "how",
    type=click.Choice(["submitted", "resend"]),
    required=True,
    help="What becomes of them: they arrived, as the mail server's log says, or they are sent again.",
)
@click.option("--address", metavar="EMAIL", help="Of this reader only.")
@by
def resolve(issue_id: IssueId, how: str, address: str | None, by: str | None) -> None:
    """Settle deliveries that are unknown, because you looked them up or would rather send twice than not at all.

    `issue recipients ISSUE --state unknown` names them with their Message-IDs, which the mail server's log knows.
    """
    from newsletter.newsroom.dispatch import outcomes

    with open_room() as room:
        number, left = outcomes.resolve(room, issue_id, resend=how == "resend", email=address, who=who(by))
    done = f"queued again; `newsletter issue send {issue_id}` sends them" if how == "resend" else "taken for submitted"
    click.echo(f"{number} unknown: {done}" + (f"; {left} unknown left" if left else ""))
