"""Segments: what they choose, and how their faults are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from subscribers.errors import SegmentError
from subscribers.segments import parse_segment


@dataclass
class Reader:
    frequency: str = "daily"
    countries: tuple[str, ...] | None = None
    language: str | None = None
    timezone: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


@pytest.mark.parametrize(
    ("segment", "reader", "chosen"),
    [
        ({}, Reader(), True),
        ({"frequency": "daily"}, Reader(), True),
        ({"frequency": "daily"}, Reader(frequency="weekly"), False),
        ({"frequency": ["daily", "weekly"]}, Reader(frequency="weekly"), True),
        ({"country_any": ["CN", "JP"]}, Reader(countries=("JP", "SG")), True),
        ({"country_any": ["CN", "JP"]}, Reader(countries=("SG",)), False),
        ({"country_any": "asia"}, Reader(countries=("asia",)), True),
        ({"country_any": ["CN"]}, Reader(), True),
        ({"language": "en"}, Reader(language="en-GB"), True),
        ({"language": "en"}, Reader(language="eng"), False),
        ({"language": "en"}, Reader(), True),
        ({"timezone": "Asia/Tokyo"}, Reader(timezone="Asia/Seoul"), False),
        ({"attributes": {"plan": ["gold", "silver"]}}, Reader(attributes={"plan": "gold"}), True),
        ({"attributes": {"plan": "gold", "year": 2026}}, Reader(attributes={"plan": "gold"}), False),
        ({"attributes": {"year": 2026}}, Reader(attributes={"year": "2026"}), True),
        ({"frequency": "daily", "language": "zh"}, Reader(language="en"), False),
        ({"any": [{"frequency": "weekly"}, {"country_any": ["CN"]}]}, Reader(countries=("CN",)), True),
        ({"any": [{"frequency": "weekly"}, {"country_any": ["CN"]}]}, Reader(countries=("JP",)), False),
        ({"all": [{"frequency": "daily"}, {"not": {"country_any": ["CN"]}}]}, Reader(countries=("JP",)), True),
        ({"not": {"frequency": "daily"}}, Reader(), False),
    ],
)
def test_chooses(segment: Mapping[str, object], reader: Reader, chosen: bool) -> None:
    assert parse_segment(segment).matches(reader) is chosen


@pytest.mark.parametrize(
    ("segment", "message"),
    [
        ({"frequencey": "daily"}, "segment.frequencey: unknown field; did you mean 'frequency'?"),
        ({"email": "a@b.c"}, "segment.email: unknown field; there are frequency, "),
        ({"frequency": "hourly"}, "segment.frequency: frequency 'hourly' is none of daily, weekly, breaking"),
        ({"country_any": []}, "segment.country_any: must name at least one value"),
        ({"country_any": [False]}, "segment.country_any: False is not text; put it in quotation marks"),
        ({"country_any": ["XX"]}, "segment.country_any: 'XX' is not an ISO 3166-1 country code"),
        ({"any": {"frequency": "daily"}}, "segment.any: must be a list of segments"),
        ({"all": [{}, {"lang": "en"}]}, "segment.all.1.lang: unknown field; did you mean 'language'?"),
        ({"attributes": "gold"}, "segment.attributes: must name attributes"),
        ({"attributes": {"plan": {"a": 1}}}, "segment.attributes.plan: {'a': 1} is not text"),
        (["daily"], "segment: must be a mapping"),
    ],
)
def test_faults_name_their_key(segment: object, message: str) -> None:
    with pytest.raises(SegmentError) as caught:
        parse_segment(segment)
    assert str(caught.value).startswith(message)
    assert caught.value.exit_code == 2


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(SegmentError) as caught:
        parse_segment({"frequency": "hourly", "country_any": ["XX", "YY"], "colour": "red"})
    assert [problem.path for problem in caught.value.problems] == [
        ("frequency",), ("country_any",), ("country_any",), ("colour",)
    ]  # fmt: skip


def test_deep_nesting_is_refused() -> None:
    segment: dict[str, object] = {"frequency": "daily"}
    for _ in range(5000):
        segment = {"not": segment}
    with pytest.raises(SegmentError, match="nested too deeply"):
        parse_segment(segment)


def test_a_rule_knows_whether_it_looks_at_attributes() -> None:
    deep = {"any": [{"not": {"attributes": {"plan": "gold"}}}, {"language": "en"}]}
    assert parse_segment(deep).uses_attributes
    assert not parse_segment({"frequency": "daily"}).uses_attributes
