"""The stories of the desk, latest first, by country."""

from __future__ import annotations

from itertools import islice

from starlette.responses import Response

from newsletter.web.asking import Ask
from newsletter.web.pages import desk_page

__all__ = ["story_list"]

ROWS = 50


def story_list(ask: Ask) -> Response:
    """A page of stories, of one country or of all."""
    counts = ask.room.stories.count_by_country()
    asked = ask.query.get("country")
    country = asked if asked in counts else None
    page = ask.page_number()
    held = ask.room.stories.list(country=country, limit=page * ROWS + 1)
    shown = list(islice(held, (page - 1) * ROWS, None))
    return desk_page(
        ask,
        "story_list.html",
        countries=sorted(((code, n) for code, n in counts.items() if code), key=lambda pair: (-pair[1], pair[0])),
        unfiled=counts.get(None, 0),
        total=sum(counts.values()),
        country=country,
        stories=shown[:ROWS],
        page=page,
        more=len(shown) > ROWS,
    )
