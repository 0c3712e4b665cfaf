"""`newsletter issue undo`, `cancel`, `correct` and `breaking`: when something is wrong, or cannot wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from newsletter.cli.console import DeskCommand, as_json, by, issue_argument, open_room, print_json, whisper, who

if TYPE_CHECKING:
    from newsletter.model import IssueId

__all__ = ["breaking", "cancel", "correct", "undo"]


@click.command(cls=DeskCommand)
@issue_argument
@click.option("--reason", default="", help="Why; it stands in the issue's history.")
@by
def undo(issue_id: IssueId, reason: str, by: str | None) -> None:
    """Take back the approval of an issue, also while it is being sent, as long as no message has left.

    The issue is in review again. Once messages have left, `issue stop` stops the rest and `issue correct` corrects it.
    """
    from newsletter.newsroom.dispatch import correcting

    with open_room() as room:
        undone = correcting.undo(room, issue_id, who=who(by), why=reason)
    click.echo(f"{undone.id} is in {undone.state} again; nothing of it has left")


@click.command(cls=DeskCommand)
@issue_argument
@click.option("--reason", default="", help="Why; it stands in the issue's history.")
@by
def cancel(issue_id: IssueId, reason: str, by: str | None) -> None:
    """Let an issue that has not begun to leave never appear, for example breaking news that is none any more.

    Nothing brings it back. A day of the schedule is better left out with `schedule skip`, which can be taken back.
    """
    from newsletter.newsroom.dispatch import correcting

    with open_room() as room:
        cancelled = correcting.cancel(room, issue_id, who=who(by), why=reason)
    click.echo(f"{cancelled.id} is {cancelled.state}; nothing of it leaves")


@click.command(cls=DeskCommand)
@issue_argument
@click.option("--story", required=True, metavar="ID", help="Which story; `issue show` names them.")
@click.option("--notice", default="", metavar="TEXT", help="What was wrong, for the readers; made for you without it.")
@as_json
@by
def correct(issue_id: IssueId, story: str, notice: str, as_json: bool, by: str | None) -> None:
    """Bring one story of an issue to how it stands now, whether the issue has left or not.

    \b
    Not sent yet    the draft is changed, and has to be approved again.
    Being sent      it is stopped; who was not reached gets the corrected issue, once you have approved and sent it.
    Sent            its web view shows the corrected story under a dated notice.

    Who got the fault is told by a mail to them alone: an issue of its own, which waits for your approval. The next
    regular issue opens with the correction. A story that was withdrawn is taken out.
    """
    from newsletter.newsroom.dispatch import correcting

    with open_room() as room:
        done = correcting.correct(room, issue_id, story, notice.strip(), who=who(by))
    if as_json:
        print_json(
            {
                "issue": str(done.issue.id),
                "state": str(done.issue.state),
                "revision": done.issue.revision,
                "reached": done.reached,
                "left": done.left,
                "correction": str(done.mail.id) if done.mail else None,
            }
        )
        return
    click.echo(f"{done.issue.id}, revision {done.issue.revision}, is {done.issue.state}")
    if done.left:
        click.echo(f"{done.left:,} readers are still to get it: approve it, and send the rest")
    if done.mail:
        click.echo(f"{done.reached:,} readers got the fault, or may have; {done.mail.id} tells them")
    for each in (done.issue, done.mail):
        if each is not None and each.state != "submitted":
            click.echo(f"  newsletter issue approve {each.id}")


@click.command(cls=DeskCommand)
@click.argument("story")
@click.option("--newsletter", metavar="NAME", help="Which newsletter; the one with template: breaking by default.")
@as_json
@by
def breaking(story: str, newsletter: str | None, as_json: bool, by: str | None) -> None:
    """Draft an issue of one STORY (its id), due at once, and print its id; never sends.

    It needs an approval like any other, and then goes ahead of all other mail. A newsletter has `breaking_per_day` of
    them, and in its `quiet_hours` one leaves only after these, unless you `issue send` it.
    """
    from newsletter.newsroom.issue.breaking import break_news
    from newsletter.plan import quiet_until

    with open_room() as room:
        made = break_news(room, story, newsletter, who=who(by))
        quiet = quiet_until(room.newsletter(made.id.newsletter), room.clock.now())
    if as_json:
        until = quiet.isoformat() if quiet else None
        print_json({"issue": str(made.id), "state": str(made.state), "quiet_until": until})
        return
    click.echo(str(made.id))
    whisper(f"{made.state}; `newsletter issue approve {made.id}` lets it go")
    if quiet:
        whisper(f"quiet hours: it leaves by itself at {quiet:%Y-%m-%d %H:%M} UTC; `issue send` sends it at once")
