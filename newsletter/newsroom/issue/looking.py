"""Checks of an issue that ask somebody else: do its links answer, and what does SpamAssassin say of it.

They take seconds and speak to the world, so they are made when an editor asks, never by an approval or a send.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent import futures
from urllib.parse import urlsplit

from newsletter import gather
from newsletter.errors import NewsletterError
from newsletter.model import Finding, IssueId, Severity, Snapshot
from newsletter.newsroom.issue.proofs import message_for
from newsletter.newsroom.room import Newsroom

__all__ = ["look", "unanswered"]

EACH, ALL = 5.0, 20.0
"""Seconds for one link, and for all of them."""

HOSTS_AT_ONCE = 16

# Names for examples (RFC 2606): the sample desk's outlets.
_NOBODYS = re.compile(r"(?:^|\.)(?:example(?:\.(?:com|net|org))?|test|invalid|localhost)$")

SPAM_FROM = 2.0
"""The score of SpamAssassin from which there is a finding; mail is marked as spam from 5."""


def look(room: Newsroom, issue_id: IssueId, links: bool = True) -> list[Finding]:
    """Warnings about links that do not answer (if `links` are asked for) and, where it is installed, of SpamAssassin.

    SpamAssassin asks nobody outside this machine.
    """
    snapshot = room.issues.get(issue_id).snapshot
    if snapshot is None:
        return []
    return [*(unanswered(snapshot) if links else ()), *_spam(room, issue_id)]


def unanswered(snapshot: Snapshot, seconds: float = ALL) -> list[Finding]:
    """The links of an issue that lead nowhere: hosts at once, one host's links one after the other.

    How many could not be looked at within `seconds` is a finding as well.
    """
    links = {placed.story.url: f"story {placed.story.id}" for placed in snapshot.placed}
    if snapshot.sponsor is not None and snapshot.sponsor.url:
        links[snapshot.sponsor.url] = "sponsor"
    by_host: dict[str, dict[str, str]] = {}
    for address, place in links.items():
        host = urlsplit(address).hostname or ""
        if not _NOBODYS.search(host):
            by_host.setdefault(host, {})[address] = place
    deadline = time.monotonic() + seconds
    pool = futures.ThreadPoolExecutor(HOSTS_AT_ONCE, thread_name_prefix="links")
    looked_at: set[str] = set()
    asked = [pool.submit(_of_one_host, group, deadline, looked_at) for group in by_host.values()]
    found: list[Finding] = []
    try:
        for done in futures.as_completed(asked, timeout=seconds):
            found += done.result()
    except futures.TimeoutError:
        pass
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    silent = {finding.place for finding in found if "does not answer" in finding.message}
    if len(by_host) > 2 and len(silent) == len(set(links.values())):
        message = "None of its links answers: this machine may not reach the internet."
        return [Finding(Severity.WARNING, "link", "issue", message, "Look again from a machine that does.")]
    places = list(links.values())
    found.sort(key=lambda finding: places.index(finding.place))
    if left := len(set().union(*by_host.values()) - looked_at):
        message = f"Within {seconds:g} s, {left} of {len(links)} links could not be looked at."
        found.append(Finding(Severity.WARNING, "link", "issue", message, "Check again, or open them yourself."))
    return found


def _of_one_host(links: Mapping[str, str], deadline: float, looked_at: set[str]) -> list[Finding]:
    found = []
    for address, place in links.items():
        if (left := deadline - time.monotonic()) <= 0:
            break
        if why := gather.why_unreachable(address, min(EACH, left)):
            message = f"Its link {address} {why}."
            found.append(Finding(Severity.WARNING, "link", place, message, "Open it; correct or drop the story."))
        looked_at.add(address)
    return found


def _spam(room: Newsroom, issue_id: IssueId) -> Iterator[Finding]:

    program = shutil.which("spamassassin")
    if program is None:
        return
    try:
        data = message_for(room, issue_id)
    except NewsletterError:
        return  # why there is no message, the preflight says
    try:
        done = subprocess.run([program, "-L", "-t"], input=data, capture_output=True, timeout=60, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        yield Finding(Severity.WARNING, "spam", "message", f"SpamAssassin gave no answer: {error}.", "Ask it again.")
        return
    status = re.sub(r"\s+", " ", done.stdout.decode(errors="replace").partition("X-Spam-Status:")[2][:1000])
    score = re.search(r"score=(-?[\d.]+).*?tests=([A-Z0-9_, ]*)", status)
    if score and float(score[1]) >= SPAM_FROM:
        rules = score[2].replace(" ", "").replace(",", ", ")
        message = f"SpamAssassin gives {score[1]} points ({rules}); from 5 on a mail is spam."
        yield Finding(Severity.WARNING, "spam", "message", message, "Change what these rules name.")
