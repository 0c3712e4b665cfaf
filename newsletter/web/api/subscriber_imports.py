"""Files of subscribers that programs send: looked at or taken in, by the same rules as on screen and by the command."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from newsletter.errors import ChecksFailedError
from newsletter.newsroom.readership import imports, replaying
from newsletter.newsroom.readership.imports import Brought, Stage
from newsletter.web.api.fields import Flag, Query, Reason
from newsletter.web.api.operations import Operation, operation
from newsletter.web.api.subscriber_shapes import FileTaken
from newsletter.web.asking import Ask
from newsletter.web.desk.subscriber.export import csv_file

__all__ = ["api_import", "api_import_look", "api_import_rejects"]

_CSV = "text/csv"
_CUT_SHORT = "The desk was stopped meanwhile. Send the file again: what was taken in stays, and twice changes nothing."


class _Import(Query):
    newsletters: Annotated[
        str,
        Field(
            max_length=1000,
            pattern=r"^[a-z0-9][a-z0-9-]*(;[a-z0-9][a-z0-9-]*)*$",
            description="For rows that name none: `asia-ai-daily;breaking`.",
        ),
    ] = ""
    consent_source: Annotated[Reason, Field(description="Of confirmed rows that name none.")] | None = None
    dry_run: Annotated[Flag, Field(description="Say what would happen; take in nothing.")] = "false"


@operation(
    Operation(
        tag="subscribers",
        summary="Import a file of subscribers",
        detail="The body is the file: CSV in UTF-8 with a header, at most 64 MB, in the columns of an export. Only"
        " `email` is required; `newsletters`, where none are named in the query. `confirmed` rows need `consent_at` and"
        " `consent_source`, or the `consent_source` of the query. Twice changes nothing, and nobody who left or is"
        " suppressed is revived. A file that is no such table is refused as a whole; of others each row that cannot be"
        " taken is reported, and the rest is taken. After a second it goes on by itself: 202, and `Location` says"
        " where to look. Programs are told by one event, `subscribers.imported`.",
        query=_Import,
        raw={"type": "string", "format": "subscribers", "description": "CSV."},
        media=_CSV,
        answers={200: FileTaken, 202: FileTaken},
        problems=(404, 409),
    )
)
def api_import(ask: Ask, asked: _Import) -> Response:
    """Keep the file, and look at it or import it."""
    assert ask.upload is not None
    looks, newsletters = asked.dry_run == "true", tuple(filter(None, asked.newsletters.split(";")))
    for name in newsletters:
        ask.room.newsletter(name)
    if not looks:
        replaying.catch_up(ask.room)  # an import after a restored backup revives nobody
    brought = imports.bring(
        ask.room,
        ask.upload.data,
        ask.program,
        newsletters=newsletters,
        consent_source=asked.consent_source or "",
        who=ask.program,
        straight=not looks,
    )
    ask.figures.forget()
    if brought.unfit:
        imports.drop(ask.room, brought.id)
        raise HTTPException(422, brought.trouble)
    ask.remarks.extend((brought.id, "dry run" if looks else "import"))
    place = {"location": f"{ask.request.url.path}/{brought.id}"}
    return JSONResponse(_document(brought), 202 if brought.at_work else 200, place)


@operation(
    Operation(
        tag="subscribers",
        summary="Show what became of a file",
        detail="For a day after it was sent. The first hundred `refusals` with row and reason; `rejects` is where all"
        " of them are.",
        answers={200: FileTaken},
        problems=(404,),
    )
)
def api_import_look(ask: Ask) -> Response:
    """How far it is, or what came of it."""
    return JSONResponse(_document(imports.find(ask.room, ask.path["brought"])))


@operation(
    Operation(
        tag="subscribers",
        summary="Show the rows of a file that could not be taken",
        detail="As CSV: `row` and `reason`, then the columns of the file, so that it can be mended and sent again.",
        gives=_CSV,
        problems=(404, 409),
    )
)
def api_import_rejects(ask: Ask) -> Response:
    """All of them."""
    brought = imports.find(ask.room, ask.path["brought"])
    if brought.at_work:
        raise ChecksFailedError("the file is being worked on; ask again when that is done")
    ask.remarks.append(brought.id)
    some = brought.counts.get("refused")
    rows = imports.rejects(ask.room, brought.id, safe=False) if some else iter(["row,reason\r\n"])
    return csv_file(rows, "rejects.csv")


def _document(brought: Brought) -> dict[str, object]:
    counts = imports.NO_COUNTS | brought.counts
    return {
        "id": brought.id,
        "state": "failed" if brought.cut_short else _STATES[brought.stage],
        "dry_run": brought.stage in (Stage.LOOKING, Stage.LOOKED),
        "share": round(brought.share, 3),
        "rows": brought.rows,
        **counts,
        "refusals": [{"row": line, "reason": reason} for line, reason in brought.refusals],
        "rejects": f"/api/v1/subscribers/imports/{brought.id}/rejects" if counts["refused"] else None,
        "trouble": _CUT_SHORT if brought.cut_short else brought.trouble,
    }


_STATES = {
    Stage.LOOKING: "at work",
    Stage.IMPORTING: "at work",
    Stage.LOOKED: "done",
    Stage.IMPORTED: "done",
    Stage.FAILED: "failed",
}
