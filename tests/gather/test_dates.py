from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.gather.dates import read_date
from newsletter.model import Precision


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("Thu, 21 Aug 2025 14:00:00 +0000", "2025-08-21T14:00:00"),
        ("Tue, 27 Dec 2005 13:08:54+0900", "2005-12-27T04:08:54"),
        ("Wed, 17 Jan 2018 15:50:00 EST", "2018-01-17T20:50:00"),
        ("Mon, 26 Sept 2005 10:00:00 GMT", "2005-09-26T10:00:00"),
        ("Seg, 24 Set 2018 19:42:40 -0300", "2018-09-24T22:42:40"),
        ("sáb., 24 févr. 2018 10:00 +0100", "2018-02-24T09:00:00"),
        ("05 December 99 23:59:60 Z", "1999-12-05T23:59:59"),
        ("2017-11-08T18:15:58-05:00", "2017-11-08T23:15:58"),
        ("2018-05-09 13:00:00 +0000", "2018-05-09T13:00:00"),
        ("2023-09-25T23:03:54.000Z", "2023-09-25T23:03:54"),
    ],
)
def test_an_exact_date_is_read_to_the_instant(written: str, instant: str) -> None:
    assert read_date(written) == (datetime.fromisoformat(instant).replace(tzinfo=UTC), Precision.EXACT)


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("15 Sept 2005", "2005-09-15T00:00:00"),
        ("2015-03-15", "2015-03-15T00:00:00"),
        ("2018-01-06T08:00", "2018-01-06T08:00:00"),
        ("Wed, 17 Jan 2018 15:50:00 IST", "2018-01-17T15:50:00"),
    ],
)
def test_without_a_zone_only_the_day_is_known(written: str, instant: str) -> None:
    assert read_date(written) == (datetime.fromisoformat(instant).replace(tzinfo=UTC), Precision.DAY)


@pytest.mark.parametrize(
    "written",
    ["", "yesterday", "Sat, 30 Feb 2018 10:00:00 GMT", "0001-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT",
     "9999-12-31T23:59:59-05:00", "03/04/2018", "24 Xyz 2018", "2018-13-01", "12 listopad 2018", "2018"],
)  # fmt: skip
def test_what_cannot_be_read_for_certain_is_no_date(written: str) -> None:
    assert read_date(written) is None


@given(st.text(alphabet="0123456789:-+ TZ,JanSetGMT.()", max_size=40))
def test_no_text_makes_it_fail(text: str) -> None:
    dated = read_date(text)
    assert dated is None or dated[0].tzinfo is UTC
