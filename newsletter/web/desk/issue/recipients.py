"""Who got an issue and who did not: state, time, the mail server's own words."""

from __future__ import annotations

import logging
from itertools import islice

from starlette.responses import Response

from newsletter.model import DeliveryState, Edition
from newsletter.web.asking import Ask
from newsletter.web.pages import desk_page
from newsletter.web.words import edition_words

__all__ = ["issue_recipients"]

ROWS, LONGEST_SEARCH = 100, 320

_log = logging.getLogger(__name__)


def issue_recipients(ask: Ask) -> Response:
    """A page of the issue's deliveries, of one state or of all. That somebody looked at addresses is logged."""
    assert ask.account is not None
    issue = ask.room.issues.get(ask.issue_id)
    page = ask.page_number()
    asked = ask.query.get("state")
    state = DeliveryState(asked) if asked in set(DeliveryState) else None
    address = ask.query.get("address", "").strip().lower()[:LONGEST_SEARCH]
    rows = ask.room.deliveries.rows(issue.id, state, address=address)
    shown = list(islice(rows, (page - 1) * ROWS, page * ROWS + 1))
    _log.info("recipients of %s looked at by account %d", issue.id, ask.account.id)
    return desk_page(
        ask,
        "issue_recipients.html",
        issue=issue,
        address=f"/issues/{issue.id}",
        title=ask.title(issue),
        zone=ask.zone(issue),
        state=state,
        asked=address,
        version=lambda key: edition_words(Edition.parse(key), issue.snapshot.countries if issue.snapshot else ()),
        counts={name: n for name, n in ask.room.deliveries.counts(issue.id).items() if n},
        rows=shown[:ROWS],
        page=page,
        more=len(shown) > ROWS,
    )
