"""Every fault of a schedule.yaml, on its line and column. In the files here ⯈ stands just before each fault."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.errors import PlanError, Problem
from newsletter.plan import Plan, load_plan, read_plan

MARK = "⯈"

GOOD = """\
version: 1
defaults:
  timezone: Asia/Singapore
  sender: {name: Asia AI Daily, address: daily@example.com}
  postal_address: 1 Example Street, Singapore
sources:
  desk: {kind: folder, path: inbox}
calendars:
  sg-holidays: {dates: [2026-08-10]}
newsletters:
  asia:
    title: Asia AI Daily
    at: "07:00"
    days: [mon, fri]
    countries: [CN, JP]
"""


def without(key: str) -> str:
    """The good file without one key; the fault is then the newsletter's."""
    return re.sub(rf"^ +{key}: .*\n", "", GOOD, flags=re.MULTILINE).replace("asia:", "⯈asia:")


def source(line: str) -> str:
    """The good file with one more source."""
    return GOOD.replace("sources:\n", f"sources:\n  {line}\n")


IN_NEWSLETTER = {
    "unknown key": ("⯈colour: red", "asia.colour: unknown key"),
    "near key": ("⯈time_zone: Asia/Tokyo", "asia.time_zone: unknown key; did you mean 'timezone'?"),
    "near inner key": ("stories: {⯈led: 90m}", "asia.stories.led: unknown key; did you mean 'lead'?"),
    "duplicate key": ("⯈at: '08:00'", "asia.at: the key stands twice, first on line 13"),
    "zone": ("timezone: ⯈Europe/Olso", "asia.timezone: unknown time zone 'Europe/Olso'; did you mean 'Europe/Oslo'?"),
    "zone by city": ("timezone: ⯈oslo", "did you mean 'Europe/Oslo'?"),
    "zone that is a folder": ("timezone: ⯈Europe", "unknown time zone 'Europe'"),
    "zone outside": ("timezone: ⯈../../../etc/passwd", "unknown time zone"),
    "template": ("template: ⯈dialy", "asia.template: there is no template 'dialy'; did you mean 'daily'?"),
    "calendar": (
        "skip: [2026-06-01, ⯈sg-holiday]",
        "'sg-holiday' is no date and no calendar of this file; did you mean 'sg-holidays'?",
    ),
    "date": ("skip: [⯈2026-02-30]", "'2026-02-30' is no date and no calendar of this file; one looks like 2026-12-25"),
    "newsletter": ("not_again_from: [⯈breaking]", "asia.not_again_from[0]: there is no newsletter 'breaking'"),
    "time": ("lock: ⯈25:00", "asia.lock: '25:00' is no time of day; times run from 00:00 to 23:59"),
    "time in a flow mapping": (
        "approval: {by: ⯈6:45}",
        "asia.approval.by: '6:45' has no two digits for the hour; did you mean '06:45'?",
    ),
    "sexagesimal": ("lock: ⯈750", "asia.lock: '750' is no time of day"),
    "hours": ("quiet_hours: ⯈'22:00'", "asia.quiet_hours: '22:00' is no span of hours; one looks like 22:00-06:00"),
    "duration": ("stories: {lead: ⯈90}", "asia.stories.lead: '90' is no length of time; write 30s, 15m, 2h or 7d"),
    "duration out of bounds": ("stories: {lead: ⯈3d}", "asia.stories.lead: 3d is longer than 2d"),
    "endless duration": ("stories: {at_most: ⯈99999999d}", "asia.stories.at_most: 99999999d is longer than 36525d"),
    "flag": ("enabled: ⯈yes", "asia.enabled: expected true or false, not 'yes'; did you mean true?"),
    "quoted flag": ("enabled: ⯈'true'", "asia.enabled: expected true or false, not the text 'true'; no quotes here"),
    "number": ("related: ⯈three", "asia.related: expected a whole number, not 'three'"),
    "quoted number": ("related: ⯈'3'", "not the text '3'; no quotes here"),
    "number out of bounds": ("related: ⯈11", "asia.related: 11 is not between 0 and 10"),
    "choice": (
        "approval: {mode: ⯈manuel}",
        "asia.approval.mode: 'manuel' is not manual or auto; did you mean 'manual'?",
    ),
    "list for text": ("subject: ⯈[a]", "asia.subject: expected one line of text, not a list"),
    "text for list": (
        "editors: ⯈desk@example.com",
        "asia.editors: expected a list ([…]), each of it a mail address, not 'desk",
    ),
    "text for mapping": ("stories: ⯈7d", "asia.stories: expected a mapping (key: value), not '7d'"),
    "text for anything": ("segment: ⯈daily", "asia.segment: expected a mapping (key: value), not 'daily'"),
    "nothing": ("⯈template:", "asia.template: expected the name of a template, not nothing"),
    "two lines": ("subject: ⯈|\n      a\n      b", "asia.subject: the text has to be one line"),
    "address": (
        "editors: [desk@example.com, ⯈desk.example.com]",
        "asia.editors[1]: 'desk.example.com' is no mail address",
    ),
    "address beyond ASCII": ("editors: [⯈dösk@example.com]", "is no mail address"),
    "header injection": ('editors: [⯈"a@example.com\\nBcc: b@example.com"]', "is no mail address"),
    "twice in a list": ("languages: [en, ⯈en]", "asia.languages[1]: this stands in the list already"),
    "empty list": ("languages: ⯈[]", "asia.languages: the list is empty; expected at least 1"),
    "language": ("languages: [⯈English]", "'English' is no language; one looks like en or zh-Hant"),
    "address of the web": ("dead_man_url: ⯈ftp://example.com", "'ftp://example.com' is no web address"),
    "password in the web": ("dead_man_url: ⯈https://u:p@example.com/", "a password does not belong in this file"),
    "key that is a list": ("segment: {⯈[a]: b}", "asia.segment: a list cannot be a key"),
    "duplicate in a segment": ("segment: {a: 1, ⯈a: 2}", "asia.segment.a: the key stands twice"),
    "merge key": ("⯈<<: {related: 3}", "asia.<<: unknown key"),
    "more than max": ("stories: {min: ⯈5, max: 3}", "asia.stories.min: min 5 is more than max 3"),
}

