"""What stands in queries and bodies of programs: one type a kind of value, strict, and read into OpenAPI as it is."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

__all__ = [
    "Answer",
    "Attributes",
    "Body",
    "Countries",
    "Cursor",
    "Email",
    "Flag",
    "Frequency",
    "Instant",
    "Language",
    "Limit",
    "Name",
    "NewsletterName",
    "Place",
    "Query",
    "Reason",
    "StoryKey",
    "Timezone",
    "Word",
]

# Controls, and what marks the slots of a rendered mail. A JSON text cannot hold half a surrogate pair.
_NO = r"\u0000-\u001f\u007f-\u009f\ufdd0-\ufdef"
_CLEAN = rf"^[^{_NO}]*$"
_WORDED = rf"^[^\s{_NO}][^{_NO}]*$"


class Query(BaseModel):
    """What may stand behind the question mark."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Body(BaseModel):
    """What may stand in a JSON body."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Answer(BaseModel):
    """What an answer holds; only described by it, since the shapes are made in `newsroom`."""

    model_config = ConfigDict(extra="forbid")


def _digits(value: object) -> object:
    """A whole number as digits alone: neither +1 nor 1.0 nor 1_000."""
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{1,18}", value):
        raise ValueError("write a whole number in digits")
    return value


def _is_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("unknown time zone; one looks like Asia/Singapore")
    return name


def _like(form: str, example: str) -> AfterValidator:
    def fits(text: str) -> str:
        if not re.fullmatch(form, text):
            raise ValueError(f"it is none; one looks like {example}")
        return text

    return AfterValidator(fits)


def _format(name: str, description: str = "") -> Any:
    """What a text is, where that is easier said than written as a pattern."""
    return Field(json_schema_extra={"format": name}, description=description or None)


Limit = Annotated[
    int,
    BeforeValidator(_digits, json_schema_input_type=Annotated[int, Field(ge=1, le=200)]),
    Field(ge=1, le=200, description="How many at most."),
]
Flag = Literal["true", "false"]
Word = Annotated[str, Field(max_length=200, pattern=_CLEAN)]
StoryKey = Annotated[
    str, Field(min_length=3, max_length=1200, pattern=_WORDED, description="`source:external_id`, an `id` of the list.")
]
Cursor = Annotated[str, Field(max_length=1200, pattern=_CLEAN, description="`next` of the page before.")]
NewsletterName = Annotated[str, Field(max_length=120, pattern=r"^[a-z0-9][a-z0-9-]*$", description="Its name.")]
Email = Annotated[str, _format("email")]
Name = Annotated[str, Field(max_length=200, pattern=_CLEAN)]
Reason = Annotated[str, Field(min_length=1, max_length=300, pattern=_WORDED)]
Place = Annotated[
    str,
    _format("place", "ISO 3166-1 code (`CN`), or a region of schedule.yaml (`asia`)."),
    _like(r"[A-Za-z0-9][A-Za-z0-9-]{0,39}", "CN"),
]
Countries = Annotated[list[Place], Field(min_length=1)]
Frequency = Literal["daily", "weekly", "breaking"]
Language = Annotated[
    str, _format("language", "A tag of BCP 47."), _like(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}", "en")
]
Timezone = Annotated[str, _format("timezone", "Of the IANA database."), AfterValidator(_is_zone)]
Instant = Annotated[AwareDatetime, Field(description="With its offset from UTC.")]
_AttributeName = Annotated[str, Field(min_length=1, max_length=60, pattern="^[A-Za-z0-9_]+$")]
Attributes = Annotated[
    dict[_AttributeName, Annotated[str, Field(max_length=1000, pattern=_CLEAN)]],
    Field(json_schema_extra={"additionalProperties": False}),
]
