"""The house itself: walls, lazy doors, words in the docs, and what a wheel holds."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import runpy
import site
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("sqlalchemy", "mjml", "premailer", "jinja2", "pydantic", "tantivy", "feedparser", "httpx", "lxml")


def test_walls_between_rooms_stand() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom newsletter.cli import newsletter\n"
        "newsletter.main(['--help'], standalone_mode=False)\n"
        f"print('LOADED', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED []"


def test_each_command_explains_itself() -> None:
    from newsletter.cli import COMMANDS

    for name in COMMANDS:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "newsletter", name, "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (name, done.stderr)
        assert done.stdout.startswith(f"Usage: newsletter {name}")


def test_the_reference_is_what_the_code_says() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "make_reference.py"))
    for name, page in (("reference.md", made["reference"]), ("api.md", made["api"])):
        kept = (ROOT / "docs" / name).read_text(encoding="utf-8")
        assert kept == page(), f"`make docs` brings docs/{name} up to date"


def test_links_of_the_docs_lead_somewhere() -> None:
    pages = [
        ROOT / "README.md",
        ROOT / "CHANGELOG.md",
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("newsletter/**/*.md"),
    ]
    for page in pages:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"


def test_every_test_that_the_security_table_names_is_there() -> None:
    rows = [line for line in (ROOT / "docs" / "security.md").read_text(encoding="utf-8").splitlines() if "| `" in line]
    assert len(rows) > 10
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row)
        assert row.count("::") == len(named) > 0, row
        for file, test in named:
            assert re.search(rf"^def {test}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE), test


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


def test_mjml_is_the_compiler_that_reads_no_files() -> None:
    owners = importlib.metadata.packages_distributions()["mjml"]
    assert set(owners) == {"mjml-python"}


def test_locks_carry_no_address() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text, lock.name
        pinned = re.findall(r"^[a-z0-9][^\s]*==", text, re.MULTILINE)
        assert len(pinned) == len(re.findall(r"^[a-z0-9]", text, re.MULTILINE)), f"{lock.name}: every line is pinned"


def exported(module: str) -> list[str]:
    found = importlib.import_module(module)
    return [name for name in found.__all__ if not hasattr(found, name)]


@pytest.mark.parametrize(
    "module",
    [
        "newsletter.compose",
        "newsletter.deliver",
        "newsletter.gather",
        "newsletter.model",
        "newsletter.newsroom",
        "newsletter.pipeline",
        "newsletter.plan",
        "newsletter.ports",
        "newsletter.render",
        "newsletter.storage",
        "newsletter.testing",
        "subscribers.house",
    ],
)
def test_what_a_room_names_as_its_door_is_there(module: str) -> None:
    assert exported(module) == []


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as a release would be."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (found,) = folder.glob("*.whl")
    return found


def test_the_wheel_holds_templates_schedule_flags_and_samples(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for wanted in (
        "newsletter/_bundled/schedule.yaml",
        "newsletter/_bundled/templates/daily/body.mjml",
        "newsletter/_bundled/templates/theme.toml",
        "newsletter/render/flags/cn.png",
        "newsletter/demo/stories.jsonl",
        "newsletter/storage/migrations/versions/0001_first.py",
        "newsletter/web/pages/issue.html",
        "newsletter/web/static/desk.css",
        "subscribers/house.py",
    ):
        assert wanted in names, wanted
    assert not [name for name in names if name.startswith(("tests/", "templates/"))]


def test_an_installed_wheel_runs_the_demo_from_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    venv, empty = tmp_path / "venv", tmp_path / "empty"
    empty.mkdir()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    python = venv / "bin" / "python"
    (packages,) = (venv / "lib").glob("*/site-packages")
    zipfile.ZipFile(wheel).extractall(packages)
    # The dependencies of the tests' own environment, but not its checkout: a plain line of a .pth file is one
    # folder on the path, and the editable installation in that folder is not followed.
    (packages / "dependencies.pth").write_text("\n".join(site.getsitepackages()), encoding="utf-8")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("NEWSLETTER_", "PYTHON"))}
    where = subprocess.run(
        [python, "-c", "import newsletter; print(newsletter.__file__)"],
        cwd=empty,
        env=plain,
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.startswith(str(venv))
    done = subprocess.run(
        [python, "-m", "newsletter", "demo", "--once"],
        cwd=empty,
        env=plain,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "the books balance" in done.stdout
    assert list(empty.iterdir()) == []
    folder = Path(re.search(r"^mail\s+(.+)$", done.stdout, re.MULTILINE)[1])  # type: ignore[index]
    assert len(list(folder.glob("*.eml"))) == 22
