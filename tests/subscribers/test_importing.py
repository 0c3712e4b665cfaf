"""Files coming in: what is taken, what is refused and where it goes, and that a second time changes nothing."""

from __future__ import annotations

import csv
import threading
import tracemalloc
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from subscribers.errors import FileError, PreferenceError
from subscribers.house import Subscribers
from subscribers.importing import ImportReport
from subscribers.model import Fate, Frequency, Status, Subscription
from subscribers.preferences import parse_instant
from subscribers.signups import Terms, sign_up
from subscribers.tables import metadata, subscriber_event

TERMS = Terms(known=frozenset({"asia-ai-daily", "breaking"}), regions=frozenset({"asia"}))
CONSENT = "confirmed,2026-01-02T03:04:05+08:00,trade fair"

Take = Callable[..., ImportReport]


@pytest.fixture
def take(house: Subscribers, tmp_path: Path, now: datetime) -> Take:
    def take(text: str | bytes, terms: Terms = TERMS, at: datetime = now, dry_run: bool = False) -> ImportReport:
        path = tmp_path / "list.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return house.import_file(path, terms, at, dry_run=dry_run)

    return take


def dump(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with engine.connect() as connection:
        return {
            name: [tuple(row) for row in connection.execute(select(table))] for name, table in metadata.tables.items()
        }


def rejected(tmp_path: Path) -> list[list[str]]:
    with (tmp_path / "list.csv.rejects.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def test_takes_every_column(take: Take, house: Subscribers) -> None:
    report = take(
        "\ufeffEmail,Newsletters,name,countries,frequency,language,timezone,status,consent_at,consent_source,Plan\r\n"
        f"ann@example.com, asia-ai-daily ; breaking ,Ann Lee,jp;CN;asia,weekly,zh-hans,Asia/Tokyo,{CONSENT},gold\r\n"
    )
    assert (report.rows, report.added, report.rejects) == (1, 1, None)
    held = house.find("ann@example.com")
    assert (held.name, held.attributes) == ("Ann Lee", {"Plan": "gold"})
    chosen = held.preferences
    assert (chosen.countries, chosen.frequency) == (("CN", "JP", "asia"), Frequency.WEEKLY)
    assert (chosen.language, chosen.timezone) == ("zh-Hans", "Asia/Tokyo")
    wanted = Subscription(Status.CONFIRMED, parse_instant("2026-01-01T19:04:05Z"), "trade fair")
    assert held.subscriptions == {"asia-ai-daily": wanted, "breaking": wanted}


def test_defaults(take: Take, house: Subscribers) -> None:
    take("email\nann@example.com\n\nbob@example.com", Terms(known=TERMS.known, newsletters=("breaking",)))
    held = house.find("bob@example.com")
    assert held.subscriptions == {"breaking": Subscription(Status.PENDING)}
    assert (held.preferences.countries, held.preferences.frequency) == (None, Frequency.DAILY)
    assert len(house.page()) == 2


def test_one_consent_source_for_the_whole_file(take: Take, house: Subscribers, now: datetime) -> None:
    text = "email,newsletters,status\nann@example.com,breaking,confirmed\n"
    assert take(text).refused == 1
    terms = Terms(known=TERMS.known, consent_source="moved from the old system")
    assert take(text, terms).added == 1
    assert house.find("ann@example.com").subscriptions["breaking"] == Subscription(
        Status.CONFIRMED, now, "moved from the old system"
    )
    assert take(text, terms, now + timedelta(days=1)).unchanged == 1


def test_importing_twice_changes_nothing(take: Take, engine: Engine, now: datetime) -> None:
    text = "email,newsletters,name,status,consent_at,consent_source,plan\n" + "".join(
        f"reader{n}@example.com,breaking,Reader {n},{CONSENT},gold\n" for n in range(2500)
    )
    first = take(text)
    held = dump(engine)
    second = take(text, at=now + timedelta(days=1))
    assert (first.added, second.unchanged, second.rows) == (2500, 2500, 2500)
    assert dump(engine) == held
    assert len(held["subscriber_event"]) == 2500


def test_a_changed_row_changes_only_what_it_says(take: Take, house: Subscribers) -> None:
    take("email,newsletters,name,countries,plan\nann@example.com,breaking,Ann,CN,gold\n")
    report = take("email,newsletters,name,countries,plan\nann@example.com,asia-ai-daily,,JP,\n")
    assert report.changed == 1
    held = house.find("ann@example.com")
    assert (held.name, held.preferences.countries, held.attributes) == ("Ann", ("JP",), {"plan": "gold"})
    assert set(held.subscriptions) == {"asia-ai-daily", "breaking"}
    history = house.show("ann@example.com")["history"]
    assert isinstance(history, list)
    assert history[-1]["fields"] == {"countries": [["CN"], ["JP"]]}


def test_the_same_address_twice_in_one_file(take: Take, house: Subscribers) -> None:
    report = take(
        "email,newsletters,name\nann@example.com,breaking,Ann\nann@EXAMPLE.com,asia-ai-daily,Ann\n"
        "ann@example.com,breaking,Ann\n"
    )
    assert (report.added, report.changed, report.unchanged) == (1, 1, 1)
    assert set(house.find("ann@example.com").subscriptions) == {"asia-ai-daily", "breaking"}


def test_nobody_is_revived(take: Take, house: Subscribers, engine: Engine, now: datetime) -> None:
    take(f"email,newsletters,status,consent_at,consent_source\nann@example.com,breaking,{CONSENT}\n")
    house.unsubscribe("ann@example.com", None, now)
    house.suppress("bob@example.com", "complaint", now)
    before = dump(engine)
    report = take(
        "email,newsletters,name,status,consent_at,consent_source\n"
        f"ann@example.com,breaking,Ann,{CONSENT}\nbob@EXAMPLE.com,breaking,Bob,{CONSENT}\n"
    )
    assert (report.already_unsubscribed, report.suppressed, report.rows) == (1, 1, 2)
    assert dump(engine) == before


BAD_ROWS = {
    "not-an-address,breaking,x,,": "is not an address",
    ",breaking,x,,": "is not an address",
    "a@example.com,nothing,x,,": "no newsletter is named 'nothing'; there are asia-ai-daily, breaking",
    "a@example.com,,x,,": "no newsletter is named",
    "a@example.com,breaking,x,XX,": "'XX' is not an ISO 3166-1 country code",
    "a@example.com,breaking,x,,confirmed": "confirmed needs both consent_at and consent_source",
    "a@example.com,breaking,x,,unsubscribed": "status 'unsubscribed' is neither confirmed nor pending",
    "a@example.com,breaking,x,,,more": "6 fields where the header names 5",
    "a@example.com,breaking,A\x00B,,": "control character",
    'a@example.com,breaking,"x"y,,': "broken quoting",
    'a@example.com,breaking,"never closed,,': "broken quoting",
    f"a@example.com,breaking,{'x' * 201},,": "the name has 201 characters; 200 is the most",
}


def test_bad_rows_go_to_the_rejects_and_the_rest_is_taken(take: Take, house: Subscribers, tmp_path: Path) -> None:
    good = [f"good{n}@example.com,breaking,Good,CN," for n in range(len(BAD_ROWS))]
    lines = [line for pair in zip(BAD_ROWS, good, strict=True) for line in pair]
    report = take("\n".join(["email,newsletters,name,countries,status", *lines]))
    assert (report.rows, report.added, report.refused) == (2 * len(good), len(good), len(good))
    assert report.rejects == tmp_path / "list.csv.rejects.csv"
    assert report.rejects.stat().st_mode & 0o777 == 0o600
    header, *rows = rejected(tmp_path)
    assert header == ["row", "reason", "email", "newsletters", "name", "countries", "status"]
    assert [int(row[0]) for row in rows] == [*range(2, 2 + 2 * len(good), 2)]
    assert [refused.line for refused in report.refusals] == [int(row[0]) for row in rows]
    for row, (line, reason) in zip(rows, BAD_ROWS.items(), strict=True):
        assert reason in row[1]
        assert row[2:] == ([line] if "broken quoting" in reason else line.split(","))
    assert len(house.page(limit=100)) == len(good)


def test_a_mended_rejects_file_can_be_imported(take: Take, house: Subscribers, tmp_path: Path) -> None:
    take("email,newsletters,plan\nann@@example.com,breaking,gold\n")
    mended = (tmp_path / "list.csv.rejects.csv").read_text().replace("@@", "@")
    report = take(mended)
    assert (report.added, report.rejects) == (1, None)
    assert house.find("ann@example.com").attributes == {"plan": "gold"}
    assert not (tmp_path / "list.csv.rejects.csv").exists()


def test_broken_quoting_never_swallows_the_next_rows(take: Take, house: Subscribers) -> None:
    rows = "".join(f"r{n}@example.com,breaking,Reader {n}\n" for n in range(60))
    report = take(f'email,newsletters,name\nann@example.com,breaking,"Ann\n{rows}bob@example.com,breaking,"Bob"\n')
    assert (report.added, report.refused) == (61, 1)
    assert report.refusals[0].line == 2


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffname;email;newsletters;countries\r\nJürgen, Dr.;ann@example.com;breaking,asia-ai-daily;CN,JP\r\n",
        'name;email;newsletters;countries\r\nJürgen, Dr.;ann@example.com;"breaking;asia-ai-daily";"CN;JP"\r\n',
        "name\temail\tnewsletters\tcountries\nJürgen, Dr.\tann@example.com\tbreaking;asia-ai-daily\tCN;JP\n",
    ],
)
def test_columns_may_be_parted_by_semicolons_or_tabs(
    take: Take, house: Subscribers, tmp_path: Path, content: str
) -> None:
    report = take(content)
    held = house.find("ann@example.com")
    assert (report.added, held.name) == (1, "Jürgen, Dr.")
    assert held.preferences.countries == ("CN", "JP")
    assert set(held.subscriptions) == {"breaking", "asia-ai-daily"}
    assert take(content).unchanged == 1


