"""The desk's own people: their accounts, and how they are told of things."""
