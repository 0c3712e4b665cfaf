"""A Postfix of our own: it takes mail on loopback by all its strict rules, and discards it."""

from __future__ import annotations

import shutil
import smtplib
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = ["STRICT", "Postfix", "postfix"]

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
myhostname = mx.example.com
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
smtpd_relay_restrictions = permit_mynetworks, reject
default_transport = discard:
"""
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
smtp unix - - n - - smtp
postlog unix-dgram n - n - 1 postlogd
"""
STRICT = {
    "smtpd_forbid_bare_newline": "reject",
    "smtpd_forbid_bare_newline_exclusions": "",  # else it trusts mynetworks
    "smtpd_forbid_unauth_pipelining": "yes",
}


@dataclass(frozen=True, slots=True)
class Postfix:
    """A running one."""

    folder: Path
    port: int

    @property
    def log(self) -> list[str]:
        """Every line it has logged."""
        path = self.folder / "mail.log"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def discarded(self) -> list[str]:
        """The recipient of each message that went all the way through, once nothing is left in the queue."""
        for _ in range(600):
            if not any(path.is_file() for name in ("maildrop", "incoming", "active") for path in self._queued(name)):
                break
            time.sleep(0.1)
        sent = (line for line in self.log if "/discard[" in line and "status=sent" in line)
        return [line.partition(" to=<")[2].partition(">,")[0] for line in sent]

    def _queued(self, name: str) -> Iterator[Path]:
        return (self.folder / "queue" / name).rglob("*")


@contextmanager
def postfix(program: str, port: int, settings: Mapping[str, str]) -> Iterator[Postfix]:
    """A Postfix with `settings` in its main.cf, in a folder that is gone afterwards; it must be started as root."""
    folder = Path(tempfile.mkdtemp(prefix="postfix-", dir="/tmp"))  # its own user must be able to reach it
    folder.chmod(0o755)
    for name in ("config", "queue", "data"):
        (folder / name).mkdir(mode=0o755)
    shutil.chown(folder / "data", "postfix")
    more = "".join(f"{name} = {value}\n" for name, value in settings.items())
    (folder / "config" / "main.cf").write_text(MAIN.format(folder=folder) + more, encoding="utf-8")
    (folder / "config" / "master.cf").write_text(MASTER.format(port=port), encoding="utf-8")
    command = [program, "-c", str(folder / "config")]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    try:
        with subprocess.Popen([*command, "start-fg"], **quiet) as process:  # type: ignore[call-overload]
            try:
                _wait_for(port)
                yield Postfix(folder, port)
            finally:
                subprocess.run([*command, "stop"], check=False, **quiet)  # type: ignore[call-overload]
                process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(port: int) -> None:
    for _ in range(200):
        with (
            suppress(OSError),
            smtplib.SMTP("127.0.0.1", port, timeout=10),
        ):  # it says QUIT: a mere probe is complained of
            return
        time.sleep(0.05)
    raise AssertionError(f"no Postfix came up on port {port}")