def test_rejects_of_a_file_parted_by_semicolons_can_be_mended_and_imported(
    take: Take, house: Subscribers, tmp_path: Path
) -> None:
    take("email;newsletters;name\nnobody;breaking;A, B\n")
    header, row = rejected(tmp_path)
    assert header == ["row", "reason", "email", "newsletters", "name"]
    assert row[2:] == ["nobody", "breaking", "A, B"]


def test_a_quoted_field_may_run_over_lines(take: Take, house: Subscribers, tmp_path: Path) -> None:
    report = take('email,newsletters,note\nann@example.com,breaking,"one\r\ntwo, ""three"""\nbad,breaking,"x\ny"\n')
    assert house.find("ann@example.com").attributes == {"note": 'one\r\ntwo, "three"'}
    assert [refused.line for refused in report.refusals] == [4]
    assert rejected(tmp_path)[1][2:] == ["bad", "breaking", "x\ny"]


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"", 1, "the file is empty"),
        (b"name,newsletters\nAnn,breaking\n", 1, "none is named email"),
        (b"email,newsletters\na@example.com,breaking\nb\xe9a@example.com,\n", 3, "byte 2 of the line is not UTF-8"),
        ("email,newsletters\n".encode("utf-16"), 1, "this is UTF-16"),
        (b"PK\x03\x04\x14\x00\x06\x00\x08\x00\xff\xd8", 1, "is not UTF-8"),
        (b"\x00\x01\x02\x03\n\x00", 1, "none is named email"),
        (b"email,email,newsletters\n", 1, "two columns are named 'email'"),
        (b"email,,newsletters\n", 1, "column 2 has no name"),
        (b"email,newsletters,a\x00b\n", 1, "control character"),
        (b'email,"newsletters\nann@example.com,breaking\n', 1, "broken quoting"),
        (b"email\nann@example.com\n", 1, "--newsletter NAME"),
        (b"email,newsletters\n" + b"x" * (1 << 20) + b"y\n", 2, "longer than 1,048,576 bytes"),
    ],
)  # fmt: skip
def test_wholly_bad_files(take: Take, engine: Engine, content: bytes, line: int, message: str) -> None:
    with pytest.raises(FileError) as caught:
        take(content)
    assert message in str(caught.value)
    assert f"list.csv:{line}: " in str(caught.value)
    assert caught.value.exit_code == 2
    assert not any(dump(engine).values())


