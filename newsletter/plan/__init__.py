"""What schedule.yaml says, as values: newsletters, sources, calendars; and the instants they mean."""

from newsletter.plan.file import load_plan, plan_of, read_plan
from newsletter.plan.overlays import EVERY, Overlay, OverlayKind
from newsletter.plan.slots import (
    Slot,
    approval_deadline,
    build_at,
    deliver_by_at,
    first_instant,
    lock_at,
    quiet_until,
    slot_of,
    slots_between,
    wave_at,
)
from newsletter.plan.timetable import Timetable
from newsletter.plan.values import (
    Approval,
    ApprovalMode,
    Calendar,
    CatchUp,
    Newsletter,
    OnFew,
    OnTimeout,
    Plan,
    PlanFiles,
    SourcePlan,
    StoriesRule,
)

__all__ = [
    "EVERY",
    "Approval",
    "ApprovalMode",
    "Calendar",
    "CatchUp",
    "Newsletter",
    "OnFew",
    "OnTimeout",
    "Overlay",
    "OverlayKind",
    "Plan",
    "PlanFiles",
    "Slot",
    "SourcePlan",
    "StoriesRule",
    "Timetable",
    "approval_deadline",
    "build_at",
    "deliver_by_at",
    "first_instant",
    "load_plan",
    "lock_at",
    "plan_of",
    "quiet_until",
    "read_plan",
    "slot_of",
    "slots_between",
    "wave_at",
]
