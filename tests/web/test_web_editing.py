"""An editor at an issue, by plain forms: everything works without a script."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa

from newsletter.model import IssueState, PlacedStory
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import correcting, sending
from newsletter.newsroom.intake import stories
from newsletter.newsroom.issue import editing, issues
from newsletter.storage import Role
from newsletter.storage.tables import delivery, issue_progress
from newsletter.web.desk.issue.forced_dark import forced_dark, inverted

from .conftest import ISSUE, NEWSLETTER, Visitor

HERE = f"/issues/{ISSUE}"


def placed(room: Newsroom) -> tuple[PlacedStory, ...]:
    snapshot = room.issues.get(ISSUE).snapshot
    assert snapshot is not None
    return snapshot.placed


def ids(room: Newsroom) -> list[str]:
    return [each.story.id for each in placed(room)]


@pytest.fixture
def editor(review: Newsroom) -> Visitor:
    return Visitor(review).enter(Role.EDITOR)


def order(visitor: Visitor, path: str, **fields: str) -> Any:
    return visitor.http.post(f"{HERE}/{path}", data={"token": visitor.token, **fields})


def test_stories_go_down_up_out_and_in_again(review: Newsroom, editor: Visitor) -> None:
    one, two, *_ = first = ids(review)
    assert order(editor, "arrange", act="down", story=one).headers["location"] == HERE
    assert ids(review)[:2] == [two, one]
    order(editor, "arrange", act="up", story=one)
    assert ids(review) == first
    order(editor, "arrange", act="up", story=one)  # it is the first already
    order(editor, "arrange", act="drop", story=one)
    assert ids(review) == first[1:]
    page = editor.http.get(HERE).text
    assert "Dropped (1)" in page
    assert "Dropped “" in page  # the last change, with its undo
    order(editor, "arrange", act="add", story=one)
    assert sorted(ids(review)) == sorted(first)


def test_a_screen_that_follows_an_order_waits_for_no_check_and_asks_for_them_by_itself(
    review: Newsroom,
) -> None:
    chief = Visitor(review).enter(Role.APPROVER)
    order(chief, "arrange", act="down", story=ids(review)[0])
    page = chief.http.get(HERE, headers={"hx-request": "true", "hx-boosted": "true"}).text
    assert "Every version is being checked" in page
    assert 'class="ink" disabled' in page
    assert f'hx-get="{HERE}" hx-trigger="load" hx-select="#checks" hx-select-oob="#approval"' in page
    asked = chief.http.get(HERE, headers={"hx-request": "true"}).text
    assert "being checked" not in asked
    assert 'class="ink">Approve' in asked
    # What is known by now is shown at once.
    assert "being checked" not in chief.http.get(HERE, headers={"hx-boosted": "true"}).text


def test_a_drag_says_in_front_of_which_story_and_the_view_stays(review: Newsroom, editor: Visitor) -> None:
    one, *_, last = ids(review)
    answer = order(editor, "arrange?look=dark&width=phone", act="put", story=last, before=one, country="CN")
    assert answer.headers["location"] == f"{HERE}?look=dark&width=phone"
    assert ids(review)[0] == last
    order(editor, "arrange", act="lead", story=one)
    assert "opens the subject" in editor.http.get(HERE).text
    assert review.issues.get(ISSUE).snapshot.lead == one  # type: ignore[union-attr]


def test_undo_is_one_button_and_every_draft_can_be_had_again(review: Newsroom, editor: Visitor) -> None:
    first = ids(review)
    order(editor, "arrange", act="drop", story=first[0])
    undo = re.search(r'action="[^"]*/restore".*?name="revision" value="(\d+)"', editor.http.get(HERE).text, re.DOTALL)
    assert undo is not None
    order(editor, "restore", revision=undo[1])
    assert ids(review) == first
    page = unescape(editor.http.get(f"{HERE}/revisions?revision=2").text)
    assert f"<del>CN: {placed(review)[0].story.title}" in page
    assert "Go back to draft 2" in page
    assert order(editor, "restore", revision="x").status_code == 400
    assert order(editor, "restore", revision="99").status_code == 404


def test_own_words_and_those_of_two_editors_at_once(review: Newsroom, editor: Visitor) -> None:
    order(editor, "words", subject="Four chips", subject_was="", word="Good morning.\n\nRead on.", word_was="")
    page = editor.http.get(HERE).text
    assert 'value="Four chips"' in page
    assert "Good morning." in editor.http.get(f"{HERE}/mail").text
    editing.edit(review, ISSUE, subject="Five chips", who="other@desk.example")
    answer = order(editor, "words", subject="Six chips", subject_was="Four chips")
    assert answer.status_code == 409
    for words in ("Somebody else wrote it meanwhile", "Five chips", "Six chips"):
        assert words in answer.text
    # What the other one did not touch is taken.
    assert (
        order(
            editor, "words", subject="Four chips", subject_was="Four chips", preheader="P", preheader_was=""
        ).status_code
        == 303
    )
    said = review.issues.get(ISSUE).snapshot
    assert said is not None
    assert (said.subject, said.preheader) == ("Five chips", "P")


def test_the_words_of_a_story_reach_the_other_issues_that_tell_it(review: Newsroom, editor: Visitor) -> None:
    story = placed(review)[0].story
    second = issues.build(review, NEWSLETTER, extra=True)
    address = f"story?id={story.id}"
    page = editor.http.get(f"{HERE}/{address}").text
    assert "Change it also in the 1 other issue that tells it" in page
    was = {"title_was": story.title, "summary_was": story.summary, "note_was": "\n\n".join(story.note)}
    words = {"title": "A better headline", "summary": story.summary, "note": "Our own note."}
    answer = order(editor, address, act="save", also=str(second.id), **words, **was)
    assert answer.status_code == 303, answer.text
    for issue_id in (ISSUE, second.id):
        shown = next(each for each in review.issues.get(issue_id).snapshot.placed if each.story.id == story.id)  # type: ignore[union-attr]
        assert (shown.story.title, shown.story.shown_note) == ("A better headline", ("Our own note.",))
    beaten = order(editor, address, act="save", **{**words, "title": "Mine"}, **was)
    assert beaten.status_code == 409
    assert "it says now: “A better headline”" in beaten.text
    assert ">Mine</textarea>" in beaten.text  # nothing that was typed is lost


def test_a_note_of_a_model_is_approved_or_taken_away(review: Newsroom, editor: Visitor) -> None:
    noted = next(each.story for each in placed(review) if each.story.note)
    now = review.clock.now()
    held = review.stories.edit(noted.id, lambda s: replace(s, note_approved_by=None), who="x", what="x", now=now)
    issues.build(review, NEWSLETTER)
    address = f"story?id={held.id}"
    assert "waits for approval" in editor.http.get(f"{HERE}/{address}").text
    read = "\r\n\r\n".join(held.note)  # as browsers send it
    assert order(editor, address, act="approve_note", note_was=read).status_code == 303
    shown = next(each.story for each in placed(review) if each.story.id == held.id)
    assert shown.note_approved_by == "editor@desk.example"
    order(editor, address, act="reject_note")
    assert not next(each.story for each in placed(review) if each.story.id == held.id).note


def test_related_reading_is_pinned_and_banned(review: Newsroom, editor: Visitor) -> None:
    one = next(each for each in placed(review) if each.related)
    other = one.related[0].id
    address = f"story?id={one.story.id}"
    order(editor, address, act="ban", other=other)
    assert other not in [each.id for each in related(review, one.story.id)]
    order(editor, address, act="pin", other=other)
    assert related(review, one.story.id)[0].id == other
    assert "pinned by an editor" in editor.http.get(f"{HERE}/{address}").text
    order(editor, address, act="unpin", other=other)
    assert "pinned by an editor" not in editor.http.get(f"{HERE}/{address}").text


def related(room: Newsroom, story_id: str) -> Any:
    return next(each.related for each in placed(room) if each.story.id == story_id)


def test_the_board_approves_in_one_click_and_says_what_stands_in_the_way(review: Newsroom) -> None:
    chief = Visitor(review).enter(Role.APPROVER)
    page = chief.http.get("/").text
    for words in ("1 issue waits for approval", "07:00 Singapore", "06:45", "in review", ">14<", "2 notes wait"):
        assert words in page, words
    revision = re.findall(r'name="revision" value="(\d+)"', page)
    answer = order(chief, "approve", revision=revision[0], back="/")
    assert answer.headers["location"] == "/"
    done = chief.http.get("/").text
    assert "by approver@desk.example" in done
    assert "Nothing waits for approval" in done
    order(chief, "undo")
    stories.set_status(review, ids(review)[0], stories.StoryStatus.HELD, "ed")
    assert "1 blocking check" in chief.http.get("/").text


def test_a_change_after_the_approval_warns_first_and_voids_it(review: Newsroom, editor: Visitor) -> None:
    issues.approve(review, ISSUE, "chief@example.com")
    assert "Whatever you change takes the approval back" in editor.http.get(HERE).text
    order(editor, "arrange", act="drop", story=ids(review)[0])
    assert review.issues.get(ISSUE).approved_by is None


def test_orders_that_cannot_be_followed_say_why_on_the_screen(review: Newsroom) -> None:
    chief = Visitor(review).enter(Role.APPROVER)
    for path in ("undo", "stop", "rest"):
        answer = order(chief, path)
        assert answer.status_code == 409, path
        assert 'role="alert"' in answer.text
    assert order(chief, "build").status_code == 303
    assert order(chief, "cancel", why="a slow day").status_code == 303
    assert review.issues.get(ISSUE).state is IssueState.CANCELLED
    assert order(chief, "arrange", act="sing", story="x").status_code == 400


def test_a_proof_lies_in_the_outbox(review: Newsroom, editor: Visitor) -> None:
    answer = order(editor, "proof", to="")
    assert "on its way to editor@desk.example" in answer.text
    assert list(review.outbox.rglob("*.eml"))
    assert order(editor, "proof", to=" ".join(f"a{n}@example.com" for n in range(11))).status_code == 400


def test_something_is_wrong_after_the_send(sent: Newsroom) -> None:
    chief = Visitor(sent).enter(Role.APPROVER)
    story = placed(sent)[0].story
    page = chief.http.get(f"{HERE}/correct?id={story.id}").text
    assert "22 readers have it" in page
    was = {"title_was": story.title, "summary_was": story.summary}
    words = {
        "title": "What it should have said",
        "summary": story.summary,
        "notice": "The headline named the wrong firm.",
    }
    answer = order(chief, "correct", story=story.id, **words, **was)
    assert answer.status_code == 303, answer.text
    mail = chief.http.get(answer.headers["location"]).text
    assert "The headline named the wrong firm." in mail
    assert order(chief, "correct").status_code == 400


def test_a_send_tells_how_far_it_is(sent: Newsroom) -> None:
    viewer = Visitor(sent).enter(Role.VIEWER)
    answer = viewer.http.get(f"{HERE}/live")
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = json.loads(re.findall(r"data: (.*)", answer.text)[-1])
    assert (told["done"], told["over"], told["texts"]["submitted"]) == (22, True, "22")


def test_a_stopped_send_goes_on(review: Newsroom) -> None:
    chief = Visitor(review).enter(Role.APPROVER)
    issues.approve(review, ISSUE, "chief@example.com")
    sending.send(review, ISSUE, stop=lambda: review.issues.get(ISSUE).state is IssueState.SENDING)
    assert "Stop</button>" in chief.http.get(HERE).text
    assert 'data-live="/issues/' in chief.http.get(HERE).text
    order(chief, "stop")
    assert "Send the rest" in chief.http.get(HERE).text
    order(chief, "rest")
    assert review.issues.get(ISSUE).state is IssueState.SENDING
    assert sending.send(review, ISSUE).deliveries["submitted"] == 22


def test_forced_dark_inverts_lightness_in_styles_alone() -> None:
    assert inverted("ffffff") == "#151515"
    assert inverted("000") == "#ffffff"
    red = inverted("a8321a")
    assert int(red[1:3], 16) > int(red[5:7], 16)  # it is still a red
    html = (
        '<style>p{color:#fff}</style><p style="color:#000000" bgcolor="#ffffff">#ffffff <a href="/x#fff">#000</a></p>'
    )
    shown = forced_dark(html)
    assert shown.startswith("<style>p{color:#151515}</style>")
    assert 'bgcolor="#151515">#ffffff <a href="/x#fff">#000</a>' in shown


def test_looks_are_views_of_the_same_bytes(review: Newsroom, editor: Visitor) -> None:
    off = editor.http.get(f"{HERE}/mail?images=off")
    assert "img-src 'none'" in off.headers["content-security-policy"]
    assert off.content == editor.http.get(f"{HERE}/mail").content
    forced = editor.http.get(f"{HERE}/mail?look=forced").text
    assert "#ffffff" not in re.sub(r"(?s)<style.*?</style>", "", forced).lower().split("<body")[1][:3000]
    assert "look=forced&amp;images=off" in editor.http.get(f"{HERE}?look=forced&images=off").text


def test_what_is_on_hold_and_what_was_refused_is_decided_on_the_screen(sent: Newsroom) -> None:
    with sent.database.write() as connection:
        rows = [row.id for row in connection.execute(sa.select(delivery.c.id).order_by(delivery.c.id).limit(3))]
        for row, state in zip(rows, ("unknown", "unknown", "rejected"), strict=True):
            connection.execute(sa.update(delivery).where(delivery.c.id == row).values(state=state))
        counts = {"submitted": issue_progress.c.submitted - 3, "unknown": 2, "rejected": 1}
        connection.execute(sa.update(issue_progress).values(counts))
    chief = Visitor(sent).enter(Role.APPROVER)
    page = chief.http.get(HERE).text
    assert "It has them" in page
    assert "Try 1 again: refused by the mail server" in page
    for fields in ({"act": "retry", "state": "rejected"}, {"act": "submitted"}):
        assert order(chief, "decide", **fields).headers["location"] == HERE
    assert order(chief, "decide", act="resend").status_code == 409
    assert sending.send(sent, ISSUE).deliveries["submitted"] == 22


def test_a_recipient_is_found_by_a_part_of_the_address(sent: Newsroom) -> None:
    admin = Visitor(sent).enter(Role.ADMIN)
    page = admin.http.get(f"{HERE}/recipients?address=MEI.T").text
    assert page.count("250 written to") == 1
    assert "mei.tan@example.com" in page
    assert "Nobody here" in admin.http.get(f"{HERE}/recipients?address=%25").text


def test_a_refused_order_is_told_on_the_issues_screen(review: Newsroom, editor: Visitor) -> None:
    one = ids(review)[0]
    order(editor, "arrange", act="drop", story=one)
    answer = order(editor, "arrange", act="up", story=one)
    assert answer.status_code == 409
    assert "somebody may have dropped it a moment ago" in answer.text
    assert '<main id="main">' in answer.text


def test_undo_takes_back_only_what_was_seen(review: Newsroom, editor: Visitor) -> None:
    one, two, *_ = ids(review)
    order(editor, "arrange", act="drop", story=one)
    editing.drop(review, ISSUE, two, who="other@desk.example")
    answer = order(editor, "restore", revision="1", seen="2")
    assert answer.status_code == 409
    assert "was changed by other@desk.example meanwhile" in answer.text
    assert {one, two}.isdisjoint(ids(review))


def test_an_undo_of_words_arranges_nothing_and_a_chosen_lead_stays(review: Newsroom, editor: Visitor) -> None:
    last = ids(review)[-1]
    order(editor, "words", subject="Ours", subject_was="")
    order(editor, "restore", revision="1")
    order(editor, "arrange", act="lead", story=last)
    said = issues.build(review, NEWSLETTER).snapshot
    assert said is not None
    assert (said.arranged, said.lead) == (False, last)
    assert (
        order(editor, "arrange", act="put", story=ids(review)[0], before=ids(review)[1], country="CN").status_code
        == 303
    )
    assert not review.issues.get(ISSUE).snapshot.arranged  # type: ignore[union-attr]  # it was put where it stood


def test_words_that_are_not_saved_are_not_thrown_away(review: Newsroom, editor: Visitor) -> None:
    noted = next(each.story for each in placed(review) if each.story.note)
    was = {"title_was": noted.title, "title": "Half a headline", "note_was": "x", "note": "x"}
    answer = order(editor, f"story?id={noted.id}", act="reject_note", **was)
    assert answer.status_code == 409
    assert ">Half a headline</textarea>" in answer.text
    assert review.stories.get(noted.id).note


def test_what_has_reached_readers_is_corrected_and_not_arranged(review: Newsroom) -> None:
    chief = Visitor(review).enter(Role.APPROVER)
    issues.approve(review, ISSUE, "chief@example.com")
    sending.send(review, ISSUE, stop=lambda: review.issues.get(ISSUE).state is IssueState.SENDING)
    order(chief, "stop")
    review.issues.move(ISSUE, (IssueState.STOPPED,), IssueState.REVIEW, now=review.clock.now(), who="x")
    one = ids(review)[0]
    assert order(chief, "arrange", act="drop", story=one).status_code == 409
    answer = order(chief, f"story?id={one}", act="save", title="Mine", title_was="x")
    assert "“Something is wrong”" in answer.text
    assert one in ids(review)


def test_by_itself_an_issue_is_approved_as_it_was_built_and_never_as_it_was_changed(review: Newsroom) -> None:
    text = review.plan_file.read_text(encoding="utf-8")
    review.plan_file.write_text(text.replace("mode: manual", "mode: auto"), encoding="utf-8")
    editing.edit(review, ISSUE, subject="Mine", who="ed@desk.example")
    assert review.issues.get(ISSUE).state is IssueState.REVIEW
    issues.approve(review, ISSUE, "chief@desk.example")
    correcting.undo(review, ISSUE, who="chief@desk.example")
    review.stories.edit(ids(review)[0], lambda s: replace(s, title="Anew"), who="x", what="x", now=review.clock.now())
    assert issues.build(review, NEWSLETTER, who="ed@desk.example").state is IssueState.REVIEW


def test_mails_to_approvers_are_for_admins(review: Newsroom, editor: Visitor) -> None:
    folder = review.outbox / NEWSLETTER / "2026-05-27-desk"
    folder.mkdir(parents=True)
    (folder / "a.eml").write_text("Subject: x\n\nx", encoding="utf-8")
    assert "2026-05-27-desk" not in editor.http.get("/outbox").text
    for path in ("", "/a.eml", "/a.eml/mail"):
        assert editor.http.get(f"/outbox/{NEWSLETTER}/2026-05-27-desk{path}").status_code == 403
    assert Visitor(review).enter(Role.ADMIN).http.get(f"/outbox/{NEWSLETTER}/2026-05-27-desk").status_code == 200
