"""The checks before an approval. Each finding has a place, a sentence, and what would mend it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache, partial
from html.parser import HTMLParser

from newsletter.model import Finding, RenderedEdition, Severity, Snapshot, Story, StoryStatus
from newsletter.ports import SLOT_NAMES, slot
from newsletter.render.dialect import safe_url
from newsletter.render.edition import BYTE_BUDGET
from newsletter.render.schema import VOID
from newsletter.render.wording import SUBJECT_COLUMNS, visible
from newsletter.render.wrapping import columns
from newsletter.words import is_seen

__all__ = ["CLIPPED_AT", "preflight"]

CLIPPED_AT = 102_000
"""Bytes of HTML near which Gmail clips a mail."""

_QUOTED = re.compile(r"^> ", re.MULTILINE)
LONG_TITLE, FEW_STORIES = 70, 3
_UNFILLED = re.compile("\ufdd0(?!(?:" + "|".join(SLOT_NAMES) + ")\ufdd1)")
_NO_WORDS = ("style", "title", "script")
_HIDING = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_LEFTOVERS = {
    "html": re.compile(r"<!--%|%-->|</?mj-|" + _UNFILLED.pattern),
    "text": _UNFILLED,
    "subject": re.compile("[\ufdd0\ufdd1]"),
    "preheader": re.compile("[\ufdd0\ufdd1]"),
}
"""What can only come from a template. A headline, and so a subject, may well speak of `{{`."""


def preflight(
    snapshot: Snapshot,
    editions: Sequence[RenderedEdition],
    now: datetime,
    changed: Mapping[str, StoryStatus] | None = None,
) -> list[Finding]:
    """What speaks against sending these editions at `now`; blocking findings first.

    `changed` holds the present status of stories (by id) that are no longer as the snapshot froze them.
    """
    findings = [*_stories(snapshot, now, changed or {})]
    for rendered in editions:
        findings += _edition(snapshot, rendered)
    if not editions:
        findings.append(_blocking("no story", "issue", "No edition was rendered.", "Build the issue again."))
    return sorted(findings, key=lambda finding: finding.severity is not Severity.BLOCKING)


def _stories(snapshot: Snapshot, now: datetime, changed: Mapping[str, StoryStatus]) -> Iterator[Finding]:
    for placed in snapshot.placed:
        story, place = placed.story, f"story {placed.story.id}"
        status = changed.get(story.id, story.status)
        if status is not StoryStatus.READY:
            yield _blocking(
                "story status", place, f"This story, or a copy of it, is {status}.", "Drop it from the issue."
            )
        if story.embargo and story.embargo > now:
            until = story.embargo.isoformat(timespec="minutes")
            yield _blocking("embargo", place, f"It is under embargo until {until}.", "Drop it, or send later.")
        if story.note and not story.shown_note:
            message = "Its AI Editor's Summary has no approval, so readers do not see it."
            yield _warning("note approval", place, message, "Approve the note, or delete it.")
        if not is_seen(story.title):
            yield _blocking("headline", place, "Its headline shows nothing.", "Give it one, or drop it from the issue.")
        if len(story.title) > LONG_TITLE:
            message = f"The headline has {len(story.title)} characters; phones show about {LONG_TITLE}."
            yield _warning("headline length", place, message, "Shorten it.")


def _edition(snapshot: Snapshot, rendered: RenderedEdition) -> Iterator[Finding]:
    place = f"edition {rendered.edition.key}"
    page = _Page(rendered.html)
    yield from _sizes(snapshot, rendered, place)
    yield from _duties(snapshot, rendered, page, place)
    yield from _sponsor(snapshot, rendered, page, place)
    yield from _word(snapshot, rendered, page, place)
    stories = [placed.story for section in snapshot.sections_of(rendered.edition) for placed in section.stories]
    yield from _cards(stories, rendered, page, place)
    yield from _clicks(snapshot, rendered, place)
    yield from _hidden_notes(stories, page.text, rendered.text, place)
    if page.images_without_alt:
        message = f"{page.images_without_alt} images have no alt text."
        yield _warning("alt text", place, message, 'Give each <img> an alt (alt="" where it only decorates).')
    for part, token in _LEFTOVERS.items():
        if found := token.search(getattr(rendered, part)):
            message = f"The {part} part holds {found[0]!r}, a piece of the template."
            yield _blocking("leftover tokens", f"{place}, {part}", message, "Run newsletter template check.")


def _sizes(snapshot: Snapshot, rendered: RenderedEdition, place: str) -> Iterator[Finding]:
    size = rendered.size
    if size >= CLIPPED_AT:
        message = f"The HTML has {size:,} bytes; Gmail clips near {CLIPPED_AT:,}."
        yield _blocking("size", place, message, "Drop stories or shorten notes.")
    elif size > BYTE_BUDGET:
        message = f"The HTML has {size:,} bytes; the budget is {BYTE_BUDGET:,}."
        yield _warning("size", place, message, "Drop stories or shorten notes.")
    if (wide := columns(rendered.subject)) > SUBJECT_COLUMNS:
        message = f"The subject is {wide} columns wide; inboxes show about {SUBJECT_COLUMNS}."
        yield _warning("subject length", place, message, "Shorten it.")
    if snapshot.faulty is not None:
        return  # one story, or of a withdrawn one none
    if rendered.stories == 0:
        yield _blocking("no story", place, "This edition has no story.", "Add one, or do not send this edition.")
    elif snapshot.breaking:
        return  # one story is what it is
    elif rendered.stories < (FEW_STORIES if rendered.stories == len(snapshot.placed) else 2):
        # A reader of one country expects fewer than the whole issue has.
        message = f"Stories in this edition: {rendered.stories}."
        yield _warning("few stories", place, message, "Add stories, or let it go out short.")


def _duties(snapshot: Snapshot, rendered: RenderedEdition, page: _Page, place: str) -> Iterator[Finding]:
    """What the law asks of every mail: a way out, and where the sender can be found (CAN-SPAM 5(a)(5))."""
    mark = slot("unsubscribe")
    check = partial(_blocking, "unsubscribe")
    if mark not in page.links:
        yield check(f"{place}, html", "No unsubscribe link in the html part.", "Print {{slots.unsubscribe}} as a link.")
    elif not is_seen(page.links[mark]):
        message = "The unsubscribe link of the html part has no words that a reader sees."
        yield check(f"{place}, html", message, 'Write words, or a picture with an alt, into its <a href="…">.')
    elif mark not in rendered.html.encode()[:BYTE_BUDGET].decode(errors="ignore"):
        message = f"The unsubscribe link comes after the first {BYTE_BUDGET:,} bytes, where mail programs may clip."
        yield check(f"{place}, html", message, "Drop stories or shorten notes.")
    if mark not in rendered.text:
        yield check(f"{place}, text", "No unsubscribe link in the text part.", "Print {{slots.unsubscribe}}.")
    address = visible(snapshot.postal_address)
    for part, text in (("html", page.text), ("text", rendered.text)):
        if not address or not _says(text, address):
            message = f"No postal address in the {part} part."
            fix = "Print {{issue.postal_address}}." if address else "Set postal_address in schedule.yaml."
            yield _blocking("postal address", f"{place}, {part}", message, fix)


def _sponsor(snapshot: Snapshot, rendered: RenderedEdition, page: _Page, place: str) -> Iterator[Finding]:
    """A template cannot name a sponsor without a label (`newsletter.render.dialect`), but it can leave both out."""
    if snapshot.sponsor is None:
        return
    name = visible(snapshot.sponsor.name)
    for part, text in (("html", page.text), ("text", rendered.text)):
        if not is_seen(name) or not _says(text, name):
            message = f"The sponsor {name!r} is not named in the {part} part."
            fix = "Print sponsor.name with its label, as partials/opening does, or take the sponsor out."
            yield _blocking("sponsor", f"{place}, {part}", message, fix)


def _clicks(snapshot: Snapshot, rendered: RenderedEdition, place: str) -> Iterator[Finding]:
    """What is counted without a word in the mail would be counted behind its readers' backs."""
    if snapshot.clicks and rendered.stories and not rendered.links:
        message = "The mail does not say that clicks are counted, and so none are."
        yield _warning("clicks", place, message, "Print what partials/footer does where issue.clicks is set.")


