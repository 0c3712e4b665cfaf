"""Related reading on real headline clusters: the bars of the design, and a small index's speed."""

from __future__ import annotations

import csv
import gzip
import math
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.model import Related, Story

from .conftest import relate

FILE = "uci_headline_clusters.csv.gz"
PLACES = 3


@pytest.fixture(scope="module")
def clusters(test_data: Path) -> dict[str, str]:
    return {f"uci:{row['id']}": row["story"] for row in rows_of(test_data)}


@pytest.fixture(scope="module")
def headlines(test_data: Path) -> list[Story]:
    return [
        Story(
            source="uci",
            external_id=row["id"],
            url=row["url"],
            title=row["title"],
            outlet=row["pub"],
            published_at=datetime.fromtimestamp(int(row["ts"]) / 1000, UTC),
        )
        for row in rows_of(test_data)
    ]


@pytest.fixture(scope="module")
def offered(headlines: list[Story]) -> dict[str, tuple[Related, ...]]:
    """By text alone: the data was collected cluster by cluster, so its times would give the clusters away."""
    same_time = [replace(story, published_at=headlines[0].published_at) for story in headlines]
    return relate(same_time, same_time, limit=PLACES, now=same_time[0].published_at)


def rows_of(test_data: Path) -> list[dict[str, str]]:
    path = test_data / FILE
    if not path.is_file():
        pytest.skip(f"missing test data: no {FILE} in {test_data}")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_precision_at_three(clusters: dict[str, str], offered: dict[str, tuple[Related, ...]]) -> None:
    right = sum(clusters[row.id] == clusters[of] for of, rows in offered.items() for row in rows)
    print(f"P@3 {right / (PLACES * len(offered)):.4f}, of what is shown {right / sum(map(len, offered.values())):.4f}")
    assert right / (PLACES * len(offered)) >= 0.845
    assert right / sum(map(len, offered.values())) >= 0.86


def test_no_near_duplicate_in_the_top_three(headlines: list[Story], offered: dict[str, tuple[Related, ...]]) -> None:
    words = {story.id: Counter(re.findall(r"\w+", story.title.casefold())) for story in headlines}
    pairs = [(of, row.id) for of, rows in offered.items() for row in rows]
    pairs += [(a.id, b.id) for rows in offered.values() for a in rows for b in rows if a.id < b.id]
    assert [pair for pair in pairs if plain_cosine(words[pair[0]], words[pair[1]]) >= 0.85] == []


def test_junk_alone_leaves_places_empty(
    headlines: list[Story], clusters: dict[str, str], offered: dict[str, tuple[Related, ...]]
) -> None:
    """With a story's own cluster gone, what is left are other events: the floor drops what only looks alike."""
    largest = {cluster for cluster, _ in Counter(clusters.values()).most_common(5)}
    rest = [story for story in headlines if clusters[story.id] not in largest]
    asked = [story for story in headlines if clusters[story.id] in largest][::5]
    strangers = {story.id for story in asked}
    offered = {
        name: [row for row in rows if row.id not in strangers]
        for name, rows in relate(asked, rest, limit=10, now=asked[0].published_at).items()
    }
    filled = sum(min(len(rows), PLACES) for rows in offered.values())
    assert filled / (PLACES * len(asked)) <= 0.75


def plain_cosine(first: Counter[str], second: Counter[str]) -> float:
    """Written out anew, over all words as they stand, so that the product's own measure does not judge itself."""
    product = sum(count * second[word] for word, count in first.items())
    return product / math.sqrt(sum(c * c for c in first.values()) * sum(c * c for c in second.values()))
