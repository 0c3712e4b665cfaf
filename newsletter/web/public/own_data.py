"""What is held of a reader, by a fresh link: in short on a page, whole in a file."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.responses import Response, StreamingResponse

from newsletter.countries import country_name
from newsletter.newsroom.readership import own_data as readership
from newsletter.render import listed
from newsletter.web.asking import Ask
from newsletter.web.pages import NO_REFERRER, public_page
from newsletter.web.public.language import spoken
from newsletter.web.public.refusals import no_such_link

__all__ = ["data_file", "json_file", "own_data"]


def own_data(ask: Ask) -> Response:
    """The summary, with the ways to the file, to another address, and to the end."""
    found = readership.whose(ask.room, ask.path["token"])
    if found is None:
        return no_such_link(ask)
    held, language = found
    words = spoken(ask, held.preferences.language or language)
    chosen = held.preferences.countries or ()
    return public_page(
        "own_data.html",
        headers=NO_REFERRER | {"cache-control": "no-store"},
        here=f"/data/{ask.path['token']}",
        held=held,
        holdings=readership.holdings(ask.room, held),
        titles={name: each.title for name, each in ask.plan.newsletters.items()},
        countries=listed([country_name(each, words["language"]) for each in chosen], words["language"]),
        **words,
    )


def data_file(ask: Ask) -> Response:
    """Everything, as JSON."""
    found = readership.whose(ask.room, ask.path["token"])
    return json_file(readership.document(ask.room, found[0])) if found else no_such_link(ask)


def json_file(pieces: Iterator[str]) -> Response:
    """All that is held of a subscriber as a file, sent as it is made; nobody keeps a copy on the way."""
    kept = {"content-disposition": 'attachment; filename="my-data.json"', "cache-control": "no-store"}
    return StreamingResponse(pieces, media_type="application/json", headers=NO_REFERRER | kept)
