"""The desk's subscribers, for programs of admins: looked at (each look is in the audit log), added, changed, ended."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field
from starlette.responses import JSONResponse, Response

from newsletter.newsroom.readership import subscriptions
from newsletter.web.api.fields import (
    Attributes,
    Body,
    Countries,
    Email,
    Frequency,
    Instant,
    Language,
    Limit,
    Name,
    NewsletterName,
    Query,
    Reason,
    Timezone,
    Word,
)
from newsletter.web.api.operations import Operation, operation
from newsletter.web.api.subscriber_shapes import (
    Enrolled,
    Preferred,
    SubscriberPage,
    SubscriberWhole,
    Suppressed,
    Unsubscribed,
    Unsuppressed,
)
from newsletter.web.asking import Ask

__all__ = [
    "api_subscriber",
    "api_subscriber_add",
    "api_subscriber_preferences",
    "api_subscriber_unsubscribe",
    "api_subscribers",
    "api_suppress",
    "api_unsuppress",
]


class _Subscribers(Query):
    email: Email | None = None
    begins: Word = Field(default="", description="How the address begins; the list is then in its order.")
    newsletter: NewsletterName | None = None
    status: Literal["pending", "confirmed", "unsubscribed"] | None = None
    after: Annotated[str, Field(pattern="^[0-9]{1,18}$", description="`next` of the page before.")] | None = None
    limit: Limit = 50


class _Evidence(Body):
    at: Instant
    source: Reason


class _SignUp(Body):
    email: Email
    newsletters: Annotated[list[NewsletterName], Field(min_length=1)]
    consent: _Evidence | None = None
    name: Name | None = None
    countries: Countries | None = None
    frequency: Frequency | None = None
    language: Language | None = None
    timezone: Timezone | None = None
    attributes: Attributes = Field(default_factory=dict)


def _without_default(schema: dict[str, Any]) -> None:
    """Of a key that may be left out, but not be null: what stands in its place means nothing."""
    del schema["default"]


class _Preferences(Body):
    countries: Countries | None = None
    frequency: Frequency = Field("daily", json_schema_extra=_without_default)
    language: Language | None = None
    timezone: Timezone | None = None
    paused_until: Instant | None = None
    decision: _Evidence | None = None


class _End(Body):
    newsletter: NewsletterName | None = None


class _Suppression(Body):
    email: Email
    reason: Reason = "by hand"


class _Lift(Body):
    email: Email
    reason: Reason


@operation(
    Operation(
        tag="subscribers",
        summary="List or search subscribers",
        detail="The latest first; by how their address begins, in its order; or one by `email`.",
        query=_Subscribers,
        answers={200: SubscriberPage},
        problems=(404,),
    )
)
def api_subscribers(ask: Ask, asked: _Subscribers) -> Response:
    """A page of subscribers."""
    rows, following = subscriptions.page(
        ask.room,
        email=asked.email,
        begins=asked.begins,
        newsletter=asked.newsletter,
        status=asked.status,
        below=int(asked.after) if asked.after else None,
        limit=asked.limit,
    )
    ask.remarks.append(f"{len(rows)} subscribers" if asked.email is None else subscriptions.whom(ask.room, asked.email))
    return JSONResponse({"subscribers": rows, "next": str(following) if following else None})


@operation(
    Operation(
        tag="subscribers",
        summary="Show one subscriber",
        answers={200: SubscriberWhole},
        problems=(404,),
    )
)
def api_subscriber(ask: Ask) -> Response:
    """One subscriber with their history."""
    held = subscriptions.reader(ask.room, ask.path["number"])
    return JSONResponse(subscriptions.show(ask.room, held.email))


@operation(
    Operation(
        tag="subscribers",
        summary="Add a subscriber",
        detail="They are asked by mail to confirm, once for each newsletter they were never on the list of. With the"
        " evidence of their `consent` (when, and where it comes from) they are confirmed at once. Nobody who left"
        " or is suppressed is revived: `fate` says so.",
        body=_SignUp,
        answers={200: Enrolled, 201: Enrolled},
        problems=(404,),
    )
)
def api_subscriber_add(ask: Ask, asked: _SignUp) -> Response:
    """Add them; 201 where the address is new."""
    fate, by_mail = subscriptions.enrol(
        ask.room,
        asked.email,
        asked.newsletters,
        consent=_evidence(asked.consent),
        name=asked.name,
        countries=asked.countries,
        frequency=asked.frequency,
        language=asked.language,
        timezone=asked.timezone,
        attributes=asked.attributes,
        how=ask.program,
        ask=True,
    )
    ask.figures.forget()
    rows, _ = subscriptions.page(ask.room, email=asked.email)
    ask.remarks.append(f"{fate}, number {rows[0]['id']}" if rows else str(fate))
    answer = {"fate": str(fate), "asked": by_mail, "subscriber": rows[0] if rows else None}
    return JSONResponse(answer, 201 if fate == "added" else 200)


@operation(
    Operation(
        tag="subscribers",
        summary="Change some of a subscriber's preferences",
        detail="Keys that are left out stay as they are. `countries: null` means all of them. What readers decided"
        " themselves stays too, and `left` names it. Where the reader decides, on an account page of yours, send their"
        " `decision`: when, and by what page. Then it is theirs as if made by the link in a mail: only a later one of"
        " theirs changes it.",
        body=_Preferences,
        answers={200: Preferred},
        problems=(404,),
    )
)
def api_subscriber_preferences(ask: Ask, asked: _Preferences) -> Response:
    """Change what is named, as far as the reader has not decided it, or does now."""
    number = ask.path["number"]
    chosen = {key: getattr(asked, key) for key in asked.model_fields_set - {"decision"}}
    if chosen.get("paused_until"):
        chosen["paused_until"] = chosen["paused_until"].astimezone(UTC)
    decision = _evidence(asked.decision)
    choice = subscriptions.change(ask.room, number, chosen, how=ask.program, decision=decision)
    ask.remarks.append(", ".join(sorted(choice.changed)) or "nothing")
    if choice.left:
        ask.remarks.append(f"left {', '.join(sorted(choice.left))}")
    if decision is not None:
        ask.remarks.append("the reader decided")
    (after,) = subscriptions.documents(ask.room, [subscriptions.reader(ask.room, number)])
    return JSONResponse(after | {"left": sorted(choice.left)})


@operation(
    Operation(
        tag="subscribers",
        summary="Unsubscribe somebody from one newsletter, or from all",
        detail="To repeat it is harmless: then nothing has `ended`.",
        body=_End,
        answers={200: Unsubscribed},
        problems=(404,),
    )
)
def api_subscriber_unsubscribe(ask: Ask, asked: _End) -> Response:
    """End it at once."""
    held = subscriptions.reader(ask.room, ask.path["number"])
    ended = subscriptions.end(ask.room, held.email, asked.newsletter, who=ask.program)
    ask.figures.forget()
    ask.remarks.append(", ".join(ended))
    return JSONResponse({"ended": list(ended)})


@operation(
    Operation(
        tag="subscribers",
        summary="Never mail an address again",
        detail="Whether it is known or not, and whatever is imported.",
        body=_Suppression,
        answers={200: Suppressed},
    )
)
def api_suppress(ask: Ask, asked: _Suppression) -> Response:
    """Suppress it; the first reason stays."""
    new = subscriptions.suppress(ask.room, asked.email, who=ask.program, reason=asked.reason)
    ask.figures.forget()
    ask.remarks.extend(("new" if new else "known", subscriptions.whom(ask.room, asked.email)))
    return JSONResponse({"new": new})


@operation(
    Operation(
        tag="subscribers",
        summary="Let a suppressed address be mailed again",
        detail="With the reason why. What it was subscribed to before stays as it is.",
        body=_Lift,
        answers={200: Unsuppressed},
    )
)
def api_unsuppress(ask: Ask, asked: _Lift) -> Response:
    """Lift it; to repeat it is harmless."""
    lifted = subscriptions.unsuppress(ask.room, asked.email, asked.reason, who=ask.program)
    ask.figures.forget()
    ask.remarks.extend((subscriptions.was(lifted), subscriptions.whom(ask.room, asked.email)))
    return JSONResponse({"lifted": lifted})


def _evidence(told: _Evidence | None) -> tuple[datetime, str] | None:
    return (told.at.astimezone(UTC), told.source) if told else None
