"""An issue before it leaves: built, edited, looked at, checked, proofed, approved."""
