"""`make torture`: the long form. Ends with 1 where the promise was broken, and prints the seed that breaks it."""

from __future__ import annotations

import argparse
import logging
import os
import random
import secrets
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.deliver.fault_server import DROP, TAKE_AND_DROP, Fault

from .days import Days
from .scene import Scene, Verdict

_DELAY = 0.01
"""A server as slow as this makes 300 kills fit into 50,000 recipients."""


def main() -> int:
    """Kill senders at random until every recipient is settled; print what the ledger says against the truth."""
    asked = argparse.ArgumentParser(prog="make torture", description=__doc__)
    asked.add_argument("--recipients", type=int, default=50_000)
    asked.add_argument("--kills", type=int, default=300)
    asked.add_argument("--senders", type=int, default=4, help="at once")
    asked.add_argument("--stopped", type=float, default=90, help="seconds that one of them lies in SIGSTOP")
    asked.add_argument("--database", default="", help="the address of an empty PostgreSQL database; SQLite without it")
    asked.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    asked.add_argument(
        "--days", type=int, default=0, help="so many rehearsed days of many newsletters, in place of one send"
    )
    asked.add_argument("--newsletters", type=int, default=12, help="of these days")
    words = asked.parse_args()
    if words.days:
        return _days(words)
    print(f"seed {words.seed}, {words.senders} senders, {words.database or 'SQLite'}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    # No 421: it would slow everybody down, and nothing would be under way when they die.
    faults = [Fault("dot", action, times=10, skip=1000) for action in (DROP, TAKE_AND_DROP, "451 later")]
    try:
        desk = Scene(folder / "desk", words.recipients, database_url=words.database, faults=faults, delay=_DELAY)
        with desk as scene:
            kills = _kill_at_random(scene, random.Random(words.seed), words.kills, words.senders)
            _stop_one(scene, words.stopped)
            scene.finish(tries=200)
            verdict = scene.verdict()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    most = 20 + kills * scene.connections  # 20 that the server made
    print(f"{kills} kills; at most {most} may be unknown")
    print(verdict)
    return _judged(verdict, most)


def _days(words: argparse.Namespace) -> int:
    """Kill the processes of a desk at random for so many of its days, and print the account of all issues."""
    print(f"seed {words.seed}, {words.days} days of {words.newsletters} newsletters, {words.database or 'SQLite'}")
    logging.getLogger("newsletter").addHandler(logging.NullHandler())
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    try:
        with Days(
            folder / "desk", words.days, words.newsletters, words.kills, words.seed, database_url=words.database
        ) as days:
            days.run(lambda text: print(f"  {text}", flush=True))
            account = days.account()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("\n".join([str(account), *account.faults[:20]]))
    return 1 if account.faults else 0


def _kill_at_random(scene: Scene, dice: random.Random, kills: int, senders: int) -> int:
    done = 0
    running = [scene.start(retry=True) for _ in range(senders)]
    while done < kills and not scene.settled:
        time.sleep(dice.uniform(0, 0.5))
        place = dice.randrange(senders)
        done += running[place].is_alive()
        running[place].kill()
        running[place].join()
        running[place] = scene.start(retry=True)
        if done % 20 == 0:
            print(f"  {done} kills, {sum(scene.server.taken.values())} messages taken", flush=True)
    for process in running:
        process.terminate()
        process.join()
    return done


def _stop_one(scene: Scene, seconds: float) -> None:
    stopped, other = scene.start(retry=True), scene.start(retry=True)
    time.sleep(0.5)
    if stopped.is_alive() and stopped.pid is not None:
        os.kill(stopped.pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(stopped.pid, signal.SIGCONT)
    for process in (stopped, other):
        process.join()


def _judged(verdict: Verdict, most: int) -> int:
    if verdict.kept and len(verdict.unknown) <= most:
        return 0
    for what in ("phantom", "lost", "twice"):
        print(f"{what}: {', '.join(getattr(verdict, what)[:20])}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