WHOLE_FILES = {
    "country": (GOOD.replace("CN, JP", "CN, ⯈XX"), "newsletters.asia.countries[1]: 'XX' is no country"),
    "lower-case country": (GOOD.replace("CN, JP", "⯈cn"), "did you mean 'CN'?"),
    "name of a country": (GOOD.replace("CN, JP", "⯈Japan"), "did you mean 'JP'?"),
    "UK": (GOOD.replace("CN, JP", "⯈UK"), "did you mean 'GB'?"),
    "day": (
        GOOD.replace("mon, fri", "mon, ⯈Friday"),
        "newsletters.asia.days[1]: unknown day 'Friday'; days are mon, tue",
    ),
    "missing title": (without("title"), "newsletters.asia: title is missing; write it here or under defaults"),
    "missing at": (without("at"), "newsletters.asia: at is missing"),
    "missing countries": (without("countries"), "newsletters.asia: countries is missing"),
    "missing postal address": (without("postal_address"), "newsletters.asia: postal_address is missing"),
    "missing sender": (without("sender"), "newsletters.asia: sender is missing"),
    "sender without address": (without("sender") + "    sender: {name: A}\n", "asia: sender.address is missing"),
    "name": (GOOD.replace("  asia:", "  ⯈Asia Daily:"), "'Asia Daily' is no name; names are made of a-z, 0-9 and -"),
    "unknown top": (GOOD + "⯈newsleters: {}\n", "newsleters: unknown key; did you mean 'newsletters'?"),
    "duplicate newsletter": (GOOD + "  ⯈asia: {}\n", "newsletters.asia: the key stands twice, first on line 11"),
    "version": (GOOD.replace(": 1\n", ": ⯈2\n", 1), "version: 2 is not between 1 and 1"),
    "no newsletters": ("⯈version: 1\n", "newsletters is missing"),
    "empty newsletter": (GOOD + "  ⯈breaking:\n", "newsletters.breaking: expected a mapping (key: value), not nothing"),
    "defaults": (GOOD.replace("1 Example Street, Singapore", "⯈[1]"), "defaults.postal_address: expected one line"),
    "unknown kind": (GOOD.replace("kind: folder", "kind: ⯈fed"), "sources.desk.kind: 'fed' is not folder or feed"),
    "no kind": (source("⯈tc: {url: https://example.com}"), "sources.tc: kind is missing"),
    "folder without path": (source("⯈tc: {kind: folder}"), "sources.tc: path is missing; a folder needs one"),
    "folder outside": (source("tc: {kind: folder, path: ⯈../x}"), "'../x' is no path inside the desk's folder"),
    "feed without outlet": (
        source("⯈tc: {kind: feed, url: https://example.com}"),
        "sources.tc: outlet is missing; a feed needs one",
    ),
    "feed without url": (source("⯈tc: {kind: feed, outlet: TC}"), "sources.tc: url is missing; a feed needs one"),
    "secret": (source("tc: {kind: push, key: ⯈hunter2}"), "sources.tc.key: a secret does not belong in this file"),
    "restless source": (source("tc: {kind: push, every: ⯈1s}"), "sources.tc.every: 1s is shorter than 1m"),
    "calendar of nothing": (
        GOOD.replace("calendars:", "calendars:\n  ⯈none: {}"),
        "calendars.none: a calendar has either dates",
    ),
    "calendar file": (GOOD.replace("dates: [2026-08-10]", "ics: ⯈none.ics"), "none.ics cannot be read: No such file"),
    "region": ("regions: {asia: [CN, ⯈ZZ]}\n" + GOOD, "regions.asia[1]: 'ZZ' is no country"),
    "unclosed": (GOOD.replace("[mon, fri]", "[mon, fri").replace("countries:", "countries⯈:"), "this is not YAML"),
    "two colons": ("a: b⯈: c", "mapping values are not allowed here"),
    "tab": ("version: 1\n⯈\tnewsletters: {}\n", "a tab stands here; YAML is indented with spaces"),
    "alias": ("a: &days [mon]\nb: ⯈*days\n", "*days: aliases are not used here"),
    "tag": ("a: ⯈!!python/object:os.system x\n", "tags such as"),
    "second document": ("version: 1\n⯈---\nversion: 1\n", "a second document begins here"),
    "YAML 1.1": ("%YAML 1.1\n⯈---\nversion: 1\n", "schedules are YAML 1.2"),
    "control character": ("version: 1\nnewsletters: ⯈\x07\n", "the character U+0007 is not text"),
    "deep": ("[" * 20 + "⯈" + "[" * 5000, "nested over 20 levels deep"),
    "empty": ("⯈", "the file is empty"),
    "comments only": ("⯈# nothing\n", "the file is empty"),
    "list": ("⯈- a\n", "expected the keys of a schedule"),
    "text": ("⯈hello\n", "expected the keys of a schedule"),
    "too long": ("⯈" + "#" * 300_000, "that is no schedule"),
}


