"""When a source is asked again: its own pace, back-off after failures, Retry-After, and never once it is gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from newsletter.newsroom import Newsroom
from newsletter.newsroom.intake import gathering
from newsletter.plan.values import SourcePlan
from newsletter.ports import SourceState
from tests.servers import Answering, serving

from .conftest import NOW

FEED = b"<rss version='2.0'><channel><item><title>Well</title><link>https://e.example/1</link></item></channel></rss>"
PLAN = SourcePlan(id="wire", kind="feed", url="https://e.example/feed", every=timedelta(minutes=10))


@pytest.mark.parametrize(
    ("state", "minutes"),
    [
        (SourceState(), None),
        (SourceState(polled_at=NOW), 10),
        (SourceState(polled_at=NOW, failures=1), 20),
        (SourceState(polled_at=NOW, failures=3), 80),
        (SourceState(polled_at=NOW, failures=99), 24 * 60),
        (SourceState(polled_at=NOW, failures=1, not_before=NOW + timedelta(hours=9)), 9 * 60),
        (SourceState(polled_at=NOW, not_before=NOW + timedelta(minutes=1)), 10),
    ],
)
def test_when_it_is_asked_again(state: SourceState, minutes: int | None) -> None:
    at = gathering.next_poll(PLAN, state)
    assert at == (None if minutes is None else NOW + timedelta(minutes=minutes))


@pytest.fixture
def served(light_room: Newsroom) -> Iterator[Callable[[int, dict[str, str]], None]]:
    """A desk with one source; the call says what it answers next."""
    answers: list[tuple[int, dict[str, str]]] = []

    class Handler(Answering):
        def do_GET(self) -> None:
            status, headers = answers[-1]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if status == 200:
                self.wfile.write(FEED)

    with serving(Handler) as port:
        write_plan(light_room, f"http://127.0.0.1:{port}/feed")
        yield lambda status, headers: answers.append((status, headers))


def write_plan(room: Newsroom, url: str) -> None:
    text = room.plan_file.read_text(encoding="utf-8")
    head, _, rest = text.partition("sources:\n")
    _, _, tail = rest.partition("\n")
    source = f"  wire: {{kind: feed, url: '{url}', outlet: The Wire, allow_private: true}}\n"
    room.plan_file.write_text(f"{head}sources:\n{source}{tail}", encoding="utf-8")


def poll(room: Newsroom, *, insist: bool = False) -> gathering.Polled:
    (polled,) = gathering.gather_all(room, gathering.polled_sources(room), insist=insist)
    return polled


def test_retry_after_is_kept_and_insisting_goes_past_it(
    light_room: Newsroom, served: Callable[[int, dict[str, str]], None]
) -> None:
    served(503, {"Retry-After": "3600"})
    assert "503" in str(poll(light_room).error)
    state = light_room.source_states.get("wire")
    assert (state.failures, state.not_before is not None, "503" in str(state.last_error)) == (1, True, True)
    served(200, {})
    left = poll(light_room)
    assert left.left_alone is not None
    assert "asked not to be polled before" in left.left_alone
    assert gathering.due_sources(light_room, light_room.clock.now()) == []
    assert poll(light_room, insist=True).gathered is not None
    state = light_room.source_states.get("wire")
    assert (state.failures, state.not_before, state.last_error) == (0, None, None)


def test_gone_is_off_until_its_address_is_another(
    light_room: Newsroom, served: Callable[[int, dict[str, str]], None]
) -> None:
    served(410, {})
    assert poll(light_room).gathered is not None
    assert "switched off" in str(poll(light_room).left_alone)
    served(200, {})
    old = light_room.plan.sources["wire"].url
    assert old is not None
    time.sleep(0.01)
    write_plan(light_room, f"{old}?new")
    assert poll(light_room).gathered is not None
    assert light_room.source_states.get("wire").switched_off is None
