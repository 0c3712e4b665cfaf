"""Templates that would end or fill the process are refused with file and line."""

from __future__ import annotations

import shlex
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from newsletter.errors import TemplateError
from newsletter.model import Edition, Snapshot
from newsletter.render import Templates, compiling, render_edition
from newsletter.render.confined import CONFINEMENT
from newsletter.render.part import Part
from newsletter.render.template_files import shipped_folders


def desk_template(folder: Path, body: str) -> Templates:
    shipped = shipped_folders()[-1] / "daily"
    (folder / "own").mkdir()
    for name in ("body.txt", "subject.txt", "sample.json"):
        (folder / "own" / name).write_text((shipped / name).read_text(encoding="utf-8"), encoding="utf-8")
    mjml = (
        f"<mjml><mj-body><mj-section><mj-column>\n<mj-text>{body}</mj-text></mj-column></mj-section></mj-body></mjml>"
    )
    (folder / "own" / "body.mjml").write_text(mjml, encoding="utf-8")
    return Templates([folder])


def test_tags_nested_without_end_are_refused_before_they_reach_a_compiler(tmp_path: Path) -> None:
    templates = desk_template(tmp_path, "<div>" * 20_000 + "x" + "</div>" * 20_000)
    with pytest.raises(TemplateError, match=r"body\.mjml:2:\d+: tags are nested"):
        templates.compile("own")


def test_this_process_neither_compiles_nor_renders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, real_day: Snapshot
) -> None:
    templates = desk_template(tmp_path, "{{issue.title}}")
    monkeypatch.setattr(Part, "render", lambda *_: pytest.fail("rendered here"))
    for name in ("mjml2html", "Premailer"):
        monkeypatch.setattr(compiling, name, lambda *_, **__: pytest.fail("compiled here"))
    made = render_edition(templates.compile("own"), real_day, Edition(real_day.countries, "en"), "https://x.example")
    assert real_day.title in made.html


@pytest.mark.parametrize(
    "body", ["<div><p>fine</p></div>", "<br>" * 500, '<img src="https://example.com/x.png" alt="">' * 300]
)
def test_ordinary_mails_are_not_deep(tmp_path: Path, body: str) -> None:
    desk_template(tmp_path, body).compile("own")


