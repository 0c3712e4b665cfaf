"""`newsletter run` says when the links of its mails lead to a port that it does not serve."""

from __future__ import annotations

import pytest

from newsletter.cli.run import say_where_links_lead


@pytest.mark.parametrize(
    ("base", "port", "said"),
    [
        ("http://127.0.0.1:8000", 8000, False),
        ("http://127.0.0.1:8000", 8461, True),
        ("http://localhost", 8000, True),
        ("https://news.example.com", 8000, False),  # a proxy stands before it
    ],
)
def test_links_that_lead_elsewhere_are_named(
    capsys: pytest.CaptureFixture[str], base: str, port: int, said: bool
) -> None:
    say_where_links_lead(base, port)
    assert ("NEWSLETTER_BASE_URL" in capsys.readouterr().err) is said
