"""The flags that mails and pages show."""

from __future__ import annotations

import re

from starlette.exceptions import HTTPException
from starlette.responses import Response

from newsletter.render import FLAGS
from newsletter.web.asking import Ask

__all__ = ["flag"]

_NAME = re.compile(r"[a-z]{2}\.png")


def flag(ask: Ask) -> Response:
    """`cn.png`, for any site and mail program to show, kept for a month."""
    name = ask.path["name"]
    path = FLAGS / name
    if not _NAME.fullmatch(name) or not path.is_file():
        raise HTTPException(404)
    headers = {"cache-control": "public, max-age=2592000", "cross-origin-resource-policy": "cross-origin"}
    return Response(path.read_bytes(), media_type="image/png", headers=headers)
