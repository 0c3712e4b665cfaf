"""Writes docs/reference.md from the code: every command, setting and key of schedule.yaml."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from newsletter.cli import newsletter
from newsletter.plan.shape import key_table
from newsletter.settings import FIELDS

HEAD = """\
# Reference

Made from the code by `make docs`; a test fails when it is out of date.

## Commands

Every command works on the desk in the current folder, or the one named by `--desk DIR` or `NEWSLETTER_DESK`.
Exit codes: 0 done, 1 failed, 2 wrong usage or bad input, 3 checks failed, 4 nothing to do, 5 done for now but
deferred or unknown deliveries remain.
"""


def reference() -> str:
    """The whole page."""
    return "\n".join([HEAD, *_commands(), *_settings(), *_keys()]) + "\n"


def _commands() -> Iterator[str]:
    with click.Context(newsletter, info_name="newsletter") as root:
        for name in newsletter.list_commands(root):
            command = newsletter.get_command(root, name)
            assert command is not None
            yield from _command(command, f"newsletter {name}")


def _command(command: click.Command, path: str) -> Iterator[str]:
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from _command(child, f"{path} {name}")
        return
    context = click.Context(command, info_name=path)
    words = " ".join(command.collect_usage_pieces(context)).replace("[OPTIONS] ", "").replace("[OPTIONS]", "")
    yield f"### `{f'{path} {words}'.strip()}`\n"
    yield " ".join((command.help or "").split()) + "\n"
    options = [p for p in command.params if isinstance(p, click.Option) and "--desk" not in p.opts]
    for option in options:
        value = f" {option.make_metavar(context)}" if not option.is_flag else ""
        yield f"* `{', '.join(option.opts)}{value}` {option.help or ''}".rstrip()
    if options:
        yield ""


def _settings() -> Iterator[str]:
    yield "## Settings\n"
    yield "Weakest first: defaults, `newsletter.toml` (`base_url = …`), `.env`, the environment, command-line flags."
    yield "Each also has a `_FILE` form that names a file to read the value from.\n"
    yield "| variable | default | meaning |\n|---|---|---|"
    for field in FIELDS:
        default = f"`{field.default}`" if field.default else "unset"
        yield f"| `{field.variable}` | {default} | {_cell(field.help)} |"
    yield ""


def _keys() -> Iterator[str]:
    yield "## Keys of schedule.yaml\n"
    yield "| key | form | meaning |\n|---|---|---|"
    for key, form, meaning in key_table():
        yield f"| `{key}` | {_cell(form)} | {_cell(meaning)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    page = Path(__file__).parent / "reference.md"
    page.write_text(reference(), encoding="utf-8")
    sys.stdout.write(f"{page.name}: {len(reference().splitlines())} lines\n")
