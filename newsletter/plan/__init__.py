"""What schedule.yaml says, as values: newsletters, sources, calendars; and the instants they mean."""

from newsletter.plan.file import load_plan, read_plan
from newsletter.plan.slots import Slot, slot_of, slots_between
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
    "load_plan",
    "read_plan",
    "slot_of",
    "slots_between",
]
