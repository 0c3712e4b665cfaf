"""Files going out: what comes out goes in again, and spreadsheets calculate nothing."""

from __future__ import annotations

import csv
import stat
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine

from subscribers.errors import FileError
from subscribers.exporting import spreadsheet_safe
from subscribers.house import Subscribers
from subscribers.model import PENDING, SignUp, Status, Subscriber, Subscription
from subscribers.signups import COLUMNS, Terms, sign_up

TERMS = Terms(known=frozenset({"daily", "weekly", "breaking"}))

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
NAMES = st.text("Aé李 ,;\"'=+-@", max_size=12)
ATTRIBUTES = st.dictionaries(st.sampled_from(["plan", "note, long", 'quo"te', "=x"]), TEXT, max_size=3)
CONFIRMED = st.builds(
    Subscription,
    st.just(Status.CONFIRMED),
    st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(["form", "fair, hall 3", '"quoted"', "=SUM(A1)"]),
)


@st.composite
def signups(draw: st.DrawFn) -> SignUp:
    return sign_up(
        f"reader{draw(st.integers(0, 6))}@{draw(st.sampled_from(['example.com', 'bücher.example']))}",
        draw(st.lists(st.sampled_from(sorted(TERMS.known)), min_size=1, max_size=3)),
        name=draw(NAMES),
        countries=draw(st.lists(st.sampled_from(["CN", "JP", "SG"]), max_size=3)),
        frequency=draw(st.sampled_from(["daily", "weekly", "breaking", ""])),
        language=draw(st.sampled_from(["en", "zh-Hans", ""])),
        timezone=draw(st.sampled_from(["Asia/Tokyo", ""])),
        attributes=draw(ATTRIBUTES),
        wanted=draw(st.just(PENDING) | CONFIRMED),
    )


def people(house: Subscribers) -> Mapping[str, tuple[object, ...]]:
    return {held.address.key: _told(held) for held in house.page(limit=1000)}


def _told(held: Subscriber) -> tuple[object, ...]:
    return held.email, held.name, held.preferences, held.attributes, held.subscriptions


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(signups(), max_size=6))
def test_what_comes_out_goes_in_again(empty_database: bytes, asked: list[SignUp]) -> None:
    now = datetime(2026, 5, 27, tzinfo=UTC)
    with tempfile.TemporaryDirectory() as folder:
        engines = []
        for name in ("here.db", "there.db"):
            (Path(folder) / name).write_bytes(empty_database)
            engines.append(create_engine(f"sqlite:///{Path(folder) / name}"))
        here, there = map(Subscribers, engines)
        for signup in asked:
            here.add(signup, now)
        file = Path(folder) / "all.csv"
        rows = here.export_file(file)
        before = [here.show(held.email) for held in here.page()]
        again = here.import_file(file, TERMS, now)
        assert (again.rows, again.unchanged) == (rows, rows)
        assert [here.show(held.email) for held in here.page()] == before
        assert there.import_file(file, TERMS, now).refused == 0
        assert people(there) == people(here)
        for engine in engines:
            engine.dispose()


def read(path: Path, encoding: str = "utf-8") -> list[list[str]]:
    with path.open(encoding=encoding, newline="") as stream:
        return list(csv.reader(stream))


def test_only_live_subscriptions_come_out(house: Subscribers, tmp_path: Path, now: datetime) -> None:
    for name in ("ann", "bob", "eve"):
        house.add(sign_up(f"{name}@example.com", ["daily", "weekly"]), now)
    house.unsubscribe("ann@example.com", "daily", now)
    house.unsubscribe("bob@example.com", None, now)
    house.suppress("eve@example.com", "complaint", now)
    assert house.export_file(tmp_path / "out.csv") == 1
    header, row = read(tmp_path / "out.csv")
    assert header == list(COLUMNS)
    assert row[:2] == ["ann@example.com", "weekly"]


def test_an_empty_house_gives_a_header(house: Subscribers, tmp_path: Path) -> None:
    assert house.export_file(tmp_path / "out.csv") == 0
    assert read(tmp_path / "out.csv") == [list(COLUMNS)]


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_formulas_are_inert(house: Subscribers, tmp_path: Path, now: datetime, first: str) -> None:
    formula = f"{first}cmd|'/c calc'!A1"
    house.add(sign_up("=x@example.com", ["daily"], attributes={"note": formula, "list": f"a;{formula}"}), now)
    house.export_file(tmp_path / "out.csv", safe=True)
    header, row = read(tmp_path / "out.csv", "utf-8-sig")
    cells = dict(zip(header, row, strict=True))
    assert cells["note"] == f"'{formula}"
    assert cells["list"] == f"a;'{formula}"
    assert cells["email"] == "'=x@example.com"
    house.export_file(tmp_path / "plain.csv")
    assert read(tmp_path / "plain.csv")[1][-1] == formula


@given(TEXT)
def test_no_cell_starts_a_formula(cell: str) -> None:
    safe = spreadsheet_safe(cell)
    assert not any(part.startswith(tuple("=+-@\t\r＝")) for part in safe.split(";"))
    assert safe == cell or "'" in safe


def test_column_names_are_made_inert_too(house: Subscribers, tmp_path: Path, now: datetime) -> None:
    house.add(sign_up("ann@example.com", ["daily"], attributes={"=1+1": "x"}), now)
    house.export_file(tmp_path / "out.csv", safe=True)
    assert read(tmp_path / "out.csv", "utf-8-sig")[0][-1] == "'=1+1"


def test_the_file_is_for_its_owner_only(house: Subscribers, tmp_path: Path) -> None:
    house.export_file(tmp_path / "out.csv")
    assert stat.S_IMODE((tmp_path / "out.csv").stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["newsletter.db", "out.csv"]


def test_a_folder_that_is_not_there(house: Subscribers, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be written: No such file or directory"):
        house.export_file(tmp_path / "none" / "out.csv")


def test_pages_lose_nobody(house: Subscribers, tmp_path: Path, now: datetime) -> None:
    source = tmp_path / "list.csv"
    source.write_text("email,newsletters\n" + "".join(f"r{n}@example.com,daily\n" for n in range(2300)))
    house.import_file(source, TERMS, now)
    seen: list[tuple[int, int]] = []
    assert house.export_file(tmp_path / "out.csv", progress=lambda *done: seen.append(done)) == 2300
    assert seen == [(1000, 2300), (2000, 2300), (2300, 2300)]
    assert len({row[0] for row in read(tmp_path / "out.csv")[1:]}) == 2300
