"""An erasure takes out one address, and leaves those alone of which it is only a part."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from newsletter.model import IssueId
from newsletter.newsroom import Newsroom
from newsletter.newsroom.readership import own_data, subscriptions
from newsletter.storage import EventKind
from newsletter.storage.mentions import Mentions, forms_of
from newsletter.storage.tables import issue, issue_event, webhook_delivery, webhook_event
from subscribers.signups import sign_up
from subscribers.tables import address_change
from tests.desks import NEWSLETTER

ANN = "ann@x.org"
OTHERS = (
    *("joann@x.org", "jo.ann@x.org", "jo+ann@x.org", "jo-ann@x.org", "joséann@x.org"),
    *("ann@x.organic", "ann@x.org-2", "ann@x.org.uk", "ANN@X.ORG.AU", "ann@x.org.AU", "ann@x.org.com.au"),
    *("ann@x.org.mail.example", "ann@x.org.xn--p1ai"),
)

MENTIONS = Mentions(forms_of([ANN]))


@pytest.fixture
def desk(readers_desk: tuple[Newsroom, IssueId]) -> Newsroom:
    """A desk with Ann among its readers."""
    room, _ = readers_desk
    room.subscribers.add(sign_up(ANN, [NEWSLETTER]), room.clock.now())
    return room


def values(room: Newsroom, *columns: sa.Column[object]) -> list[tuple[object, ...]]:
    with room.database.read() as connection:
        return [tuple(row) for row in connection.execute(sa.select(*columns))]


@pytest.mark.parametrize("wanted", ["joann@x.org", "ann@x.org.uk"])
def test_another_readers_change_of_address_goes_on(desk: Newsroom, wanted: str) -> None:
    ben = desk.subscribers.find("ben@example.net")
    own_data.ask_change(desk, ben, wanted, language="en", network="")
    subscriptions.forget(desk, ANN)
    assert values(desk, address_change.c.email, address_change.c.address_key) == [(wanted, wanted)]


def test_a_change_to_the_very_address_ends_with_it(desk: Newsroom) -> None:
    ben = desk.subscribers.find("ben@example.net")
    own_data.ask_change(desk, ben, "later@x.org", language="en", network="")
    assert subscriptions.forget(desk, "later@x.org") == 0
    assert values(desk, address_change.c.id) == []
    assert desk.subscribers.find("ben@example.net") == ben


def test_links_webhooks_and_stories_stay_as_they_are(desk: Newsroom) -> None:
    kept = f"https://example.com/{ANN}/post"
    now = desk.clock.now()
    hook = desk.webhooks.make(ANN, kept, "s", [EventKind.UNSUBSCRIBED], with_address=True, who="x", now=now)
    text = sa.text
    story = "the editor, ann@x.org"
    with desk.database.write() as connection:
        pk = connection.scalar(sa.select(issue.c.id))
        link = "INSERT INTO click_link VALUES (:key, :issue, 1, 'CN.en', 0, 'a', :url)"
        connection.execute(text(link), {"key": "k" * 22, "issue": pk, "url": kept})
        (told,) = connection.execute(text("SELECT id FROM story LIMIT 1")).one()
        connection.execute(text("UPDATE story SET document = :told WHERE id = :id"), {"told": story, "id": told})
    desk.subscribers.unsubscribe(ANN, None, now)
    with desk.database.write() as connection:
        connection.execute(sa.update(webhook_delivery).values(reply=f"thanks for {ANN}.Now"))
    assert values(desk, webhook_event.c.id)
    subscriptions.forget(desk, ANN)
    found = desk.webhooks.find(hook.name)
    assert (found.name, found.url) == (ANN, kept)
    with desk.database.read() as connection:
        assert connection.scalar(text("SELECT url FROM click_link")) == kept
        assert connection.scalar(text("SELECT document FROM story WHERE id = :id"), {"id": told}) == story
        assert connection.scalars(sa.select(webhook_delivery.c.reply)).all() == ["", ""]  # an event, and the erasure


def test_texts_and_documents_lose_the_address_alone(desk: Newsroom) -> None:
    why = f"{ANN}, <Ann@X.org>: ann@x.org. " + " ".join(OTHERS)
    with desk.database.write() as connection:
        connection.execute(sa.update(issue_event).values(why=why))
        connection.execute(sa.update(issue).values(excluded={ANN: 1, "joann@x.org": [f"\n{ANN}", ANN, 2, None]}))
    subscriptions.forget(desk, ANN)
    assert {row[0] for row in values(desk, issue_event.c.why)} == {"…, <…>: …. " + " ".join(OTHERS)}
    assert values(desk, issue.c.excluded) == [({"…": 1, "joann@x.org": ["\n…", "…", 2, None]},)]


WORDS = st.sampled_from([ANN, "ANN@x.org", *OTHERS, "x", "<", ">", " ", ",", "\\n", "/", "=", ":"])


@given(st.lists(WORDS, max_size=8))
def test_between_spaces_it_always_goes_and_others_never(words: list[str]) -> None:
    left = MENTIONS.without(" ".join(words))
    assert left == " ".join("…" if each.lower() == ANN else each for each in words)


@pytest.mark.parametrize("text", [f'"\\n{ANN}"', f"mailto:{ANN}", f"({ANN})", f"{ANN}.", f"{ANN}/", f"x={ANN}&y"])
def test_it_goes_from_whatever_it_stands_in(text: str) -> None:
    assert ANN not in MENTIONS.without(text)


GLUED = {
    "ann@x.org.Now she may": "….Now she may",
    "ann@x.org.I wrote": "….I wrote",
    "ann@x.org.2026": "….2026",
    "ann@x.org.then": "….then",
    "ann@x.orgThen": "…Then",
    "ann@x.orgさんへ": "…さんへ",
    "请写信给ann@x.org。": "请写信给…。",
    "أرسلann@x.orgالآن": "أرسل…الآن",
    "ANN@X.ORG.OVER": "….OVER",
    "\\u5199ann@x.org": "\\u5199…",
    "ann@x.org.Then ann@x.org.au": "….Then ann@x.org.au",
}


@pytest.mark.parametrize("text", GLUED)
def test_it_goes_from_words_that_are_glued_to_it(text: str) -> None:
    assert MENTIONS.without(text) == GLUED[text]


LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
ENDS = st.sampled_from(["au", "uk", "cn", "com", "net", "org", "example", "test", "xn--fiqs8s"])


@given(st.lists(LABELS, max_size=3), ENDS, st.sampled_from(["", ".", ".Now", ", and", "是"]), st.booleans())
def test_whoever_has_a_longer_domain_is_somebody_else(labels: list[str], end: str, then: str, loud: bool) -> None:
    other = ".".join([ANN, *labels, end])
    text = (other.upper() if loud else other) + then
    assert MENTIONS.without(text) == text
