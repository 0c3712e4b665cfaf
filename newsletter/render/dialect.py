"""The Jinja that a mail template may use: plain data, a few filters, and no decision per reader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlsplit

from jinja2 import StrictUndefined, TemplateSyntaxError, Undefined, nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from newsletter.errors import Problem
from newsletter.ports import SLOT_NAMES, slot
from newsletter.render.schema import STYLE_SHEET
from newsletter.render.shapes import SHAPES, field_faults
from newsletter.render.template_files import TemplateText
from newsletter.render.translating import SPONSOR_LABEL, WORDS, is_word, value_fault
from newsletter.render.word_list import Word
from newsletter.render.wrapping import wrap

__all__ = ["NAMES", "called_words", "dialect_problems", "html_dialect", "safe_url", "text_dialect"]

NAMES = tuple(SHAPES)
"""What a template may speak of; the shapes are those of `newsletter.render.facts`."""

_FILTERS = (
    "capitalize",
    "default",
    "escape",
    "first",
    "join",
    "last",
    "length",
    "list",
    "lower",
    "replace",
    "select",
    "trim",
    "upper",
)
_READER = {"subscriber", "recipient", "reader"}
_STATEMENTS = (nodes.Output, nodes.If, nodes.For, nodes.Assign)
_PRINTED = (str, int, float, Undefined)  # Jinja says what is wrong with an undefined one
_LINK_SLOTS = {slot(name) for name in SLOT_NAMES if name != "name"}
_MOST_STEPS, _DEEPEST_LOOPS, _DEEPEST_BLOCKS = 100, 10, 40
_MOST_IN_FILE = 5_000
"""Steps of all the expressions of one file. The shipped mails have some 900."""
_STEP = re.compile(r"[(\[{|.+\-~*/%]|\b(?:not|and|or|if)\b")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_NO_WORDS = re.compile(rf"<!--.*?-->|{STYLE_SHEET.pattern}|<[^>]*>", re.DOTALL | re.IGNORECASE)
_USE_AN_EDITION = (
    "an edition is rendered once for all its readers, so nothing can be decided per reader here; print a slot"
    " ({{slots.name}}), or let schedule.yaml make an edition of its own"
)


@lru_cache(4096)
def safe_url(value: object) -> str:
    """The address if it is http, https or mailto, else an empty string. Autoescape lets `javascript:` through."""
    text = str(value).strip()
    if " " in text or not text.isprintable():
        return ""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    reachable = parts.netloc if parts.scheme in ("http", "https") else parts.path if parts.scheme == "mailto" else ""
    return text if reachable else ""


def _link(value: object) -> str:
    """The filter `url`, which every link of a template passes: a safe address, or a slot that will be one."""
    return str(value) if value in _LINK_SLOTS else safe_url(value)


def _printed(value: object) -> object:
    """What `{{…}}` prints: text and numbers. Of anything else readers would see Python's own name for it."""
    if isinstance(value, _PRINTED):
        return value
    if isinstance(value, list | tuple):
        raise TypeError('this is a list; write a for loop, or print it with |join(", ")')
    raise TypeError("this has fields; print one of them" if isinstance(value, dict) else "this is no text or number")


@cache
def html_dialect() -> ImmutableSandboxedEnvironment:
    """Blocks are HTML comments, so that the MJML compiler carries them; CSS such as `{#id` starts no comment."""
    return _environment(
        autoescape=True,
        block_start_string="<!--%",
        block_end_string="%-->",
        comment_start_string="<!--#",
        comment_end_string="#-->",
    )


@cache
def text_dialect() -> ImmutableSandboxedEnvironment:
    """For the text part and the subject: Jinja's own marks, block lines leave no empty line."""
    return _environment(autoescape=False, trim_blocks=True, lstrip_blocks=True)


