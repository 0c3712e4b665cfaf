"""What a good schedule.yaml becomes: every key in its value, defaults under each newsletter, warnings."""

from __future__ import annotations

import dataclasses
from datetime import date, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from newsletter.errors import PlanError
from newsletter.model import Sender
from newsletter.plan import (
    Approval,
    ApprovalMode,
    Calendar,
    CatchUp,
    Newsletter,
    OnFew,
    OnTimeout,
    Plan,
    SourcePlan,
    StoriesRule,
    load_plan,
    read_plan,
)
from newsletter.plan.shape import FILE, NEWSLETTER, SOURCE, key_table

ROOT = Path(__file__).parent.parent.parent

EVERYTHING = """\
version: 1

defaults:
  timezone: Asia/Singapore
  sender: {name: Asia AI Daily, address: daily@EXAMPLE.com, reply_to: desk@example.com}
  template: daily
  approval: {mode: manual, by: 06:45, on_timeout: wait, approvals: 2}
  lock: "06:30"
  catch_up: {within: 2h}
  deliver_by: "11:00"
  postal_address: 1 Example Street, Singapore
  stories: {min: 3, max: 12}
  skip: [sg-holidays]

regions:
  asia: [CN, JP]

sources:
  techcrunch: {kind: feed, url: https://techcrunch.com/feed/, outlet: TechCrunch, section: AI News}
  desk:
    {kind: folder, path: inbox, country: "NO", language: zh-Hant, priority: 3, every: 5m, timeout: 10s,
     allow_private: true, rights: by contract, rights_confirmed_by: A. Editor, quote_limit: 300}
  cms: {kind: ghost, url: https://cms.example.com, key: env:GHOST_KEY, country: asia}

calendars:
  sg-holidays: {dates: [2026-08-10, 2026-12-25]}
  printed: {ics: days.ics}

newsletters:
  asia-ai-daily:
    title: Asia AI Daily
    at: 07:00
    days: [mon, tue, wed, thu, fri]
    skip: [sg-holidays, printed, 2026-06-01, 2026-08-10]
    countries: [CN, asia, NO]
    sections: [AI News]
    stories: {since: last_issue, at_most: 7d, on_few: short, per_country: 4, lead: 2h}
    not_again_from: [breaking]
    related: 2
    segment: {frequency: daily, country_any: [CN, NO], seats: 3, paying: true, since: null, tier: "1"}
    delivery: {local_time: true, spread: 10m}
    languages: [en, zh-Hant]
    subject: "{{ lead.title }}"
    editors: [desk@example.com]
    approvers: [chief@example.com]
    quiet_hours: "22:00-06:00"
    priority: 6
    archive: private
    dead_man_url: https://example.com/ping
    enabled: false
  breaking:
    title: 2026
    at: 12:30
    days: []
    countries: [SG]
    approval: {mode: auto}
    sender: {name: Breaking}
    lock: null
    skip: []
"""


@pytest.fixture
def everything(tmp_path: Path) -> Plan:
    (tmp_path / "days.ics").write_text("BEGIN:VEVENT\nDTSTART:20260902\nEND:VEVENT\n", encoding="utf-8")
    (tmp_path / "schedule.yaml").write_text(EVERYTHING, encoding="utf-8")
    return read_plan(tmp_path / "schedule.yaml")


