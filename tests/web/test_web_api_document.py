"""The OpenAPI document, and generated requests made of it: nothing breaks, and every answer is as the document says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.routing import Route

from newsletter.newsroom import Newsroom
from newsletter.storage import Role
from newsletter.web.api import bearers
from newsletter.web.api.document import PREFIX
from newsletter.web.app import make_app
from newsletter.web.policy import ACCESS, Bearer
from newsletter.web.throttle import Throttle

from .browsing import served
from .conftest import Visitor

EXAMPLES = os.environ.get("NEWSLETTER_API_EXAMPLES", "10")
"""Of each operation, phase and token; more of them by hand."""

DOCUMENT = "/api/v1/openapi.json"


def test_the_document_names_every_route_of_programs_and_no_other(sent: Newsroom) -> None:
    answer = Visitor(sent).http.get(DOCUMENT)
    routes = [each for each in make_app(sent).routes if isinstance(each, Route) and each.path.startswith(PREFIX)]
    served = {
        (re.sub(r":\w+}", "}", route.path), method.lower())
        for route in routes
        for method in (route.methods or set()) - {"HEAD"}
    }
    told = {(path, method) for path, each in answer.json()["paths"].items() for method in each}
    assert told == served
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert "set-cookie" not in answer.headers


def test_the_document_tells_the_role_that_each_operation_needs(sent: Newsroom) -> None:
    for methods in Visitor(sent).http.get(DOCUMENT).json()["paths"].values():
        for each in methods.values():
            needed = ACCESS[each["operationId"]]
            assert (each["security"] == [{"token": []}]) == isinstance(needed, Bearer)
            if isinstance(needed, Bearer):
                assert each["description"].endswith(f"Needs a token of the role {needed.role}.")


@pytest.fixture
def unbraked(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many requests as it takes."""
    for name in ("_guesses", "_requests"):
        monkeypatch.setattr(bearers, name, Throttle(10**6, 1.0))


@pytest.mark.parametrize("role", [Role.ADMIN, Role.VIEWER, None])
@pytest.mark.usefixtures("unbraked")
def test_no_generated_request_breaks_anything(sent: Newsroom, role: Role | None) -> None:
    """Every check of schemathesis; it ends with 0 when nothing was found. All its phases as who may do everything."""
    token = "" if role is None else sent.api_tokens.make("x", role, "x", sent.clock.now())
    here = Path(__file__).parent
    command = [
        *(str(Path(sys.executable).parent / "st"), "run", "", "--checks=all", "--no-color"),
        *(f"--max-examples={EXAMPLES}", "--seed=1", "--generation-database=none", "--workers=1"),
        *(() if role is Role.ADMIN else ("--phases=fuzzing",)),
        *(("-H", f"Authorization: Bearer {token}") if token else ()),
    ]
    environ = os.environ | {"SCHEMATHESIS_HOOKS": "api_formats", "PYTHONPATH": str(here)}
    with served(sent) as address:
        command[2] = address + DOCUMENT
        done = subprocess.run(command, cwd=here, env=environ, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
