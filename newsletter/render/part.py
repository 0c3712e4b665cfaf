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
            raise TemplateError([self._fault(error, facts)]) from None
        if len(made) > _LONGEST:
            raise TemplateError([self.written.problem(1, f"this makes over {_LONGEST:,} characters of one edition")])
        return made

    def _fault(self, error: Exception, facts: Mapping[str, Any]) -> Problem:
        why = str(error) or type(error).__name__
        line = _line_of(error) if self.source == self.written.text else self._line_written(facts)
        return self.written.problem(line, f"this cannot be rendered: {why}")

    def _line_written(self, facts: Mapping[str, Any]) -> int:
        """The line of the written text on which stands what fails in the compiled HTML.

        That has other lines, and long ones: with every piece of code on a line of its own, the line tells the piece.
        """
        apart = _CODE.sub(r"\n\g<0>", self.source)
        try:
            self.environment.from_string(apart).render(facts)
        except _RENDER_FAULTS as error:
            code = _CODE.match(apart.split("\n")[_line_of(error) - 1])
            return self.written.line_at(max(self.written.text.find(code[0]), 0) if code else 0)
        return 1


def _line_of(error: Exception) -> int:
    """Jinja rewrites the traceback: its last frame in a "<template>" has the line of the source."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno for frame in reversed(frames) if frame.filename == "<template>"), None) or 1
