"""Files of subscribers through the screens: looked at, imported once, given out; who may not do that gets nowhere."""

from __future__ import annotations

import csv
import io
import os
import re
import stat
import threading
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from newsletter.newsroom import Newsroom
from newsletter.newsroom.readership import importing, imports
from newsletter.newsroom.readership.imports import Stage
from newsletter.storage import Role
from newsletter.web.app import make_app
from newsletter.web.guard import MOST_UPLOADED
from subscribers.exporting import _PAGE

from .browsing import faults, served
from .conftest import NEWSLETTER, Visitor, dump

GOOD = """\
email,newsletters,status,plan
ann@example.com,asia-ai-daily,pending,gold
mei.tan@example.com,asia-ai-daily,,
"""
MIXED = GOOD + "nonsense,asia-ai-daily,,\nbob@example.com,no-such,,\n=cmd()@x,asia-ai-daily,,\n"


@pytest.fixture
def admin(review: Newsroom) -> Visitor:
    return Visitor(review).enter(Role.ADMIN)


def bring(visitor: Visitor, data: str | bytes, name: str = "readers.csv", **fields: Any) -> Any:
    form = {"token": visitor.token, **fields}
    content = data if isinstance(data, bytes) else data.encode()
    return visitor.http.post("/subscribers/import", data=form, files={"file": (name, content, "text/csv")})


def brought(visitor: Visitor, data: str | bytes, **fields: Any) -> str:
    """Bring a file and wait until it was looked at; its address."""
    answer = bring(visitor, data, **fields)
    assert answer.status_code == 303, answer.text
    address = str(answer.headers["location"])
    settled(visitor.room, address)
    return address


def settled(room: Newsroom, address: str) -> imports.Brought:
    end = time.monotonic() + 30
    while (found := imports.find(room, address.rpartition("/")[2])).at_work:
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def figures(page: str) -> dict[str, int]:
    rows = re.findall(r'<th scope="row">([A-Z][a-z ]+)</th><td class="figure" data-name="Rows">([\d,]+)', page)
    return {name: int(number.replace(",", "")) for name, number in rows}


def test_a_file_is_looked_at_and_nothing_is_imported_by_that(review: Newsroom, admin: Visitor) -> None:
    before = [line for line in dump(review) if 'INTO "subscri' in line]
    address = brought(admin, MIXED)
    page = admin.http.get(address).text
    assert figures(page) == {
        "Added": 1,
        "Changed": 0,
        "Unchanged": 1,
        "Unsubscribed before": 0,
        "Suppressed": 0,
        "Refused": 3,
    }
    assert "no newsletter is named &#39;no-such&#39;" in page
    assert "Import for real" in page
    assert [line for line in dump(review) if 'INTO "subscri' in line] == before
    listed = admin.http.get("/subscribers/import").text
    assert address in listed
    assert "looked at, not imported" in listed


def test_then_it_is_imported_once_however_often_the_form_is_sent(review: Newsroom, admin: Visitor) -> None:
    address = brought(admin, MIXED, newsletter=NEWSLETTER)
    folder = review.desk / ".imports" / address.rpartition("/")[2]
    assert stat.S_IMODE(folder.parent.stat().st_mode) == stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "readers.csv").stat().st_mode) == 0o600
    for _ in range(3):
        assert admin.order(address, act="import").headers["location"] == address
        settled(review, address)
    page = admin.http.get(address).text
    assert "Imported." in page
    assert figures(page)["Added"] == 1
    shown = review.subscribers.show("ann@example.com")
    assert shown["attributes"] == {"plan": "gold"}
    assert [line["how"] for line in shown["history"]] == ["import readers.csv"]  # type: ignore[attr-defined]
    assert not (folder / "readers.csv").exists(), "the addresses are in the database now"
    kinds = [line.kind for line in review.audit.lines(limit=20)]
    assert kinds.count("subscriber_upload") == 1
    assert "subscriber_file_order" in kinds
    assert admin.order(address, act="drop").headers["location"] == "/subscribers/import"
    assert admin.http.get(address).status_code == 404
    assert not folder.exists()


