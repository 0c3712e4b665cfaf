"""Headers that every answer carries, whoever wrote it; an action may set its own value first."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["DESK_POLICY", "SecurityHeaders", "mail_policy", "security_headers"]

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)

DESK_POLICY = f"{_POLICY}; script-src 'self'; connect-src 'self'"
"""Of the desk's screens, which have scripts of ours to be quicker; readers' pages have none."""


def security_headers(https: bool) -> dict[str, str]:
    """The headers of a page of ours: nothing from elsewhere, no script at all, in nobody's frame, in no cache."""
    always = {
        "content-security-policy": _POLICY,
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
        "x-robots-tag": "noindex",
        "cache-control": "no-store",
    }
    return always | {"strict-transport-security": "max-age=31536000"} if https else always


def mail_policy(*, framed: bool, images: bool = True) -> dict[str, str]:
    """The headers under which a mail's HTML is shown: its inline styles and its pictures, and nothing else."""
    ancestors = "'self'" if framed else "'none'"
    pictures = "'self' https: data:" if images else "'none'"
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src {pictures}; form-action 'none';"
        f" base-uri 'none'; frame-ancestors {ancestors}"
    )
    return {
        "content-security-policy": f"{policy}; sandbox" if framed else policy,
        "x-frame-options": "SAMEORIGIN" if framed else "DENY",
        "referrer-policy": "no-referrer",
    }


class SecurityHeaders:
    """Middleware that adds what is missing of `security_headers` to every response."""

    def __init__(self, app: ASGIApp, https: bool) -> None:
        self._app = app
        self._headers = [(name.encode(), value.encode()) for name, value in security_headers(https).items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(each for each in self._headers if each[0] not in own)]
            await send(message)

        await self._app(scope, receive, with_headers)
