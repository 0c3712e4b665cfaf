"""A desk opened for work: its settings, schedule and stores, each built when first asked for."""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from newsletter import deliver, render
from newsletter.clock import Clock
from newsletter.errors import NotFoundError, PlanError, SettingError
from newsletter.model import IssueId
from newsletter.newsroom.planning.in_force import PlanInForce
from newsletter.newsroom.programs import happenings
from newsletter.newsroom.readership.counting import ClickCounter
from newsletter.plan import Newsletter, Plan, Timetable
from newsletter.ports import Transport
from newsletter.settings import Settings, load_settings
from newsletter.storage import (
    AccountMails,
    Accounts,
    ApiTokens,
    AppliedPlans,
    Audit,
    Clicks,
    Contents,
    Corrections,
    Courses,
    Database,
    Deliveries,
    DeskMails,
    Drafts,
    Issues,
    Journal,
    Overlays,
    ReaderReports,
    Revisions,
    Seals,
    SecondFactors,
    Sends,
    SourceStates,
    Stories,
    StoryLinks,
    StoryPages,
    Traces,
    Webhooks,
)
from newsletter.tokens import Signer
from subscribers.bounces.house import Bounces
from subscribers.house import Subscribers
from subscribers.journal import ReaderJournal
from subscribers.privacy import Privacy

if TYPE_CHECKING:
    from newsletter.storage.story_index import StoryIndex

__all__ = ["Newsroom"]


