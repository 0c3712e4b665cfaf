"""A Maildir on this machine (https://cr.yp.to/proto/maildir.html), as a mail server fills it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from subscribers.bounces.files import messages_in
from subscribers.bounces.mailbox import MailboxError

__all__ = ["Maildir"]


class Maildir:
    """What is put away goes into a folder of Maildir++ (`.done/cur`), where a mail program shows it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def messages(self, most: int) -> Iterator[tuple[str, bytes]]:
        """See `Mailbox`. What somebody has moved meanwhile is passed over."""
        if not (self._path / "new").is_dir() or not (self._path / "cur").is_dir():
            raise MailboxError(f"{self._path} is no Maildir that we may read: it has no new and cur")
        for number, found in enumerate(messages_in(self._path)):
            if number == most:
                return
            if not found.fault or found.data:
                yield found.name, found.data

    def put_away(self, name: str, folder: str) -> None:
        """See `Mailbox`. The flag S says that it was seen."""
        file = Path(name)
        target = self._path / f".{folder}"
        try:
            for part in ("new", "cur", "tmp"):
                (target / part).mkdir(mode=0o700, parents=True, exist_ok=True)
            unique = file.name.partition(":2,")[0]
            file.rename(target / "cur" / f"{unique}:2,S")
        except FileNotFoundError:
            pass  # somebody else has moved it
        except OSError as error:
            raise MailboxError(f"{file} cannot be moved into {target}: {error.strerror}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass
