"""Hooks for schemathesis: what the formats of our OpenAPI document mean."""

from __future__ import annotations

from datetime import UTC, datetime

import schemathesis
from hypothesis import strategies as st

_labels = st.from_regex(r"[a-z0-9]{1,12}", fullmatch=True)

schemathesis.openapi.format("timezone", st.sampled_from(["Asia/Singapore", "UTC", "America/St_Johns"]))
schemathesis.openapi.format("place", st.sampled_from(["CN", "JP", "SG", "kr", "US"]))
schemathesis.openapi.format("issue-day", st.dates().map(str))
schemathesis.openapi.format("email", st.builds("{}@{}.example".format, _labels, _labels))
schemathesis.openapi.format("language", st.sampled_from(["en", "zh-Hans", "ar"]))
_rows = st.lists(st.builds("{}@{}.example,asia-ai-daily\n".format, _labels, _labels), max_size=3)
schemathesis.openapi.format("subscribers", _rows.map(lambda rows: "email,newsletters\n" + "".join(rows)))
_seconds = st.integers(631152000, 3786912000)  # 1990 to 2090
schemathesis.openapi.format("date-time", _seconds.map(lambda each: datetime.fromtimestamp(each, UTC).isoformat()))
