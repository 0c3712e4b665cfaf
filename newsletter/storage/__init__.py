"""The room that remembers: stories, issues, editions, deliveries, accounts. SQL lives here and in `subscribers`."""

from newsletter.storage.account_mails import AccountMailKind, AccountMailRow, AccountMails
from newsletter.storage.accounts import Account, Accounts, LinkPurpose, Person, Role, SessionRow
from newsletter.storage.api_tokens import ApiToken, ApiTokens
from newsletter.storage.applied_plans import AppliedPlan, AppliedPlans
from newsletter.storage.audit import Audit, AuditLine
from newsletter.storage.clicks import Clicked, Clicks, Link
from newsletter.storage.contents import Contents
from newsletter.storage.corrections import CorrectionRow, Corrections, Fault
from newsletter.storage.courses import Courses, Tally
from newsletter.storage.database import Database
from newsletter.storage.deliveries import Deliveries, DeliveryRow, Refusals, Wave
from newsletter.storage.desk_mails import Change, DeskMailRow, DeskMails
from newsletter.storage.drafts import Drafts
from newsletter.storage.issues import Issues
from newsletter.storage.journal import Journal
from newsletter.storage.lanes import LaneRows
from newsletter.storage.ledger import IssueLedger
from newsletter.storage.life import Transition
from newsletter.storage.overlays import Overlays
from newsletter.storage.reader_reports import ReaderReport, ReaderReports
from newsletter.storage.revisions import Revision, Revisions
from newsletter.storage.seals import Seals
from newsletter.storage.second_factors import SecondFactor, SecondFactors
from newsletter.storage.sends import Sends
from newsletter.storage.sources import SourceStates
from newsletter.storage.stories import Stories, StoryEvent
from newsletter.storage.story_links import Choice, Kept, StoryLinks, StoryRow
from newsletter.storage.story_pages import PrintedStory, StoryPages
from newsletter.storage.story_writing import Ingested
from newsletter.storage.traces import Trace, Traces
from newsletter.storage.webhooks import EventKind, Fate, Happening, Webhook, WebhookDelivery, Webhooks, note

__all__ = [
    "Account",
    "AccountMailKind",
    "AccountMailRow",
    "AccountMails",
    "Accounts",
    "ApiToken",
    "ApiTokens",
    "AppliedPlan",
    "AppliedPlans",
    "Audit",
    "AuditLine",
    "Change",
    "Choice",
    "Clicked",
    "Clicks",
    "Contents",
    "CorrectionRow",
    "Corrections",
    "Courses",
    "Database",
    "Deliveries",
    "DeliveryRow",
    "DeskMailRow",
    "DeskMails",
    "Drafts",
    "EventKind",
    "Fate",
    "Fault",
    "Happening",
    "Ingested",
    "IssueLedger",
    "Issues",
    "Journal",
    "Kept",
    "LaneRows",
    "Link",
    "LinkPurpose",
    "Overlays",
    "Person",
    "PrintedStory",
    "ReaderReport",
    "ReaderReports",
    "Refusals",
    "Revision",
    "Revisions",
    "Role",
    "Seals",
    "SecondFactor",
    "SecondFactors",
    "Sends",
    "SessionRow",
    "SourceStates",
    "Stories",
    "StoryEvent",
    "StoryLinks",
    "StoryPages",
    "StoryRow",
    "Tally",
    "Trace",
    "Traces",
    "Transition",
    "Wave",
    "Webhook",
    "WebhookDelivery",
    "Webhooks",
    "note",
]