class Newsroom:
    """Everything a command or a screen may work with, for one desk. A context manager; usable from threads."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock: Clock = settings.clock()
        self.plan_fault_shown: PlanError | None = None

    @classmethod
    def open(
        cls, desk: Path, flags: Mapping[str, str] | None = None, environ: Mapping[str, str] | None = None
    ) -> Newsroom:
        """Open the desk in that folder; `environ` stands in for the process's own. Raises `SettingError`."""
        return cls(load_settings(desk, os.environ if environ is None else environ, flags))

    @property
    def desk(self) -> Path:
        """The folder."""
        return self.settings.desk

    @property
    def plan_file(self) -> Path:
        """The desk's schedule.yaml."""
        return self.desk / "schedule.yaml"

    @property
    def outbox(self) -> Path:
        """Where the built-in outbox transport keeps mail."""
        return self.desk / "outbox"

    @property
    def plan(self) -> Plan:
        """The schedule in force, or its last good revision beside `plan_fault`; raises `PlanError` when there was
        none since this desk was opened."""
        return self.in_force.get()

    @property
    def plan_fault(self) -> PlanError | None:
        """What is wrong with the newest revision of the schedule, while an older one stays at work."""
        return self.in_force.fault

    @property
    def timetable(self) -> Timetable:
        """The schedule in force with the overlays on it, as they stand at this moment; raises `PlanError`."""
        known = self.bare_database.exists  # a schedule can be looked at before there is a database
        return Timetable(self.plan, self.overlays.in_force(self.clock.now().date()) if known else {})

    @cached_property
    def in_force(self) -> PlanInForce:
        """Which schedule this desk follows."""
        return PlanInForce(self.plan_file, lambda: AppliedPlans(self.bare_database), lambda: self.templates.names())

    @cached_property
    def templates(self) -> render.Templates:
        """The desk's own templates, each falling back to the shipped one."""
        return render.Templates([self.desk / "templates"], self.desk / ".compiled")

    @cached_property
    def bare_database(self) -> Database:
        """The database whatever its schema: for `db upgrade`."""
        return Database(self.settings.absolute_database_url(), lasting=not self.settings.rehearsal)

    @cached_property
    def database(self) -> Database:
        """The database, known to have this version's schema; raises `StorageError`."""
        self.bare_database.require_schema()
        return self.bare_database

    @cached_property
    def stories(self) -> Stories:
        """Every story of the desk."""
        return Stories(self.database)

    @cached_property
    def story_links(self) -> StoryLinks:
        """What holds between stories: related reading, copies, editors' choices."""
        return StoryLinks(self.database)

    @cached_property
    def story_pages(self) -> StoryPages:
        """Which stories have a page in which newsletter's archive."""
        return StoryPages(self.database)

    @cached_property
    def story_index(self) -> StoryIndex:
        """The words of every story, in a folder of the desk that can be thrown away."""
        from newsletter.storage.story_index import StoryIndex

        url = self.database.url.set(password=None).render_as_string()
        return StoryIndex(self.desk / ".index" / hashlib.sha256(url.encode()).hexdigest()[:16])

    @cached_property
    def revisions(self) -> Revisions:
        """What each issue said in each of its revisions."""
        return Revisions(self.database)

    @cached_property
    def drafts(self) -> Drafts:
        """Every draft of a note that was asked for."""
        return Drafts(self.database)

    @cached_property
    def source_states(self) -> SourceStates:
        """What we remember of each source."""
        return SourceStates(self.database)

    @cached_property
    def issues(self) -> Issues:
        """Every issue of the desk."""
        return Issues(self.database, self._plan_digest)

    @cached_property
    def contents(self) -> Contents:
        """Which stories stand in which issues."""
        return Contents(self.database)

    @cached_property
    def seals(self) -> Seals:
        """What was approved, to the byte."""
        return Seals(self.database, self._plan_digest)

    @cached_property
    def overlays(self) -> Overlays:
        """What people decided beside schedule.yaml."""
        return Overlays(self.database)

    @cached_property
    def applied_plans(self) -> AppliedPlans:
        """The schedules that were applied for all hosts."""
        return AppliedPlans(self.database)

    @cached_property
    def deliveries(self) -> Deliveries:
        """The deliveries of every issue."""
        return Deliveries(self.database)

    @cached_property
    def sends(self) -> Sends:
        """The send of every issue."""
        return Sends(self.database, self._plan_digest)

    @cached_property
    def courses(self) -> Courses:
        """How the send of every issue went, minute by minute."""
        return Courses(self.database)

    @cached_property
    def traces(self) -> Traces:
        """The deliveries of every issue, found by what comes back of them."""
        return Traces(self.database)

    @cached_property
    def corrections(self) -> Corrections:
        """What was wrong in issues that left."""
        return Corrections(self.database)

    @cached_property
    def reader_reports(self) -> ReaderReports:
        """What readers say is wrong."""
        return ReaderReports(self.database)

    @cached_property
    def clicks(self) -> Clicks:
        """Links that are counted, and how often they were followed."""
        return Clicks(self.database)

    @cached_property
    def click_counter(self) -> ClickCounter:
        """What is followed by way of this process, on its way into the figures."""
        return ClickCounter(self.clicks)

    @cached_property
    def desk_mails(self) -> DeskMails:
        """What the desk's own people are told of issues."""
        return DeskMails(self.database)

    @cached_property
    def journal(self) -> Journal:
        """What left from this desk, whatever the database says."""
        return Journal(self.desk / ".journal")

    def transport(self, issue_id: IssueId) -> Transport:
        """What carries the messages of an issue."""
        return deliver.open_transport(self.settings, deliver.outbox_folder(self.desk, issue_id))

    @cached_property
    def lines(self) -> deliver.Lines | None:
        """The lines to the mail server that the issues sent by this process share; None for the outbox."""
        return deliver.open_lines(self.settings)

    @cached_property
    def accounts(self) -> Accounts:
        """The desk's own people."""
        return Accounts(self.database)

    @cached_property
    def account_mails(self) -> AccountMails:
        """What those people are mailed about their accounts."""
        return AccountMails(self.database)

    @cached_property
    def second_factors(self) -> SecondFactors:
        """What they show beside their passwords."""
        return SecondFactors(self.database)

    @cached_property
    def api_tokens(self) -> ApiTokens:
        """What programs show instead of a session."""
        return ApiTokens(self.database)

    @cached_property
    def audit(self) -> Audit:
        """Who did what."""
        return Audit(self.database)

    @cached_property
    def subscribers(self) -> Subscribers:
        """Who asked to hear from us."""
        return Subscribers(self.database.engine, self.reader_journal, happenings.listen)

    @cached_property
    def bounces(self) -> Bounces:
        """What came back of what they were sent."""
        return Bounces(self.database.engine, self.reader_journal, happenings.listen)

    @cached_property
    def privacy(self) -> Privacy:
        """What they may ask of whoever holds their address."""
        return Privacy(self.database.engine, self.reader_journal)

    @cached_property
    def reader_journal(self) -> ReaderJournal:
        """What they decided, whatever the database says."""
        return ReaderJournal(self.desk / ".journal" / "readers.jsonl", lambda: self.journal.desk)

    @cached_property
    def webhooks(self) -> Webhooks:
        """Whom the desk tells what happens."""
        return Webhooks(self.database)

    @cached_property
    def signer(self) -> Signer:
        """Signs and verifies links; raises `SettingError` when the desk has no secret key."""
        if not self.settings.secret_key:
            raise SettingError(
                "NEWSLETTER_SECRET_KEY is not set, and links need it; `newsletter init` makes one and keeps it in .env"
            )
        return Signer(self.settings.secret_key)

    def newsletter(self, name: str) -> Newsletter:
        """The newsletter of that name in schedule.yaml; raises `NotFoundError` with the nearest name."""
        try:
            return self.plan.newsletters[name]
        except KeyError:
            near = difflib.get_close_matches(name, self.plan.newsletters, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(self.plan.newsletters) or 'none'}"
            raise NotFoundError(f"schedule.yaml has no newsletter {name!r}; {hint}") from None

    def _plan_digest(self) -> str:
        """What each change of an issue's state records of the schedule in force."""
        try:
            return self.plan.digest[:12]
        except PlanError:
            return ""

    def close(self) -> None:
        """Count the clicks that wait, and give back the database's connections."""
        if "click_counter" in self.__dict__:
            self.click_counter.close()
        if "bare_database" in self.__dict__:
            self.bare_database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
