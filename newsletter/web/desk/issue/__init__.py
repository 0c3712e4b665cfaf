"""One issue on screen."""
