"""What the desk holds, as the JSON that programs read: the commands' `--json` and the HTTP API speak the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from urllib.parse import urlsplit

from newsletter import gather
from newsletter.model import Books, Issue, IssueId, Story
from newsletter.newsroom.room import Newsroom
from newsletter.plan import Newsletter, Overlay, OverlayKind, Slot, Timetable
from newsletter.storage import StoryEvent, Wave, Webhook, WebhookDelivery

__all__ = [
    "DAYS",
    "books_document",
    "issue_document",
    "issue_row",
    "newsletter_document",
    "paused",
    "slot_document",
    "status_document",
    "story_document",
    "story_history",
    "webhook_delivery_document",
    "webhook_document",
]

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def story_document(story: Story) -> dict[str, object]:
    """A story as a story file has it (docs/story-files.md), with what the desk knows of it."""
    return {"id": story.id, "revision": story.revision, "cluster": story.cluster, **gather.story_document(story)}


def story_history(events: Sequence[StoryEvent]) -> list[dict[str, object]]:
    """What was done to a story at the desk, oldest first."""
    return [{"at": each.at.isoformat(), "who": each.who, "what": each.what, "why": each.why} for each in events]


def slot_document(slot: Slot) -> dict[str, object]:
    """A slot; `number` only where it is not 1."""
    return {
        "newsletter": slot.newsletter,
        "date": slot.date.isoformat(),
        **({"number": slot.number} if slot.number > 1 else {}),
        "local": slot.local.isoformat() if slot.local else None,
        "utc": slot.due.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if slot.due else None,
        "note": slot.note,
    }


def paused(timetable: Timetable, newsletter: Newsletter, now: datetime) -> Overlay | None:
    """The pause that the newsletter is under at this moment."""
    today: date = now.astimezone(newsletter.timezone).date()
    stopped = timetable.slot_of(newsletter, today).stopped_by
    return stopped if stopped is not None and stopped.kind is OverlayKind.PAUSE else None


def newsletter_document(timetable: Timetable, each: Newsletter, now: datetime) -> dict[str, object]:
    """A newsletter as schedule.yaml has it; `paused` says by whom and why."""
    pause = paused(timetable, each, now)
    return {
        "newsletter": each.name,
        "title": each.title,
        "at": f"{each.at:%H:%M}",
        "timezone": each.timezone.key,
        "days": [DAYS[number - 1].lower() for number in sorted(each.days)],
        "countries": list(each.countries),
        "approval": str(each.approval.mode),
        "enabled": each.enabled,
        "paused": pause.note if pause else None,
        "revision": timetable.plan.digest[:12],
    }


def issue_row(each: Issue) -> dict[str, object]:
    """An issue as a line of a list."""
    return {
        "issue": str(each.id),
        "state": str(each.state),
        "reason": each.reason,
        "due_at": each.due_at.isoformat(),
        "revision": each.revision,
        "approved_by": each.approved_by,
        "approved_at": each.approved_at.isoformat() if each.approved_at else None,
    }


def issue_document(room: Newsroom, each: Issue) -> dict[str, object]:
    """An issue with its stories by country, their related reading, and what happened to it."""
    sections = each.snapshot.sections if each.snapshot else ()
    return {
        **issue_row(each),
        "lead": each.snapshot.lead if each.snapshot else None,
        "sections": [
            {
                "country": section.country,
                "stories": [
                    {
                        "id": placed.story.id,
                        "title": placed.story.title,
                        "outlet": placed.story.outlet,
                        "related": [{"id": r.id, "title": r.title, "reasons": list(r.reasons)} for r in placed.related],
                    }
                    for placed in section.stories
                ],
            }
            for section in sections
        ],
        "history": [
            {"at": s.at.isoformat(), "who": s.who, "from": s.before, "to": s.after, "why": s.why, "plan": s.plan}
            for s in room.issues.history(each.id)
        ],
    }


def books_document(books: Books, waves: Sequence[Wave]) -> dict[str, object]:
    """The books, with the waves that are still to come; their readers are counted among the queued."""
    return books.as_json() | {"waves": [wave.as_json() for wave in waves]}


def status_document(room: Newsroom, issue_id: IssueId) -> dict[str, object]:
    """The books as they stand now; of an issue that was corrected also how many got which revision.

    Raises `NotFoundError`.
    """
    corrected = room.issues.get(issue_id).revision > 1
    got = room.deliveries.revisions(issue_id) if corrected else {}
    said = {"revisions": {str(each): number for each, number in got.items()}} if got else {}
    return books_document(room.issues.books(issue_id), room.deliveries.waves(issue_id, room.clock.now())) | said


def webhook_document(each: Webhook) -> dict[str, object]:
    """A webhook; neither its secret nor what stands behind the host of its address, which may be one."""
    return {
        "name": each.name,
        "host": urlsplit(each.url).netloc.rpartition("@")[2],
        "events": list(each.events),
        "with_address": each.with_address,
        "made_by": each.made_by,
        "made_at": each.made_at.isoformat(),
        "failing_since": each.failing_since.isoformat() if each.failing_since else None,
        "off": each.off_why if each.off_at else None,
    }


def webhook_delivery_document(each: WebhookDelivery) -> dict[str, object]:
    """One event that a webhook was told, or is to be told, and its last answer."""
    return {
        "event": each.event,
        "id": each.happening.uid,
        "type": str(each.happening.kind),
        "at": each.happening.at.isoformat(),
        "data": each.happening.data,
        "fate": str(each.fate),
        "tries": each.tries,
        "next_at": each.next_at.isoformat() if each.next_at else None,
        "status": each.status,
        "answer": each.reply,
    }
