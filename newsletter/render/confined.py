"""Templates compiled and editions rendered where they can do no harm: in a child process with limits.

A desk's templates are other people's programs. The sandbox keeps them from what they must not see; loops within loops,
or `"x" * 10 ** 9`, it does not stop, nor a fault in the compilers' native code.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError

from newsletter.confined import Confinement, OutlastedError
from newsletter.errors import Problem, TemplateError
from newsletter.model import Edition, RenderedEdition, Snapshot
from newsletter.render import edition as within
from newsletter.render.compiling import compile_html
from newsletter.render.template_files import TemplateText
from newsletter.render.templates import CompiledTemplate, check_text

__all__ = ["answer", "compile_page", "render_edition", "render_editions"]

_CHILDREN = 2

CONFINEMENT = Confinement(__name__, seconds=20, computing=2, memory=256 * 2**20, children=_CHILDREN)


@dataclass(frozen=True, slots=True)
class _Texts:
    """A template to be compiled."""

    html: TemplateText
    text: TemplateText
    subject: TemplateText


@dataclass(frozen=True, slots=True)
class _Render:
    """An edition to be rendered; the data behind are a template, this many bytes, and a snapshot."""

    edition: Edition
    base_url: str
    template: int


@dataclass(frozen=True, slots=True)
class _Made:
    page: str | None = None
    rendered: RenderedEdition | None = None
    problems: tuple[Problem, ...] = ()
    failure: str = ""


_TEXTS, _RENDER, _MADE = TypeAdapter(_Texts), TypeAdapter(_Render), TypeAdapter(_Made)
_TEMPLATE, _SNAPSHOT = TypeAdapter(CompiledTemplate), TypeAdapter(Snapshot)
_COMPILE = b"compile"


def compile_page(html: TemplateText, text: TemplateText, subject: TemplateText) -> str:
    """The compiled HTML of a template, Jinja still in it; raises `TemplateError` with every fault of all three."""
    made = _asked(_COMPILE, _TEXTS.dump_json(_Texts(html, text, subject)), html, "make it smaller")
    assert made.page is not None
    return made.page


def render_edition(template: CompiledTemplate, snapshot: Snapshot, edition: Edition, base_url: str) -> RenderedEdition:
    """The edition with its slots still open; `base_url` is the public address of the flags, without a final slash.

    Holds the sections of the edition's countries. Raises `TemplateError` where the template asks for what is not there,
    or for more than 2 s of computing or 256 MiB.
    """
    document = _document(template)
    head = _RENDER.dump_json(_Render(edition, base_url, len(document)))
    made = _asked(head, document + _LAST_DUMPED.of(snapshot), template.html, "take out loops within loops")
    assert made.rendered is not None
    return made.rendered


def render_editions(
    template: CompiledTemplate, snapshot: Snapshot, editions: Iterable[Edition], base_url: str
) -> list[RenderedEdition]:
    """Each edition, in that order, as many at once as there are children; raises as `render_edition` does."""
    with ThreadPoolExecutor(_CHILDREN) as pool:
        return list(pool.map(lambda edition: render_edition(template, snapshot, edition, base_url), editions))


def _asked(head: bytes, data: bytes, written: TemplateText, advice: str) -> _Made:
    try:
        made = _MADE.validate_json(CONFINEMENT.ask(head, data))
    except OutlastedError as error:
        raise TemplateError([written.problem(1, f"this template {error}; {advice}")]) from None
    if made.failure:
        raise TemplateError([written.problem(1, f"this cannot be rendered: {made.failure}")])
    if made.problems:
        raise TemplateError(made.problems)
    return made


class _LastDumped:
    """The snapshot that was asked for last, as bytes: an issue's editions are rendered one after another.

    Known by identity, since to compare two snapshots costs as much as to write one.
    """

    def __init__(self) -> None:
        self._last: tuple[Snapshot | None, bytes] = None, b""

    def of(self, snapshot: Snapshot) -> bytes:
        known, document = self._last  # one read: another thread may replace it
        if known is not snapshot:
            document = _dumped(snapshot)
            self._last = snapshot, document
        return document


_LAST_DUMPED = _LastDumped()


def _dumped(snapshot: Snapshot) -> bytes:
    try:
        return _SNAPSHOT.dump_json(snapshot)
    except PydanticSerializationError:
        # A lone surrogate is no character: readers are not shown it, and UTF-8 has none.
        return json.dumps(_SNAPSHOT.dump_python(snapshot, mode="json"), ensure_ascii=False).encode("utf-8", "ignore")


@lru_cache(8)
def _document(template: CompiledTemplate) -> bytes:
    return _TEMPLATE.dump_json(template)


# --- in the child ------------------------------------------------------------------------------------------


def answer(head: bytes, data: bytes) -> bytes:
    """The page or the edition of one job, or what is wrong with the template."""
    try:
        made = _compiled(data) if head == _COMPILE else _rendered(_RENDER.validate_json(head), data)
    except TemplateError as error:
        made = _Made(problems=tuple(error.problems))
    except MemoryError:
        raise  # this process has nothing left to answer with
    except Exception as error:  # noqa: BLE001 - whatever it is, the template's writer is told
        made = _Made(failure=f"{type(error).__name__}: {error}"[:500])
    return _MADE.dump_json(made)


def _compiled(data: bytes) -> _Made:
    texts = _TEXTS.validate_json(data)
    problems: list[Problem] = []
    page = None
    try:
        page = compile_html(texts.html)
    except TemplateError as error:
        problems += error.problems
    problems += [problem for text in (texts.text, texts.subject) for problem in check_text(text)]
    return _Made(page=page, problems=tuple(problems))


def _rendered(job: _Render, data: bytes) -> _Made:
    template, snapshot = _template(data[: job.template]), _snapshot(data[job.template :])
    return _Made(rendered=within.render_edition(template, snapshot, job.edition, job.base_url))


@lru_cache(4)
def _template(document: bytes) -> CompiledTemplate:
    return _TEMPLATE.validate_json(document)


@lru_cache(2)
def _snapshot(document: bytes) -> Snapshot:
    return _SNAPSHOT.validate_json(document)