def test_rejects_come_as_a_file_that_can_be_mended(admin: Visitor) -> None:
    address = brought(admin, MIXED)
    plain = admin.http.get(f"{address}/rejects")
    assert plain.headers["content-disposition"] == "attachment; filename*=utf-8''readers.rejects.csv"
    rows = list(csv.reader(io.StringIO(plain.text)))
    assert rows[0] == ["row", "reason", "email", "newsletters", "status", "plan"]
    assert [row[0] for row in rows[1:]] == ["4", "5", "6"]
    safe = admin.http.get(f"{address}/rejects?for=spreadsheet").content.decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(safe)))[3][2] == "'=cmd()@x"
    assert admin.http.get(f"{brought(admin, GOOD)}/rejects").status_code == 404


def test_newsletters_and_consent_are_said_for_the_whole_file(review: Newsroom, admin: Visitor) -> None:
    bare = "email,status\nann@example.com,confirmed\n"
    page = admin.http.get(brought(admin, bare)).text
    assert "there is no column newsletters" in page
    assert "Import for real" not in page
    address = brought(admin, bare, newsletter=NEWSLETTER, consent_source="fair, hall 3")
    admin.order(address, act="import")
    settled(review, address)
    assert review.subscribers.show("ann@example.com")["subscriptions"] == {NEWSLETTER: "confirmed"}
    assert "no newsletter is named" in admin.http.get(brought(admin, GOOD, newsletter="x")).text