def test_every_key_of_a_newsletter(everything: Plan) -> None:
    assert list(everything.newsletters) == ["asia-ai-daily", "breaking"]
    assert everything.newsletters["asia-ai-daily"] == Newsletter(
        name="asia-ai-daily",
        title="Asia AI Daily",
        at=time(7),
        timezone=ZoneInfo("Asia/Singapore"),
        days=frozenset({1, 2, 3, 4, 5}),
        sender=Sender("Asia AI Daily", "daily@example.com", "desk@example.com"),
        postal_address="1 Example Street, Singapore",
        countries=("CN", "asia", "NO"),
        skip={
            date(2026, 8, 10): "sg-holidays",
            date(2026, 12, 25): "sg-holidays",
            date(2026, 9, 2): "printed",
            date(2026, 6, 1): "2026-06-01",
        },
        template="daily",
        approval=Approval(mode=ApprovalMode.MANUAL, by=time(6, 45), on_timeout=OnTimeout.WAIT, approvals=2),
        lock=time(6, 30),
        catch_up=CatchUp(timedelta(hours=2)),
        deliver_by=time(11),
        stories=StoriesRule(
            since="last_issue",
            at_most=timedelta(days=7),
            min=3,
            on_few=OnFew.SHORT,
            max=12,
            per_country=4,
            lead=timedelta(hours=2),
        ),
        sections=("AI News",),
        not_again_from=("breaking",),
        related=2,
        segment={
            "frequency": "daily",
            "country_any": ["CN", "NO"],
            "seats": 3,
            "paying": True,
            "since": None,
            "tier": "1",
        },
        languages=("en", "zh-Hant"),
        subject="{{ lead.title }}",
        editors=("desk@example.com",),
        approvers=("chief@example.com",),
        local_time=True,
        spread=timedelta(minutes=10),
        quiet_hours=(time(22), time(6)),
        priority=6,
        archive="private",
        dead_man_url="https://example.com/ping",
        enabled=False,
    )


def test_defaults_are_merged_key_by_key(everything: Plan) -> None:
    breaking = everything.newsletters["breaking"]
    assert breaking.sender == Sender("Breaking", "daily@example.com", "desk@example.com")
    assert breaking.approval == Approval(mode=ApprovalMode.AUTO, by=time(6, 45), approvals=2)
    assert (breaking.stories.min, breaking.stories.max, breaking.stories.per_country) == (3, 12, 4)


def test_null_unsets_a_default_and_a_list_replaces_it(everything: Plan) -> None:
    breaking = everything.newsletters["breaking"]
    assert breaking.lock is None
    assert breaking.skip == {}
    assert breaking.deliver_by == time(11)


def test_what_yaml_1_1_would_misread_is_text(everything: Plan) -> None:
    assert everything.newsletters["breaking"].at == time(12, 30)
    assert everything.newsletters["breaking"].title == "2026"
    assert everything.newsletters["asia-ai-daily"].countries[-1] == "NO"


def test_sources_calendars_and_regions(everything: Plan) -> None:
    assert everything.sources == {
        "techcrunch": SourcePlan(
            id="techcrunch",
            kind="feed",
            url="https://techcrunch.com/feed/",
            outlet="TechCrunch",
            section="AI News",
        ),
        "desk": SourcePlan(
            id="desk",
            kind="folder",
            path="inbox",
            country="NO",
            language="zh-Hant",
            priority=3,
            every=timedelta(minutes=5),
            timeout=timedelta(seconds=10),
            allow_private=True,
            rights="by contract",
            rights_confirmed_by="A. Editor",
            quote_limit=300,
        ),
        "cms": SourcePlan(id="cms", kind="ghost", url="https://cms.example.com", key="env:GHOST_KEY", country="asia"),
    }
    assert everything.calendars == {
        "sg-holidays": Calendar("sg-holidays", frozenset({date(2026, 8, 10), date(2026, 12, 25)})),
        "printed": Calendar("printed", frozenset({date(2026, 9, 2)})),
    }
    assert everything.regions == {"asia": ("CN", "JP")}


def test_defaults_of_the_file_are_those_of_the_values() -> None:
    minimal = """\
newsletters:
  a: {title: A, at: "07:00", timezone: UTC, days: [mon], countries: [CN], postal_address: x,
      sender: {name: A, address: a@example.com}}
"""
    plan = load_plan(minimal, "schedule.yaml", Path())
    assert plan.newsletters["a"] == Newsletter(
        name="a",
        title="A",
        at=time(7),
        timezone=ZoneInfo("UTC"),
        days=frozenset({1}),
        countries=("CN",),
        postal_address="x",
        sender=Sender("A", "a@example.com"),
    )


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "schedule.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + b"version: 1\r\nnewsletters: {}\r\n")
    assert read_plan(path) == Plan({}, {}, {})


