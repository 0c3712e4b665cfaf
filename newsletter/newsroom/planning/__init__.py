"""When: the schedule in force, what is decided beside it, and what that means."""
