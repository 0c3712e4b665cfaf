"""The mail caught in test mode."""
