"""What can go wrong, drawn once.

    NewsletterError                  exit 1
    ├── ConfigurationError           exit 2   settings or schedule.yaml; never retried
    │   ├── SettingError
    │   └── PlanError                         every fault of a schedule.yaml, with line and column
    ├── InputError                   exit 2   a file or an argument that a person gave us
    │   └── NotFoundError                     a story, issue or subscriber that is not there
    ├── ChecksFailedError            exit 3   a blocking check, or a missing approval
    ├── NothingToDoError             exit 4   the work was done before
    ├── NotLiveError                 exit 1   NEWSLETTER_LIVE guards this send
    ├── SourceError                           a source did not answer, or not with stories; tried again
    ├── TemplateError                exit 2   a template that does not compile, with file and line
    ├── StorageError                          the database refused: full disk, lock, old schema
    ├── NoAnswerError                         a name server did not answer; what was asked is left out
    └── TransportError                        the mail server did not take us; tried again
        ├── LostLineError                     its line was lost at a message
        ├── ThrottledError                    it sent us away for now: slower from here on
        └── RefusingError                     it rejects nearly everything; nothing more is tried

Each message is a sentence that says what is wrong and what to do. Refused recipients and refused stories
are values (`Outcome`, `Refusal`), not exceptions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

__all__ = [
    "ChecksFailedError",
    "ConfigurationError",
    "InputError",
    "LostLineError",
    "NewsletterError",
    "NoAnswerError",
    "NotFoundError",
    "NotLiveError",
    "NothingToDoError",
    "PlanError",
    "Problem",
    "RefusingError",
    "SettingError",
    "SourceError",
    "StorageError",
    "TemplateError",
    "ThrottledError",
    "TransportError",
]


class NewsletterError(Exception):
    """Root of every error this product raises on purpose."""

    exit_code = 1


class ConfigurationError(NewsletterError):
    """The installation is set up in a way that cannot work; trying again changes nothing."""

    exit_code = 2


class SettingError(ConfigurationError):
    """A setting (`newsletter.toml`, `.env`, `NEWSLETTER_*`) is missing, malformed or contradicts another."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in a text file: where (1-based line and column), what, and for which key."""

    file: str
    line: int
    column: int
    message: str
    path: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}: "
        return where + (f"{self.path}: {self.message}" if self.path else self.message)


class PlanError(ConfigurationError):
    """A schedule.yaml that cannot be followed; `problems` holds every fault, in the file's order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class InputError(NewsletterError):
    """A file, address or argument given by a person cannot be used."""

    exit_code = 2


class NotFoundError(InputError):
    """A story, issue, newsletter or subscriber with that name is not on this desk."""


class ChecksFailedError(NewsletterError):
    """A blocking check failed, or an approval is missing."""

    exit_code = 3


class NothingToDoError(NewsletterError):
    """Everything asked for had been done before."""

    exit_code = 4


class NotLiveError(NewsletterError):
    """`NEWSLETTER_LIVE` is not true and the recipients are not all on `NEWSLETTER_TEST_ALLOW`."""


class SourceError(NewsletterError):
    """A source did not answer, or answered with something that holds no stories.

    `retry_at` is the instant (aware UTC) before which it asked not to be polled again, where it said one.
    """

    def __init__(self, message: str, retry_at: datetime | None = None) -> None:
        super().__init__(message)
        self.retry_at = retry_at


class TemplateError(NewsletterError):
    """A template does not compile; `problems` names file and line of each fault."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class StorageError(NewsletterError):
    """The database refused: a full disk, a lock that does not end, a schema of another version."""


class NoAnswerError(NewsletterError):
    """The name servers did not say whether there is such a record: a time-out, SERVFAIL, no network."""


class TransportError(NewsletterError):
    """The mail server cannot be reached, or refuses us as a whole (TLS, login, 421)."""


class LostLineError(TransportError):
    """The line to the mail server was lost, or became useless, at one message."""


class ThrottledError(TransportError):
    """The mail server ended a conversation with 421: it takes mail, but not so much of it."""


class RefusingError(TransportError):
    """The mail server rejects nearly every message: something is wrong with us, and not with the recipients."""
