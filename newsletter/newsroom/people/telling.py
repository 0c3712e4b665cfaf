"""Telling the desk's own people: what is due is noted, once by whoever is first; what is noted is carried until it is
taken, a bounded number of times.

Three ways out: mail to editors and approvers, `NEWSLETTER_ALERT_URL`, and a newsletter's `dead_man_url`. The two that
are web addresses go first and by themselves, because a dead mail server cannot report itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from itertools import groupby

from newsletter import deliver
from newsletter.errors import NotLiveError, TransportError
from newsletter.model import BEGUN, REACHED, UNSENT, Issue, IssueId, IssueState, Outcome
from newsletter.newsroom.issue.approving import Link, approve_until
from newsletter.newsroom.people import account_mail, bell
from newsletter.newsroom.people.desk_mail import contents_of, write_mail
from newsletter.newsroom.people.notices import Notice, Told, draft_notice, notices_of, titles_of, trial_at
from newsletter.newsroom.posting import FOR_GOOD, SECONDS, next_try
from newsletter.newsroom.readership import replaying, requests
from newsletter.newsroom.room import Newsroom
from newsletter.pipeline import send_once
from newsletter.plan import Newsletter
from newsletter.ports import Transport
from newsletter.storage import DeskMailRow

__all__ = ["MOST_TRIES", "ask_again", "carry", "note", "tell", "tell_of"]

log = logging.getLogger("newsletter.telling")

LOOK_BACK = timedelta(days=1)
"""What happened longer ago is nobody's news any more."""

MOST_TRIES = 8
"""Over two hours: a mail server that was away for one is told about what it missed."""

# What stands for a web address among the addresses. No mail address is without an @.
_ALERT, _DEAD_MAN, _TRIAL = "alert url", "dead man url", "relay trial"


def tell(room: Newsroom) -> None:
    """Tell whatever is due, of every issue, and try the mail server for those that will soon need it.

    A fault in one issue keeps no other's people in the dark. Any number of processes may do this at any time.
    """
    lately = room.issues.lately(room.clock.now() - LOOK_BACK)
    tried = _note_due(room, lately)
    carry(room)
    account_mail.carry(room)
    replaying.catch_up(room)  # after a restored backup nobody is answered who was erased since
    requests.carry(room)
    _try_relay(room, [issue for issue in lately if issue.state in UNSENT and issue.id not in tried])


def tell_of(room: Newsroom, issue_id: IssueId) -> None:
    """Tell whatever is due of one issue, and of nothing else what is not noted; never raises."""
    try:
        _note_due(room, [room.issues.get(issue_id)])
        carry(room)
    except Exception:
        log.exception("%s: its people could not be told", issue_id)


def _note_due(room: Newsroom, found: Sequence[Issue]) -> set[IssueId]:
    """Note everything that is due of these issues; returns those for which the mail server was tried before."""
    now = room.clock.now()
    ids = [issue.id for issue in found]
    changes, kinds = room.desk_mails.changes(ids), room.desk_mails.kinds(ids)
    for issue in found:
        newsletter = room.plan.newsletters.get(issue.id.newsletter)
        if newsletter is None:
            continue
        known = kinds[issue.id]
        try:
            counts = room.deliveries.counts(issue.id) if issue.state in BEGUN else {}
            until = approve_until(room, issue) if issue.state in UNSENT else issue.due_at
            for notice in notices_of(newsletter, issue, changes[issue.id], counts, known, now, until):
                if notice.kind not in known:
                    note(room, issue, notice)
            if issue.state is IssueState.SUBMITTED and newsletter.dead_man_url and _DEAD_MAN not in known:
                room.desk_mails.note(issue.id, _DEAD_MAN, {_DEAD_MAN: ""}, now)
        except Exception:
            log.exception("%s: its people could not be told", issue.id)
    return {issue_id for issue_id, known in kinds.items() if _TRIAL in known}