@pytest.mark.parametrize(
    "rule", ['@import "{url}"', '@im\\port "{url}"', "@IMPORT url({url})", "@\\69mport url({url})"]
)
@pytest.mark.timeout(20)  # a fetch would wait for an answer that nobody gives
def test_a_style_sheet_fetches_nothing(tmp_path: Path, rule: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/y"
        templates = desk_template(tmp_path, "<p>fine</p>")
        body = tmp_path / "own" / "body.mjml"
        style = f'<mj-head><mj-style inline="inline">{rule.format(url=url)}; p {{ color: red }}</mj-style></mj-head>'
        body.write_text(body.read_text(encoding="utf-8").replace("<mj-body>", style + "<mj-body>"), encoding="utf-8")
        templates.compile("own")
        with pytest.raises(BlockingIOError):
            listener.accept()


LOOPS = "".join(f"<!--% for a{depth} in lead.title %-->" for depth in range(9)) + "x" + "<!--% endfor %-->" * 9
CROWD = 4
"""How many times slower a shared machine may be while this is measured."""

BOMBS = {
    "loops within loops": LOOPS,
    "a text without end": "{{ lead.title * 1000000000 }}",
    "a power": "{{ 9 ** 9 ** 9 }}",
    "many digits": "{{ (10 ** 100000000)|length }}",
    "a list without end": "<!--% set all = [lead] * 900000000 %-->{{all|length}}",
    "lists within lists": "{{ [[lead.title * 9000] * 9000] * 90000 }}",
    "depth": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "a long chain": "{{ " + "+".join(["1"] * 60_000) + " }}",
    "a wide line": "{{ lead.title|wrap('x' * 99999999) }}",
    "ten megabytes": '{{"a "*5000000}}',
    "many expressions": "{{lead.title}} " * 15_000,
    "as many as may be": "{{lead.title}} " * 1_600,
    "replacing": "{{ lead.title|replace('a', 'a' * 99999)|replace('a', 'a' * 99999)|replace('a', 'a' * 99999) }}",
}


@pytest.fixture(scope="module", autouse=True)
def started() -> None:
    """The child is there: what a bomb may take counts from its own beginning."""
    Templates().compile("daily")


@pytest.mark.parametrize("part", ["body.mjml", "body.txt", "subject.txt"])
@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_bomb_ends_itself_and_nothing_else(tmp_path: Path, real_day, bomb: str, part: str) -> None:
    templates = desk_template(tmp_path, bomb if part == "body.mjml" else "x")
    if part != "body.mjml":
        (tmp_path / "own" / part).write_text(bomb.replace("<!--%", "{%").replace("%-->", "%}"), encoding="utf-8")
    before = time.monotonic()
    with suppress(TemplateError):  # some are refused, some cut themselves short: all within the limits
        render_edition(templates.compile("own"), real_day, Edition(real_day.countries, "en"), "https://x.example")
    # 2 s of a processor at most, which the kernel counts; by the clock more only where others use it as well.
    assert time.monotonic() - before < 3 * CROWD
    fine = Templates().compile("daily")
    assert render_edition(fine, real_day, Edition(real_day.countries, "en"), "https://x.example").stories == 12


def test_computing_is_limited_by_the_kernel(tmp_path: Path, real_day) -> None:
    assert CONFINEMENT.computing <= 2
    templates = desk_template(tmp_path, BOMBS["many digits"])
    template = templates.compile("own")
    with pytest.raises(TemplateError, match=r"body\.mjml:1:1: this template needs over 256 MiB of memory or 2 s"):
        render_edition(template, real_day, Edition(real_day.countries, "en"), "https://x.example")


def test_memory_is_limited_by_the_kernel(tmp_path: Path, real_day) -> None:
    def length(megabytes: int) -> str:
        folder = tmp_path / str(megabytes)
        folder.mkdir()
        template = desk_template(folder, f'{{{{("x" * {megabytes}000000)|length}}}}').compile("own")
        return render_edition(template, real_day, Edition(real_day.countries, "en"), "https://x.example").html

    assert "100000000" in length(100)
    with pytest.raises(TemplateError):
        length(300)


def test_a_machine_that_limits_memory_itself_compiles_all_the_same() -> None:
    program = "from newsletter.render import Templates; print(len(Templates().compile('daily').page))"
    limited = f"ulimit -v 4000000; {sys.executable} -c {shlex.quote(program)}"
    done = subprocess.run(["bash", "-c", limited], capture_output=True, text=True, check=False, timeout=60)
    assert int(done.stdout) > 10_000, done.stderr


@pytest.mark.parametrize(
    ("file", "text", "why"),
    [
        ("words/sv.po", 'msgid "via %(outlet)s"\nmsgstr "via %(outlet)2000000000s"\n', "a value is written"),
        ("words/sv.po", 'msgid ""\nmsgstr "Plural-Forms: nplurals=300000000; plural=n;\\n"\n', "over 6 forms"),
        ("words/sv.po", 'msgid ""\nmsgstr "Plural-Forms: nplurals=2; plural=__import__(1);\\n"\n', "Plural-Forms"),
        ("words/sv.po", 'msgid ""\nmsgstr "Content-Type: text/plain; charset=ebcdic\\n"\n', "say utf-8"),
        ("words/sv.po", "#" * 600_000, "longer than"),
        ("partials/about.mjml", '<mj-include path="partials/about.mjml" />\n' * 60, "includes itself"),
        ("partials/about.mjml", '<mj-include path="partials/top.mjml" />\n' * 300, "over 200 files"),
        ("partials/about.mjml", "<br>\n" * 20_001, "over 20,000 lines"),
        ("partials/about.mjml", "<mj-text>" + "x" * 600_000 + "</mj-text>", "larger than"),
        ("theme.toml", "x = " + "[" * 5_000 + "]" * 5_000, "nested too deep"),
        ("theme.toml", f'[light]\naccent = "{"a" * 100_000}"\n', "larger than"),
    ],
)
def test_what_is_read_before_the_child_is_bounded_too(tmp_path: Path, file: str, text: str, why: str) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text, encoding="utf-8")
    before = time.process_time()
    with pytest.raises(TemplateError, match=why):
        Templates([tmp_path]).compile("daily")
    assert time.process_time() - before < 3
