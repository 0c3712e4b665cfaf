"""The lines of one process: never more than there may be, in equal shares, and the urgent first."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.deliver.lines import Lines, Share


class Issue:
    """One issue with so many carriers, each of which has a line or asks for one at every step."""

    def __init__(self, lines: Lines, carriers: int, priority: int = 5, patient: bool = False) -> None:
        self._open = ExitStack()
        self.share: Share = self._open.enter_context(lines.share(priority, patient))
        self._asking = [ExitStack() for _ in range(carriers)]
        self.held = 0
        self.steps = 0
        for one in self._asking:
            one.enter_context(self.share.waiting())

    def step(self) -> None:
        """Give back what is asked back, and ask for what is missing."""
        if self.held and self.share.called_back():
            self.share.give_back()
            self.held -= 1
            self._asking.append(ExitStack())
            self._asking[-1].enter_context(self.share.waiting())
        if self._asking and self.share.take():
            self._asking.pop().close()
            self.held += 1
        self.steps += self.held

    def end(self) -> None:
        """There is no more work."""
        for _ in range(self.held):
            self.share.give_back()
        self.held = 0
        for one in self._asking:
            one.close()
        self._open.close()


class Seconds:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def steps(issues: list[Issue], number: int, seconds: Seconds | None = None) -> None:
    for _ in range(number):
        for issue in issues:
            issue.step()
        if seconds is not None:
            seconds.now += 0.25


@given(
    most=st.integers(1, 6),
    wants=st.lists(st.tuples(st.integers(1, 8), st.integers(1, 9), st.booleans()), min_size=1, max_size=8),
    order=st.lists(st.integers(0, 7), max_size=120),
)
def test_never_more_lines_than_there_may_be_and_none_is_left_idle(
    most: int, wants: list[tuple[int, int, bool]], order: list[int]
) -> None:
    seconds = Seconds()
    lines = Lines(most, seconds)
    issues = [Issue(lines, carriers, priority, patient) for carriers, priority, patient in wants]
    for place in order:
        issues[place % len(issues)].step()
        seconds.now += 0.5
        assert sum(issue.held for issue in issues) <= most
    steps(issues, 40, seconds)
    outranking = max((priority for _, priority, patient in wants if not patient), default=0)
    asked = sum(carriers for carriers, priority, _ in wants if priority >= outranking)
    assert sum(issue.held for issue in issues) >= min(most, asked) - len(issues), "but for those that change hands"


def test_alone_it_has_all_lines_and_gives_half_of_them_to_the_second() -> None:
    lines = Lines(8)
    first = Issue(lines, 8)
    steps([first], 10)
    assert first.held == 8
    second = Issue(lines, 8)
    steps([first, second], 10)
    assert (first.held, second.held) == (4, 4)
    first.end()
    steps([second], 10)
    assert second.held == 8, "and has them all when the other has ended"


@pytest.mark.parametrize("number", [3, 5, 12])
def test_where_there_are_more_issues_than_lines_they_take_turns(number: int) -> None:
    seconds = Seconds()
    lines = Lines(2, seconds)
    issues = [Issue(lines, 2) for _ in range(number)]
    steps(issues, 400, seconds)
    carried = sorted(issue.steps for issue in issues)
    assert carried[-1] <= 1.5 * carried[0], "none is starved"
    assert sum(carried) >= 700, "and hardly a line lies idle"


def test_the_urgent_has_every_line_and_the_others_come_back_behind_it() -> None:
    lines = Lines(4)
    usual = [Issue(lines, 4) for _ in range(3)]
    steps(usual, 10)
    urgent = Issue(lines, 3, priority=9)
    steps([*usual, urgent], 10)
    assert (urgent.held, [issue.held for issue in usual]) == (3, [0, 0, 0])
    urgent.end()
    steps(usual, 10)
    assert sum(issue.held for issue in usual) == 4


def test_one_that_is_in_no_hurry_sends_nobody_away() -> None:
    lines = Lines(4)
    patient, usual = Issue(lines, 1, priority=9, patient=True), Issue(lines, 4)
    steps([patient, usual], 10)
    assert (patient.held, usual.held) == (1, 3)
