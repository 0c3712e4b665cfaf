"""Errors as programs read them: `application/problem+json` (RFC 9457), with each key that is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

__all__ = ["PROBLEM_TYPE", "Fault", "UnfitError", "problem"]

PROBLEM_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: in the `query` or the `body`, under which key (dots lead inwards), and what to do."""

    place: str
    key: str
    detail: str

    def as_json(self) -> dict[str, str]:
        """One of the problem's `errors`."""
        return {"in": self.place, "key": self.key, "detail": self.detail}


class UnfitError(HTTPException):
    """Keys or values that the operation does not take."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        said = "; ".join(f"{fault.key or fault.place}: {fault.detail}" for fault in faults)
        super().__init__(422, said[:1000])
        self.faults = tuple(faults)


def problem(
    status: int, detail: str, headers: Mapping[str, str] | None = None, faults: Sequence[Fault] = ()
) -> JSONResponse:
    """The answer that says what went wrong; `title` is the status in words."""
    document: dict[str, object] = {"type": "about:blank", "title": _title(status), "status": status, "detail": detail}
    if faults:
        document["errors"] = [fault.as_json() for fault in faults]
    return JSONResponse(document, status, dict(headers) if headers else None, media_type=PROBLEM_TYPE)


def _title(status: int) -> str:
    return {413: "Content Too Large", 422: "Unprocessable Content"}.get(status) or HTTPStatus(status).phrase