def _word(snapshot: Snapshot, rendered: RenderedEdition, page: _Page, place: str) -> Iterator[Finding]:
    for part, text in (("html", page.text), ("text", rendered.text)):
        if not all(_says(text, visible(paragraph)) for paragraph in snapshot.word):
            message = f"The editor's word is not in the {part} part."
            fix = "Print each paragraph of word, as partials/opening does, or take the word out."
            yield _blocking("editor's word", f"{place}, {part}", message, fix)


def _cards(stories: Sequence[Story], rendered: RenderedEdition, page: _Page, place: str) -> Iterator[Finding]:
    told = Counter(visible(story.outlet) for story in stories)
    missing = [name for name, times in told.items() if not _named(name, times, page.text, rendered.text)]
    for story in stories:
        where, outlet, url = f"{place}, story {story.id}", visible(story.outlet), safe_url(story.url)
        if not url:
            message = f"Its link {story.url!r} leads nowhere a reader can go."
            yield _blocking("story link", where, message, "Give it an http or https address.")
        elif url not in page.links or url not in rendered.text:
            yield _blocking("story link", where, "Its link is not in both parts.", "Print {{card.url|url}}.")
        if not outlet or outlet in missing:
            yield _blocking("outlet", where, "Its outlet is not named in both parts.", "Print {{card.outlet}}.")