def dialect_problems(written: TemplateText, environment: ImmutableSandboxedEnvironment) -> list[Problem]:
    """Every fault of the Jinja in a template: syntax, unknown names and filters, decisions per reader."""
    if long := list(_long_expressions(written, environment)):
        return long
    try:
        tree = environment.parse(written.text)
    except RecursionError:
        return [written.problem(1, "blocks are nested far too deep in this file; a mail needs few")]
    except TemplateSyntaxError as error:
        if still_open := _never_closed(written, environment):
            return [still_open]
        if apart := re.search(r"<!--\s+%", written.text):
            return [written.problem_at(apart.start(), "write <!--% without a space, or this is a comment and no block")]
        return [written.problem(error.lineno, error.message or "this is not a template")]
    found = [*_filter_faults(tree, environment), *field_faults(tree, WORDS, _unknown), *_slot_faults(tree)]
    found += [*_statement_faults(tree), *_catalogue_faults(tree), *_sponsor_faults(tree), *_nesting_faults(tree)]
    return [written.problem(line, message) for line, message in sorted(set(found))]


def _long_expressions(written: TemplateText, environment: ImmutableSandboxedEnvironment) -> Iterator[Problem]:
    """Expressions that would take Jinja, which calls itself for each step of one, to the end of its stack or of
    its time."""
    start, end = map(re.escape, (environment.block_start_string, environment.block_end_string))
    in_file = 0
    for code in re.finditer(rf"\{{\{{.*?\}}\}}|{start}.*?{end}", written.text, re.DOTALL):
        steps = len(_STEP.findall(_QUOTED.sub("", code[0])))
        in_file += min(steps, _MOST_STEPS)
        if steps > _MOST_STEPS:
            message = f"this expression has over {_MOST_STEPS} steps; a mail needs few"
            yield written.problem_at(code.start(), message)
        elif in_file > _MOST_IN_FILE:
            message = f"with this its expressions have over {_MOST_IN_FILE:,} steps; a mail needs far fewer"
            yield written.problem_at(code.start(), message)
            return


def _nesting_faults(tree: nodes.Template) -> Iterator[tuple[int, str]]:
    """Python, which Jinja compiles to, has 20 loops within loops and 100 steps of indentation."""
    waiting: list[tuple[nodes.Node, int, int]] = [(tree, 0, 0)]
    while waiting:
        node, loops, blocks = waiting.pop()
        loops += isinstance(node, nodes.For)
        blocks += isinstance(node, nodes.For | nodes.If)
        if loops > _DEEPEST_LOOPS or blocks > _DEEPEST_BLOCKS:
            what = f"loops are nested over {_DEEPEST_LOOPS}" if loops > _DEEPEST_LOOPS else "blocks are nested too"
            yield node.lineno, f"{what} deep here; a mail needs few"
            return
        waiting += ((child, loops, blocks) for child in node.iter_child_nodes())


def called_words(written: TemplateText, environment: ImmutableSandboxedEnvironment) -> list[Word]:
    """What a template without fault has translated, in its order."""
    words: list[Word] = []
    for name, call in _word_calls(environment.parse(written.text)):
        texts = [word.value for word in call.args if isinstance(word, nodes.Const)]
        words.append((texts[0], texts[1]) if name == "ngettext" else texts[0])
    return words


def _never_closed(written: TemplateText, environment: ImmutableSandboxedEnvironment) -> Problem | None:
    """The innermost block that is open where the text ends: Jinja names the end, its writer wants the beginning."""
    start, end = environment.block_start_string, environment.block_end_string
    still_open: list[re.Match[str]] = []
    for block in re.finditer(rf"{re.escape(start)}[-+]?\s*(if|for|endif|endfor)\b", written.text):
        if not block[1].startswith("end"):
            still_open.append(block)
        elif still_open and block[1] == f"end{still_open[-1][1]}":
            still_open.pop()
        else:
            return None
    if not still_open:
        return None
    last = still_open[-1]
    message = f"this {last[1]!r} is never closed; write {start} end{last[1]} {end} where it ends"
    return written.problem_at(last.start(), message)


class _PlainData(ImmutableSandboxedEnvironment):
    """The sandbox, with a shorter way to what a template mostly asks for: a key of a dictionary, a word of ours.

    Measured on an issue of 14 stories: the long way, by attributes first and with a check of each call, costs a
    quarter of the time to render.
    """

    def getattr(self, obj: Any, attribute: str) -> Any:
        if type(obj) is dict:
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - Jinja's names
        if is_word(__obj):
            return __obj(*args, **kwargs)
        return super().call(__context, __obj, *args, **kwargs)


