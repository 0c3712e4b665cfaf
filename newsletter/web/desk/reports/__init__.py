"""What readers report, as editors see it."""
