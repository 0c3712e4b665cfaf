"""The stories of the desk: latest first, by country, by words, or those that wait for a country."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from starlette.responses import Response

from newsletter.model import Story
from newsletter.newsroom.intake import stories
from newsletter.web.asking import Ask
from newsletter.web.pages import desk_page, may

__all__ = ["story_list"]

ROWS = 50
LONGEST_SEARCH = 200


def story_list(ask: Ask) -> Response:
    """A page of stories, of one country or of all."""
    counts = ask.room.stories.count_by_country()
    asked = ask.query.get("country")
    country = asked if asked in counts else None
    words = " ".join(ask.query.get("words", "").split())[:LONGEST_SEARCH]
    undecided = "undecided" in ask.query
    page = ask.page_number()
    shown = _shown(ask, words, country, undecided, page)
    return desk_page(
        ask,
        "story_list.html",
        countries=sorted(((code, n) for code, n in counts.items() if code), key=lambda pair: (-pair[1], pair[0])),
        unfiled=counts.get(None, 0),
        total=sum(ask.room.stories.count_by_source().values()),
        country=country,
        words=words,
        undecided=undecided,
        places=_places(ask),
        may_file=may(ask, "story_file"),
        stories=shown[:ROWS],
        page=page,
        more=len(shown) > ROWS,
    )


def _shown(ask: Ask, words: str, country: str | None, undecided: bool, page: int) -> Sequence[Story]:
    """The rows of the page, and one more where there is another page."""
    most = page * ROWS + 1
    if words:
        found = iter(stories.search(ask.room, words, country=country, limit=most))
    else:
        found = ask.room.stories.list(country=country, undecided=undecided, limit=most)
    return list(islice(found, (page - 1) * ROWS, None))


def _places(ask: Ask) -> list[str]:
    """Where newsletters have sections: what a story is most often filed under."""
    return list(dict.fromkeys(place for each in ask.plan.newsletters.values() for place in each.countries))