def test_other_templates_than_the_shipped_one() -> None:
    text = EVERYTHING.replace("template: daily", "template: weekly").replace("ics: days.ics", "dates: []")
    plan = load_plan(text, "schedule.yaml", Path(), templates=["daily", "weekly"])
    assert plan.newsletters["breaking"].template == "weekly"


def test_the_starter_desk_is_valid_and_without_warnings() -> None:
    plan = read_plan(ROOT / "schedule.yaml")
    assert plan.warnings == ()
    assert list(plan.newsletters) == ["asia-ai-daily", "asia-ai-weekly"]
    assert plan.newsletters["asia-ai-daily"].approval.mode is ApprovalMode.MANUAL
    assert [source.kind for source in plan.sources.values()] == ["folder"]


def test_the_commented_feeds_of_the_starter_desk_are_valid() -> None:
    lines = (ROOT / "schedule.yaml").read_text(encoding="utf-8").splitlines()
    text = "\n".join(line.replace("# ", "", 1) if line.startswith("  # ") else line for line in lines)
    plan = load_plan(text, "schedule.yaml", ROOT)
    assert list(plan.sources) == ["desk", "techcrunch", "globe"]


def test_every_key_of_the_file_is_a_field_of_its_value() -> None:
    nested = {"delivery": {"local_time", "spread"}}
    keys = set().union(*(nested.get(key, {key}) for key in NEWSLETTER.keys))
    assert keys | {"name"} == {field.name for field in dataclasses.fields(Newsletter)}
    assert SOURCE.keys.keys() | {"id"} == {field.name for field in dataclasses.fields(SourcePlan)}
    beside = {"warnings", "files", "digest"}
    assert set(FILE.keys) - {"version", "defaults"} | beside == {f.name for f in dataclasses.fields(Plan)}


def test_the_key_table_names_every_key_with_form_and_meaning() -> None:
    rows = {path: (form, meaning) for path, form, meaning in key_table()}
    assert rows["newsletters.NAME.stories.lead"][0] == "a length of time such as 15m"
    assert {"sources.NAME.outlet", "calendars.NAME.ics", "newsletters.NAME.sender.reply_to"} <= rows.keys()
    assert all(form and meaning for form, meaning in rows.values())


WARNED = """\
defaults: {timezone: Asia/Singapore, postal_address: x, sender: {name: A, address: a@example.com}}
sources:
  tc: {kind: feed, url: https://example.com, outlet: TC, country: CN}
calendars:
  holidays: {dates: [2026-08-09, 2026-08-10]}
newsletters:
  asia:
    title: Asia
    at: "07:00"
    days: [mon, tue]
    skip: [holidays, 2026-05-30]
    countries: [CN, JP]
    approval: {by: "07:15"}
  early:
    title: Early
    at: "00:30"
    days: [wed]
    countries: [CN]
    approval: {by: "00:10"}
    stories: {lead: 15m}
"""


def test_warnings_are_sentences_with_file_and_line() -> None:
    assert load_plan(WARNED, "schedule.yaml", Path()).warnings == (
        "schedule.yaml:11: newsletters.asia.skip[1]: 2026-05-30 (Saturday) is no day that asia appears on",
        "schedule.yaml:13: newsletters.asia.approval.by: 07:15 is after at (07:00), so it means the day before",
        "schedule.yaml:12: newsletters.asia.countries[1]: no source brings stories of JP",
        "schedule.yaml:19: newsletters.early.approval.by: 00:10 is before the draft is built (00:15)",
        "schedule.yaml:5: calendars.holidays.dates[0]: 2026-08-09 (Sunday) hits no day that a newsletter appears on",
    )


def test_a_source_without_a_country_may_fill_any() -> None:
    text = WARNED.replace(", country: CN}", "}")
    assert not [warning for warning in load_plan(text, "schedule.yaml", Path()).warnings if "no source" in warning]


