"""Which version of an issue a reader gets."""

from __future__ import annotations

from collections.abc import Sequence

from newsletter.model import Edition, Snapshot

__all__ = ["choose_edition"]


def choose_edition(snapshot: Snapshot, countries: Sequence[str] | None, language: str | None) -> Edition | None:
    """The edition for a reader of these countries (None: all of them); None when no story is left for them.

    Countries stand in the issue's order, so readers with the same set share one edition however they wrote
    it. A language the issue is not made in becomes the issue's first. A correction is for all who got the fault, also
    where it leaves no story.
    """
    if snapshot.faulty is not None:
        countries = None
    told = [section.country for section in snapshot.sections if section.stories or snapshot.faulty is not None]
    wanted = tuple(country for country in told if countries is None or country in countries)
    if not wanted:
        return None
    spoken = language if language is not None and language in snapshot.languages else snapshot.languages[0]
    return Edition(wanted, spoken)
