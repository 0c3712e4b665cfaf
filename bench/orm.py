"""The yardstick of the preview: an issue kept as ORM objects, as web frameworks would have it.

Its sections, stories, tags, notes and related reading stand each in a table of their own and are loaded at each request
in few questions (`selectinload`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload

from newsletter.model import CountrySection, Kind, NoteOrigin, PlacedStory, Related, Snapshot, Story, SummaryOrigin

__all__ = ["OrmIssues"]


class _Base(DeclarativeBase):
    """Every table here."""


class _Issue(_Base):
    __tablename__ = "orm_issue"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    lead: Mapped[str]
    sections: Mapped[list[_Section]] = relationship(order_by="_Section.id")


class _Section(_Base):
    __tablename__ = "orm_section"
    id: Mapped[int] = mapped_column(primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("orm_issue.id"), index=True)
    country: Mapped[str]
    stories: Mapped[list[_Story]] = relationship(order_by="_Story.id")


class _Story(_Base):
    __tablename__ = "orm_story"
    id: Mapped[int] = mapped_column(primary_key=True)
    section_id: Mapped[int] = mapped_column(ForeignKey("orm_section.id"), index=True)
    source: Mapped[str]
    external_id: Mapped[str]
    url: Mapped[str]
    title: Mapped[str]
    outlet: Mapped[str]
    published_at: Mapped[datetime]
    summary: Mapped[str]
    summary_origin: Mapped[SummaryOrigin]
    note_origin: Mapped[NoteOrigin]
    note_approved_by: Mapped[str | None]
    kind: Mapped[Kind]
    country: Mapped[str | None]
    section: Mapped[str]
    language: Mapped[str | None]
    outlet_language: Mapped[str | None]
    paywall: Mapped[bool]
    byline: Mapped[str]
    paragraphs: Mapped[list[_Paragraph]] = relationship(order_by="_Paragraph.id")
    tags: Mapped[list[_Tag]] = relationship(order_by="_Tag.id")
    related: Mapped[list[_Related]] = relationship(order_by="_Related.id")


class _Paragraph(_Base):
    __tablename__ = "orm_paragraph"
    id: Mapped[int] = mapped_column(primary_key=True)
    story_id: Mapped[int] = mapped_column(ForeignKey("orm_story.id"), index=True)
    text: Mapped[str]


class _Tag(_Base):
    __tablename__ = "orm_tag"
    id: Mapped[int] = mapped_column(primary_key=True)
    story_id: Mapped[int] = mapped_column(ForeignKey("orm_story.id"), index=True)
    text: Mapped[str]


class _Related(_Base):
    __tablename__ = "orm_related"
    id: Mapped[int] = mapped_column(primary_key=True)
    story_id: Mapped[int] = mapped_column(ForeignKey("orm_story.id"), index=True)
    key: Mapped[str]
    title: Mapped[str]
    url: Mapped[str]
    outlet: Mapped[str]
    country: Mapped[str | None]
    section: Mapped[str]
    published_at: Mapped[datetime]
    score: Mapped[float]


_TOLD = (
    *("source", "external_id", "url", "title", "outlet", "summary", "summary_origin", "note_origin"),
    *("note_approved_by", "kind", "country", "section", "language", "outlet_language", "paywall"),
)
_OFFERED = ("title", "url", "outlet", "country", "section", "score")


class OrmIssues:
    """The stories of issues as rows of an SQLite file, and back."""

    def __init__(self, file: Path) -> None:
        self._engine = create_engine(f"sqlite:///{file}")

    def keep(self, key: str, snapshot: Snapshot) -> None:
        """Store what an issue says under a key."""
        _Base.metadata.create_all(self._engine)
        with Session(self._engine) as session, session.begin():
            sections = [
                _Section(country=section.country, stories=[_kept(placed) for placed in section.stories])
                for section in snapshot.sections
            ]
            session.add(_Issue(key=key, lead=snapshot.lead, sections=sections))

    def snapshot(self, key: str, like: Snapshot) -> Snapshot:
        """What the issue of that key says; title, sender and the like, which cost nothing, are those of `like`."""
        stories = selectinload(_Issue.sections).selectinload(_Section.stories)
        within = [stories.selectinload(each) for each in (_Story.paragraphs, _Story.tags, _Story.related)]
        query = select(_Issue).where(_Issue.key == key).options(*within)
        with Session(self._engine) as session:
            issue = session.scalars(query).one()
            sections = tuple(CountrySection(each.country, tuple(map(_placed, each.stories))) for each in issue.sections)
            return replace(like, sections=sections, lead=issue.lead)


def _kept(placed: PlacedStory) -> _Story:
    story = placed.story
    offers = [
        _Related(key=each.id, published_at=each.published_at, **{name: getattr(each, name) for name in _OFFERED})
        for each in placed.related
    ]
    return _Story(
        published_at=story.published_at,
        byline="\n".join(story.byline),
        paragraphs=[_Paragraph(text=text) for text in story.note],
        tags=[_Tag(text=text) for text in story.tags],
        related=offers,
        **{name: getattr(story, name) for name in _TOLD},
    )


def _placed(row: _Story) -> PlacedStory:
    story = Story(
        published_at=row.published_at.replace(tzinfo=UTC),
        byline=tuple(row.byline.splitlines()),
        note=_texts(row.paragraphs),
        tags=_texts(row.tags),
        **{name: getattr(row, name) for name in _TOLD},
    )
    return PlacedStory(story, tuple(map(_offer, row.related)))


def _offer(row: _Related) -> Related:
    told = {name: getattr(row, name) for name in _OFFERED}
    return Related(id=row.key, published_at=row.published_at.replace(tzinfo=UTC), **told)


def _texts(rows: Sequence[_Paragraph] | Iterable[_Tag]) -> tuple[str, ...]:
    return tuple(row.text for row in rows)