def note(room: Newsroom, issue: Issue, notice: Notice, *, only: str | None = None) -> bool:
    """Write down that a notice is to be told, to everybody it is for or to `only` one address; nothing leaves yet.

    False where it was noted before, or is for nobody.
    """
    newsletter = room.plan.newsletters.get(issue.id.newsletter)
    if notice.approvers and issue.snapshot is None:
        issue = room.issues.get(issue.id)
    told = Told(notice=notice, revision=issue.revision, stories=titles_of(issue) if notice.approvers else ()).write()
    addresses = [only] if only else list(_addresses(room, newsletter, notice))
    return bool(addresses) and room.desk_mails.note(
        issue.id, notice.kind, dict.fromkeys(addresses, told), room.clock.now()
    )


def carry(room: Newsroom) -> None:
    """Carry what is noted and due, web addresses first; what is not taken is tried again later. Raises nothing that
    has to do with a mail server or a web address."""
    for name, is_ours, act in (
        ("calls about issues", lambda row: "@" not in row.address, _call),
        ("mail to the desk", lambda row: "@" in row.address, _mail),
    ):
        if not _due(room, is_ours):
            continue
        # A row whose try goes on in another process looks like one whose process died: so one at a time.
        with room.database.hold(name) as held:
            if held:
                act(room, _due(room, is_ours))


def ask_again(room: Newsroom, link: Link) -> bool:
    """Have the approver of an outdated link mailed one for the present draft, once a draft; False where that was done.

    The clock mails it with whatever else is to be told.
    """
    newsletter = room.newsletter(link.issue.id.newsletter)
    notice = draft_notice(newsletter, link.issue, room.clock.now(), approve_until(room, link.issue), again=True)
    return note(room, link.issue, notice, only=link.approver)


def _addresses(room: Newsroom, newsletter: Newsletter | None, notice: Notice) -> Iterable[str]:
    if newsletter is not None:
        named = (*newsletter.editors, *(newsletter.approvers if notice.approvers else ()))
        yield from {address.casefold(): address for address in reversed(named)}.values()
    if notice.alarm and room.settings.alert_url:
        yield _ALERT


def _due(room: Newsroom, is_ours: Callable[[DeskMailRow], bool]) -> list[DeskMailRow]:
    now = room.clock.now()
    rows = room.desk_mails.open(MOST_TRIES)
    return [row for row in rows if is_ours(row) and row.address != _TRIAL and next_try(row.at, row.tries) <= now]


def _call(room: Newsroom, rows: Sequence[DeskMailRow]) -> None:
    silent = False
    for row in rows:
        # A bell that hangs is waited for once at a waking, or a dozen alerts would keep the mail for minutes.
        if (silent and row.address == _ALERT) or not room.desk_mails.claim(row, room.clock.now()):
            continue
        if row.address == _DEAD_MAN:
            why = bell.report_life(room, row.issue.newsletter)
            if why and row.tries == 0:
                bell.ring(room, "dead man", row.issue, f"{why}. It is tried again.")
        else:
            notice = Told.read(row.document).notice
            why = bell.ring(room, notice.word, row.issue, " ".join((f"{notice.headline}.", *notice.sentences)))
        if why is None:
            room.desk_mails.settle([row])
        else:
            log.warning("%s: %s", row.issue, why)
            silent = silent or row.address == _ALERT


def _mail(room: Newsroom, rows: Sequence[DeskMailRow]) -> None:
    ordered = sorted(rows, key=lambda row: (str(row.issue), row.kind, row.address))
    for (issue_id, _), group in groupby(ordered, key=lambda row: (row.issue, row.kind)):
        mine = [row for row in group if room.desk_mails.claim(row, room.clock.now())]
        if not mine:
            continue
        notice = Told.read(mine[0].document).notice
        try:
            _mail_one(room, issue_id, notice, mine)
        except TransportError as error:
            _not_taken(room, notice, mine, str(error))
            return  # what is left has its turn at the next waking: a server that hangs is waited for once
        except Exception as error:  # noqa: BLE001 - a mail about an issue never stops the issue
            _not_taken(room, notice, mine, str(error) or type(error).__name__)


