"""Measurements: ratios taken in one run, medians of interleaved rounds. `make bench` runs them all."""
