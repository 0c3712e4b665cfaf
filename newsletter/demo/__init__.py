"""A sample desk as data: invented stories by invented outlets, their past, and 25 readers.

`hours_ago` in the story files stands for a `published_at` that many hours before the demo is run.
"""
