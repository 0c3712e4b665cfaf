"""The mail's pictures, taken from this very server."""

from __future__ import annotations

__all__ = ["with_our_flags"]


def with_our_flags(html: str, base_url: str) -> str:
    """The mail's HTML with its flags asked of the server that shows it, whose public address may be another."""
    return html.replace(f'src="{base_url}/flags/', 'src="/flags/')
