"""The stories of a desk."""
