"""Readers: what they may do by their links, and what the desk may see and do of one of them."""
