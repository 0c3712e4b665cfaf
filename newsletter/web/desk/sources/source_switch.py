"""Switch a source off, so that the clock leaves it alone, or on again."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from newsletter.newsroom.intake import gathering, sources
from newsletter.web.asking import Ask
from newsletter.web.desk.schedule.orders import Order, asked, followed

__all__ = ["source_switch"]


def source_switch(ask: Ask) -> Response:
    """Say what will follow; posted, switch the source that the address names: off with `to=off`, else on."""
    assert ask.account is not None
    who, source = ask.account.email, gathering.source_plan(ask.room, ask.path["source"])
    off = asked(ask, "to") == "off"

    def tell() -> Sequence[str]:
        sources.check_switch(ask.room, source.id, off=off)
        if off:
            return [
                f"{source.id} is not polled any more until somebody switches it on.",
                "Its stories stay, also in issues.",
                "What it publishes meanwhile comes in later, where it is still there then.",
            ]
        return [f"{source.id} is polled again, at the next turn of the clock."]

    def do() -> None:
        if off:
            sources.switch_off(ask.room, source.id, who=who, why=asked(ask, "why"))
        else:
            sources.switch_on(ask.room, source.id)

    word = "off" if off else "on"
    fields = {name: asked(ask, name) for name in ("to", "why")}
    title, button = f"Switch {source.id} {word}", f"Switch it {word}"
    return followed(ask, Order(title=title, button=button, back="/sources", tell=tell, do=do, fields=fields))
