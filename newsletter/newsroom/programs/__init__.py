"""Programs elsewhere: what they are told of what happens here."""
