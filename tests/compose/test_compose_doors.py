"""The doors of the room: open on first use, and no others."""

from __future__ import annotations

import subprocess
import sys

import pytest


def test_importing_the_room_loads_nothing_heavy() -> None:
    code = (
        "import sys, newsletter.compose as room; "
        "heavy = {'numpy', 'bm25s'}; assert heavy.isdisjoint(sys.modules), 'too early'; "
        "doors = [getattr(room, name) for name in room.__all__]; assert heavy <= set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_room_has_no_other_door() -> None:
    import newsletter.compose

    with pytest.raises(AttributeError, match="no attribute 'window'"):
        _ = newsletter.compose.window
