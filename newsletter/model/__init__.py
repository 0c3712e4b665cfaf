"""The nouns of the desk, as frozen values.

Datetimes are aware and UTC. Text is clean (see `newsletter.gather.cleaning`): NFC, no markup, no control
characters. Countries are ISO 3166-1 alpha-2 in capitals, or the name of a region of schedule.yaml in lower case.
"""

from newsletter.model.delivery import (
    UNSETTLED,
    Books,
    DeliveryState,
    Message,
    Outcome,
    Recipient,
)
from newsletter.model.issue import (
    BEGUN,
    EDITABLE,
    SEALED,
    CountrySection,
    Edition,
    Finding,
    Issue,
    IssueId,
    IssueState,
    PlacedStory,
    Related,
    RenderedEdition,
    Sender,
    Severity,
    Snapshot,
    Sponsor,
)
from newsletter.model.machine_tag import machine_tag
from newsletter.model.pages import page_key, story_address
from newsletter.model.story import (
    KEEPS_BACK,
    CountryOrigin,
    Image,
    Kind,
    NoteOrigin,
    Precision,
    Provenance,
    Refusal,
    Story,
    StoryStatus,
    SummaryOrigin,
)

__all__ = [
    "BEGUN",
    "EDITABLE",
    "KEEPS_BACK",
    "SEALED",
    "UNSETTLED",
    "Books",
    "CountryOrigin",
    "CountrySection",
    "DeliveryState",
    "Edition",
    "Finding",
    "Image",
    "Issue",
    "IssueId",
    "IssueState",
    "Kind",
    "Message",
    "NoteOrigin",
    "Outcome",
    "PlacedStory",
    "Precision",
    "Provenance",
    "Recipient",
    "Refusal",
    "Related",
    "RenderedEdition",
    "Sender",
    "Severity",
    "Snapshot",
    "Sponsor",
    "Story",
    "StoryStatus",
    "SummaryOrigin",
    "machine_tag",
    "page_key",
    "story_address",
]
