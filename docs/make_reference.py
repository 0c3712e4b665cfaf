"""Writes docs/reference.md and docs/api.md from the code: commands, settings, keys of schedule.yaml; the HTTP API."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from newsletter.cli import newsletter
from newsletter.plan.shape import key_table
from newsletter.settings import FIELDS
from newsletter.web.api.document import api_document
from newsletter.web.app import ROUTES
from newsletter.web.policy import ACCESS

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


API_HEAD = """\
# The HTTP API

Made from the code by `make docs`; a test fails when it is out of date. Programs read the same from
`/api/v1/openapi.json` (OpenAPI 3.1), which needs no token.

A program shows `Authorization: Bearer TOKEN`: an API token that an admin makes on the screen **API tokens**
(behind *Users*) with a role (viewer, editor, approver, admin; each includes those before it). Subscribers, and so
addresses, are for a token of an admin alone, and each look at them is in the audit log.

* Answers are JSON in the shapes of the commands' `--json`; lists come in pages: give `next` of one as `after` of the
  next, until it is null.
* Errors are problems (RFC 9457, `application/problem+json`): `detail` says what is wrong and what to do, `errors` names
  each key. A key that an operation does not know is refused with 422, in queries and bodies alike.
* GET changes nothing. Orders are POST with `Content-Type: application/json` (a file with `text/csv`); each is in the
  audit log.
* A token may ask 600 times a minute; who shows none is told so 30 times in a quarter of an hour: 429, `Retry-After`.
* What happens here is told to programs by [webhooks](webhooks.md).

```
curl -H "Authorization: Bearer newsdesk_…" "https://news.example.com/api/v1/stories?country=CN&limit=10"
curl -H "Authorization: Bearer newsdesk_…" -H "Content-Type: text/csv" --data-binary @readers.csv \\
  "https://news.example.com/api/v1/subscribers/imports?newsletters=asia-ai-daily&dry_run=true"
```

## Preferences: who decides

The publisher sets defaults, the reader decides. What a program sets, a later call or file may change; what readers
chose themselves stays, and the answer names it in `left`. All preferences of a reader count as theirs from their first
choice on, since they saw all of them.

An account page of yours, on which readers choose while they are logged in with you, tells so with their `decision`:

```
curl -H "Authorization: Bearer newsdesk_…" -H "Content-Type: application/json" \\
  -d '{"countries": ["CN", "JP"], "decision": {"at": "2026-05-27T08:00:00+08:00", "source": "account page 3"}}' \\
  https://news.example.com/api/v1/subscribers/17/preferences
```

`at` is when they pressed the button, `source` where; both stand in the reader's history with the name of the token. Of
two decisions the later one counts, in whatever order they arrive: `left` names what a later one had decided already.
"""


def api() -> str:
    """The page of the HTTP API."""
    told = api_document([(path, methods, action.__name__) for path, methods, action in ROUTES], ACCESS)
    lines = [API_HEAD]
    for tag in told["tags"]:
        lines.append(f"## {tag['name'].capitalize()}\n")
        for path, methods in told["paths"].items():
            for method, each in methods.items():
                if each["tags"] == [tag["name"]]:
                    lines += _operation(path, method, each, told["components"]["schemas"])
    return "\n".join(lines)


def _operation(path: str, method: str, each: dict[str, Any], schemas: dict[str, Any]) -> Iterator[str]:
    yield f"### `{method.upper()} {path}`\n"
    yield f"{each['summary']}. {each['description']}".strip() + "\n"
    for part in each.get("parameters", ()):
        if part["in"] == "query":
            must = ", required" if part["required"] else ""
            yield f"* `{part['name']}`{must}: {_form(part['schema'])}"
    schema = each.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if "$ref" in schema:
        whole = schemas[schema["$ref"].rpartition("/")[2]]
        for key, form in whole.get("properties", {}).items():
            must = ", required" if key in whole.get("required", ()) else ""
            yield f"* body `{key}`{must}: {_form(form)}"
    yield f"* answers {', '.join(status for status in each['responses'])}\n"


def _form(schema: dict[str, Any]) -> str:
    choices = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    whole = schema | choices[0] if choices else schema
    if "enum" in whole:
        form = " or ".join(f"`{each}`" for each in whole["enum"])
    elif "$ref" in whole:
        form = "an object with `at` and `source`"
    elif whole.get("type") == "array":
        form = "a list"
    else:
        form = {"string": "text", "integer": "a number", "object": "an object"}.get(str(whole.get("type")), "text")
    default = f"; `{schema['default']}` by default" if schema.get("default") not in (None, "") else ""
    described = f". {whole['description']}" if whole.get("description") and "enum" not in whole else ""
    return f"{form}{default}{described}".rstrip(".")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    page = Path(__file__).parent / "reference.md"
    page.write_text(reference(), encoding="utf-8")
    page.with_name("api.md").write_text(api(), encoding="utf-8")
    sys.stdout.write(f"{page.name}: {len(reference().splitlines())} lines\n")
