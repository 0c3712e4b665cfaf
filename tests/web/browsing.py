"""A desk's pages served for a real browser, and what axe-core finds on one of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from newsletter.newsroom import Newsroom
from newsletter.web import WebServer

from ..conftest import npm_packages

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@contextmanager
def served(room: Newsroom) -> Iterator[str]:
    """The address of the desk's pages, from a thread of their own."""
    server = WebServer(room, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.stop()
        thread.join(10)


def faults(page: Any, *, frames: bool = True, **choice: Any) -> list[str]:
    """What axe finds, of whatever weight, and whether anything stands out to the right; `choice` is axe's own."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe())
    how = {"runOnly": TAGS, "iframes": frames, "resultTypes": ["violations"], **choice}
    found = page.evaluate("async (how) => (await axe.run(document, how)).violations", how)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"{each['id']}: {each['nodes'][0]['html'][:140]}" for each in found] + ["wide"] * (wide > 0)


def tab_to(page: Any, name: str, most: int = 150) -> None:
    """Press Tab until what is called that has the focus; wherever it stops on the way, one sees where it is."""
    for _ in range(most):
        page.keyboard.press("Tab")
        told, seen = page.evaluate(_FOCUS)
        assert seen, f"nobody sees that {told!r} has the focus"
        if told.startswith(name):
            return
    raise AssertionError(f"Tab does not come to {name!r}")


_FOCUS = """() => {
    let here = document.activeElement;
    const words = (here.getAttribute("aria-label") ?? here.innerText ?? "").trim();
    if (here === document.body || here.tagName === "IFRAME") return [words, true];
    if (here.shadowRoot) return [words, getComputedStyle(here).outlineStyle !== "none"];
    const style = getComputedStyle(here);
    return [words, style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2];
}"""


@cache
def _axe() -> str:
    return (npm_packages() / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