def _environment(**marks: Any) -> ImmutableSandboxedEnvironment:
    environment = _PlainData(undefined=StrictUndefined, finalize=_printed, keep_trailing_newline=True, **marks)
    environment.globals.clear()
    known = dict(environment.filters)
    environment.filters.clear()
    environment.filters.update({name: known[name] for name in _FILTERS})
    environment.filters.update(url=_link, wrap=wrap)
    return environment


def _filter_faults(tree: nodes.Template, environment: ImmutableSandboxedEnvironment) -> Iterator[tuple[int, str]]:
    for node in tree.find_all((nodes.Filter, nodes.Test)):
        kind, known = ("filter", environment.filters) if isinstance(node, nodes.Filter) else ("test", environment.tests)
        if node.name not in known:
            yield node.lineno, f"there is no {kind} {node.name!r}; there are {', '.join(sorted(known))}"


def _unknown(name: str) -> str:
    return _USE_AN_EDITION if name in _READER else f"there is no {name!r} here; a template may use {', '.join(NAMES)}"


def _catalogue_faults(tree: nodes.Template) -> Iterator[tuple[int, str]]:
    """Words must stand in the template as they are: what is made while it renders is in no catalogue."""
    for name, call in _word_calls(tree):
        asked = call.args[: 2 if name == "ngettext" else 1]
        words = [word.value for word in asked if isinstance(word, nodes.Const) and isinstance(word.value, str)]
        if not words or len(words) < len(asked):
            yield call.lineno, f"{name}(…) takes its words in quotes, and values by name: %(outlet)s"
            continue
        given = {value.key for value in call.kwargs} | ({"num"} if name == "ngettext" else set())
        for word in words:
            if fault := value_fault(word, given):
                yield call.lineno, f"{word!r}: {fault}"


def _sponsor_faults(tree: nodes.Template) -> Iterator[tuple[int, str]]:
    """What is paid for says so: readers are told, and many a law demands it (UCPD, annex I, 11)."""
    named = [node.lineno for node in tree.find_all(nodes.Name) if node.name == "sponsor" and node.ctx == "load"]
    if named and not SPONSOR_LABEL.search(_words_of(tree)):
        yield named[0], 'a sponsor needs a label; write {{_("Presented by %(name)s",name=sponsor.name)}}'


def _words_of(tree: nodes.Template) -> str:
    """What readers may be told in the template's own words: no class names, no comments, no addresses."""
    standing = _NO_WORDS.sub(" ", "".join(piece.data for piece in tree.find_all(nodes.TemplateData)))
    called = (word.value for _, call in _word_calls(tree) for word in call.args if isinstance(word, nodes.Const))
    return " ".join([standing, *map(str, called)])


def _word_calls(tree: nodes.Template) -> Iterator[tuple[str, nodes.Call]]:
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in WORDS:
            yield call.node.name, call


def _slot_faults(tree: nodes.Template) -> Iterator[tuple[int, str]]:
    printed: set[int] = set()
    for output in tree.find_all(nodes.Output):
        for part in output.nodes:
            expression = part.node if isinstance(part, nodes.Filter) and part.name == "url" else part
            if isinstance(expression, nodes.Getattr) and isinstance(expression.node, nodes.Name):
                printed.add(id(expression.node))
                if expression.node.name == "slots" and expression.attr not in SLOT_NAMES:
                    yield expression.lineno, f"there is no slot {expression.attr!r}; there are {', '.join(SLOT_NAMES)}"
    for node in tree.find_all(nodes.Name):
        if node.name == "slots" and node.ctx == "load" and id(node) not in printed:
            yield node.lineno, _USE_AN_EDITION


def _statement_faults(tree: nodes.Template) -> Iterator[tuple[int, str]]:
    for node in tree.find_all(nodes.Stmt):
        if not isinstance(node, _STATEMENTS):
            word = type(node).__name__.lower()
            alone = 'write {% include "partials/…" %} on a line of its own'
            other = f"a mail template has if, for and set; {word!r} is not among them"
            yield node.lineno, alone if isinstance(node, nodes.Include) else other