def test_a_file_that_is_not_there(house: Subscribers, tmp_path: Path, now: datetime) -> None:
    with pytest.raises(FileError, match=r"none\.csv: cannot be read: No such file"):
        house.import_file(tmp_path / "none.csv", TERMS, now)


def test_unknown_newsletters_of_the_caller(take: Take) -> None:
    with pytest.raises(PreferenceError, match="no newsletter is named 'nothing'"):
        take("email\nann@example.com\n", Terms(known=TERMS.known, newsletters=("nothing",)))


def test_a_dry_run_writes_nothing(take: Take, engine: Engine, tmp_path: Path) -> None:
    text = "email,newsletters\nann@example.com,breaking\nbad,breaking\nann@example.com,breaking\n"
    database = (tmp_path / "newsletter.db").read_bytes()
    planned = take(text, dry_run=True)
    assert (tmp_path / "newsletter.db").read_bytes() == database
    assert sorted(path.name for path in tmp_path.iterdir()) == ["list.csv", "newsletter.db"]
    done = take(text)
    keys = [str(fate) for fate in Fate]
    assert [planned.as_json()[key] for key in keys] == [done.as_json()[key] for key in keys]
    assert (planned.dry_run, planned.rejects, len(planned.refusals)) == (True, None, 1)


def test_progress_counts_bytes(house: Subscribers, tmp_path: Path, now: datetime) -> None:
    path = tmp_path / "list.csv"
    path.write_text("email,newsletters\n" + "".join(f"r{n}@example.com,breaking\n" for n in range(1500)))
    seen: list[tuple[int, int]] = []
    house.import_file(path, TERMS, now, progress=lambda done, total: seen.append((done, total)))
    size = path.stat().st_size
    assert len(seen) == 2
    assert seen[0][0] < seen[1][0] == size
    assert {total for _, total in seen} == {size}


