"""MJML with Jinja in it becomes HTML with Jinja in it, once per template version.

Story text never passes through the MJML compiler or the inliner. mjml-python 1.4.2 and premailer 3.10 have faults
that mail.md's list of traps describes; each is either kept out here or refused by the schema check.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator

from mjml import mjml2html
from premailer import Premailer

from newsletter.errors import Problem, TemplateError
from newsletter.render.dialect import dialect_problems, html_dialect
from newsletter.render.schema import STYLE_SHEET, schema_problems
from newsletter.render.template_files import TemplateText

__all__ = ["compile_html", "inlined", "without_spent_classes"]

_INLINE_STYLE = re.compile(r'<mj-style\s+inline="inline"\s*>(.*?)</mj-style>', re.DOTALL)
_BLOCK = re.compile(r"<!--%.*?%-->", re.DOTALL)
_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_LONGEST_STYLES = 64_000
# `@im\port` is an import as well (CSS Syntax 3, section 4.3.7), and no honest rule's name needs an escape.
_ESCAPED_RULE = re.compile(r"@[\w-]*\\[^;}<]*;?")
_IMPORT = re.compile(r"""@import\s*(?:url\([^)]*\)|"[^"]*"|'[^']*')?[^;}<]*;?""", re.IGNORECASE)
_TWICE = re.compile(r"<mjml[^>]*>|<mj-title>.*?</mj-title>", re.DOTALL)
_STYLE = re.compile(r' style="([^"]*)"')
_CLASS = re.compile(r'(?<=[\w"]) class="([^"]*)"')
_HEAD_STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)
_NAME = re.compile(r"-?[A-Za-z_][\w-]*")


def compile_html(written: TemplateText) -> str:
    """Jinja HTML from an MJML template put together; raises `TemplateError` with every fault at once."""
    problems = [*schema_problems(written), *dialect_problems(written, html_dialect())]
    problems += _too_much(written)
    if problems:
        raise TemplateError(sorted(problems, key=lambda problem: (problem.file, problem.line)))
    try:
        html = inlined(written.text)
    except (ValueError, RecursionError) as error:
        at = re.search(r" at position (\d+):", str(error))  # in bytes of what it was given
        line = _for_the_compiler(written.text).encode()[: int(at[1])].count(b"\n") + 1 if at else 1
        raise TemplateError([written.problem(line, f"the MJML compiler refuses this: {error}")]) from None
    _assert_survival(written, html)
    return html


def _too_much(written: TemplateText) -> Iterator[Problem]:
    """What takes seconds to compile, and no mail program would show."""
    size = 0
    for sheet in STYLE_SHEET.finditer(written.text):
        size += len(sheet[0])
        if size > _LONGEST_STYLES:
            message = f"styles are over {_LONGEST_STYLES:,} characters here; Gmail drops those over 8,192"
            yield written.problem_at(sheet.start(), message)
            return


def inlined(mjml: str) -> str:
    """The HTML of an MJML text: `mj-style inline="inline"` put into style attributes, every other style in the head.

    mrml does not know `inline`, and premailer would inline MJML's own resets into every cell (120 bytes each):
    the styles to inline are therefore taken out first and handed to premailer apart.
    """
    html = mjml2html(_for_the_compiler(mjml), fonts={})
    # premailer drops a lower-case doctype, which would put the mail in quirks mode.
    html = re.sub(r"^<!doctype html>", "<!DOCTYPE html>", html, count=1)
    # White text is what spam hides (SpamAssassin's HTML_FONT_LOW_CONTRAST, .7 points); this is hidden by `display`.
    html = html.replace("font-size:1px;color:#ffffff;line-height:1px", "font-size:1px;line-height:1px", 1)
    html = html.replace("<style", '<style data-premailer="ignore"')
    page = Premailer(
        html,
        css_text=_INLINE_STYLE.findall(_without_imports(mjml)),
        keep_style_tags=False,
        strip_important=False,
        disable_validation=True,
        allow_network=False,
        allow_loading_external_files=False,
        disable_basic_attributes=["align", "bgcolor", "width", "height", "valign"],
        cssutils_logging_level=logging.CRITICAL,
    ).transform(pretty_print=False)
    assert page.startswith("<!DOCTYPE html>"), "the doctype was lost: premailer has changed"
    return without_spent_classes(_STYLE.sub(lambda style: f' style="{style[1].replace("; ", ";")}"', page))


def _for_the_compiler(mjml: str) -> str:
    """The text without what is inlined later; its lines stay where they are."""
    return _INLINE_STYLE.sub(lambda style: "\n" * style[0].count("\n"), _without_imports(mjml))


def _without_imports(mjml: str) -> str:
    """Nothing is fetched: not by premailer here, and not by a mail program later."""
    return STYLE_SHEET.sub(lambda sheet: _IMPORT.sub("", _ESCAPED_RULE.sub("", sheet[0])), mjml)


def without_spent_classes(page: str) -> str:
    """The page without the names of classes that no rule speaks of now: 1.5 KB less for Gmail to clip."""
    spoken_of = set(_NAME.findall(" ".join(_HEAD_STYLE.findall(page))))

    def kept(attribute: re.Match[str]) -> str:
        names = [name for name in attribute[1].split() if name in spoken_of or "{{" in name]
        return f' class="{" ".join(names)}"' if names else ""

    return _CLASS.sub(kept, page)


def _assert_survival(written: TemplateText, html: str) -> None:
    """Refuse a template of which the compilers lost, moved, changed or multiplied a block or an expression."""
    blocks = _BLOCK.findall(written.text)
    wanted = Counter(_EXPRESSION.findall(written.text))
    for written_twice in _TWICE.findall(written.text):
        wanted.update(_EXPRESSION.findall(written_twice))
    found = Counter(_EXPRESSION.findall(html))
    lost = [text for text in wanted if wanted[text] != found[text]] or list(found - wanted)
    compiled = _BLOCK.findall(html)
    if blocks != compiled:
        pairs = zip([*blocks, ""], [*compiled, ""], strict=False)
        lost += [ours or theirs for ours, theirs in pairs if ours != theirs][:1]
    if lost:
        advice = "did not survive the MJML compiler; write it without inner spaces, in text, href, src or alt"
        raise TemplateError([written.problem_at(max(written.text.find(text), 0), f"{text} {advice}") for text in lost])
