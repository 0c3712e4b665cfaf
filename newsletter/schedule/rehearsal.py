"""Days of a desk in seconds: the clock of its copy jumps from one due instant to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta

from newsletter.errors import ChecksFailedError, InputError, NothingToDoError
from newsletter.model import IssueId, IssueState
from newsletter.newsroom import Newsroom
from newsletter.newsroom.issue import issues
from newsletter.newsroom.planning.rehearsal import RehearsalRoom, copied
from newsletter.plan import Newsletter, Slot, build_at, deliver_by_at
from newsletter.schedule import day
from newsletter.schedule.clockwork import SenderLoop
from newsletter.schedule.rehearsed import Rehearsal, account

__all__ = ["rehearse"]

MOST_DAYS = 400
EDITORS = ("a rehearsed editor", "another rehearsed editor")

A_WHILE = timedelta(minutes=15)
"""How far the clock jumps at most while something is under way."""

Progress = Callable[[int, int], None]
"""Called with how many slots have passed, and how many there are."""


def rehearse(
    room: Newsroom,
    newsletters: Sequence[str],
    first: date,
    last: date,
    *,
    approve: bool = False,
    progress: Progress = lambda done, total: None,
) -> Rehearsal:
    """Run the local dates `first` to `last` of the newsletters on a copy of the desk, and tell what would have
    happened; the desk stays as it is. With `approve` every draft that passes its checks is approved once it is built.

    Raises `InputError` for dates that make no sense, `NothingToDoError` where nothing is due, `NotFoundError`.
    """
    if not 0 <= (last - first).days < MOST_DAYS:
        raise InputError(f"{first} to {last} are not 1 to {MOST_DAYS} days; --from is the first day, --to the last")
    slots = [slot for name in newsletters for slot in _slots(room, name, first, last)]
    if not slots:
        raise NothingToDoError(f"nothing is due from {first} to {last}; `newsletter schedule next` shows what is")
    slots.sort(key=lambda slot: (slot.instant, slot.newsletter))
    with copied(room, newsletters, first) as copy:
        editors = _Editors(copy) if approve else None
        _run(copy, slots, editors, progress)
        return account(copy, slots, editors.faults if editors else {})


def _slots(room: Newsroom, name: str, first: date, last: date) -> Iterator[Slot]:
    around = (datetime.combine(day, time(0), UTC) for day in (first - timedelta(days=1), last + timedelta(days=2)))
    slots = room.timetable.slots_between(room.newsletter(name), *around)
    return (slot for slot in slots if first <= slot.date <= last)


def _run(room: RehearsalRoom, slots: Sequence[Slot], editors: _Editors | None, progress: Progress) -> None:
    """Take every step that is due, at every instant at which one may be, until the last slot is over."""
    chosen = room.plan.newsletters
    sender = SenderLoop(room)
    moment = min(build_at(slot, chosen[slot.newsletter]) for slot in slots)
    over = max(_over(slot, chosen[slot.newsletter]) for slot in slots)
    while moment <= over:
        room.set_clock(moment)
        day.tick(room)
        if editors is not None:
            editors.approve()
        sender.send_due()
        progress(sum(slot.instant <= moment for slot in slots), len(slots))
        moment = _next(room, moment, over)


def _over(slot: Slot, newsletter: Newsletter) -> datetime:
    """When nothing more becomes of a slot by itself."""
    late = slot.instant + newsletter.catch_up.within
    return max(late, deliver_by_at(slot, newsletter) or late) + A_WHILE


def _next(room: RehearsalRoom, moment: datetime, over: datetime) -> datetime:
    waking = day.next_waking(room) or over + A_WHILE
    under_way = day.due_issues(room) or room.issues.in_state(IssueState.SENDING)
    return min(waking, moment + A_WHILE) if under_way else waking


class _Editors:
    """Approve whatever passes its checks, the moment it is there; what does not is looked at once a revision."""

    def __init__(self, room: RehearsalRoom) -> None:
        self._room = room
        self._looked_at: set[tuple[IssueId, int]] = set()
        self.faults: dict[IssueId, str] = {}

    def approve(self) -> None:
        for issue in self._room.issues.in_state(IssueState.REVIEW):
            if (issue.id, issue.revision) not in self._looked_at:
                self._looked_at.add((issue.id, issue.revision))
                self._look_at(issue.id)

    def _look_at(self, issue_id: IssueId) -> None:
        newsletter = self._room.plan.newsletters.get(issue_id.newsletter)
        if newsletter is None:
            return
        try:
            for editor in EDITORS[: newsletter.approval.approvals]:
                issues.approve(self._room, issue_id, editor)
        except ChecksFailedError as error:
            self.faults[issue_id] = str(error)