def test_memory_does_not_grow_with_the_file(
    house: Subscribers, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subscribers.importing._BATCH", 100)

    def peak(rows: int) -> int:
        path = tmp_path / f"{rows}.csv"
        with path.open("w") as stream:
            stream.write("email,newsletters,name\n")
            stream.writelines(f"r{n}@mail{rows}.example.com,breaking,Reader {n}\n" for n in range(rows))
        tracemalloc.start()
        assert house.import_file(path, TERMS, now).added == rows
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(100)
    small = peak(300)
    assert peak(1500) < 1.5 * small


def test_a_field_too_large_to_read(take: Take) -> None:
    report = take(f"email,newsletters,note\nann@example.com,breaking,{'x' * 140_000}\nbob@example.com,breaking,\n")
    assert (report.added, report.refused) == (1, 1)
    assert "field larger than field limit" in report.refusals[0].reason


def test_the_readers_choice_outlasts_an_import(take: Take, house: Subscribers, now: datetime) -> None:
    text = "email,newsletters,countries\nann@example.com,breaking,CN\n"
    take(text)
    house.set_preferences(1, house.preferences(1), now)
    assert take(text.replace("CN", "JP")).unchanged == 1
    assert house.preferences(1).countries == ("CN",)


def test_history_names_the_file(take: Take, house: Subscribers, engine: Engine) -> None:
    take("email,newsletters\nann@example.com,breaking\n")
    assert house.show("ann@example.com")["history"][0]["how"] == "import list.csv"  # type: ignore[index]
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(subscriber_event)) == 1


def test_added_by_hand_and_imported_are_one(take: Take, house: Subscribers, now: datetime) -> None:
    house.add(sign_up("ann@example.com", ["breaking"], name="Ann"), now)
    assert take("email,newsletters,name\nann@Example.com,breaking,Ann\n").unchanged == 1


def test_unsubscribes_during_an_import_stay(
    house: Subscribers, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The import reads "pending", the reader leaves, the import would write "confirmed"."""
    monkeypatch.setattr("subscribers.importing._BATCH", 20)
    addresses = [f"r{n}@example.com" for n in range(200)]
    for status in ("pending", "confirmed"):
        (tmp_path / f"{status}.csv").write_text(
            "email,newsletters,status,consent_at,consent_source\n"
            + "".join(f"{address},breaking,{status},2026-01-01,form\n" for address in addresses)
        )
    house.import_file(tmp_path / "pending.csv", TERMS, now)
    importing = threading.Thread(target=house.import_file, args=(tmp_path / "confirmed.csv", TERMS, now))
    importing.start()
    for address in addresses[::5]:
        house.unsubscribe(address, None, now)
    importing.join()
    assert house.count("breaking") == {Status.PENDING: 0, Status.CONFIRMED: 160, Status.UNSUBSCRIBED: 40}
