"""When newsletters are due, and the file that says so."""
