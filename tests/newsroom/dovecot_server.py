"""A Dovecot of our own: one mailbox, reached by IMAP over TLS on loopback."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from ..servers import free_port, listening, wait_until

__all__ = ["PASSWORD", "Dovecot", "dovecot"]

PASSWORD = "bounces 7@/"

CONFIG = """\
base_dir = {folder}/run
state_dir = {folder}/state
protocols = imap
listen = 127.0.0.1
log_path = {folder}/log
auth_failure_delay = 0
ssl = required
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
first_valid_uid = 1
mail_location = maildir:{folder}/mail
imap_capability = {capability}
passdb {{
  driver = passwd-file
  args = scheme=plain {folder}/users
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={folder}/home
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
service imap-login {{
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
"""


@dataclass(frozen=True, slots=True)
class Dovecot:
    """A running one."""

    folder: Path
    port: int

    def put(self, name: str, data: bytes) -> None:
        """Deliver a message, as a mail server does."""
        draft = self.folder / "mail" / "tmp" / name
        draft.write_bytes(data)
        shutil.chown(draft, "mail", "mail")
        draft.rename(self.folder / "mail" / "new" / name)

    def count(self, folder: str = "") -> int:
        """How many messages stand in a folder of the mailbox."""
        place = self.folder / "mail" / folder
        return sum(len(list((place / part).iterdir())) for part in ("new", "cur") if (place / part).is_dir())

    @property
    def address(self) -> str:
        """Of the mailbox, for the settings."""
        return f"imaps://bounces@localhost:{self.port}/INBOX?cafile={self.folder}/ca.pem"


@contextmanager
def dovecot(program: str, capability: str = "") -> Iterator[Dovecot]:
    """A Dovecot in a folder that is gone afterwards; it must be started as root. `capability` is all it admits to."""
    assert os.geteuid() == 0
    folder = Path(tempfile.mkdtemp(prefix="dovecot-", dir="/tmp"))  # its own users must be able to reach it
    folder.chmod(0o755)
    for part in ("mail", "mail/new", "mail/cur", "mail/tmp", "home"):
        (folder / part).mkdir()
        shutil.chown(folder / part, "mail", "mail")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    leaf = authority.issue_cert("localhost")
    leaf.private_key_pem.write_to_path(folder / "key.pem")
    for number, part in enumerate(leaf.cert_chain_pems):
        part.write_to_path(folder / "cert.pem", append=number > 0)
    port = free_port()
    (folder / "users").write_text(f"bounces:{PASSWORD}\n", encoding="utf-8")
    config = folder / "dovecot.conf"
    config.write_text(CONFIG.format(folder=folder, port=port, capability=capability), encoding="utf-8")
    with subprocess.Popen([program, "-F", "-c", str(config)], stdout=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: listening(port), 20)
            yield Dovecot(folder, port)
        finally:
            process.terminate()
            process.wait()
            shutil.rmtree(folder, ignore_errors=True)
