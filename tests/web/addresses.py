"""An address for every route of the router, its parts filled in from a desk: a page that is new is tested by itself."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from urllib.parse import quote

from newsletter.model import IssueId, story_address
from newsletter.newsroom import Newsroom
from newsletter.newsroom.issue import approving
from newsletter.newsroom.readership import imports, own_data, readers, reports, requests
from newsletter.storage import LinkPurpose, Role
from newsletter.tokens import Purpose
from newsletter.web.app import ROUTES
from newsletter.web.policy import ACCESS

from .conftest import ISSUE, NEWSLETTER

READER = "mei.tan@example.com"

PARTS = {
    "issue:issue": str(ISSUE),
    "newsletter": NEWSLETTER,
    "day": "2026-05-27",
    "day:archived": "2026-05-27",
    "file": "FILE",
    "account:int": "1",
    "number:int": "1",
    "overlay:int": "1",
    "name": NEWSLETTER,
    "source": "desk",
    "story": "STORY",
    "token": "TOKEN",
    "link": "x" * 22,
    "brought": "BROUGHT",
}
"""What stands in an address for each part that a route names."""

OWN_PARTS = {"flag": {"name": "cn.png"}, "static": {"name": "desk.css"}}
"""What stands in the address of one route alone."""

QUERIES = {
    "issue_story": "?id=STORY",
    "issue_story_change": "?id=STORY",
    "template_file": "?name=daily/body.mjml",
    "template_mail": "?name=daily/body.mjml",
    "subscriber": f"?address={READER}",
    **{f"schedule_{order}": "?day=2026-05-28&at=08:00" for order in ("skip", "move", "extra", "run")},
}
"""What a screen has to be told beside its address."""


def everywhere() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Every route: its address with the parts filled in, and its methods."""
    found = {}
    for path, methods, action in ROUTES:
        parts = PARTS | OWN_PARTS.get(action.__name__, {})
        place = re.sub(r"{([^}]+)}", lambda part, parts=parts: parts[part[1]], path)  # type: ignore[misc]
        found[action.__name__] = (place + QUERIES.get(action.__name__, ""), methods)
    return found


def of_the_desk() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Those that a person's session opens."""
    return {name: each for name, each in everywhere().items() if isinstance(ACCESS[name], Role)}


def filled(room: Newsroom, name: str, issue_id: IssueId = ISSUE) -> str:
    """The address of a route on that desk, whose first issue was sent."""
    path, day = everywhere()[name][0], f"{issue_id.newsletter}/{issue_id.day}"
    path = path.replace(str(ISSUE), str(issue_id) if path.startswith(("/issues", "/schedules")) else day)
    if "FILE" in path:
        path = path.replace("FILE", next(room.outbox.joinpath(day).glob("*.eml")).name)
    if "STORY" in path:
        snapshot = room.issues.get(issue_id).snapshot
        assert snapshot is not None
        story = snapshot.placed[0].story.id
        own_page = story_address("", issue_id.newsletter, story)
        path = own_page if name == "archive_story" else path.replace("STORY", quote(story))
    if "BROUGHT" in path:
        path = path.replace("BROUGHT", brought(room))
    return path.replace("TOKEN", token(room, name, issue_id)) if "TOKEN" in path else path


def brought(room: Newsroom) -> str:
    """The number of a file of subscribers that was brought and has a row that cannot be taken."""
    if kept := imports.kept(room):
        return kept[0].id
    data = io.BytesIO(b"email\nnonsense\n")
    return imports.bring(room, data, "a.csv", newsletters=(NEWSLETTER,), consent_source="", who="x").id


def token(room: Newsroom, name: str, issue_id: IssueId = ISSUE) -> str:
    """What stands for its bearer in the address of a public route."""
    payload = f"{room.subscribers.find(READER).id}|{issue_id.newsletter}"
    match name:
        case "unsubscribe":
            return room.signer.sign(Purpose.UNSUBSCRIBE, payload)
        case "preferences":
            return room.signer.sign(Purpose.PREFERENCES, payload)
        case "view":
            edition = next(iter(room.seals.editions(issue_id, room.seals.sealed_revision(issue_id) or 0)))
            return readers.view_address(room, issue_id, edition).rpartition("/")[2]
        case "password":
            account = room.accounts.find("editor@example.com")
            assert account is not None
            return room.accounts.make_link(account, LinkPurpose.PASSWORD, room.clock.now() + timedelta(hours=1))
        case "login_link":
            account = room.accounts.find("editor@example.com")
            assert account is not None
            return room.accounts.make_login_link(account, room.clock.now())
        case "confirm":
            signup = requests.read_address(room, "new@example.com")
            requests.ask_to_subscribe(room, signup, language="en", network="")
            asked = room.subscribers.requests(6)[-1]
            return room.signer.sign(Purpose.CONFIRM, str(asked.id))
        case "own_data" | "data_file" | "data_address" | "data_delete":
            return room.signer.sign(Purpose.DATA, str(data_request(room)))
        case "address_change":
            held = room.subscribers.find(READER)
            own_data.ask_change(room, held, "new.mei@example.org", language="en", network="")
            asked = next(each for each in room.subscribers.requests(6) if each.kind == "leave")
            return room.signer.sign(Purpose.MOVE, str(asked.id))
        case "report":
            edition = next(iter(room.seals.editions(issue_id, room.seals.sealed_revision(issue_id) or 0)))
            return reports.address_of_edition(room, issue_id, edition).rpartition("/")[2]
        case "approval" | "approval_mail":
            issue = room.issues.get(issue_id)
            link = approving.link_to(room, issue, "chief@example.com")
            return link.rpartition("/")[2] if link else "over"
    raise AssertionError(f"tests/web/addresses.py does not know whom a token of {name} speaks for")


def data_request(room: Newsroom) -> int:
    """The number of a request for a link to the reader's data."""
    own_data.ask_for_data(room, requests.read_address(room, READER), language="en", network="")
    return next(each.id for each in room.subscribers.requests(6) if each.kind == "data")
