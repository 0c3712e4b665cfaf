"""Who asked to hear from us, and who asked us to stop.

The only package that knows addresses. It stands on its own: it never imports `newsletter`.
Its door is `subscribers.house.Subscribers`; `Audience`, `still_wanted` and `parse_segment` are
for callers that hold a connection or a segment of schedule.yaml.
"""
