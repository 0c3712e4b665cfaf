"""Carries each message once and knows what happened. README.md beside this file holds the invariants."""

from newsletter.deliver.allowed import refuse_strangers
from newsletter.deliver.backoff import backoff
from newsletter.deliver.dkim import DkimKey
from newsletter.deliver.drain import Drain
from newsletter.deliver.headers import MailHeaders, envelope_sender
from newsletter.deliver.letters import Letter, write_letter
from newsletter.deliver.lines import Lines, Share
from newsletter.deliver.opening import dkim_keys, open_lines, open_pace, open_transport, outbox_folder, relay_of
from newsletter.deliver.pace import Pace
from newsletter.deliver.relay import Relay
from newsletter.deliver.sender import Pauses, send
from newsletter.deliver.splice import SplicedEdition, compile_message

__all__ = [
    "DkimKey",
    "Drain",
    "Letter",
    "Lines",
    "MailHeaders",
    "Pace",
    "Pauses",
    "Relay",
    "Share",
    "SplicedEdition",
    "backoff",
    "compile_message",
    "dkim_keys",
    "envelope_sender",
    "open_lines",
    "open_pace",
    "open_transport",
    "outbox_folder",
    "refuse_strangers",
    "relay_of",
    "send",
    "write_letter",
]
