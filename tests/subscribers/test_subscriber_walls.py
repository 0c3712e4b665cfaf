"""The house stands on its own, and its door is light."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("module", "never"),
    [
        ("subscribers", ("sqlalchemy", "alembic", "email_validator", "babel")),
        ("subscribers.segments", ("sqlalchemy", "alembic", "babel")),
        ("subscribers.house", ("newsletter", "alembic", "babel")),
        ("subscribers.audience", ("newsletter", "alembic")),
    ],
)
def test_what_an_import_brings_along(module: str, never: tuple[str, ...]) -> None:
    program = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(never).isdisjoint(done.stdout.split())


def test_no_module_names_the_newsletter_package() -> None:
    for path in (ROOT / "subscribers").rglob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert not line.strip().startswith(("import newsletter", "from newsletter")), path
