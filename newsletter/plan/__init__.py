"""What schedule.yaml says, as values: newsletters, sources, calendars; and the instants they mean."""

from newsletter.plan.file import load_plan, read_plan
from newsletter.plan.slots import (
    Slot,
    approval_deadline,
    build_at,
    deliver_by_at,
    lock_at,
    quiet_until,
    slot_of,
    slots_between,
    wave_at,
)
from newsletter.plan.values import (
    Approval,
    ApprovalMode,
    Calendar,
    CatchUp,
    Newsletter,
    OnFew,
    OnTimeout,
    Plan,
    SourcePlan,
    StoriesRule,
)

__all__ = [
    "Approval",
    "ApprovalMode",
    "Calendar",
    "CatchUp",
    "Newsletter",
    "OnFew",
    "OnTimeout",
    "Plan",
    "Slot",
    "SourcePlan",
    "StoriesRule",
    "approval_deadline",
    "build_at",
    "deliver_by_at",
    "load_plan",
    "lock_at",
    "quiet_until",
    "read_plan",
    "slot_of",
    "slots_between",
    "wave_at",
]
