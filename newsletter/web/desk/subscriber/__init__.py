"""The desk's subscribers."""
