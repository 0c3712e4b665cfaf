"""Says when: a clock that wakes the desk, and what is due at each waking."""
