"""The desk's people and programs, what they did, how the desk is set."""
