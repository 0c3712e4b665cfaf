"""What programs send: stories pushed by the publisher's own systems."""
