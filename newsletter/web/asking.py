"""What an action is given: the desk, the person, and what they asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from newsletter.errors import PlanError
from newsletter.model import Issue, IssueId
from newsletter.newsroom import Newsroom
from newsletter.plan import Newsletter, Plan
from newsletter.storage import Account, ApiToken
from newsletter.web.figures import Figures
from newsletter.web.proxies import client_behind

__all__ = ["Action", "Ask", "Form", "Upload"]

Form = Mapping[str, tuple[str, ...]]
"""The fields of a posted form, each with its values; uploads are left out."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a form: what the browser calls it, and what stands in it."""

    name: str
    data: BinaryIO


_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, read to its end. `account` is None where no login is needed; `body` is what a program sent, `bearer`
    the API token it showed; `upload` the one file of a form that takes one. `remarks` stand in the audit log behind
    what was done."""

    request: Request
    room: Newsroom
    figures: Figures
    form: Form
    account: Account | None = None
    body: bytes = b""
    bearer: ApiToken | None = None
    upload: Upload | None = None
    remarks: list[str] = field(default_factory=list)

    @property
    def path(self) -> Mapping[str, Any]:
        """The parts of the address that the route names."""
        return self.request.path_params

    @property
    def query(self) -> QueryParams:
        """What stands after the question mark."""
        return self.request.query_params

    @property
    def posted(self) -> bool:
        """Whether this is an order; GET and HEAD only look."""
        return self.request.method == "POST"

    @property
    def now(self) -> datetime:
        """The desk's present instant."""
        return self.room.clock.now()

    @property
    def client(self) -> str:
        """The network address at the other end of the connection, or behind it where that is one of our proxies."""
        peer = self.request.client.host if self.request.client else ""
        forwarded = self.request.headers.getlist("x-forwarded-for")
        return client_behind(peer, forwarded, self.room.settings.trusted_proxies)

    @property
    def issue_id(self) -> IssueId:
        """The issue that the address names; raises `InputError` for a date that does not exist."""
        return IssueId.parse(self.path["issue"])

    @property
    def plan(self) -> Plan:
        """schedule.yaml, or its last good revision; an empty plan without one, so that issues can still be seen."""
        try:
            return self.room.plan
        except PlanError:
            return Plan({}, {}, {})

    @property
    def plan_has_faults(self) -> bool:
        """Whether schedule.yaml, as it lies there now, cannot be followed."""
        try:
            _ = self.room.plan
        except PlanError:
            return True
        return self.room.plan_fault is not None

    def field(self, name: str) -> str:
        """The first value of a form field, or an empty string."""
        return next(iter(self.form.get(name, ())), "")

    def page_number(self) -> int:
        """Which page of a long list is asked for, from 1."""
        text = self.query.get("page", "1")
        return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < 7 else 1

    def again(self, **changes: object) -> str:
        """This address with some of its query changed; None takes a key away."""
        kept = [(key, value) for key, value in self.query.multi_items() if key not in changes]
        added = [(key, str(value)) for key, value in changes.items() if value is not None]
        query = urlencode(kept + added)
        return f"{self.request.url.path}?{query}" if query else self.request.url.path

    def same_view(self, path: str) -> str:
        """Another address, with what this one says after its question mark."""
        query = self.request.url.query
        return f"{path}?{query}" if query else path

    @property
    def who(self) -> str:
        """By what name the person who is logged in stands in histories."""
        assert self.account is not None
        return self.account.email

    @property
    def program(self) -> str:
        """By what name the program whose token this is stands in histories."""
        assert self.bearer is not None
        return f"API token {self.bearer.name}"

    def newsletter(self, name: str) -> Newsletter | None:
        """The newsletter of that name; None when schedule.yaml no longer has it."""
        return self.plan.newsletters.get(name)

    def title(self, issue: Issue) -> str:
        """The newsletter's title as the issue prints it."""
        if issue.snapshot is not None:
            return issue.snapshot.title
        newsletter = self.newsletter(issue.id.newsletter)
        return newsletter.title if newsletter else issue.id.newsletter

    def zone(self, issue: Issue) -> ZoneInfo:
        """The time zone the issue is due in."""
        if issue.snapshot is not None:
            return ZoneInfo(issue.snapshot.timezone)
        newsletter = self.newsletter(issue.id.newsletter)
        return newsletter.timezone if newsletter else _UTC


Action = Callable[[Ask], Response]
