"""Mail an issue to editors, marked as a proof."""

from __future__ import annotations

import re

from starlette.responses import Response

from newsletter.errors import InputError
from newsletter.model import DeliveryState
from newsletter.newsroom.issue import proofs
from newsletter.web.asking import Ask
from newsletter.web.desk.issue.page import issue_page

__all__ = ["issue_proof"]

_MOST = 10


def issue_proof(ask: Ask) -> Response:
    """Send it to the addresses of the form, or to whoever asks; say what the mail server said."""
    issue = ask.room.issues.get(ask.issue_id)
    addresses = (
        tuple(dict.fromkeys(re.split(r"[\s,;]+", ask.field("to").strip()))) if ask.field("to").strip() else (ask.who,)
    )
    if len(addresses) > _MOST:
        raise InputError(f"a proof goes to {_MOST} addresses at most; {len(addresses)} are named")
    told = proofs.proof(ask.room, issue.id, addresses)
    failed = [
        f"{address}: {outcome.reply}" for address, outcome in told if outcome.state is not DeliveryState.SUBMITTED
    ]
    if failed:
        return issue_page(ask, issue, notice="The proof did not leave.\n" + "\n".join(failed), status=409)
    return issue_page(ask, issue, notice=f"The proof is on its way to {', '.join(addresses)}.")
