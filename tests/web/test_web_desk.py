"""The desk's screens, on a desk with a real issue."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest

from newsletter.errors import SettingError
from newsletter.model import Finding, IssueState, Severity, Story
from newsletter.newsroom import Newsroom, desks
from newsletter.newsroom.dispatch import correcting
from newsletter.newsroom.issue import editing, issues, preflight, previews
from newsletter.newsroom.planning import scheduling
from newsletter.storage import Role
from newsletter.web.desk.issue.preview import Preview, framed
from newsletter.web.desk.issue.spots import spots_of
from newsletter.web.figures import Checked

from .conftest import FLAGS, ISSUE, NEWSLETTER, Visitor, also_in_arabic

EVIL = (
    "<script>top.pwned=1</script>",
    '"><img src=x onerror=top.pwned=1>',
    "</title></textarea></style><svg onload=top.pwned=1>",
    "{{ 7*7 }}{% raw %}${7*7}",
    "javascript:top.pwned=1",
)


def evil_stories(now: datetime) -> list[Story]:
    """Stories whose every field tries to be markup, a template or a script."""
    return [
        Story(
            source="evil",
            external_id=f"{number} {text}",
            url="https://outlet.example/",
            title=text,
            summary=text,
            outlet=text,
            section=text,
            country="CN",
            tags=(text,),
            byline=(text,),
            note=(text,),
            note_approved_by=text,
            published_at=now - timedelta(minutes=1),
        )
        for number, text in enumerate(EVIL)
    ]


def test_the_list_says_what_an_editor_needs(review: Newsroom) -> None:
    page = Visitor(review).enter(Role.VIEWER).http.get("/issues").text
    row = page[page.index("<tbody>") :]
    for words in ("Asia AI Daily, Wed 27 May", "07:00 Singapore", "in review", ">14<", ">22<", "—"):
        assert words in row


def test_an_empty_desk_teaches_what_to_do_next(tmp_path: Path) -> None:
    desks.make_sample_desk(tmp_path / "desk")
    with Newsroom.open(tmp_path / "desk", FLAGS, environ={}) as room:
        visitor = Visitor(room).enter(Role.VIEWER)
        page = visitor.http.get("/").text
        steps = re.findall(r"<li( class=\"done\")?>\s*<h2>(.*?)</h2>", page)
        assert [name for _, name in steps] == [
            "Say what you publish",
            "Bring stories in",
            "Bring readers in",
            "Build the first issue",
        ]
        assert [bool(done) for done, _ in steps] == [True, False, False, False]
        assert "newsletter issue build asia-ai-daily" in page
        assert "No story yet" in visitor.http.get("/stories").text
        assert "/outbox" not in page
        assert "No mail yet" in Visitor(room).enter(Role.EDITOR).http.get("/outbox").text
        assert visitor.http.get(f"/issues/{ISSUE}").status_code == 404


def test_an_issue_in_review_can_be_approved_once(review: Newsroom) -> None:
    visitor = Visitor(review).enter(Role.APPROVER)
    page = visitor.http.get(f"/issues/{ISSUE}").text
    assert "Sends 07:00 Singapore, in 1 h 4" in page
    assert "22 readers." in page
    assert page.count("via ") >= 14
    assert re.search(r'<button class="ink">Approve</button>', page)
    order = {"token": visitor.token, "revision": "1"}
    stale = visitor.http.post(f"/issues/{ISSUE}/approve", data={**order, "revision": "0"})
    assert stale.status_code == 409
    assert "changed after you opened" in stale.text
    assert visitor.http.post(f"/issues/{ISSUE}/approve", data=order).status_code == 303
    done = visitor.http.get(f"/issues/{ISSUE}").text
    assert "Approved by approver@desk.example, 05:1" in done
    assert ">Approve</button>" not in done
    assert "Undo approval" in done
    again = visitor.http.post(f"/issues/{ISSUE}/approve", data=order)
    assert again.status_code == 409
    assert "approver@desk.example" in again.text


def test_a_blocking_check_takes_the_button_away(review: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Finding(Severity.BLOCKING, "postal address", "edition CN.en", "It is missing.", "Set postal_address.")
    monkeypatch.setattr("newsletter.web.figures.preflight.check", lambda room, issue, needed: [found])
    page = Visitor(review).enter(Role.APPROVER).http.get(f"/issues/{ISSUE}").text
    assert re.search(r'<button class="ink" disabled aria-describedby="why-not">Approve', page)
    assert "1 blocking check" in page
    assert "Blocking: postal address." in page
    assert "version CN.en" in page


def test_a_story_withdrawn_after_the_page_was_opened_still_blocks(review: Newsroom) -> None:
    visitor = Visitor(review).enter(Role.APPROVER)
    visitor.http.get(f"/issues/{ISSUE}")
    (story, *_) = [placed.story for placed in review.issues.get(ISSUE).snapshot.placed]
    with review.database.write() as connection:
        connection.exec_driver_sql("UPDATE story SET status = 'withdrawn' WHERE external_id = ?", (story.external_id,))
    answer = visitor.http.post(f"/issues/{ISSUE}/approve", data={"token": visitor.token, "revision": "1"})
    assert answer.status_code == 409
    assert "withdrawn" in answer.text
    assert review.issues.get(ISSUE).state is IssueState.REVIEW


def test_a_viewer_is_told_why_there_is_nothing_to_press(review: Newsroom) -> None:
    page = Visitor(review).enter(Role.VIEWER).http.get(f"/issues/{ISSUE}").text
    assert "disabled" in page
    assert "Your role may look, and not approve" in page


def test_every_view_of_the_mail_is_an_address(review: Newsroom) -> None:
    visitor = Visitor(review).enter(Role.VIEWER)
    page = visitor.http.get(f"/issues/{ISSUE}?width=phone&look=dark&countries=JP,CN,XX").text
    assert f'src="/issues/{ISSUE}/mail?look=dark&amp;countries=CN%2CJP&amp;language=en"' in page
    assert 'class="stage phone"' in page
    assert 'class="mail dark"' in page
    assert "sandbox" in page
    chosen = visitor.http.get(f"/issues/{ISSUE}?countries=JP&countries=VN&part=text").text
    assert "Tsukinami" in chosen
    assert "Yunhe Memory" not in chosen[chosen.index("<pre") :]
    raw = visitor.http.get(f"/issues/{ISSUE}?part=raw").text
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in raw


def test_the_frame_shows_the_bytes_that_go_out(review: Newsroom) -> None:
    visitor = Visitor(review).enter(Role.VIEWER)
    light = visitor.http.get(f"/issues/{ISSUE}/mail")
    dark = visitor.http.get(f"/issues/{ISSUE}/mail?look=dark")
    assert light.text.count("@media not all") == dark.text.count("@media all") == 1
    assert "prefers-color-scheme" not in light.text + dark.text
    assert dark.text == light.text.replace("@media not all", "@media all").replace(
        'name="color-scheme" content="light"', 'name="color-scheme" content="dark"'
    ).replace('name="supported-color-schemes" content="light"', 'name="supported-color-schemes" content="dark"')
    assert 'content="light dark"' not in light.text
    assert light.headers["content-security-policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https: data:; form-action 'none';"
        " base-uri 'none'; frame-ancestors 'self'; sandbox"
    )
    assert 'src="/flags/cn.png"' in light.text


def test_a_finding_leads_to_its_place_and_each_story_is_weighed(review: Newsroom) -> None:
    shown = previews.preview(review, ISSUE)
    snapshot = review.issues.get(ISSUE).snapshot
    assert snapshot is not None
    spots = spots_of(snapshot, shown)
    assert [spot.story for spot in spots] == [placed.story.id for placed in snapshot.placed]
    assert sum(spot.size for spot in spots) < len(shown.html.encode()) == spots[-1].end
    assert all(f'id="{spot.anchor}"' in shown.html for spot in spots)
    page = Visitor(review).enter(Role.VIEWER).http.get(f"/issues/{ISSUE}").text
    warned = re.search(r'<span class="place"><a href="([^"]+)" target="mail" dir="auto">([^<]+)</a>', page)
    assert warned is not None
    spot = {spot.title: spot for spot in spots}[html.unescape(warned[2])]
    assert html.unescape(warned[1]).endswith(f"#{spot.anchor}")
    source = Visitor(review).enter(Role.EDITOR).http.get(f"/issues/{ISSUE}?part=source").text
    assert html.unescape(source).lower().count("<!doctype html>") == 2


def test_what_is_kept_of_the_frame_is_never_stale(review: Newsroom) -> None:
    visitor = Visitor(review).enter(Role.VIEWER)

    def frame() -> str:
        shown = visitor.http.get(f"/issues/{ISSUE}/mail").text
        assert shown == visitor.http.get(f"/issues/{ISSUE}/mail").text
        return shown

    drafted = frame()
    issues.approve(review, ISSUE, "Mei")
    assert frame() == drafted
    correcting.undo(review, ISSUE, who="Mei")
    editing.edit(review, ISSUE, word=["A word of ours."], who="Mei")
    edited = frame()
    assert "A word of ours." in edited
    issues.approve(review, ISSUE, "Mei")
    assert frame() == edited


def test_dark_and_light_are_told_apart_however_the_rule_is_spaced() -> None:
    html = "<style>@media ( prefers-color-scheme:dark ){p{color:red}}</style>"
    assert b"@media all{" in framed(html, Preview(look="dark"), "http://x").body
    assert b"@media not all{" in framed(html, Preview(), "http://x").body


def test_after_the_send_the_books_and_the_recipients(sent: Newsroom) -> None:
    admin = Visitor(sent).enter(Role.ADMIN)
    page = admin.http.get(f"/issues/{ISSUE}").text
    for words in ("Balanced.", "handed to the mail server", "chose another frequency", "Who got it", "sealed"):
        assert words in page
    assert ">24<" in page
    table = admin.http.get(f"/issues/{ISSUE}/recipients?state=submitted").text
    assert table.count("250 written to") == 22
    assert "mei.tan@example.com" in table
    assert "Nobody here" in admin.http.get(f"/issues/{ISSUE}/recipients?state=rejected").text
    editor = Visitor(sent).enter(Role.EDITOR).http.get(f"/issues/{ISSUE}").text
    assert "Who got it" not in editor
    assert "mei.tan@example.com" not in editor


def test_stories_by_country(review: Newsroom) -> None:
    visitor = Visitor(review).enter(Role.VIEWER)
    everything, japan = visitor.http.get("/stories").text, visitor.http.get("/stories?country=JP").text
    assert "Yunhe Memory" in everything
    assert "Yunhe Memory" not in japan
    assert "Tsukinami" in japan
    assert visitor.http.get("/stories?country=' OR 1=1--&page=99999999").status_code == 200


def test_text_of_stories_is_never_markup(review: Newsroom) -> None:
    now = review.clock.now()
    review.stories.ingest(evil_stories(now), now)
    extra = issues.build(review, NEWSLETTER, extra=True)
    visitor = Visitor(review).enter(Role.ADMIN)
    for path in (
        "/",
        "/stories",
        f"/issues/{extra.id}",
        f"/issues/{extra.id}?part=text",
        f"/issues/{extra.id}?part=raw",
    ):
        answer = visitor.http.get(path)
        assert answer.status_code == 200, path
        page = re.sub(r'<script (type="module" )?src="/static/\w+\.js\?v=\w+"( defer)?></script>', "", answer.text)
        # What stands between quotes is a value, and one that breaks out of them stands outside.
        markup = re.sub(r'"[^"<>]*"', '""', page)
        assert not re.search(r"<script|<[^>]*\son\w+\s*=|{{ 49|[^&]49\$", markup), path
        assert "<script" not in page, path
    assert "&lt;script&gt;top.pwned=1" in visitor.http.get("/stories").text


def test_a_newsletter_that_left_the_schedule_keeps_its_issues(review: Newsroom) -> None:
    text = review.plan_file.read_text(encoding="utf-8").replace("  asia-ai-daily:", "  renamed:")
    review.plan_file.write_text(text, encoding="utf-8")
    visitor = Visitor(review).enter(Role.VIEWER)
    assert "asia-ai-daily, Wed 27 May" in visitor.http.get("/issues").text
    assert visitor.http.get(f"/issues/{ISSUE}").status_code == 200


def test_a_template_that_does_not_compile_stands_in_the_way(review: Newsroom) -> None:
    (review.desk / "templates" / "daily").mkdir(parents=True)
    (review.desk / "templates" / "daily" / "body.mjml").write_text("<mjml><mj-bod></mjml>", encoding="utf-8")
    page = Visitor(review).enter(Role.APPROVER).http.get(f"/issues/{ISSUE}").text
    assert "there is no MJML tag" in page
    assert "blocking check" in page
    assert "disabled" in page


def test_checks_that_could_not_run_stand_in_the_way(review: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise SettingError("no database")

    assert Checked(trouble="no database").blocking == 0
    monkeypatch.setattr(preflight, "check", broken)
    page = Visitor(review).enter(Role.APPROVER).http.get(f"/issues/{ISSUE}").text
    assert "The checks could not run" in page
    assert "disabled" in page


@pytest.mark.parametrize(
    "path", ["/issues/asia-ai-daily/2026-13-45", "/issues/asia-ai-daily/2026-05-27/99999", "/issues/x/2026-05-27"]
)
def test_an_issue_that_is_not_there(open_desk: Callable[..., Newsroom], path: str) -> None:
    assert Visitor(open_desk("review")).enter(Role.VIEWER).http.get(path).status_code in (400, 404)


def test_stories_are_searched_and_those_without_a_country_are_filed(review: Newsroom) -> None:
    story = next(iter(review.stories.list(limit=1)))
    waiting = replace(
        story, external_id="w1", url="https://e.example/w1", title="Zebra crossing repainted", country=None
    )
    review.stories.ingest([waiting], review.clock.now())
    viewer = Visitor(review).enter(Role.VIEWER)
    queue = viewer.http.get("/stories?undecided=1").text
    assert "Zebra crossing" in queue
    assert "waits for one" in queue
    assert "/stories/file" not in queue
    assert "Zebra crossing" in viewer.http.get("/stories?words=zebra+crossings").text
    assert "No story holds all of these words" in viewer.http.get("/stories?words=zebra+unicorn").text
    editor = Visitor(review).enter(Role.EDITOR)
    assert 'action="/stories/file"' in editor.http.get("/stories?undecided=1").text
    form = {"token": editor.token, "story": waiting.id, "country": "SG"}
    answer = editor.http.post("/stories/file", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/stories?undecided=1")
    assert review.stories.get(waiting.id).country == "SG"
    assert [event.who for event in review.stories.events(waiting.id)] == ["editor@desk.example"]
    for place in ("Singapore", "sg"):
        answer = editor.http.post(
            "/stories/file", data=form | {"country": place, "back": "/stories?words=zebra&page=2"}
        )
        assert (answer.status_code, answer.headers["location"]) == (303, "/stories?words=zebra&page=2")
        assert review.stories.get(waiting.id).country == "SG"
    elsewhere = editor.http.post("/stories/file", data=form | {"back": "//evil.example/stories?"})
    assert elsewhere.headers["location"] == "/stories?undecided=1"
    assert "File it elsewhere" in editor.http.get("/stories?words=zebra").text
    assert "File it elsewhere" not in viewer.http.get("/stories?words=zebra").text
    assert editor.http.post("/stories/file", data=form | {"country": "Singapura"}).status_code == 400
    assert editor.http.post("/stories/file", data=form | {"story": "no:1"}).status_code == 404


def test_an_editor_sees_each_language_and_the_shortest_version(open_desk: Callable[..., Newsroom]) -> None:
    room = open_desk("review")
    also_in_arabic(room)
    editor = Visitor(room).enter(Role.EDITOR).http
    arabic = editor.get(f"/issues/{ISSUE}/mail?language=ar").text
    assert 'dir="rtl"' in arabic
    page = html.unescape(editor.get(f"/issues/{ISSUE}?language=ar").text)
    assert "language=ar" in re.findall(r'src="([^"]*/mail[^"]*)"', page)[0]
    raw = editor.get(f"/issues/{ISSUE}?language=ar&part=text").text
    assert "إلغاء الاشتراك" in raw
    snapshot = room.issues.get(ISSUE).snapshot
    assert snapshot is not None
    offered = re.findall(r"countries=([A-Z,]+)", html.unescape(page.replace("%2C", ",")))
    sizes = {
        reach.edition.countries: sum(len(held.stories) for held in snapshot.sections_of(reach.edition))
        for reach in previews.editions(room, room.issues.get(ISSUE))
    }
    assert {min(sizes.values()), max(sizes.values())} <= {sizes.get(tuple(each.split(","))) for each in offered}


def test_the_board_is_of_today_and_counts_down_to_nothing_that_has_left(sent: Newsroom) -> None:
    viewer = Visitor(sent).enter(Role.VIEWER)
    scheduling.add_issue(sent, NEWSLETTER, date(2026, 6, 2), time(18), who="anna@desk.example")
    assert len(sent.issues.list()) == 2
    board = viewer.http.get("/").text
    assert board.count('<th scope="row">') == 1
    assert "approved by chief@example.com" in board
    assert ">in 1 h" not in board
    scheduling.add_issue(sent, NEWSLETTER, date(2026, 5, 27), time(18), who="anna@desk.example")
    later = viewer.http.get("/").text.partition("no. 2")[2]
    assert ">in 12 h" in later
    assert "since the last" not in later
