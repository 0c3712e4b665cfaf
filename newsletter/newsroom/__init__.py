"""The one place that builds adapters and wires them; its modules are the nouns, their functions the verbs that
commands and screens may ask for."""

from newsletter.newsroom.room import Newsroom

__all__ = ["Newsroom"]
