"""One part of a mail, compiled, and on which line of its file an error stands."""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jinja2

from newsletter.errors import Problem, TemplateError
from newsletter.render.template_files import TemplateText

__all__ = ["Part"]

_LONGEST = 2_000_000
_CODE = re.compile(r"\{\{.*?\}\}|<!--%.*?%-->")
_RENDER_FAULTS = (
    *(jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError),
    *(MemoryError, RecursionError),
)


@dataclass(frozen=True)
class Part:
    """One part of a mail; `source` is what was made of the `written`, with Jinja in it."""

    written: TemplateText
    source: str
    environment: jinja2.Environment

    @cached_property
    def _compiled(self) -> jinja2.Template:
        return self.environment.from_string(self.source)

    def render(self, facts: Mapping[str, Any]) -> str:
        """The part for one edition; raises `TemplateError` where the template asks for what is not there."""
        try:
            made = self._compiled.render(facts)
        except _RENDER_FAULTS as error:
            raise TemplateError([self._fault(error)]) from None
        if len(made) > _LONGEST:
            raise TemplateError([self.written.problem(1, f"this makes over {_LONGEST:,} characters of one edition")])
        return made

    def _fault(self, error: Exception) -> Problem:
        why = str(error) or type(error).__name__
        return self.written.problem(self._line(error), f"this cannot be rendered: {why}")

    def _line(self, error: Exception) -> int:
        """The line of the written text at which it went wrong."""
        # Jinja rewrites the traceback: its last frame in a "<template>" has the line of the source.
        frames = traceback.extract_tb(error.__traceback__)
        line = next((frame.lineno for frame in reversed(frames) if frame.filename == "<template>"), None) or 1
        if self.source == self.written.text:
            return line
        # The compiled HTML has other lines: look for the code of that one where it was written.
        code = _CODE.findall(self.source.split("\n")[line - 1])
        missing = re.search(r"has no attribute '(\w+)'", str(error))
        code.sort(key=lambda piece: missing is None or f".{missing[1]}" not in piece)
        at = self.written.text.find(code[0]) if code else 0
        return self.written.line_at(max(at, 0))
