"""Headers that every answer carries, whoever wrote it; an action may set its own value first."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["SecurityHeaders", "mail_policy", "script_policy", "security_headers"]

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)


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


def script_policy() -> dict[str, str]:
    """The headers of a page that is nicer with a script of ours: from our files, and asking nobody but us."""
    return {"content-security-policy": f"{_POLICY}; script-src 'self'; connect-src 'self'"}


def mail_policy(*, framed: bool) -> dict[str, str]:
    """The headers under which a mail's HTML is shown: its inline styles and its pictures, and nothing else."""
    ancestors = "'self'" if framed else "'none'"
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https: data:; form-action 'none';"
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
        self._headers = security_headers(https)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)