def _named(name: str, times: int, *texts: str) -> bool:
    """Whether each text names it as often as it has stories there."""
    return all(_squeezed(text).count(_squeezed(name)) >= times for text in texts)


def _hidden_notes(stories: Sequence[Story], html_text: str, text: str, place: str) -> Iterator[Finding]:
    meant = _squeezed(" ".join(words for story in stories for words in (story.title, story.summary, *story.shown_note)))
    read = _squeezed(html_text) + _squeezed(text)
    for story in stories:
        hidden = [] if story.shown_note else [_squeezed(paragraph) for paragraph in story.note]
        if any(paragraph and paragraph in read and paragraph not in meant for paragraph in hidden):
            message = "A model's note that nobody approved is shown."
            yield _blocking("note approval", f"{place}, story {story.id}", message, "Approve it, and build again.")


def _says(text: str, words: str) -> bool:
    return _squeezed(words) in _squeezed(text)


@lru_cache(64)
def _squeezed(text: str) -> str:
    """`text` without spaces and quote marks: lines break anywhere in Chinese."""
    return "".join(visible(_QUOTED.sub("", text)).split())


def _blocking(check: str, place: str, message: str, fix: str) -> Finding:
    return Finding(Severity.BLOCKING, check, place, message, fix)


def _warning(check: str, place: str, message: str, fix: str) -> Finding:
    return Finding(Severity.WARNING, check, place, message, fix)


class _Page(HTMLParser):
    """What a reader gets of an HTML part: its links with their words, its text, its pictures.

    What stands in `display:none` is neither word nor link: the preheader, or what a template would hide.
    """

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.links: dict[str, str] = {}
        self.images_without_alt = 0
        self._texts: list[str] = []
        self._hidden: list[str] = []
        self._link: str | None = None
        self.feed(html)
        self.close()
        self.text = "".join(self._texts)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag not in VOID and (self._hidden or tag in _NO_WORDS or _HIDING.search(values.get("style") or "")):
            self._hidden.append(tag)
        elif tag == "a" and (href := values.get("href")) and not self._hidden:
            self._link = href
            self.links.setdefault(href, "")
        if tag == "img":
            self._words(values.get("alt") or "", text=False)
            self.images_without_alt += "alt" not in values

    def handle_endtag(self, tag: str) -> None:
        if tag in self._hidden:
            while self._hidden.pop() != tag:
                pass
        elif tag == "a":
            self._link = None

    def handle_data(self, data: str) -> None:
        self._words(data)

    def _words(self, words: str, text: bool = True) -> None:
        if self._hidden:
            return
        if text:
            self._texts.append(words)
        if self._link is not None:
            self.links[self._link] += words
