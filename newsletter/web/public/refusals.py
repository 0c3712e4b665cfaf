"""The answer to a link that we did not make."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.web.pages import NO_REFERRER, error_page

__all__ = ["no_such_link"]


def no_such_link() -> Response:
    """The same calm words whether the link was cut short, forged, or made for something else."""
    return error_page(
        404,
        "This link does not work",
        "It may have been cut in two by a mail program. Open it again from the mail, or copy the whole address.",
        NO_REFERRER,
    )
