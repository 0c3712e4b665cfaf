"""Templates of other hands read nothing but the edition (listmonk CVE-2025-49136, Mautic CVE-2026-9558)."""

from __future__ import annotations

import pytest

from newsletter.errors import TemplateError
from newsletter.render.dialect import dialect_problems, html_dialect, text_dialect
from newsletter.render.part import Part
from newsletter.render.template_files import TemplateText
from newsletter.render.translating import words_in

SECRETS = ("root:", "NEWSLETTER_", "<class", "<module", "<function", "object at 0x", "site-packages", "/usr/lib")
ESCAPES = (
    "lead.__class__",
    "lead.__class__.__mro__",
    "lead.title.__class__.__base__.__subclasses__()",
    "''.__class__.__mro__[1].__subclasses__()",
    "[].__class__.__base__",
    "lead|attr('__class__')",
    "lead['__class__']",
    "lead.title.format.__globals__",
    "'{0.__class__.__init__.__globals__}'.format(lead)",
    "'{0.__class__}'.format_map({'0': lead})",
    "lead.title.format(lead)",
    "self.__init__.__globals__",
    "self._TemplateReference__context",
    "cycler.__init__.__globals__.os.environ",
    "lipsum.__globals__['os'].popen('id').read()",
    "namespace.__init__.__globals__",
    "get_flashed_messages.__globals__",
    "config",
    "request.environ",
    "lead.update({'title': 'x'})",
    "lead.pop('title')",
    "lead.get.__self__",
    "(lead.title|escape).__class__",
    "lead.title.join.__func__",
    "issue.__dict__",
    "range(10).__class__",
    "_",
    "_.__globals__",
    "ngettext.__closure__",
    "lead.title.format_map",
    "[lead]|select",
    "[_]|first",
)


@pytest.mark.parametrize("escape", ESCAPES)
@pytest.mark.parametrize("dialect", [html_dialect, text_dialect])
def test_escapes_show_nothing(escape, dialect, monkeypatch):
    monkeypatch.setenv("NEWSLETTER_SECRET_KEY", "root:NEWSLETTER_secret")
    written = TemplateText("{{" + escape + "}}", (("body.txt", 1),))
    shown = ""
    if not dialect_problems(written, dialect()):
        facts = {"lead": {"title": "Title", "card": ()}, "issue": {"title": "Issue"}}
        facts |= words_in("en", {}).text
        try:
            shown = Part(written, written.text, dialect()).render(facts)
        except TemplateError as error:
            shown = str(error).replace("body.txt:1:1: this cannot be rendered:", "")
    assert not [secret for secret in SECRETS if secret in shown]


def test_a_templates_mistake_names_its_line():
    written = TemplateText("one\n{{ lead.titel }}", (("body.txt", 1), ("body.txt", 2)))
    with pytest.raises(TemplateError, match=r"body\.txt:2:1: .*titel"):
        Part(written, written.text, text_dialect()).render({"lead": {"title": "Title"}})
