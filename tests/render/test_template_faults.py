"""A wrong template is refused with the file and the line of every fault, all at once."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from newsletter.errors import TemplateError
from newsletter.model import Edition
from newsletter.render import Templates, check_template, render_edition
from newsletter.render.dialect import NAMES
from newsletter.render.shapes import SHAPES
from newsletter.render.template_files import shipped_folders

SHIPPED = shipped_folders()[0]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    shutil.copytree(SHIPPED, tmp_path / "templates")
    return tmp_path / "templates"


def mjml(*lines: str) -> str:
    frame = ["<mjml>", "<mj-body>", "<mj-section>", "<mj-column>", *lines]
    return "\n".join([*frame, "</mj-column>", "</mj-section>", "</mj-body>", "</mjml>", ""])


def faults(desk: Path, body: str) -> list[tuple[str, int, str]]:
    (desk / "daily" / "body.mjml").write_text(body, encoding="utf-8")
    with pytest.raises(TemplateError) as caught:
        Templates([desk]).compile("daily")
    return [(Path(problem.file).name, problem.line, problem.message) for problem in caught.value.problems]


@pytest.mark.parametrize("name", ["daily", "briefing", "breaking"])
def test_the_shipped_templates_have_no_fault(name):
    assert check_template(SHIPPED / name) == []
    assert "max-width:640px" in Templates().compile(name).page


def test_every_mjml_fault_is_told_with_its_line(desk):
    found = faults(
        desk,
        mjml(
            "<mj-txt>a</mj-txt>",
            '<mj-text colour="red">b</mj-text>',
            "<mj-section></mj-section>",
            "<p>loose</p>",
            '<mj-image src="https://a.example/ไทย.png" alt="ไทย" />',
            '<mj-text padding="{{lead.title}}">c</mj-text>',
            '<mj-text onclick="x()">d</mj-text>',
            "<mj-text><script>x</script></mj-text>",
            "<mj-text>e",
        ),
    )
    by_line = {line: message for _, line, message in found}
    assert "no MJML tag <mj-txt>" in by_line[5]
    assert "no attribute 'colour'" in by_line[6]
    assert "<mj-section> cannot stand in <mj-column>" in by_line[7]
    assert "<p> cannot stand directly in <mj-column>" in by_line[8]
    assert "breaks" in by_line[9]
    assert "loses an expression in 'padding'" in by_line[10]
    assert any(line == 11 and "runs script" in message for _, line, message in found)
    assert "<script> has no place in a mail" in by_line[12]
    assert "<mj-text> is not closed" in by_line[13]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("<mj-text>1 < 2</mj-text>", "write &lt; for this <"),
        ("<mj-text><p class=x>a</p></mj-text>", "this tag cannot be read"),
        ('<mj-text><a href="https://a.example"title="b">a</a></mj-text>', "this tag cannot be read"),
        ("<mj-text><!-- a -- b --></mj-text>", "this comment is not closed"),
        ("<mj-text><![CDATA[a]]></mj-text>", "no <!…>"),
        ("<mj-text>{% if word %}a{% endif %}</mj-text>", "blocks are written <!--% … %--> here"),
        ("<mj-text>{# a note #}</mj-text>", "comments are written <!--# … #--> here"),
        ("<mj-text><p>a<b>c</p></mj-text>", "<b> is not closed before </mj-text>"),
        ("<mj-text>a</p></mj-text>", "</p> closes nothing"),
        ("<mj-text><form>a</form></mj-text>", "<form> has no place in a mail"),
        ('<mj-raw><meta http-equiv="refresh" content="0"></mj-raw>', "leads nobody anywhere by itself"),
        ('<mj-text color="#000" color="#111">a</mj-text>', "'color' twice"),
        ('<mj-text><p class="a" class="b">a</p></mj-text>', "'class' twice"),
        ("</mj-column> loose words <mj-column>", "'loose words' cannot stand directly in <mj-section>"),
        ("</mj-column></mj-section></mj-body><mj-body><mj-section><mj-column>", "a mail has one <mj-body>"),
        ("</mj-column></mj-section></mj-body><mj-raw/><mj-body><mj-section><mj-column>", "cannot stand in <mjml>"),
    ],
)  # fmt: skip
def test_what_the_compiler_cannot_read_is_told_with_its_line(desk, line: str, why: str):
    found = faults(desk, mjml("<mj-text>fine</mj-text>", line))
    assert any(at == 6 and why in message for _, at, message in found), found


def test_what_the_compiler_can_read_is_no_fault(desk):
    fine = """<mj-text><p hidden class = 'a' title="1 > 2"
      >a &amp; b & c &nbsp; > d<br><img src="https://a.example/x.png" alt=""/></p>
      <!--% if word %-->x<!--% endif %--></mj-text>"""
    (desk / "daily" / "body.mjml").write_text(mjml(fine), encoding="utf-8")
    Templates([desk]).compile("daily")


def test_a_sponsor_without_a_label_is_refused(desk):
    bare = mjml("<mj-text>{{sponsor.name}} {{sponsor.text}}</mj-text>")
    for unseen in (
        '<p class="sponsored"></p>',
        '<img src="https://a.example/x.png" alt="sponsored">',
        "<!--#sponsored#-->",
    ):
        hidden = bare.replace("{{sponsor.name}}", f"{unseen}{{{{sponsor.name}}}}")
        assert "a sponsor needs a label" in faults(desk, hidden)[0][2]
    labelled = bare.replace("{{sponsor.name}}", '{{_("Presented by %(name)s",name=sponsor.name)}}')
    (desk / "daily" / "body.mjml").write_text(labelled, encoding="utf-8")
    Templates([desk]).compile("daily")


def test_jinja_faults_are_told_with_their_line(desk):
    assert faults(desk, mjml("<mj-text>", "<!--% if lead %-->x", "</mj-text>"))[0][:2] == ("body.mjml", 6)
    assert faults(desk, mjml("<mj-text>{{headline}}</mj-text>"))[0][1:] == (
        5,
        f"there is no 'headline' here; a template may use {', '.join(NAMES)}",
    )
    assert "no filter 'safe'" in faults(desk, mjml("<mj-text>{{lead.title|safe}}</mj-text>"))[0][2]
    block = "<!--% macro x() %--><!--% endmacro %-->"
    assert "'macro' is not among them" in faults(desk, mjml(f"<mj-text>{block}</mj-text>"))[0][2]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("_('via %(outlet)s', outle=lead.outlet)", "'outlet' is no value of it"),
        ("_('100% yours')", "% is written %%"),
        ("ngettext('%(num)s of %(all)s', 'x', 2)", "'all' is no value of it"),
        ("_(lead.title)", "takes its words in quotes"),
    ],
)
def test_words_and_their_values_are_checked_before_anything_is_rendered(desk, words, why):
    assert [
        (line, why in message) for _, line, message in faults(desk, mjml(f"<mj-text>{{{{{words}}}}}</mj-text>"))
    ] == [(5, True)]


@pytest.mark.parametrize(
    ("file", "text", "line", "why"),
    [
        ("body.txt", "x\n\n{{ 1 // 0 }}\n", 3, "division"),
        ("body.txt", "{% for p in lead.note %}\n{{ p + 1 }}\n{% endfor %}\n", 2, "concatenate"),
        ("subject.txt", "{{ [][3].x }}", 1, "has no element 3"),
        ("body.mjml", mjml("<mj-text>a</mj-text>", "<mj-text>{{issue.title}}", "{{1//0}}</mj-text>"), 7, "division"),
        ("body.mjml", mjml("<mj-text>a</mj-text>", "<mj-text>{{1}} {{(3).foo}}</mj-text>"), 6, "'foo'"),
    ],
)
def test_a_fault_while_rendering_has_its_line(desk, real_day, file, text, line, why):
    (desk / "daily" / file).write_text(text, encoding="utf-8")
    template = Templates([desk]).compile("daily")
    with pytest.raises(TemplateError) as caught:
        render_edition(template, real_day, Edition(real_day.countries, "en"), "https://news.example")
    (problem,) = caught.value.problems
    assert (Path(problem.file).name, problem.line) == (file, line)
    assert why in problem.message


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("{% for a in word %}\n" * 25 + "{% endfor %}\n" * 25, 11, "loops are nested over 10 deep"),
        ("{% if word %}\n" * 60 + "{% endif %}\n" * 60, 41, "blocks are nested too deep"),
        ("{% if word %}\n" * 700 + "{% endif %}\n" * 700, 1, "nested far too deep"),
        ("x\n{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", 2, "over 100 steps"),
        ("x\n{{ " + "not " * 3000 + "1 }}", 2, "over 100 steps"),
        ("x\n{{ 1" + "|trim" * 3000 + " }}", 2, "over 100 steps"),
    ],
    ids=["loops", "ifs", "many ifs", "brackets", "not", "filters"],
)
def test_what_python_could_not_compile_is_told_as_what_it_is(desk, text, line, why):
    (desk / "daily" / "body.txt").write_text(text, encoding="utf-8")
    with pytest.raises(TemplateError) as caught:
        Templates([desk]).compile("daily")
    assert [(problem.line, why in problem.message) for problem in caught.value.problems] == [(line, True)]


def test_a_template_larger_than_any_mail_is_refused_where_it_becomes_so(desk):
    assert faults(desk, mjml(*["<mj-text>{{issue.title}}</mj-text>"] * 2_001))[0][1:] == (
        1_671,  # each takes three: two brackets and a dot
        "with this its expressions have over 5,000 steps; a mail needs far fewer",
    )
    sheet = "<mj-style>" + ".a { color: red }\n" * 4_000 + "</mj-style>"
    styled = mjml("<mj-text>x</mj-text>").replace("<mj-body>", f"<mj-head>\n{sheet}</mj-head>\n<mj-body>")
    assert "styles are over 64,000 characters" in faults(desk, styled)[0][2]
    assert "larger than 250,000 bytes" in faults(desk, mjml("<mj-text>x</mj-text>" * 20_000))[0][2]


@pytest.mark.parametrize(
    ("outlooks", "why"),
    [
        ('<a href="javascript:alert(1)">x</a>', "write href as"),
        ('<v:roundrect href="{{lead.url}}">x</v:roundrect>', "write href as"),
        ('<b onclick="x()">x</b>', "runs script"),
        ("<script>x</script>", "no place in a mail"),
    ],
)
def test_what_only_outlook_reads_is_checked_as_well(desk, outlooks, why):
    ((_, line, message),) = faults(desk, mjml("<mj-text>x", f"<!--[if mso]>{outlooks}<![endif]--></mj-text>"))
    assert line == 6
    assert why in message


def test_a_character_that_is_no_text_is_told_with_its_place(desk):
    assert faults(desk, mjml("<mj-text>x</mj-text>", "<mj-text>a\0b</mj-text>"))[0][1:] == (
        6,
        "delete the character U+0000 here, which is no text",
    )


def test_a_name_is_wrong_only_where_it_is_not_known(desk):
    lines = ["<mj-text>{{section.country}}", "<!--% for section in sections %-->{{section.country}}<!--% endfor %-->"]
    found = faults(desk, mjml(*lines, "{{section.country}}</mj-text>"))
    assert [(line, "there is no 'section' here" in message) for _, line, message in found] == [(5, True), (7, True)]


def test_a_block_with_a_space_too_many_is_told_as_that(desk):
    (found,) = faults(desk, mjml("<mj-text>x</mj-text>", "<mj-text><!-- % if word %-->x<!--% endif %--></mj-text>"))
    assert found[1:] == (6, "write <!--% without a space, or this is a comment and no block")


def test_faults_of_an_included_file_carry_its_name(desk):
    card = desk / "partials" / "card.mjml"
    card.write_text(card.read_text(encoding="utf-8").replace("card.title}}", "card.title|nosuch}}"), encoding="utf-8")
    found = faults(desk, (desk / "daily" / "body.mjml").read_text(encoding="utf-8"))
    line = 1 + next(number for number, text in enumerate(card.read_text().splitlines()) if "nosuch" in text)
    assert [(file, at) for file, at, _ in found] == [("card.mjml", line)]


def test_faults_of_all_three_parts_come_together(desk):
    (desk / "daily" / "body.txt").write_text("{{ nothing }}", encoding="utf-8")
    (desk / "daily" / "subject.txt").write_text("one\n{% if %}", encoding="utf-8")
    found = faults(desk, mjml("<mj-foo/>"))
    assert [(file, line) for file, line, _ in found] == [("body.mjml", 5), ("body.txt", 1), ("subject.txt", 2)]


@pytest.mark.parametrize(
    "decision",
    [
        "<!--% if subscriber.country == 'CN' %-->x<!--% endif %-->",
        "<!--% if slots.name %-->x<!--% endif %-->",
        "{{'x' if slots.name else 'y'}}",
        "<!--% set who = slots.name %-->{{who}}",
        "<!--% for letter in slots.name %-->x<!--% endfor %-->",
        "{{slots.name|upper}}",
    ],
)
def test_a_decision_per_reader_is_a_compile_error(desk, decision):
    found = faults(desk, mjml("<mj-text>", decision, "</mj-text>"))
    assert found[0][:2] == ("body.mjml", 6)
    assert "make an edition of its own" in found[0][2]


def test_missing_files_includes_theme_values_and_wrong_encodings(desk):
    body = mjml('<mj-include path="partials/none.mjml" />', "<mj-text>[[light.mauve]]</mj-text>")
    assert [(line, message.split(" ")[0]) for _, line, message in faults(desk, body)] == [(5, "the"), (6, "theme.toml")]
    assert "includes itself" in faults(desk, mjml('<mj-include path="daily/body.mjml" />'))[0][2]
    (desk / "daily" / "body.mjml").write_bytes(b"<mjml>\n\xff\n</mjml>")
    with pytest.raises(TemplateError, match=r"body\.mjml:2:1: this line is not UTF-8"):
        Templates([desk]).compile("daily")


def test_a_broken_theme_is_named_with_its_line(desk):
    (desk / "theme.toml").write_text("[light]\npage = red\n")
    with pytest.raises(TemplateError, match=r"theme\.toml:2:1: "):
        Templates([desk]).compile("daily")


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ('[light]\npage = "#FFF"\naccent = "redd"\n', 3, "light.accent is a colour, written #RRGGBB, not 'redd'"),
        ('[dark]\npage = "url(https://a.example/x.png)"\n', 2, "dark.page is a colour"),
        ('[fonts]\nbody = "Arial; } </style><script>"\n', 2, "fonts.body is a list of typefaces"),
        ('[fonts]\nzh = "Foo\'s, serif"\n', 2, "fonts.zh is a list of typefaces"),
        ('[fonts]\nheadline = "a/*, serif"\n', 2, "fonts.headline is a list of typefaces"),
        ('[fonts]\nbody = "Ünicode, serif"\n', 2, "fonts.body is a list of typefaces"),
        ('[promo]\ntext = "a; } b"\n', 2, "promo.text may hold none of"),
        ('[space]\nside = "2em"\n', 2, "space.side is a length of up to 99px"),
        ('[space]\nside = "400px"\n', 2, "space.side is a length of up to 99px"),
        ('[logo]\naddress = "https://a.example/{{issue.title}}"\n', 2, "logo.address begins with https://"),
        ('[logo]\naddress = "file:///logo.png"\n', 2, "logo.address begins with https://"),
        ("[logo]\nwidth = 9999\n", 2, "logo.width is a number of pixels"),
        ("[light]\npage = 1.5\n", 2, "light.page is a text in quotes or a whole number"),
        ("light = 5\n", 1, "light holds values"),
        ("[light]\npage = #FFF\n", 2, "this is not TOML"),
    ],
)
def test_a_theme_that_no_mail_can_show_is_refused_with_its_line(desk, text: str, line: int, why: str):
    (desk / "theme.toml").write_text(text, encoding="utf-8")
    (problem,) = check_template(desk / "daily")
    assert (Path(problem.file).name, problem.line) == ("theme.toml", line)
    assert why in problem.message


def test_values_that_no_template_asks_for_are_told(desk):
    (desk / "theme.toml").write_text('[light]\nacent = "#112233"\npromo = "#445566"\n', encoding="utf-8")
    told = Templates([desk]).unused_values()
    assert told == ["no template asks for light.acent; did you mean light.accent?", "no template asks for light.promo"]
    (desk / "daily" / "own.mjml").write_text("[[light.promo]]", encoding="utf-8")
    assert len(Templates([desk]).unused_values()) == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{lead.titel}}", "lead has no 'titel'; did you mean 'title'?"),
        (
            "<!--% for s in sections %--><!--% for c in s.cards %-->{{c.urls|url}}<!--% endfor %--><!--% endfor %-->",
            "c has no 'urls'",
        ),
        ("<!--% set first = rows|first %-->{{first.headline}}", "first has no 'headline'"),
        ("<!--% if word %-->x<!--% else %-->{{issue.dates}}<!--% endif %-->", "issue has no 'dates'"),
        (
            "<!--% for c in rows %--><!--% for row in c.related %-->{{row.summary}}<!--% endfor %--><!--% endfor %-->",
            "row has no 'summary'",
        ),
    ],
)  # fmt: skip
def test_fields_that_are_not_there_are_told_on_every_way_through(desk, text: str, why: str):
    ((_, line, message),) = faults(desk, mjml("<mj-text>", text, "</mj-text>"))
    assert line == 6
    assert why in message


def test_unknown_names_filters_and_fields_are_told_at_once(desk):
    (desk / "daily" / "body.txt").write_text("{{ a|loud }}\n{{ issue.b }}\n{{ c }}\n{% macro d() %}{% endmacro %}")
    found = faults(desk, (desk / "daily" / "body.mjml").read_text(encoding="utf-8"))
    assert [line for _, line, _ in found] == [1, 1, 2, 3, 4]


def test_a_block_that_is_never_closed_is_named_where_it_begins(desk):
    (desk / "daily" / "body.txt").write_text("{% for s in sections %}\n{% if s.cards %}\nx\n{% endfor %}\n")
    body = mjml("<mj-text>", "<!--% for s in rows %-->", "<!--% if s %-->", "x", "<!--% endif %-->", "</mj-text>")
    found = faults(desk, body)
    assert found[0][1:] == (6, "this 'for' is never closed; write <!--% endfor %--> where it ends")
    assert found[1][0] == "body.txt"


def test_a_mark_at_the_head_of_the_file_is_let_pass(desk):
    body = desk / "daily" / "body.mjml"
    body.write_bytes(b"\xef\xbb\xbf" + body.read_bytes())
    assert check_template(desk / "daily") == []


@pytest.mark.parametrize("name", ["../daily", "daily/..", "", "Daily", "nosuch", "/etc"])
def test_only_names_of_folders_are_templates(name):
    with pytest.raises(TemplateError):
        Templates().compile(name)


def test_a_link_out_of_the_folder_is_not_followed(desk, tmp_path):
    (tmp_path / "secret.mjml").write_text("<mj-text>secret</mj-text>")
    (desk / "partials" / "card.mjml").unlink()
    (desk / "partials" / "card.mjml").symlink_to(tmp_path / "secret.mjml")
    compiled = Templates([desk]).compile("daily")
    assert "secret" not in compiled.html.text


def test_deep_nesting_is_refused_before_the_compiler_sees_it(desk):
    """2,000 nested wrappers crash mjml-python 1.4.2."""
    deep = "<mjml><mj-body>" + "<mj-wrapper>" * 2000 + "</mj-wrapper>" * 2000 + "</mj-body></mjml>"
    assert any("nested over 150 deep" in message for _, _, message in faults(desk, deep))


def test_carriage_returns_do_not_reach_the_mail(desk):
    body = desk / "daily" / "body.mjml"
    body.write_bytes(body.read_bytes().replace(b"\n", b"\r\n"))
    assert "\r" not in Templates([desk]).compile("daily").html.text


def test_check_template_renders_the_sample(desk):
    body = desk / "partials" / "footer.mjml"
    text = body.read_text(encoding="utf-8")
    body.write_text(
        text.replace("{{issue.postal_address}}", "").replace("slots.unsubscribe", "slots.view"), encoding="utf-8"
    )
    found = check_template(desk / "daily")
    assert {problem.path for problem in found} == {"edition CN+KR+JP+TH.en, html"}
    assert len(found) == 2


def test_check_template_finds_a_field_that_is_not_there(desk):
    card = desk / "partials" / "card.mjml"
    text = card.read_text(encoding="utf-8")
    card.write_text(text.replace("names=card.byline)", "names=card.bylines)"), encoding="utf-8")
    problem = check_template(desk / "daily")[0]
    assert (Path(problem.file).name, problem.line) == ("card.mjml", 2)
    assert "bylines" in problem.message


@pytest.mark.parametrize("sample", ["{", "[]", '{"stories": []}', '{"stories": [3]}'])
def test_check_template_names_a_wrong_sample(desk, sample):
    (desk / "daily" / "sample.json").write_text(sample)
    problems = check_template(desk / "daily")
    assert [Path(problem.file).name for problem in problems] == ["sample.json"]


def test_a_mail_without_a_sample_of_its_own_is_checked_with_the_shipped_one(desk):
    (desk / "daily" / "sample.json").unlink()
    assert check_template(desk / "daily") == []
    (desk / "daily").rename(desk / "weekly")
    assert check_template(desk / "weekly") == []


def test_the_sample_is_made_of_story_files(desk):
    sample = json.loads((SHIPPED / "daily" / "sample.json").read_text(encoding="utf-8"))
    sample["stories"][0]["colour"] = "red"
    (desk / "daily" / "sample.json").write_text(json.dumps(sample))
    assert "a story has no colour" in check_template(desk / "daily")[0].message


def test_a_desk_that_overrides_one_part_has_it_checked(desk, tmp_path):
    own = tmp_path / "own"
    (own / "partials").mkdir(parents=True)
    (own / "partials" / "about.mjml").write_text("<mj-text>a</mj-text>\n<mj-nope />\n", encoding="utf-8")
    templates = Templates([own])
    (problem,) = check_template(templates.folder("daily"), templates)
    assert (problem.file, problem.line) == (str(own / "partials" / "about.mjml"), 2)


def test_includes_may_be_written_as_jinja_writes_them(desk):
    body = desk / "daily" / "body.txt"
    text = "\ufeff" + body.read_text(encoding="utf-8").replace('"', "'").replace("{% include", "{%- include")
    body.write_text(text, encoding="utf-8")
    assert check_template(desk / "daily") == []
    body.write_text('x {% include "partials/footer.txt" %}', encoding="utf-8")
    assert "on a line of its own" in check_template(desk / "daily")[0].message


def test_a_sample_that_cannot_be_rendered_says_why(desk):
    sample = desk / "daily" / "sample.json"
    sample.write_text(sample.read_text(encoding="utf-8").replace("Asia/Singapore", "Mars/X"), encoding="utf-8")
    assert "No time zone found with key Mars/X" in check_template(desk / "daily")[0].message
    sample.write_text("[" * 100_000, encoding="utf-8")
    assert "this is not a sample issue" in check_template(desk / "daily")[0].message


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("{{lead.tags}}", "this is a list; write a for loop"),
        ("{{lead}}", "this has fields; print one of them"),
        ("{{lead.title.format_map}}", "this is no text or number"),
        ("{{_}}", "this is no text or number"),
        ("{{[0]*9|length}}", "object of type 'int' has no len"),
        ("{{lead.title|first|join(lead,2,3,4)}}", "positional arguments"),
    ],
)
def test_what_fails_in_rendering_is_named_with_its_line(desk, code, why):
    body = desk / "daily" / "body.mjml"
    written = body.read_text(encoding="utf-8").replace('    <mj-include path="partials/footer.mjml" />\n', "")
    lines = written.split("\n")
    at = lines.index("      </mj-column>")
    footer = '<mj-text><p><a href="{{slots.unsubscribe|url}}">Go</a> {{issue.postal_address}}</p><p>Here '
    lines[at:at] = [f"{footer}{{{{issue.title}}}}", f"is {code}", "</p></mj-text>"]
    body.write_text("\n".join(lines), encoding="utf-8")
    (problem,) = check_template(desk / "daily")
    assert (problem.line, why in problem.message) == (at + 2, True), problem


def test_the_guide_names_whatever_a_template_is_given():
    guide = (Path(__file__).parents[2] / "docs" / "templates.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", guide, re.MULTILINE))
    card = set(re.findall(r"\w+", guide.partition("A card: ")[2].partition(" A script ")[0]))
    for name, shape in SHAPES.items():
        assert name in rows
        fields = shape[0] if isinstance(shape, list) else shape
        described = card if isinstance(fields, dict) and "anchor" in fields and "byline" in fields else rows[name]
        assert [field for field in fields or () if field not in described] == []
