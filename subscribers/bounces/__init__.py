"""What comes back: bounces, complaints and replies of machines, and what each means for the person it is about."""
