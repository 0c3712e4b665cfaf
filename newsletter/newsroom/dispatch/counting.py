"""How many an issue would reach, or a newsletter that has none yet: by country, and by the reason why not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from newsletter import compose
from newsletter.errors import NothingToDoError
from newsletter.model import Issue, Snapshot
from newsletter.newsroom.dispatch.audience import audience_of
from newsletter.newsroom.issue.previews import drafted
from newsletter.newsroom.room import Newsroom
from newsletter.plan import Newsletter
from newsletter.storage.issues import EXCLUSIONS
from subscribers.audience import Audience
from subscribers.model import Group

__all__ = ["Counted", "count_issue", "count_newsletter"]


@dataclass(frozen=True, slots=True)
class Counted:
    """All who confirmed or left a newsletter: `candidates` = `readers` + the sum of `excluded`, by reason.

    `countries` says the same of those who want to hear of a country: how many get stories of it, under "", and how many
    do not, by reason. A reader of several countries counts in each; of one there is no story for, in "no_stories".
    """

    readers: int
    excluded: Mapping[str, int]
    countries: Mapping[str, Mapping[str, int]]

    @property
    def candidates(self) -> int:
        """Everybody who was looked at, once."""
        return self.readers + sum(self.excluded.values())

    @property
    def reasons(self) -> list[str]:
        """The reasons that keep somebody out, of a country at least, in the order of the books."""
        counted = (self.excluded, *self.countries.values())
        found = {reason for each in counted for reason, number in each.items() if number}
        return [reason for reason in EXCLUSIONS if reason in found]


def count_issue(room: Newsroom, issue: Issue) -> Counted:
    """Who would get the issue now; raises `NothingToDoError` for one whose audience is frozen, and `InputError` before
    it has a draft."""
    if issue.frozen_at is not None:
        raise NothingToDoError(f"the audience of {issue.id} is frozen; `newsletter issue status {issue.id}` tells it")
    snapshot = drafted(issue)
    newsletter = room.plan.newsletters.get(issue.id.newsletter)
    countries = tuple(dict.fromkeys((*(newsletter.countries if newsletter else ()), *snapshot.countries)))
    with room.database.read() as connection:
        audience = audience_of(room, connection, snapshot)
        return _counted(audience, countries, partial(_told_to, snapshot))


def count_newsletter(room: Newsroom, newsletter: Newsletter) -> Counted:
    """Who would get an issue of the newsletter now that has stories of all its countries."""
    with room.database.read() as connection:
        audience = Audience(connection, newsletter.name, newsletter.segment, room.clock.now())
        return _counted(audience, newsletter.countries, lambda group: newsletter.countries)


def _told_to(snapshot: Snapshot, group: Group) -> Sequence[str]:
    """The countries of which the readers of a group get stories."""
    edition = compose.choose_edition(snapshot, group.countries, group.language)
    return edition.countries if edition else ()


def _counted(audience: Audience, countries: Sequence[str], told_to: Callable[[Group], Sequence[str]]) -> Counted:
    readers, excluded = 0, Counter[str]()
    by_country = {country: Counter[str]() for country in countries}
    for group in audience.groups():
        wanted = [each for each in countries if group.countries is None or each in group.countries]
        told = [country for country in told_to(group) if country in wanted]
        reason = str(group.excluded) if group.excluded is not None else "" if told else "no_stories"
        for country in wanted:
            by_country[country][reason or ("" if country in told else "no_stories")] += group.subscribers
        if reason:
            excluded[reason] += group.subscribers
        else:
            readers += group.subscribers
    return Counted(readers, excluded, by_country)
