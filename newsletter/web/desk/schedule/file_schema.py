"""The shape of schedule.yaml, for the editor to complete from."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from newsletter.plan.json_schema import json_schema
from newsletter.web.asking import Ask

__all__ = ["schedule_file_schema"]


def schedule_file_schema(_ask: Ask) -> Response:
    """The JSON Schema, as `newsletter schedule schema` prints it."""
    return JSONResponse(json_schema())