def load(text: str, folder: Path = Path()) -> Plan:
    return load_plan(text, "schedule.yaml", folder)


def faults(text: str, folder: Path = Path()) -> list[str]:
    with pytest.raises(PlanError) as caught:
        load(text, folder)
    return [str(problem) for problem in caught.value.problems]


def place(marked: str) -> tuple[str, str]:
    """The file without its mark, and `schedule.yaml:LINE:COLUMN: ` of the place."""
    before, _, after = marked.partition(MARK)
    line = before.count("\n") + 1
    return before + after, f"schedule.yaml:{line}:{len(before) - before.rfind(chr(10))}: "


def test_the_file_that_the_faults_are_put_into_is_good() -> None:
    assert load(GOOD).warnings == ()


@pytest.mark.parametrize(("addition", "message"), IN_NEWSLETTER.values(), ids=IN_NEWSLETTER)
def test_fault_in_a_newsletter(addition: str, message: str) -> None:
    text, where = place(f"{GOOD}    {addition}\n")
    (fault,) = faults(text)
    assert fault.startswith(where)
    assert message in fault


@pytest.mark.parametrize(("marked", "message"), WHOLE_FILES.values(), ids=WHOLE_FILES)
def test_fault_in_a_file(marked: str, message: str) -> None:
    text, where = place(marked)
    (fault,) = faults(text)
    assert fault.startswith(where)
    assert message in fault


