"""APScheduler as the alarm clock of `newsletter run`: it wakes, and remembers nothing.

Its own cron trigger and job store are not used: measured on 3.11.3, they fire twice or never at clock changes,
drop late runs, and double every job when two schedulers share a store.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from newsletter.errors import ChecksFailedError, NewsletterError, NothingToDoError
from newsletter.model import IssueId
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import sending
from newsletter.newsroom.people import telling
from newsletter.newsroom.programs import webhooks
from newsletter.schedule import day, steps

__all__ = ["Clockwork", "SenderLoop"]

log = logging.getLogger("newsletter.schedule")

TICK = timedelta(seconds=15)
LEAST_REAL_SECONDS = 0.25
AT_ONCE = 16
"""Issues that one process sends at the same time; each costs a thread, a database session, and its editions in
memory."""
JUMP = 1.0
"""Seconds; a system's clock that is off by more than that all at once was set."""
GLANCE = 2.0
"""Seconds between two looks at that."""


class Clockwork:
    """Ticks every 15 s of the desk's clock and at the next due instant; polls sources, drafts notes, tells the desk's
    people, programs elsewhere, reads bounces and, once a day, prunes beside that.

    APScheduler wakes at a time of the system's clock. Were that put back by a day it would sleep for a day, so the
    alarms are set anew whenever that clock jumps.
    """

    def __init__(self, room: Newsroom) -> None:
        self._room = room
        self._every = max(LEAST_REAL_SECONDS, room.clock.real_seconds(TICK))
        self._workers = ThreadPoolExecutor(8)
        self._pruned_on: date | None = None
        self._alarms = BackgroundScheduler(
            timezone=UTC, executors={"default": self._workers}, job_defaults={"coalesce": True}
        )
        self._back = day.FAR_BACK
        self._stopping = threading.Event()
        self._watch = threading.Thread(target=self._look_for_jumps, name="clock watch", daemon=True)

    def start(self) -> None:
        """Begin to wake, in threads of its own."""
        self._set_alarms()
        self._alarms.start()
        self._watch.start()

    def stop(self) -> None:
        """Wake no more; what runs is finished first."""
        self._stopping.set()
        self._watch.join()
        # Not `wait=True`: APScheduler 3.11.3 then waits with the lock in hand that a running tick's `add_job` asks for.
        self._alarms.shutdown(wait=False)
        self._workers.shutdown(wait=True)

    def _set_alarms(self) -> None:
        for job in (self._tick, self._poll, self._draft, self._tell, self._tell_programs, self._take_back, self._prune):
            self._alarms.add_job(
                job,
                "interval",
                seconds=self._every * (4 if job == self._take_back else 1),
                id=job.__name__,
                replace_existing=True,
                next_run_time=datetime.now(UTC),
                misfire_grace_time=None,
            )

    def _look_for_jumps(self) -> None:
        before = _ahead_of_monotonic()
        while not self._stopping.wait(min(self._every, GLANCE)):
            ahead = _ahead_of_monotonic()
            if abs(ahead - before) > JUMP:
                log.warning("the system's clock was set by %+.0f s", ahead - before)
                self._back = day.FAR_BACK  # the machine may have slept
                self._set_alarms()
            before = ahead

    def _tick(self) -> None:
        _guarded(self._take_steps)
        self._set_alarm()

    def _take_steps(self) -> None:
        day.tick(self._room, self._back)
        self._back = day.LOOK_BACK

    def _poll(self) -> None:
        _guarded(lambda: day.poll(self._room))

    def _draft(self) -> None:
        _guarded(lambda: day.draft(self._room))

    def _tell(self) -> None:
        # Not a part of the tick: a mail server that hangs holds up nobody's day.
        _guarded(lambda: telling.tell(self._room))

    def _take_back(self) -> None:
        _guarded(lambda: day.take_back(self._room))

    def _prune(self) -> None:
        """Once a day of the desk's clock; begun anew it is harmless, and finds nothing."""
        today = self._room.clock.now().date()
        if today != self._pruned_on:
            _guarded(lambda: day.prune(self._room))
            self._pruned_on = today

    def _tell_programs(self) -> None:
        _guarded(lambda: webhooks.carry(self._room, self._stopping.is_set))

    def _set_alarm(self) -> None:
        waking = day.next_waking(self._room)
        if waking is None:
            return
        clock = self._room.clock
        real = datetime.now(UTC) + timedelta(seconds=clock.real_seconds(waking - clock.now()))
        self._alarms.add_job(
            self._tick, "date", run_date=real, id="next due instant", replace_existing=True, misfire_grace_time=None
        )