def test_warnings_about_a_default_name_its_line() -> None:
    text = WARNED.replace("postal_address: x,", "postal_address: x, approval: {by: '23:00'},")
    warnings = load_plan(text.replace('    approval: {by: "07:15"}\n', ""), "schedule.yaml", Path()).warnings
    assert "schedule.yaml:1: newsletters.asia.approval.by: 23:00 is after at (07:00), so it means the day before" in (
        warnings
    )


@pytest.mark.parametrize(
    ("said", "priority"), [("{}", 5), ("{template: breaking}", 9), ("{template: breaking, priority: 4}", 4)]
)
def test_breaking_news_goes_first_unless_it_says_otherwise(tmp_path: Path, said: str, priority: int) -> None:
    text = (ROOT / "schedule.yaml").read_text(encoding="utf-8")
    text = text.replace("    related: 3\n", f"    related: 3\n    {said[1:-1].replace(', ', chr(10) + '    ')}\n")
    plan = load_plan(text, "schedule.yaml", tmp_path, templates=("daily", "breaking"))
    assert plan.newsletters["asia-ai-daily"].priority == priority


def test_a_push_that_nobody_can_use_is_said(tmp_path: Path) -> None:
    text = (ROOT / "schedule.yaml").read_text(encoding="utf-8")
    text = text.replace("sources:\n", "sources:\n  wire: {kind: push, outlet: The Wire}\n")
    warnings = load_plan(text, "schedule.yaml", tmp_path).warnings
    assert [line.split(": ", 1)[1] for line in warnings] == [
        "sources.wire.key: without it nothing can be pushed",
    ]


DIGEST = (
    "version: 1\ndefaults: {timezone: UTC, days: [mon], at: '07:00', countries: [CN], postal_address: here,"
    " sender: {name: A, address: a@example.com}}\nnewsletters:\n  asia-ai-daily: {title: Daily%s}\n"
    "  digest: {title: Digest, stories: {best_of: [%s]}%s}\n"
)


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        (("", "asia-ai-daly", ""), "there is no newsletter 'asia-ai-daly'; did you mean 'asia-ai-daily'?"),
        (("", "digest", ""), "digest cannot be the best of itself: none of its readers gets a story twice"),
        (
            ("", "asia-ai-daily", ", not_again_from: [asia-ai-daily]"),
            "asia-ai-daily is in not_again_from too, so none of its stories could be told",
        ),
    ],
)
def test_a_digest_is_the_best_of_others_whose_stories_it_may_tell(written: tuple[str, str, str], fault: str) -> None:
    good = load_plan(DIGEST % ("", "asia-ai-daily", ""), "schedule.yaml", Path())
    assert good.newsletters["digest"].stories.best_of == ("asia-ai-daily",)
    with pytest.raises(PlanError) as refused:
        load_plan(DIGEST % written, "schedule.yaml", Path())
    (problem,) = refused.value.problems
    assert (problem.line, problem.path, problem.message) == (5, "newsletters.digest.stories.best_of[0]", fault)


@pytest.mark.parametrize(
    ("segments", "missing"),
    [
        (("", ""), None),
        ((", segment: {frequency: daily}", ""), None),
        ((", segment: {frequency: daily}", ", segment: {frequency: weekly}"), None),
        ((", segment: {frequency: daily}", ", segment: {frequency: daily}"), "weekly"),
        ((", segment: {frequency: breaking}", ", segment: {frequency: [breaking]}"), "daily or weekly"),
    ],
)
def test_a_frequency_that_no_newsletter_serves_is_warned_of(segments: tuple[str, str], missing: str | None) -> None:
    plan = load_plan(DIGEST % (segments[0], "asia-ai-daily", segments[1]), "schedule.yaml", Path())
    said = f"schedule.yaml:3: newsletters: readers who chose {missing} get nothing: no segment has it as a frequency"
    assert plan.warnings == ((said,) if missing else ())
