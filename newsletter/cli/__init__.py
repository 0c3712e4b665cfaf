"""The command `newsletter`: one file a noun, each loaded when its command is used."""

from __future__ import annotations

import importlib
import os
import sys

import click

from newsletter.errors import NewsletterError

__all__ = ["COMMANDS", "main", "newsletter"]

# name: (module, attribute, one line of help). The help stands here so that `--help` loads no command's module.
COMMANDS = {
    "demo": ("demo", "demo", "A desk in a temporary folder with sample stories: gather, build, send, look."),
    "init": ("init", "init", "Make a starter desk: schedule, templates, settings, database, first admin."),
    "run": ("run", "run", "Run the desk: web pages, clock and sender in one process, or one of them."),
    "gather": ("gather", "gather", "Bring stories in from the sources of schedule.yaml now."),
    "sources": ("sources", "sources", "List the sources and how they are doing; OPML in and out."),
    "stories": (
        "stories",
        "stories",
        "Import, list, search and show stories; file, hold, withdraw; related reading, notes.",
    ),
    "issue": ("issue", "issue", "Build, preview, check, proof, approve and send issues."),
    "subscribers": ("subscribers", "subscribers", "Import, export, show, suppress and unsubscribe subscribers."),
    "bounces": ("bounces", "bounces", "Read what came back of messages; decide about what is held."),
    "users": ("users", "users", "List and invite the desk's own people; roles, disabling, login links."),
    "webhooks": ("webhooks", "webhooks", "Tell programs elsewhere what happens: add, list, try, switch on and off."),
    "schedule": ("schedule", "schedule", "Check schedule.yaml, see what is due when; pause, skip, move issues."),
    "rehearse": ("rehearse", "rehearse", "Run days in seconds on a copy of the desk; print what would have happened."),
    "template": ("template", "template", "Check templates."),
    "doctor": ("doctor", "doctor", "Look at all a send rests on: mail server, DNS records, settings, disk, database."),
    "db": ("db", "db", "Bring the database's schema up to date; back it up."),
    "config": ("config", "config", "Print every setting, and where it came from."),
}


class _LazyGroup(click.Group):
    """A group whose commands are imported when used, not to be listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(f"newsletter.cli.{module}"), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="newsdesk-newsletter", prog_name="newsletter")
@click.option(
    "--desk",
    metavar="DIR",
    envvar="NEWSLETTER_DESK",
    default=".",
    help="The desk to work on; the current folder by default. May stand after the command, too.",
)
@click.pass_context
def newsletter(ctx: click.Context, desk: str) -> None:
    """Gather the day's stories by country, make a newsletter of them, and send it with books that balance.

    A desk is a folder; `newsletter init` makes one, `newsletter demo` shows one at work.
    """
    ctx.obj = desk


def main() -> None:
    """Run the command line; the exit code is the contract's: 0 done, 1 failed, 2 bad input, 3 checks failed,
    4 nothing to do, 5 deferred or unknown deliveries remain."""
    try:
        code = newsletter.main(standalone_mode=False, prog_name="newsletter")
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except Exception as error:
        # The subscribers' house has an error tree of its own, with the same exit codes.
        if not isinstance(error, NewsletterError) and not hasattr(error, "exit_code"):
            raise
        click.echo(f"{click.style('Error:', fg='red')} {error}", err=True)
        code = error.exit_code
    sys.exit(code if isinstance(code, int) else 0)