class SenderLoop:
    """Carries the mail of every issue that is due until stopped: many at once, the most urgent first.

    Each is sent on a thread of its own, so that a slow or a broken one holds up nobody; what they share is the lines to
    the mail server. One that is more urgent than all under way never waits for a place.
    """

    def __init__(self, room: Newsroom) -> None:
        self._room = room
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sender")
        self._under_way: dict[IssueId, threading.Thread] = {}
        self._begun: dict[IssueId, int] = {}  # at which place in the order of all beginnings

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Drain: what is in flight is finished and recorded, nothing more is begun."""
        self._stopping.set()
        self._thread.join()
        for thread in self._under_way.values():
            thread.join()

    def send_due(self) -> None:
        """Carry what is due at this moment, one issue after the other, in the thread that asks."""
        for issue_id in day.due_issues(self._room):
            if self._stopping.is_set():
                return
            self._send(issue_id)

    def _run(self) -> None:
        pause = max(LEAST_REAL_SECONDS, min(2.0, self._room.clock.real_seconds(TICK)))
        while not self._stopping.wait(pause):
            _guarded(self._begin_due)

    def _begin_due(self) -> None:
        self._under_way = {issue_id: thread for issue_id, thread in self._under_way.items() if thread.is_alive()}
        for issue_id in self._in_turn(day.due_issues(self._room)):
            if self._stopping.is_set() or not self._has_place(issue_id):
                return
            self._begun[issue_id] = max(self._begun.values(), default=0) + 1
            thread = threading.Thread(target=self._send, args=(issue_id,), name=f"sender of {issue_id}")
            self._under_way[issue_id] = thread
            thread.start()

    def _in_turn(self, due: Sequence[IssueId]) -> list[IssueId]:
        """Those not under way; of equals the one that was begun longest ago or never, for one that always fails would
        have every free place."""
        self._begun = {issue_id: place for issue_id, place in self._begun.items() if issue_id in due}
        waiting = [issue_id for issue_id in due if issue_id not in self._under_way]
        return sorted(waiting, key=lambda each: (-day.priority(self._room, each), self._begun.get(each, 0)))

    def _has_place(self, issue_id: IssueId) -> bool:
        """Whether one more may be begun. There are few priorities, so those who need no place are few."""
        if len(self._under_way) < AT_ONCE:
            return True
        return day.priority(self._room, issue_id) > max(day.priority(self._room, each) for each in self._under_way)

    def _send(self, issue_id: IssueId) -> None:
        try:
            books = sending.send(self._room, issue_id, stop=self._stopping.is_set)
            log.info("%s: %s, %s submitted", issue_id, books.state, books.deliveries["submitted"])
        except NothingToDoError:
            pass  # another process was quicker
        except ChecksFailedError as error:
            now = self._room.clock.now()
            if self._room.issues.hold_back(issue_id, now, steps.SENDER, str(error)):
                log.warning("%s is held back: %s", issue_id, error)
        except NewsletterError as error:
            if self._room.issues.explain(issue_id, str(error)):
                log.warning("%s: %s", issue_id, error)
        except Exception:
            log.exception("%s: sending failed", issue_id)


def _ahead_of_monotonic() -> float:
    """Seconds by which the system's clock leads the one that nobody can set."""
    return time.time() - time.monotonic()


def _guarded(step: Callable[[], None]) -> None:
    """One failed waking is logged; the next one tries again."""
    try:
        step()
    except NewsletterError as error:
        log.warning("%s", error)
    except Exception:
        log.exception("a step of the desk's day failed")
