"""Filing by country on the first headlines of real feeds, against labels made by reading them.

The labels (ids and countries only) say what an editor would file a story under, `-` where that is none or several. One
reader made them from headline and summary, while the gazetteer was being written: so see them beside the trap set of
test_gazetteer.py, and beside other people's labels.
"""

from __future__ import annotations

import csv
import hashlib
import json
from importlib import import_module
from pathlib import Path

from newsletter.gather.gazetteer import guess_country
from newsletter.model import Story
from newsletter.plan.values import SourcePlan

from .conftest import NOW

LABELS = Path(__file__).parent / "country_labels.csv"
KIND_OF = {"wordpress-rest-posts": "wordpress", "ghost-content-api": "ghost", "jsonfeed": "jsonfeed", "ninjs": "ninjs"}


def first_stories(folder: Path, file: str) -> list[Story]:
    expected = json.loads((folder / f"{file}.expected.json").read_text(encoding="utf-8"))
    kind = KIND_OF.get(expected["kind"], "feed")
    plan = SourcePlan(id="wire", kind=kind, outlet="The Wire", rights_confirmed_by="test")
    address = expected.get("retrieved_from") or "https://news.example/feed"
    parse = import_module(f"newsletter.gather.{kind}").parse
    stories, _ = parse((folder / file).read_bytes(), plan, NOW, address=address)
    return list(stories[:15])


def name_of(story: Story) -> str:
    return story.guid or hashlib.sha256(story.url.encode()).hexdigest()[:16]


def test_it_is_right_where_it_answers_and_answers_at_least_half(test_data: Path) -> None:
    with LABELS.open(encoding="utf-8", newline="") as rows:
        labels = {(row["file"], row["id"]): row["country"] for row in csv.DictReader(rows)}
    answered = right = labelled = found = 0
    for file in dict.fromkeys(file for file, _ in labels):
        for story in first_stories(test_data / "feeds", file):
            label = labels[file, name_of(story)]
            guess = guess_country(story.title, story.summary, story.tags, story.section)
            labelled += label != "-"
            if guess is not None:
                answered += 1
                right += guess.country == label
                found += label != "-"
                if guess.country != label:
                    print(f"{file}: {guess.country}, read as {label}: {guess.evidence}")
    print(f"{len(labels)} stories, {labelled} with a country; {answered} answers, {right} right:", end=" ")
    print(f"precision {right / answered:.3f}, answered of those with a country {found / labelled:.3f}")
    assert right / answered >= 0.95
    assert found / labelled >= 0.5