def _mail_one(room: Newsroom, issue_id: IssueId, notice: Notice, rows: Sequence[DeskMailRow]) -> None:
    """Write one notice to each of its addresses, and settle who got it; who is not to get it is settled as well."""
    issue = room.issues.get(issue_id)
    newsletter = room.plan.newsletters.get(issue_id.newsletter)
    if newsletter is None or _overtaken(issue, notice):
        room.desk_mails.settle(rows)
        return
    folder = deliver.outbox_folder(room.desk, issue_id)
    transport = deliver.open_transport(room.settings, folder.with_name(f"{folder.name}-desk"))
    allowed = [row for row in rows if _may_get(room, transport, row)]
    if not allowed:
        return
    contents, keys = contents_of(room, newsletter, issue, notice), deliver.dkim_keys(room.settings)
    messages = [
        write_mail(room, newsletter, issue, notice, contents, to=row.address, number=number, keys=keys)
        for number, row in enumerate(allowed)
    ]
    outcomes = send_once(transport, messages, seconds=SECONDS)
    by_end: dict[bool, list[tuple[DeskMailRow, Outcome]]] = {True: [], False: []}
    for row, outcome in zip(allowed, outcomes, strict=True):
        by_end[outcome.state in FOR_GOOD].append((row, outcome))
    room.desk_mails.settle([row for row, _ in by_end[True]])
    refused = [(row, outcome) for row, outcome in by_end[True] if outcome.state not in REACHED]
    for lost, for_good in ((refused, True), (by_end[False], False)):
        if lost:
            why = "; ".join(dict.fromkeys(outcome.reply or str(outcome.state) for _, outcome in lost))
            _not_taken(room, notice, [row for row, _ in lost], why, for_good=for_good)


def _overtaken(issue: Issue, notice: Notice) -> bool:
    """Whether what is asked for in the mail has been done while it could not leave."""
    asks = notice.word in ("draft", "deadline")
    return asks and (issue.state not in UNSENT or bool(issue.approved_by and issue.approved_by != "auto"))


def _may_get(room: Newsroom, transport: Transport, row: DeskMailRow) -> bool:
    """Whether this desk may mail that address; while it is not live, a stranger is told of no more than once."""
    try:
        deliver.refuse_strangers(transport, room.settings, [row.address])
    except NotLiveError as error:
        log.warning("%s: the mail %r is not sent: %s", row.issue, row.kind, error)
        room.desk_mails.settle([row])
        return False
    return True


def _not_taken(
    room: Newsroom, notice: Notice, rows: Sequence[DeskMailRow], why: str, *, for_good: bool = False
) -> None:
    """Say in the log, and at the first and the last try where alerts go, that a mail to the desk did not leave."""
    first = any(row.tries == 0 for row in rows)
    last = for_good or all(row.tries == MOST_TRIES - 1 for row in rows)
    people = f"{len(rows)} {'person' if len(rows) == 1 else 'people'}"
    after = "It is not tried again." if last else "It is tried again."
    what = f"The mail {notice.headline!r} to {people} was not taken: {why}. {after}"
    log.warning("%s: %s", rows[0].issue, what)
    if ((first and not notice.alarm) or last) and (trouble := bell.ring(room, "mail", rows[0].issue, what)):
        log.warning("%s", trouble)


def _try_relay(room: Newsroom, unsent: Sequence[Issue]) -> None:
    """Connect to the mail server and log in, once for all issues that will soon be sent, while there is time to mend
    it."""
    now = room.clock.now()
    tried = []
    for issue in unsent:
        newsletter = room.plan.newsletters.get(issue.id.newsletter)
        if newsletter is None or not newsletter.enabled or not trial_at(newsletter, issue) <= now < issue.due_at:
            continue
        if room.desk_mails.note(issue.id, _TRIAL, {_TRIAL: ""}, now):
            tried.append(issue)
    if not tried:
        return
    try:
        send_once(deliver.open_transport(room.settings), [], seconds=SECONDS)
        return
    except Exception as error:  # noqa: BLE001 - whatever it is, the issue would meet it
        why = str(error) or type(error).__name__
    for issue in tried:
        log.error("%s: the mail server does not take mail: %s", issue.id, why)
        sentences = (f"{why[:1].upper()}{why[1:]}.", "The issue would not leave now.")
        headline = "The mail server does not take mail"
        note(room, issue, Notice(word="relay", kind="relay", headline=headline, sentences=sentences, alarm=True))
    carry(room)
