"""The pages for readers: by token, without login, cookies or script; looking never changes anything."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest

from newsletter.gather.feed import parse
from newsletter.model import IssueState, story_address
from newsletter.newsroom import Newsroom
from newsletter.newsroom.readership import readers
from newsletter.plan import SourcePlan
from newsletter.render import fill_html
from newsletter.storage import Role
from newsletter.tokens import Purpose, Signer
from newsletter.web.our_flags import with_our_flags
from subscribers.model import Status, Subscription
from subscribers.signups import sign_up

from .conftest import BASE, ISSUE, NEWSLETTER, Visitor, dump

READER = "mei.tan@example.com"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
SMALL = 15_000


def token(room: Newsroom, purpose: Purpose, email: str = READER) -> str:
    return room.signer.sign(purpose, f"{room.subscribers.find(email).id}|{NEWSLETTER}")


def view_link(room: Newsroom) -> str:
    (key, *_) = room.seals.editions(ISSUE, 1)
    return readers.view_address(room, ISSUE, key).removeprefix(room.settings.base_url)


def story_page(room: Newsroom) -> str:
    snapshot = room.issues.get(ISSUE).snapshot
    assert snapshot is not None
    return story_address("", NEWSLETTER, next(placed.story.id for placed in snapshot.placed if placed.related))


def small_pages(room: Newsroom) -> list[str]:
    return [
        "/login",
        "/login/link/nonsense",
        "/unsubscribe/",
        "/unsubscribe/" + token(room, Purpose.UNSUBSCRIBE),
        "/unsubscribe/nonsense",
        "/subscribe",
        "/confirm/nonsense",
        "/preferences/",
        "/preferences/" + token(room, Purpose.PREFERENCES),
        "/archive/",
        f"/archive/{NEWSLETTER}/",
        f"/archive/{NEWSLETTER}/2026-05-27/editions",
        story_page(room),
        "/nowhere",
    ]


def other_pages(room: Newsroom) -> list[str]:
    return [
        view_link(room),
        f"/archive/{NEWSLETTER}/2026-05-27",
        "/flags/cn.png",
        "/static/base.css",
        "/static/desk.css",
        "/static/icon.svg",
        "/livez",
        "/readyz",
    ]


def subscribed(room: Newsroom, email: str = READER) -> bool:
    reader = readers.reader_of(room, Purpose.UNSUBSCRIBE, token(room, Purpose.UNSUBSCRIBE, email))
    return reader is not None and reader.subscribed


def test_looking_changes_nothing_and_leaves_no_cookie(sent: Newsroom) -> None:
    visitor = Visitor(sent)
    before = dump(sent)
    for path in small_pages(sent) + other_pages(sent):
        for method in ("GET", "HEAD"):
            answer = visitor.http.request(method, path)
            assert answer.status_code in (200, 404), path
            if path != "/login":
                assert "set-cookie" not in answer.headers, path
    assert dump(sent) == before
    assert subscribed(sent)


def test_every_page_carries_the_headers_and_none_of_a_reader_a_script(sent: Newsroom) -> None:
    visitor, admin = Visitor(sent), Visitor(sent).enter(Role.ADMIN)
    mails = {view_link(sent), f"/archive/{NEWSLETTER}/2026-05-27", f"/issues/{ISSUE}/mail"}
    desk = [
        "/",
        "/stories",
        f"/schedules/{ISSUE}",
        "/sources",
        "/outbox",
        f"/issues/{ISSUE}",
        f"/issues/{ISSUE}/mail",
        "/issues/x/2026-01-01",
    ]
    for client, path in [(visitor, p) for p in small_pages(sent) + other_pages(sent)] + [(admin, p) for p in desk]:
        answer = client.http.get(path)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none';"), path
        ours = client is admin and "unsafe-inline" not in policy and answer.status_code == 200
        assert ("script-src 'self'; connect-src 'self'" in policy) == ours, path
        assert "script-src" not in policy or ours, path
        assert ("unsafe-inline" in policy) == (path in mails), path
        own_frame = path.endswith("/mail")
        assert ("frame-ancestors 'self'" if own_frame else "frame-ancestors 'none'") in policy, path
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] in ("no-referrer", "same-origin")
        scripts = re.findall(r"<script[^>]*>", answer.text)
        assert all(ours and re.search(r' src="/static/\w+\.js\?v=', each) for each in scripts), path
        if "html" in answer.headers["content-type"] and "unsafe-inline" not in policy:
            # A link may lead away, and a page may say its own address; nothing else.
            page = re.sub(r'<a [^>]*href="https?://[^"]+"', "<a", answer.text)
            page = re.sub(rf'<(link rel="canonical"|meta property="og:url")[^>]*"{BASE}[^"]*">', "", page)
            assert not re.search(r"\sstyle=|<style|\son\w+=|https?://(?!www\.w3\.org)", page), path


def test_addresses_with_a_token_leave_no_trace(sent: Newsroom) -> None:
    for path in ("/unsubscribe/x", "/preferences/x", "/view/x", view_link(sent), "/login/link/x"):
        answer = Visitor(sent).http.get(path)
        assert answer.headers["referrer-policy"] == "no-referrer", path
        assert answer.headers["x-robots-tag"] == "noindex", path
        assert answer.headers["cache-control"] == "no-store", path


def test_pages_for_readers_are_small_with_everything_they_need(sent: Newsroom) -> None:
    visitor = Visitor(sent)
    for path in small_pages(sent):
        page = visitor.http.get(path)
        assets = re.findall(r'(?:href|src)="(/(?:static|flags)/[^"]+)"', page.text)
        assert any("/static/base.css" in asset for asset in assets)
        total = len(page.content) + sum(len(visitor.http.get(asset).content) for asset in set(assets))
        assert total < SMALL, (path, total)


@pytest.mark.parametrize("how", ["urlencoded", "multipart"])
def test_one_click_acts_at_once_without_cookie_or_redirect(sent: Newsroom, how: str) -> None:
    link = "/unsubscribe/" + token(sent, Purpose.UNSUBSCRIBE)
    body = {"data": ONE_CLICK} if how == "urlencoded" else {"files": {"List-Unsubscribe": (None, "One-Click")}}
    for _ in range(2):
        answer = Visitor(sent).http.post(
            link, headers={"origin": "https://mail.example", "sec-fetch-site": "cross-site"}, **body
        )
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
    assert not subscribed(sent)
    (event,) = [e for e in sent.subscribers.show(READER)["history"] if e["what"] == "unsubscribed"]
    assert event["how"] == "one-click"
    assert subscribed(sent, "liu.yuhe@example.net")


def test_the_button_unsubscribes_and_a_bare_post_does_not(sent: Newsroom) -> None:
    link = "/unsubscribe/" + token(sent, Purpose.UNSUBSCRIBE)
    page = Visitor(sent).http.get(link)
    assert "Unsubscribe?" in page.text
    assert READER in page.text
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)"', page.text))
    assert Visitor(sent).http.post(link).status_code == 400
    assert subscribed(sent)
    assert "You are unsubscribed" in Visitor(sent).http.post(link, data=fields).text
    assert not subscribed(sent)
    assert "You are unsubscribed" in Visitor(sent).http.get(link).text
    (event,) = [e for e in sent.subscribers.show(READER)["history"] if e["what"] == "unsubscribed"]
    assert event["how"] == "unsubscribe page"


def test_no_token_does_what_it_was_not_made_for(sent: Newsroom) -> None:
    number, now = sent.subscribers.find(READER).id, sent.clock.now()
    payload = f"{number}|{NEWSLETTER}"
    good = sent.signer.sign(Purpose.UNSUBSCRIBE, payload)
    key_id, body, mac = good.split(".")
    before = dump(sent)
    bad = [
        "",
        "x",
        "..",
        "%00",
        good[:-1],
        good + "A",
        f"{key_id}.{body[:-2]}AA.{mac}",
        Signer(["another key"]).sign(Purpose.UNSUBSCRIBE, payload),
        sent.signer.sign(Purpose.UNSUBSCRIBE, payload, now - timedelta(seconds=1)),
        sent.signer.sign(Purpose.UNSUBSCRIBE, f"999999|{NEWSLETTER}"),
        sent.signer.sign(Purpose.UNSUBSCRIBE, f"{number}|another-newsletter"),
        *(sent.signer.sign(purpose, payload) for purpose in Purpose if purpose is not Purpose.UNSUBSCRIBE),
    ]
    for each in bad:
        answer = Visitor(sent).http.post(f"/unsubscribe/{each}", data=ONE_CLICK)
        assert answer.status_code in (404, 405), each
        assert READER not in answer.text
    for place, purpose in (("view", Purpose.VIEW), ("preferences", Purpose.PREFERENCES)):
        for other in Purpose:
            if other is not purpose:
                wrong = sent.signer.sign(other, payload)
                assert Visitor(sent).http.get(f"/{place}/{wrong}").status_code == 404
    assert dump(sent) == before


def test_who_unsubscribed_by_mistake_takes_it_back(sent: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    link, http = "/unsubscribe/" + token(sent, Purpose.UNSUBSCRIBE), Visitor(sent).http
    http.post(link, data={"undo": "1"})
    assert subscribed(sent)
    http.post(link, data=ONE_CLICK)
    assert not subscribed(sent)
    assert "You are subscribed" in http.post(link, data={"undo": "1"}).text
    assert subscribed(sent)
    http.post(link, data=ONE_CLICK)
    monkeypatch.setattr(readers, "UNDO_WITHIN", timedelta(0))
    late = http.post(link, data={"undo": "1"}).text
    assert "You are unsubscribed" in late
    assert "/subscribe" in late
    assert not subscribed(sent)


def test_a_reader_chooses_countries(sent: Newsroom) -> None:
    link = "/preferences/" + token(sent, Purpose.PREFERENCES)
    visitor = Visitor(sent)
    assert visitor.http.get(link).text.count("checked") == 7
    saved = visitor.http.post(link, data={"country": ["VN", "JP", "XX", "<script>"]})
    assert saved.status_code == 200
    assert "Saved. It holds from the next issue on." in saved.text
    assert set(sent.subscribers.find(READER).preferences.countries) == {"JP", "VN"}
    assert visitor.http.get(link).text.count("checked") == 2
    none = visitor.http.post(link, data={})
    assert none.status_code == 400
    assert "Choose at least one country" in none.text
    assert set(sent.subscribers.find(READER).preferences.countries) == {"JP", "VN"}
    everything = visitor.http.post(link, data={"country": list(sent.plan.newsletters[NEWSLETTER].countries)})
    assert "Saved." in everything.text
    assert sent.subscribers.find(READER).preferences.countries is None


def test_the_web_view_is_the_mail_without_anybody_in_it(sent: Newsroom) -> None:
    page = Visitor(sent).http.get(view_link(sent)).text
    assert "Asia AI Daily" in page
    assert "Original reporting" in page
    assert '/unsubscribe/"' in page
    assert "\ufdd0" not in page
    assert sent.subscribers.find(READER).name not in page
    assert 'src="/flags/' in page


def test_the_archive_shows_what_went_out_and_nothing_else(sent: Newsroom, review: Newsroom) -> None:
    visitor = Visitor(sent)
    assert "Asia AI Daily" in visitor.http.get("/archive/").text
    assert f'href="/archive/{NEWSLETTER}/2026-05-27"' in visitor.http.get(f"/archive/{NEWSLETTER}/").text
    issue = visitor.http.get(f"/archive/{NEWSLETTER}/2026-05-27")
    assert issue.status_code == 200
    assert issue.headers["x-robots-tag"] == "all"
    for country in ("China", "Japan", "South Korea", "India", "Singapore", "Indonesia", "Vietnam"):
        assert country in issue.text
    for path in ("2026-05-27-1", "2026-05-27-2", "2026-05-28", "2026-13-45", "../../.env"):
        assert visitor.http.get(f"/archive/{NEWSLETTER}/{path}").status_code == 404, path
    assert visitor.http.get("/archive/no-such/").status_code == 404
    unsent = Visitor(review)
    assert unsent.http.get(f"/archive/{NEWSLETTER}/2026-05-27").status_code == 404
    assert "No issue has gone out yet" in unsent.http.get(f"/archive/{NEWSLETTER}/").text


def test_every_edition_that_was_sent_can_be_read(sent: Newsroom) -> None:
    visitor = Visitor(sent)
    page = visitor.http.get(f"/archive/{NEWSLETTER}/2026-05-27/editions").text
    links = re.findall(r'href="(/archive/[^"]*edition=[^"]*)"', page)
    held = sent.seals.editions(ISSUE, sent.issues.get(ISSUE).approved_revision or 0)
    assert len(links) == len(held) > 1
    assert ">All countries</a>" in page
    for link in links:
        shown = visitor.http.get(html.unescape(link))
        assert shown.status_code == 200
        key = parse_qs(urlsplit(html.unescape(link)).query)["edition"][0]
        neutral = readers.neutral_slots(sent, ISSUE, key)
        assert shown.text == with_our_flags(fill_html(held[key].html, neutral), sent.settings.base_url)
        assert "\ufdd0" not in shown.text
    for key in ("XX.en", "", "../../etc", "CN.fr"):
        assert visitor.http.get(f"/archive/{NEWSLETTER}/2026-05-27", params={"edition": key}).status_code == 404
    assert visitor.http.get(f"/archive/{NEWSLETTER}/2026-05-28/editions").status_code == 404


def test_the_feed_is_atom_that_a_feed_reader_reads(sent: Newsroom, review: Newsroom) -> None:
    visitor = Visitor(sent)
    answer = visitor.http.get(f"/archive/{NEWSLETTER}/feed.xml")
    assert answer.headers["content-type"] == "application/atom+xml"
    feed = ElementTree.fromstring(answer.content)
    atom = "{http://www.w3.org/2005/Atom}"
    assert [child.tag for child in feed][:3] == [f"{atom}id", f"{atom}title", f"{atom}updated"]
    (entry,) = feed.iter(f"{atom}entry")
    assert all(entry.findtext(f"{atom}{name}") for name in ("id", "title", "updated", "summary"))
    plan = SourcePlan(id="us", kind="feed", outlet="Us")
    (story,), refused = parse(answer.content, plan, sent.clock.now(), address="http://127.0.0.1:8000/feed.xml")
    assert story.url == f"{sent.settings.base_url}/archive/{NEWSLETTER}/2026-05-27"
    assert (story.title, refused) == (entry.findtext(f"{atom}title"), [])
    again = visitor.http.get(f"/archive/{NEWSLETTER}/feed.xml", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert f'href="/archive/{NEWSLETTER}/feed.xml"' in visitor.http.get(f"/archive/{NEWSLETTER}/").text
    assert visitor.http.get("/archive/no-such/feed.xml").status_code == 404
    unsent = Visitor(review).http.get(f"/archive/{NEWSLETTER}/feed.xml")
    assert (unsent.status_code, list(ElementTree.fromstring(unsent.content).iter(f"{atom}entry"))) == (200, [])


def test_a_private_newsletter_has_no_archive(open_desk: Callable[..., Newsroom]) -> None:
    room = open_desk("sent")
    text = room.plan_file.read_text(encoding="utf-8")
    room.plan_file.write_text(text.replace("archive: public", "archive: private"), encoding="utf-8")
    visitor = Visitor(room)
    assert "No newsletter of this desk is public" in visitor.http.get("/archive/").text
    assert visitor.http.get(f"/archive/{NEWSLETTER}/").status_code == 404
    for page in ("2026-05-27", "2026-05-27/editions", "feed.xml"):
        assert visitor.http.get(f"/archive/{NEWSLETTER}/{page}").status_code == 404
    assert visitor.http.get(view_link(room)).status_code == 200


def test_an_issue_still_going_out_is_not_in_the_archive(sent: Newsroom) -> None:
    sent.issues.move(ISSUE, (IssueState.SUBMITTED,), IssueState.STOPPED, now=sent.clock.now(), who="chief")
    assert Visitor(sent).http.get(f"/archive/{NEWSLETTER}/2026-05-27").status_code == 404


def test_flags_and_static_files_by_safe_names_only(sent: Newsroom) -> None:
    visitor = Visitor(sent)
    flag = visitor.http.get("/flags/cn.png")
    assert (flag.status_code, flag.headers["content-type"]) == (200, "image/png")
    assert "max-age=2592000" in flag.headers["cache-control"]
    assert flag.headers["cross-origin-resource-policy"] == "cross-origin"
    names = [
        "zz.png",
        "CN.png",
        "LICENSE",
        "..%2fcn.png",
        "%2e%2e%2f__init__.py",
        "cn.png%00",
        "",
        "../pages/login.html",
    ]
    for folder in ("flags", "static"):
        for name in names:
            assert visitor.http.get(f"/{folder}/{name}").status_code == 404, name


def test_a_broken_desk_tells_the_public_nothing_about_itself(sent: Newsroom) -> None:
    with sent.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE issue RENAME TO gone")
    visitor = Visitor(sent)
    answer = visitor.http.get(f"/archive/{NEWSLETTER}/")
    assert answer.status_code == 503
    assert "no such table" not in answer.text
    assert str(sent.desk) not in answer.text
    assert "no schema" in visitor.enter(Role.VIEWER).http.get("/").text
    assert visitor.http.get("/livez").text == "alive\n"
    assert visitor.http.get("/preferences/" + token(sent, Purpose.PREFERENCES)).status_code == 200


def test_ready_means_the_database_answers(sent: Newsroom) -> None:
    assert Visitor(sent).http.get("/readyz").text == "ready\n"
    with sent.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM newsletter_version")
    assert Visitor(sent).http.get("/readyz").status_code == 503


def test_an_unforeseen_fault_is_a_calm_page_with_every_header(sent: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object) -> None:
        raise ZeroDivisionError("secret path")

    visitor = Visitor(sent)
    monkeypatch.setattr("newsletter.newsroom.readership.readers.web_view", fail)
    visitor.http._transport.raise_server_exceptions = False
    answer = visitor.http.get("/view/x")
    assert answer.status_code == 500
    assert "secret path" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_the_archive_and_what_is_not_there_speak_the_readers_language(sent: Newsroom) -> None:
    plan = sent.plan_file.read_text(encoding="utf-8")
    plan = plan.replace("archive: public", "languages: [en, ar]\n    archive: public")
    sent.plan_file.write_text(plan, encoding="utf-8")
    visitor = Visitor(sent)

    def page(path: str, language: str = "") -> str:
        return str(visitor.http.get(path, headers={"accept-language": language} if language else {}).text)

    listed = visitor.http.get("/archive/", headers={"accept-language": "ja, en;q=0.5"})
    assert 'lang="ja"' in listed.text
    assert "毎日, 07:00 (シンガポール時間)" in listed.text
    assert listed.headers["vary"] == "accept-language"
    # A newsletter's own pages speak its language, to whomever: caches keep them.
    assert "Past issues" in page(f"/archive/{NEWSLETTER}/", "ja")
    arabic = page(f"/archive/{NEWSLETTER}/?lang=ar")
    assert 'lang="ar" dir="rtl"' in arabic
    assert "الأربعاء، 27 مايو 2026" in arabic
    assert "كل البلدان" in page(f"/archive/{NEWSLETTER}/2026-05-27/editions?lang=ar")
    for path, said in (
        ("/nowhere", "見つかりません"),
        ("/archive/nothing/", "見つかりません"),
        ("/unsubscribe/", "ご自身に届いたメールのリンクをお使いください"),
        ("/unsubscribe/forged", "このリンクは使えません"),
        ("/preferences/forged", "このリンクは使えません"),
    ):
        assert said in page(path, "ja"), path
        assert len(page(path, "ja").encode()) < 15_000
    assert "Not found" in page("/nowhere")
    assert visitor.http.get("/api/v1/nowhere").json()["detail"] == "there is no such address"


def test_lists_of_the_archive_say_their_own_address_and_a_card(sent: Newsroom) -> None:
    visitor = Visitor(sent)
    for path in ("/archive/", f"/archive/{NEWSLETTER}/", f"/archive/{NEWSLETTER}/2026-05-27/editions"):
        page = visitor.http.get(path + "?lang=en").text
        assert f'<link rel="canonical" href="{BASE}{path}">' in page
        assert f'<meta property="og:url" content="{BASE}{path}">' in page
        assert '<meta property="og:title" content="' in page
    issue = f"/archive/{NEWSLETTER}/2026-05-27"
    assert visitor.http.get(issue).headers["link"] == f'<{BASE}{issue}>; rel="canonical"'


def test_pages_offer_only_how_often_the_readers_own_newsletters_come(review: Newsroom) -> None:
    with review.plan_file.open("a", encoding="utf-8") as file:
        file.write("\n  asia-ai-weekly: {title: Asia AI Weekly, at: '08:00', days: [fri], countries: [CN, JP],\n")
        file.write("    stories: {best_of: [asia-ai-daily], at_most: 8d}, segment: {frequency: weekly}}\n")
    visitor = Visitor(review)
    daily, weekly = (review.newsletter(name) for name in (NEWSLETTER, "asia-ai-weekly"))
    held = review.subscribers.find("mei.tan@example.com")
    path = readers.preferences_address(review, held, daily).removeprefix(review.settings.base_url)
    assert "once a week" not in visitor.http.get(path).text
    visitor.http.post(path, data={"country": ["CN"], "frequency": "weekly"})
    assert review.subscribers.find(held.email).preferences.frequency == "daily"

    signup = sign_up(held.email, [weekly.name], wanted=Subscription(Status.CONFIRMED, review.clock.now(), "test"))
    review.subscribers.add(signup, review.clock.now())
    page = visitor.http.get(path).text
    assert "once a week" in page
    assert "only breaking news" not in page
    visitor.http.post(path, data={"country": ["CN"], "frequency": "weekly"})
    assert review.subscribers.find(held.email).preferences.frequency == "weekly"
