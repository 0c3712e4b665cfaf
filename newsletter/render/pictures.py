"""A picture of an edition as a browser shows it, through Chromium where there is one."""

from __future__ import annotations

import base64
import os
import re
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from html import escape
from pathlib import Path

from newsletter.errors import ConfigurationError
from newsletter.render import FLAGS

__all__ = ["picture"]

# Chromium paints no more than this in one picture.
_HIGHEST = 16_000
_SECONDS = 60
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAG = re.compile(r'src="[^"]*/flags/([a-z]{2}\.png)"')
# Pictures of others are not fetched; a grey field of their size stands for them.
_OTHER = re.compile(r'src="https?:[^"]*"')
_GREY = "data:image/gif;base64,R0lGODlhAQABAPAAAMDAwAAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw=="
# A window is at least 500 pixels wide, a frame as wide as it is told: media queries go by the frame. Nothing is
# fetched: the mail's pictures are shown as places, but for the flags, which are here.
_PAGE = """<!DOCTYPE html><html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy"
content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'nonce-height'"><title></title></head>
<body style="margin:0"><iframe sandbox="allow-same-origin" srcdoc="{mail}"
style="border:0;display:block;width:{width}px;height:{height}px"></iframe>
<script nonce="height">addEventListener('load', () => {{
  const page = document.querySelector('iframe').contentDocument;
  document.title = Math.max(page.documentElement.scrollHeight, page.body.scrollHeight);
}})</script></body></html>"""


def picture(html: str, *, width: int, dark: bool = False) -> bytes:
    """A PNG of the whole mail at that width in pixels; raises `ConfigurationError` where no browser can make one."""
    shown = _FLAG.sub(lambda flag: f'src="{_embedded(FLAGS / flag[1])}"', html)
    mail = escape(_OTHER.sub(f'src="{_GREY}"', shown))
    with tempfile.TemporaryDirectory(prefix="newsletter-picture-") as folder:
        browser = _Browser(Path(folder), mail, width, dark)
        height = min(browser.height(), _HIGHEST)
        return browser.shot(height)


class _Browser:
    """Chromium without a window, with a profile of its own that goes when the picture is made."""

    def __init__(self, folder: Path, mail: str, width: int, dark: bool) -> None:
        self._folder, self._mail, self._width, self._dark = folder, mail, width, dark

    def height(self) -> int:
        """How high the mail is, in pixels."""
        dom = self._run(600, "--dump-dom")
        found = re.search(rb"<title>(\d+)</title>", dom)
        if found is None:
            raise ConfigurationError("Chromium did not show the page; try it by hand: chromium --headless --dump-dom")
        return max(int(found[1]), 1)

    def shot(self, height: int) -> bytes:
        """The PNG."""
        target = self._folder / "picture.png"
        self._run(height, f"--screenshot={target}")
        try:
            return target.read_bytes()
        except FileNotFoundError:
            raise ConfigurationError("Chromium made no picture; try it by hand: chromium --headless") from None

    def _run(self, height: int, what: str) -> bytes:
        page = self._folder / "page.html"
        page.write_text(_PAGE.format(mail=self._mail, width=self._width, height=height), encoding="utf-8")
        command = [
            _program(),
            *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage"),
            *("--no-first-run", "--disable-extensions", "--disable-background-networking"),
            f"--user-data-dir={self._folder / 'profile'}",
            f"--window-size={self._width},{height}",
            f"--blink-settings=preferredColorScheme={0 if self._dark else 1}",
            what,
            page.as_uri(),
        ]
        try:
            return _output(command)
        except subprocess.TimeoutExpired:
            raise ConfigurationError(f"Chromium made no picture within {_SECONDS} s; try it when less runs") from None
        except OSError as error:
            raise ConfigurationError(f"Chromium made no picture: {error}") from None


def _output(command: list[str]) -> bytes:
    """What the browser prints; its children, which outlive it when the time is over, end with it."""
    with subprocess.Popen(  # noqa: S603 - a browser
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as browser:
        try:
            return browser.communicate(timeout=_SECONDS)[0]
        finally:
            with suppress(ProcessLookupError):
                os.killpg(browser.pid, signal.SIGKILL)


def _program() -> str:
    if (found := next(filter(None, map(shutil.which, _NAMES)), None)) is None:
        raise ConfigurationError("a picture needs Chromium, which is not here; install it: apt-get install chromium")
    return found


def _embedded(path: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}" if path.is_file() else ""
