"""What a sign-up changes. Pure: it decides and touches nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from subscribers.model import Event, Fate, Frequency, Preferences, SignUp, Status, Subscriber, Subscription

__all__ = ["Enrolment", "enrol"]


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The outcome of one sign-up: the subscriber as they stand afterwards, its fate, new lines of history."""

    subscriber: Subscriber
    fate: Fate
    events: tuple[Event, ...] = ()


def enrol(signup: SignUp, held: Subscriber | None, now: datetime, how: str, *, revive: bool = False) -> Enrolment:
    """Decide what `signup` changes about `held` (None: the address is new).

    An unsubscribed subscription stays so, unless the person themselves asks to `revive` it. A sign-up only for such
    newsletters changes nothing at all. Consent once held keeps its first evidence. Preferences that the reader chose
    stay. `how` goes into the history.
    """
    if held is None:
        subscriber = _newcomer(signup)
        return Enrolment(subscriber, Fate.ADDED, _subscribed(signup, {}, subscriber.subscriptions, now, how))
    left = [] if revive else [n for n in signup.newsletters if _is_unsubscribed(held.subscriptions.get(n))]
    if left and len(left) == len(signup.newsletters):
        return Enrolment(held, Fate.ALREADY_UNSUBSCRIBED)
    after = _merged(signup, held, revive=revive)
    if after == held:
        return Enrolment(held, Fate.ALREADY_UNSUBSCRIBED if left else Fate.UNCHANGED)
    events = _subscribed(signup, held.subscriptions, after.subscriptions, now, how)
    if fields := _differences(held, after):
        events += (Event(now, "changed", {"fields": fields, "how": how}),)
    return Enrolment(after, Fate.CHANGED, events)


def _newcomer(signup: SignUp) -> Subscriber:
    return Subscriber(
        address=signup.address,
        name=signup.name or "",
        preferences=Preferences(
            countries=signup.countries,
            frequency=signup.frequency or Frequency.DAILY,
            language=signup.language,
            timezone=signup.timezone,
        ),
        attributes=dict(signup.attributes),
        subscriptions=dict.fromkeys(signup.newsletters, signup.wanted),
    )


def _merged(signup: SignUp, held: Subscriber, *, revive: bool) -> Subscriber:
    preferences = held.preferences
    if held.decided_at is None:
        preferences = replace(
            preferences,
            countries=signup.countries or preferences.countries,
            frequency=signup.frequency or preferences.frequency,
            language=signup.language or preferences.language,
            timezone=signup.timezone or preferences.timezone,
        )
    kept = {name: held.subscriptions.get(name) for name in signup.newsletters}
    subscriptions = {
        name: signup.wanted if revive and _is_unsubscribed(each) else _stronger(each, signup.wanted)
        for name, each in kept.items()
    }
    return replace(
        held,
        name=signup.name or held.name,
        preferences=preferences,
        attributes={**held.attributes, **signup.attributes},
        subscriptions={**held.subscriptions, **subscriptions},
    )


def _stronger(held: Subscription | None, wanted: Subscription) -> Subscription:
    if held is None or (held.status, wanted.status) == (Status.PENDING, Status.CONFIRMED):
        return wanted
    return held


def _is_unsubscribed(held: Subscription | None) -> bool:
    return held is not None and held.status == Status.UNSUBSCRIBED


def _subscribed(
    signup: SignUp,
    before: Mapping[str, Subscription],
    after: Mapping[str, Subscription],
    now: datetime,
    how: str,
) -> tuple[Event, ...]:
    """One line for the newsletters that are new, one for those that a pending subscription became confirmed of."""
    evidence: dict[str, object] = {"how": how}
    if signup.wanted.consent_at:
        evidence["consent_at"] = signup.wanted.consent_at.isoformat()
    if signup.wanted.consent_source:
        evidence["consent_source"] = signup.wanted.consent_source
    changed = [name for name in signup.newsletters if before.get(name) != after[name]]
    fresh = [name for name in changed if name not in before]
    confirmed = [name for name in changed if name in before]
    events = []
    if fresh:
        detail = {"newsletters": fresh, "status": str(signup.wanted.status), **evidence}
        events.append(Event(now, "subscribed", detail))
    if confirmed:
        events.append(Event(now, "confirmed", {"newsletters": confirmed, **evidence}))
    return tuple(events)


def _differences(before: Subscriber, after: Subscriber) -> dict[str, object]:
    old, new = _shown(before), _shown(after)
    return {key: [old.get(key), value] for key, value in new.items() if old.get(key) != value}


def _shown(subscriber: Subscriber) -> dict[str, object]:
    chosen = subscriber.preferences
    return {
        "name": subscriber.name,
        "countries": list(chosen.countries) if chosen.countries else None,
        "frequency": str(chosen.frequency),
        "language": chosen.language,
        "timezone": chosen.timezone,
        **{f"attributes.{key}": value for key, value in subscriber.attributes.items()},
    }
