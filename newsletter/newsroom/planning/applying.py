"""One schedule for every host: a revision of schedule.yaml, with its calendars, stored in the database and followed."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.errors import NothingToDoError, PlanError
from newsletter.newsroom.planning.schedule_file import SHOWN, diff_of
from newsletter.newsroom.room import Newsroom
from newsletter.plan import Plan, PlanFiles, Slot, Timetable
from newsletter.storage import AppliedPlan

__all__ = ["Proposal", "Standing", "apply", "propose", "release", "standing"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """This desk's own files, valid, beside what is in force: the difference, and the next ten runs they lead to."""

    plan: Plan
    files: PlanFiles
    diff: str
    runs: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Which revision is in force. `applied` where that is for all hosts; `differs` when this desk's own files say
    something else, or are broken."""

    digest: str
    applied: AppliedPlan | None
    differs: bool

    @property
    def words(self) -> str:
        """All of that in a sentence or two."""
        if self.applied is None:
            return f"In force: revision {self.digest[:12]}, this desk's own schedule.yaml."
        who, at = self.applied.who, f"{self.applied.at:%Y-%m-%d %H:%M} UTC"
        told = f"In force on every host: revision {self.digest[:12]}, applied by {who} at {at}."
        if self.differs:
            return f"{told} The schedule.yaml here is another one; `newsletter schedule apply` puts it in force."
        return f"{told} The schedule.yaml here is the same."


def standing(room: Newsroom) -> Standing:
    """Which revision is in force; raises `PlanError` where there is none."""
    plan, applied = room.plan, room.in_force.applied
    if applied is None:
        return Standing(plan.digest, None, differs=False)
    try:
        differs = room.in_force.read_file().digest != applied.digest
    except PlanError:
        differs = True
    return Standing(applied.digest, applied, differs)


def propose(room: Newsroom) -> Proposal:
    """What applying this desk's own files would change; raises `PlanError` where they are not valid."""
    room.in_force.forget()
    plan = room.in_force.read_file()
    assert plan.files is not None, "it was read from files"
    try:
        ruling = room.plan.files or PlanFiles("")
    except PlanError:
        ruling = PlanFiles("")
    runs = Timetable(plan, room.overlays.in_force(room.clock.now().date())).upcoming(room.clock.now(), SHOWN)
    return Proposal(plan, plan.files, _difference(ruling, plan.files), tuple(runs))


def apply(room: Newsroom, proposal: Proposal, *, who: str) -> AppliedPlan:
    """Have every host follow the proposal from now on; raises `NothingToDoError` where they do."""
    latest = room.applied_plans.latest()
    if latest is not None and latest.digest == proposal.plan.digest:
        raise NothingToDoError(f"revision {latest.digest[:12]} is in force already, applied by {latest.who}")
    applied = room.applied_plans.add(proposal.files, room.clock.now(), who)
    room.in_force.forget()
    return applied


def release(room: Newsroom, *, who: str) -> None:
    """Give every host its own schedule.yaml back; raises `NothingToDoError` where each has it."""
    latest = room.applied_plans.latest()
    if latest is None or not latest.digest:
        raise NothingToDoError("no schedule is applied: each host follows its own schedule.yaml")
    room.applied_plans.add(None, room.clock.now(), who)
    room.in_force.forget()


def _difference(old: PlanFiles, new: PlanFiles) -> str:
    """The difference of the schedule, and of each calendar."""
    names = {"schedule.yaml": (old.schedule, new.schedule)}
    names |= {
        name: (old.calendars.get(name, ""), new.calendars.get(name, ""))
        for name in sorted({*old.calendars, *new.calendars})
    }
    diffs = (diff_of(*texts, f"{name} (in force)", f"{name} (here)") for name, texts in names.items())
    return "\n".join(filter(None, diffs))