HOSTILE = {
    "not UTF-8": (b"email,newsletters\n\xe9@example.com,asia-ai-daily\n", "byte 1 of the line is not UTF-8"),
    "UTF-16": (GOOD.encode("utf-16"), "this is UTF-16"),
    "empty": (b"", "the file is empty"),
    "one column": (b"address\nann@example.com\n", "none is named email"),
    "a huge line": (b"email,newsletters\n" + b"x" * 2_000_000 + b"\n", "the line is longer than"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "is not UTF-8"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_file_that_is_no_table_is_refused_as_a_whole(review: Newsroom, admin: Visitor, case: str) -> None:
    data, why = HOSTILE[case]
    page = admin.http.get(address := brought(admin, data))
    assert page.status_code == 200
    assert why in page.text
    assert str(review.desk) not in page.text
    assert admin.order(address, act="import").status_code == 409


def test_rows_that_cannot_be_taken_cost_themselves_only(review: Newsroom, admin: Visitor) -> None:
    rows = ["nul\0@example.com,N,", "nul2@example.com,N,a\0b", "<b>x</b>@example.com,N,", '"broken,N,']
    rows += ["a" * 70_000 + ",N,", "fine@example.com,N,=1+1"]
    data = "email,newsletters,name\n" + "\n".join(rows).replace("N", NEWSLETTER)
    address = brought(admin, data)
    page = admin.http.get(address).text
    assert "<b>x</b>" not in page
    assert figures(page)["Refused"] == 5
    admin.order(address, act="import")
    settled(review, address)
    assert review.subscribers.show("fine@example.com")["name"] == "=1+1"
    assert "'=1+1" in admin.order("/subscribers/export", **{"for": "spreadsheet"}).text


@pytest.mark.parametrize(
    ("name", "kept"),
    [("../../etc/passwd", "passwd.csv"), ("C:\\Users\\me\\a b.csv", "a-b.csv"), ("note.json", "note.json.csv"),
     ("rejects.csv", "subscribers.csv"), ("...", "subscribers.csv"), ("x" * 400 + ".csv", "x" * 60 + ".csv"),
     ("<img src=x>.csv", "img-src-x-.csv"), ("읽는이.csv", "읽는이.csv")],
)  # fmt: skip
def test_a_name_leads_nowhere(review: Newsroom, admin: Visitor, name: str, kept: str) -> None:
    answer = bring(admin, GOOD, name=name)
    found = settled(review, answer.headers["location"])
    assert found.name == kept
    assert (review.desk / ".imports" / found.id / kept).is_file()


def test_numbers_that_are_none_lead_nowhere(admin: Visitor) -> None:
    for number in ("0" * 16, "x", "%2e%2e%2fx", "A" * 16):
        assert admin.http.get(f"/subscribers/import/{number}").status_code == 404
        assert admin.order(f"/subscribers/import/{number}", act="import").status_code == 404


def test_only_so_many_are_kept_and_none_for_longer_than_a_day(review: Newsroom, admin: Visitor) -> None:
    addresses = [brought(admin, GOOD) for _ in range(imports.MOST_KEPT + 2)]
    folder = review.desk / ".imports"
    assert len(list(folder.iterdir())) == imports.MOST_KEPT
    assert admin.http.get(addresses[0]).status_code == 404
    long_ago = time.time() - imports.KEPT_FOR - 60
    os.utime(folder / addresses[-1].rpartition("/")[2], (long_ago, long_ago))
    imports.sweep(review)
    assert len(list(folder.iterdir())) == imports.MOST_KEPT - 1


@pytest.fixture
def slow(review: Newsroom, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Whatever reads a file waits halfway until the event is set."""
    go, real = threading.Event(), review.subscribers.import_file

    def halfway(*args: Any, progress: Any, **kwargs: Any) -> Any:
        progress(1, 2)
        assert go.wait(30)
        return real(*args, progress=progress, **kwargs)

    monkeypatch.setattr(review.subscribers, "import_file", halfway)
    monkeypatch.setattr(imports, "PATIENCE", 0.1)
    yield go
    go.set()


def test_a_long_one_shows_how_far_it_is_and_goes_on_by_itself(
    review: Newsroom, admin: Visitor, slow: threading.Event
) -> None:
    address = bring(admin, GOOD).headers["location"]
    page = admin.http.get(address).text
    assert 'value="50"' in page
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in page
    assert 'hx-trigger="every 1s"' in page
    assert admin.order(address, act="drop").status_code == 409
    assert admin.order(address, act="import").status_code in (303, 409)
    slow.set()
    assert settled(review, address).stage is Stage.LOOKED
    slow.clear()
    for _ in range(3):
        admin.order(address, act="import")
    assert "The rows are being imported: 50 %" in admin.http.get(address).text
    slow.set()
    assert settled(review, address).stage is Stage.IMPORTED
    assert len(review.subscribers.show("ann@example.com")["history"]) == 1  # type: ignore[arg-type]


def test_one_cut_short_is_told_and_repeated(review: Newsroom, admin: Visitor) -> None:
    address = brought(admin, GOOD)
    found = imports.find(review, address.rpartition("/")[2])
    imports._note(review, imports.replace(found, stage=Stage.IMPORTING, share=0.4))  # as a kill leaves it
    page = admin.http.get(address).text
    assert "It was cut short" in page
    assert "Import the rest" in page
    admin.order(address, act="import")
    assert settled(review, address).stage is Stage.IMPORTED


def test_what_breaks_is_told_without_its_insides(
    review: Newsroom, admin: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = brought(admin, GOOD)
    monkeypatch.setattr(review.subscribers, "import_file", lambda *_, **__: 1 / 0)
    admin.order(address, act="import")
    settled(review, address)
    page = admin.http.get(address).text
    assert "it was written to the log" in page
    assert "division" not in page
    assert "Import the rest" in page


@pytest.mark.parametrize("role", [None, Role.VIEWER, Role.EDITOR, Role.APPROVER])
def test_whoever_may_not_is_refused_before_the_file_is_taken(review: Newsroom, role: Role | None) -> None:
    visitor = Visitor(review)
    if role is not None:
        visitor.enter(role)
    assert asked(visitor, {}) == (401 if role is None else 403)


def test_another_site_is_refused_before_the_file_is_taken(admin: Visitor) -> None:
    assert asked(admin, {"origin": "https://evil.example"}) == 403
    assert asked(admin, {"sec-fetch-site": "cross-site"}) == 403


def asked(visitor: Visitor, headers: dict[str, str]) -> int:
    """The answer to a long upload of which nothing may be read."""
    import anyio

    told: list[Any] = []
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.http.cookies.items())
    sent = {"host": "127.0.0.1:8000", "content-type": "multipart/form-data; boundary=x", "cookie": cookie, **headers}
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/subscribers/import",
        "raw_path": b"",
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "client": ("192.0.2.7", 1),
        "server": ("h", 1),
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
    }

    async def receive() -> Any:
        raise AssertionError("the body was asked for")

    async def send(message: Any) -> None:
        told.append(message)

    anyio.run(make_app(visitor.room), scope, receive, send)
    return int(told[0]["status"])


@pytest.mark.parametrize("token", ["", "0" * 40])
def test_without_the_token_the_file_is_not_taken(review: Newsroom, admin: Visitor, token: str) -> None:
    def body() -> Iterator[bytes]:
        yield b'--x\r\ncontent-disposition: form-data; name="token"\r\n\r\n' + token.encode() + b"\r\n"
        yield b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        for _ in range(100):
            yield b"x" * 65536
        yield b"\r\n--x--\r\n"

    kind = {"content-type": "multipart/form-data; boundary=x"}
    answer = admin.http.post("/subscribers/import", content=body(), headers=kind)
    assert answer.status_code == 403
    assert not (review.desk / ".imports").exists()
    late = b"".join(body()).replace(b"x--\r\n", b"x\r\n") + (
        b'content-disposition: form-data; name="token"\r\n\r\n' + admin.token.encode() + b"\r\n--x--\r\n"
    )
    assert admin.http.post("/subscribers/import", content=late, headers=kind).status_code == 403


def test_a_file_too_large_is_refused(review: Newsroom, admin: Visitor) -> None:
    assert bring(admin, b"x" * (MOST_UPLOADED + 70_000)).status_code == 413
    assert admin.http.post("/subscribers/export", content=b"x" * 100_000).status_code == 413
    assert not (review.desk / ".imports").exists()
    two = {"file": ("a.csv", GOOD), "more": ("b.csv", GOOD)}
    assert admin.http.post("/subscribers/import", data={"token": admin.token}, files=two).status_code == 400
    assert admin.order("/subscribers/import").status_code == 400
    assert admin.http.post("/subscribers/one", data={"token": admin.token}, files={"f": ("a", b"x")}).status_code == 400


def test_an_export_is_what_an_import_takes_and_is_audited(review: Newsroom, admin: Visitor) -> None:
    answer = admin.order("/subscribers/export")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(
        r"attachment; filename\*=utf-8''subscribers-\d{4}-\d\d-\d\d\.csv", answer.headers["content-disposition"]
    )
    line = review.audit.lines(limit=1)[0]
    assert (line.kind, line.who, line.remark) == ("subscriber_export", "admin@desk.example", "as it is")
    page = admin.http.get(brought(admin, answer.text)).text
    told = figures(page)
    assert told["Unchanged"] > 20
    assert told["Added"] == told["Changed"] == told["Refused"] == 0


def test_an_export_of_many_is_made_piece_by_piece(review: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f"r{n}@example.com,{NEWSLETTER}\n" for n in range(20_000))
    file = review.desk / "many.csv"
    file.write_text(f"email,newsletters\n{rows}", encoding="utf-8")
    importing.take_in(review, file, newsletters=(), consent_source=None)
    peaks = []
    for _ in range(2):
        pieces = review.subscribers.export_text()
        assert next(pieces).startswith("email,")
        tracemalloc.start()
        longest = max(piece.count("\n") for piece in pieces)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert longest <= _PAGE
    assert max(peaks) < 8_000_000, "of 20,000 rows a thousand are held"


def test_the_screens_are_whole(review: Newsroom, browser: Any) -> None:
    """Chosen, looked at and imported in a browser, with scripts and without; axe finds nothing."""
    chief = review.accounts.add("chief@desk.example", Role.ADMIN, review.clock.now())
    with served(review) as address:
        for scripts in (True, False):
            context = browser.new_context(color_scheme="dark" if scripts else "light", java_script_enabled=scripts)
            page = context.new_page()
            link = review.accounts.make_login_link(chief, review.clock.now())
            page.goto(f"{address}/login/link/{link}")
            page.goto(f"{address}/subscribers/import")
            data = MIXED.replace("ann@", f"ann{scripts}@").encode()
            page.set_input_files("input[type=file]", {"name": "list.csv", "mimeType": "text/csv", "buffer": data})
            assert not scripts or faults(page) == []
            page.click("text=Look at the file")
            page.wait_for_selector("text=Import for real")
            assert not scripts or faults(page) == []
            page.click("text=Import for real")
            page.wait_for_selector("text=Imported.")
            page.goto(f"{address}/subscribers")
            assert not scripts or faults(page) == []
            if scripts:
                page.click("summary:has-text('Export')")
                with page.expect_download() as download:
                    page.click("text=As it is imported")
                assert download.value.suggested_filename.startswith("subscribers-")
            context.close()
