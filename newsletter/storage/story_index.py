"""The words of every story, as a Tantivy index in a folder: which stories are like one, and which hold a word.

The index is derived: the database is the truth, and a folder that is missing, damaged or from another database is
made anew. It holds row ids and terms (`newsletter.words`), nothing that a reader sees.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import tantivy

from newsletter.words import is_spaced, terms_of

__all__ = ["Indexed", "StoryIndex"]

# One document of the index is no story: its `published` is the mark up to which the index knows the stories' changes.
# So the mark is committed together with what it stands for.
_MARK = 0

_MEMORY_FOR_MANY, _MEMORY_FOR_FEW = 128_000_000, 15_000_000
_MANY = 2_000
_MOST_REMEMBERED = 100_000

_TERMS, _ROW, _PUBLISHED = "terms", "row", "published"


@dataclass(frozen=True, slots=True)
class Indexed:
    """What the index is given of one story: its row, its text, and when it was published."""

    row: int
    text: str
    published_at: datetime


class StoryIndex:
    """An index in `folder`, or in memory for None. One process at a time may `put`; any number may ask meanwhile.

    Ranking is BM25 (k1 1.2, b .75, as Lucene has it). What was put is found by the next question of this object; what
    another process put is found after `refresh`.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._index = _open(folder)
        self._searcher = self._index.searcher()
        self._rarities: dict[str, float] = {}

    @property
    def mark(self) -> int:
        """The change number up to which the index knows the stories; 0 for an empty one."""
        found = self._searcher.search(self._integer(_ROW, _MARK), 1).hits
        return self._values(_PUBLISHED, [address for _, address in found])[0] if found else 0

    def __len__(self) -> int:
        """How many stories are in it."""
        return max(self._searcher.num_docs - bool(self.mark), 0)

    def refresh(self) -> None:
        """Look at what other processes have put meanwhile."""
        self._index.reload()
        self._searcher = self._index.searcher()
        self._rarities = {}

    def put(self, stories: Iterable[Indexed], mark: int) -> None:
        """Take in stories in place of what was known of their rows, and move the mark; all or nothing, durable."""
        batch = list(stories)
        many = len(batch) >= _MANY
        fresh = self.mark == 0
        writer = self._index.writer(_MEMORY_FOR_MANY if many else _MEMORY_FOR_FEW, 1)
        for each in batch:
            if not fresh:
                writer.delete_documents_by_term(_ROW, each.row)
            seconds = math.floor(each.published_at.timestamp())
            writer.add_document(tantivy.Document(terms=" ".join(terms_of(each.text)), row=each.row, published=seconds))
        writer.delete_documents_by_term(_ROW, _MARK)
        writer.add_document(tantivy.Document(row=_MARK, published=mark))
        writer.commit()
        if many:
            writer.wait_merging_threads()
        self.refresh()

    def clear(self) -> None:
        """Forget everything."""
        writer = self._index.writer(_MEMORY_FOR_FEW, 1)
        writer.delete_all_documents()
        writer.commit()
        self.refresh()

    def like(self, terms: Iterable[str], *, after: datetime, until: datetime, limit: int) -> list[tuple[int, float]]:
        """Rows and BM25 scores of stories that share terms, best first, of those published from `after` to `until`."""
        wanted = [(tantivy.Occur.Should, self._term(term)) for term in dict.fromkeys(terms)]
        if not wanted:
            return []
        query = tantivy.Query.boolean_query(wanted)
        found = self._rows(query, limit, (after, until))
        if len(found) * 2 >= limit:
            return found
        # Asking for the window in the query itself costs four times as much, so it is asked only of old archives.
        inside = self._published(after, until)
        return self._rows(
            tantivy.Query.boolean_query([(tantivy.Occur.Must, query), (tantivy.Occur.Must, inside)]), limit
        )

    def holding(self, words: str, limit: int) -> list[int]:
        """Rows of the stories that hold all the words, best first; none for words that every text may hold."""
        wanted = [(tantivy.Occur.Must, self._holding(term)) for term in dict.fromkeys(terms_of(words))]
        return [row for row, _ in self._rows(tantivy.Query.boolean_query(wanted), limit)] if wanted else []

    def rarity(self, term: str) -> float:
        """How telling a term is: its inverse document frequency, as BM25 weighs it."""
        if (known := self._rarities.get(term)) is not None:
            return known
        found = self._searcher.doc_freq(_TERMS, term)
        rarity = math.log(1 + (self._searcher.num_docs - found + 0.5) / (found + 0.5))
        if len(self._rarities) < _MOST_REMEMBERED:
            self._rarities[term] = rarity
        return rarity

    def _rows(
        self, query: tantivy.Query, limit: int, window: tuple[datetime, datetime] | None = None
    ) -> list[tuple[int, float]]:
        hits = self._searcher.search(query, limit, count=False).hits
        if not hits:
            return []
        addresses = [address for _, address in hits]
        scores = (score for score, _ in hits)
        found = list(zip(self._values(_ROW, addresses), scores, strict=True))
        if window is None:
            return found
        first, last = (math.floor(instant.timestamp()) for instant in window)
        published = self._values(_PUBLISHED, addresses)
        return [each for each, at in zip(found, published, strict=True) if first <= at <= last]

    def _values(self, field: str, addresses: Sequence[tantivy.DocAddress]) -> list[int]:
        values = self._searcher.fast_field_values(field, list(addresses))
        return [value for value in values if isinstance(value, int)]

    def _term(self, term: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._index.schema, _TERMS, term, index_option="freq")

    def _holding(self, term: str) -> tantivy.Query:
        """Texts with a term; a single character of a script without spaces stands in the terms of two around it."""
        if len(term) > 1 or term.isascii() or is_spaced(term):
            return self._term(term)
        return tantivy.Query.regex_query(self._index.schema, _TERMS, f"{term}|{term}.|.{term}")

    def _integer(self, field: str, value: int) -> tantivy.Query:
        return tantivy.Query.term_query(self._index.schema, field, value)

    def _published(self, after: datetime, until: datetime) -> tantivy.Query:
        """The window as a condition that adds nothing to a score."""
        lower, upper = math.floor(after.timestamp()), math.ceil(until.timestamp())
        window = tantivy.Query.range_query(
            self._index.schema, _PUBLISHED, tantivy.FieldType.Integer, lower_bound=lower, upper_bound=upper
        )
        return tantivy.Query.const_score_query(window, 0.0)


def _open(folder: Path | None) -> tantivy.Index:
    schema = _schema()
    if folder is None:
        index = tantivy.Index(schema)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            index = tantivy.Index(schema, path=str(folder))
        except ValueError:
            # Damaged, or written by another version: nothing in it is anybody's only copy.
            shutil.rmtree(folder)
            folder.mkdir(parents=True)
            index = tantivy.Index(schema, path=str(folder))
    index.register_tokenizer("spaced", tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build())
    index.reload()
    return index


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field(_TERMS, stored=False, tokenizer_name="spaced", index_option="freq")
    builder.add_integer_field(_ROW, indexed=True, fast=True)
    builder.add_integer_field(_PUBLISHED, indexed=True, fast=True)
    return builder.build()