def test_the_message_of_the_design() -> None:
    text = GOOD + '  no-daily:\n    title: Norge\n    at: "07:00"\n    days: [mon]\n    countries: [NO]\n'
    where = "schedule.yaml:21:15: newsletters.no-daily.timezone"
    wrong = "unknown time zone 'Europe/Olso'; did you mean 'Europe/Oslo'?"
    assert faults(text + "    timezone: Europe/Olso\n") == [f"{where}: {wrong}"]


def test_all_faults_at_once_in_the_order_of_the_file() -> None:
    broken = (
        GOOD.replace("Asia/Singapore", "Asia/Singapur")
        .replace("folder", "ghost")
        .replace("[2026-08-10]", "[2026-08-32]")
        .replace("[mon, fri]", "[mon, fry]")
        .replace("[CN, JP]", "[CN, JA]")
    )
    lines = [int(fault.split(":")[1]) for fault in faults(broken + "    related: many\n    related: 3\n")]
    assert lines == [3, 7, 9, 14, 15, 16, 17]


def test_the_list_of_faults_ends_somewhere() -> None:
    found = faults("newsletters:\n" + "".join(f"  n{n}: {{at: 07:00, time_zone: x}}\n" for n in range(2000)))
    assert len(found) == 501
    assert found[-1].endswith("and more; the reading ended here")


def test_a_secret_is_not_repeated_in_the_error() -> None:
    (fault,) = faults(GOOD.replace("path: inbox", "path: inbox, key: hunter2"))
    assert "hunter2" not in fault


def test_faults_of_a_calendar_file_name_that_file(tmp_path: Path) -> None:
    (tmp_path / "days.ics").write_text("BEGIN:VEVENT\nDTSTART:soon\nEND:VEVENT\n", encoding="utf-8")
    (fault,) = faults(GOOD.replace("dates: [2026-08-10]", "ics: days.ics"), tmp_path)
    assert fault.startswith("days.ics:2:1: 'soon' is no date")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"version: 1\nname: \xff\n", "schedule.yaml:2:7: the byte 0xff is not UTF-8; save the file as UTF-8"),
        ("version: 1".encode("utf-16"), "schedule.yaml:1:1: the byte 0xff is not UTF-8"),
        (b"#" * 1_100_000, "schedule.yaml:1:1: the file is larger than 1048576 bytes"),
        (None, "schedule.yaml:1:1: "),
    ],
    ids=["latin-1", "utf-16", "large", "absent"],
)
def test_file_that_cannot_be_read(tmp_path: Path, data: bytes | None, message: str) -> None:
    path = tmp_path / "schedule.yaml"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(PlanError) as caught:
        read_plan(path)
    assert str(caught.value).startswith(message)


def test_alias_bomb_is_refused_at_its_first_alias() -> None:
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    (fault,) = faults("a0: &a0 [x]\n" + levels)
    assert fault.startswith("schedule.yaml:2:10: *a0: aliases")


YAML_BITS = st.sampled_from(
    ["a", "1", ":", ": ", "- ", "\n", "  ", "[", "]", "{", "}", ",", "'", '"', "#", "&a ", "*a", "!", "!!str ", "|\n",
     ">-\n", "? ", "%YAML ", "%TAG ", "---", "...", "\t", "\r", "\ufeff", "\\x", "\\U", "9" * 12, "~", "@", "\x85",
     "version", "newsletters", "defaults", "sources", "calendars", "asia", "kind", "feed", "null", "<<", "\u2028"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=60) | st.lists(YAML_BITS, max_size=30).map("".join))
@example("%YAML 1." + "9" * 5000 + "\n---\n")
@example('"\\UFFFFFFFF"')
@example("a: &a\na: &a\n")
def test_any_text_is_a_plan_or_a_plan_error(text: str) -> None:
    last = text.count("\n") + text.count("\r") + 1
    assert all(1 <= problem.line <= last and problem.column >= 1 for problem in problems_of(text))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.integers(0, 12), YAML_BITS)
def test_any_damage_to_a_good_file_is_a_plan_or_a_plan_error(start: int, length: int, inserted: str) -> None:
    problems_of(GOOD[:start] + inserted + GOOD[start + length :])


def problems_of(text: str) -> tuple[Problem, ...]:
    """What is wrong with a file; nothing but `PlanError` may come out of reading it, and never an empty one."""
    try:
        load(text)
    except PlanError as error:
        return error.problems or pytest.fail("a PlanError without a problem")
    return ()
