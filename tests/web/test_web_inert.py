"""What anybody writes is text: a corpus of scripts in every field, every page opened in Chromium as an admin."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from newsletter.model import Story, StoryStatus
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import sending
from newsletter.newsroom.issue import editing, issues
from newsletter.newsroom.planning import scheduling
from newsletter.storage import AuditLine, Role
from subscribers.signups import Terms

from .addresses import everywhere, filled
from .browsing import served
from .conftest import FLAGS, ISSUE, NEWSLETTER, Visitor

RUN = "top.pwned=1"
CORPUS = (
    f"<script>{RUN}</script>",
    f'"><img src=x onerror={RUN}>',
    f"'><svg onload={RUN}>",
    f"</title></textarea></style></script><svg/onload={RUN}>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'>",
    f"<a href=javascript:{RUN}>x</a>",
    f"javascript:{RUN}",
    f"jAvAsCrIpT&colon;{RUN}",
    f"data:text/html,<script>{RUN}</script>",
    f"<body onload={RUN}>",
    f'" autofocus onfocus={RUN} x="',
    f"' onmouseover={RUN} '",
    f"<details open ontoggle={RUN}>",
    f"<video><source onerror={RUN}></video>",
    f"<math><mtext></form><form><mglyph><style></math><img src onerror={RUN}>",
    f"<noscript><p title='</noscript><img src=x onerror={RUN}>'>",
    f"<!--><img src=x onerror={RUN}>-->",
    f"<![CDATA[><script>{RUN}</script>]]>",
    f"\\x3cscript\\x3e{RUN}\\x3c/script\\x3e",
    f"&lt;script&gt;{RUN}&lt;/script&gt;",
    f"<style>*{{animation:x}}@keyframes x{{}}</style><b onanimationstart={RUN}>",
    f"<base href=javascript:{RUN}//><a href=0>x</a>",
    f"<meta http-equiv=refresh content='0;url=javascript:{RUN}'>",
    f"{{{{ self.__init__.__globals__ }}}}{{% raw %}}${{{RUN}}}#{{{RUN}}}",
    f"<button hx-on:click={RUN} hx-get=/ hx-trigger=load hx-vals='js:{{a:{RUN}}}'>",
    f"<div hx-on::load={RUN} data-hx-trigger='load[{RUN}]' data-live=//evil.example></div>",
)
PAIRS = [" ".join(CORPUS[start : start + 3]) for start in range(0, len(CORPUS), 3)]
"""Three to a field, so that one issue holds them all."""


@pytest.fixture(scope="module")
def desk(template_desks: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsroom]:
    """A desk to which each payload was told wherever it takes words: an issue of them sent, one in review."""
    folder = tmp_path_factory.mktemp("inert") / "desk"
    shutil.copytree(template_desks["sent"], folder)
    plan = folder / "schedule.yaml"
    title = json.dumps(f"Daily {CORPUS[0]} {CORPUS[1]}")
    text = plan.read_text(encoding="utf-8")
    plan.write_text(text.replace("title: Asia AI Daily", f"title: {title}"), encoding="utf-8")
    with Newsroom.open(folder, FLAGS, environ={}) as room:
        now = room.clock.now()
        room.stories.ingest(_stories(now), now)
        sent = issues.build(room, NEWSLETTER, extra=True)
        editing.edit(room, sent.id, subject=PAIRS[0], preheader=PAIRS[1], word=tuple(PAIRS), who=CORPUS[3])
        issues.approve(room, sent.id, CORPUS[1])
        assert sending.send(room, sent.id).balanced
        room.stories.ingest(_stories(now, again=" again"), now)
        draft = issues.build(room, NEWSLETTER, extra=True)
        editing.edit(room, draft.id, subject=PAIRS[2], word=tuple(PAIRS), who=CORPUS[3])
        _people(room, folder)
        yield room


def _stories(now: Any, again: str = "") -> list[Story]:
    return [
        Story(
            source="evil",
            external_id=f"{number}{again} {text}",
            url=f"https://outlet.example/?{urlencode({'q': text + again})}",
            title=text + again,
            summary=text + again,
            outlet=text,
            section=text,
            country=("CN", "JP", "KR", "IN", "SG")[number % 5],
            tags=(text,),
            byline=(text,),
            note=(text,),
            note_approved_by=text,
            published_at=now - timedelta(minutes=1 + number),
        )
        for number, text in enumerate(PAIRS)
    ]


def _people(room: Newsroom, folder: Path) -> None:
    now = room.clock.now()
    for number, text in enumerate(CORPUS):
        person = room.accounts.add(f"{number}{text}@desk.example", Role.EDITOR, now)
        room.accounts.open_session(person, now, text, text)
        room.audit.write(
            AuditLine(at=now, kind="login", who=text, account_id=None, what=text, client=text, remark=text)
        )
    for text in PAIRS:
        room.api_tokens.make(text[:80], Role.VIEWER, text, now)
    scheduling.skip(room, NEWSLETTER, room.clock.now().date() + timedelta(days=3), who=CORPUS[0], why=PAIRS[3])
    file = folder / "readers.csv"
    with file.open("w", encoding="utf-8", newline="") as rows:
        writer = csv.writer(rows)
        writer.writerow(("email", "name", "status", "consent_at"))
        writer.writerows((f"r{n}@example.com", text, "confirmed", now.isoformat()) for n, text in enumerate(PAIRS))
        writer.writerow(('"<script>top.pwned=1</script>"@example.com', "", "confirmed", now.isoformat()))
    terms = Terms(known=frozenset({NEWSLETTER}), newsletters=(NEWSLETTER,), consent_source=CORPUS[0])
    room.subscribers.import_file(file, terms, now)
    held = next(iter(room.stories.list(limit=1)))
    room.stories.edit(held.id, lambda story: story, who=CORPUS[0], what=CORPUS[1], now=now)
    assert held.status is StoryStatus.READY
    outbox = room.outbox / NEWSLETTER / ISSUE.day
    for number, text in enumerate(CORPUS):
        mail = f"To: {text}\r\nSubject: {text}\r\nX-{number}: {text}\r\nContent-Type: text/html\r\n\r\n{text}"
        (outbox / f"{text.replace('/', '-')[:80]}.eml").write_text(mail, encoding="utf-8")


@pytest.fixture(scope="module")
def pages(desk: Newsroom) -> list[str]:
    """Every page of the router about what was sent and what is in review, with scripts in its query and its path."""
    admin = Visitor(desk).enter(Role.ADMIN)
    sent, draft = (next(each.id for each in desk.issues.list() if each.id.number == number) for number in (2, 3))
    found = []
    for name, (_, methods) in everywhere().items():
        if "GET" not in methods or name in ("issue_live", "login_link"):
            continue
        path = filled(desk, name, sent)
        ours = [path, path.replace(str(sent), str(draft))]
        for each in dict.fromkeys(ours):
            answer = admin.http.get(each)
            if answer.headers.get("content-type", "").startswith("text/html"):
                found.append(each)
    folder = f"/outbox/{NEWSLETTER}/{ISSUE.day}"
    mails = [quote(file.name) for file in sorted((desk.outbox / NEWSLETTER / ISSUE.day).glob("*top.pwned*.eml"))]
    assert len(mails) >= 20
    found += [f"{folder}/{file}{tail}" for file in mails[::4] for tail in ("", "/mail", "?part=raw")]
    keys = ("words", "begins", "state", "address", "id", "search", "country", "next", "edition", "why", "day", "at")
    for number, text in enumerate(CORPUS):
        query = urlencode(dict.fromkeys(keys, text))
        place = ("/stories", "/subscribers", f"/issues/{sent}/recipients", "/audit", "/login", "/schedules/pause")
        found += [f"{place[number % len(place)]}?{query}", f"/{quote(text)}", f"/schedules/{quote(text)}/skip?{query}"]
    return list(dict.fromkeys(found))


def test_nothing_that_anybody_wrote_runs(desk: Newsroom, pages: list[str], browser: Any) -> None:
    chief = desk.accounts.add("chief@desk.example", Role.ADMIN, desk.clock.now())
    session = desk.accounts.open_session(chief, desk.clock.now())
    context, said = browser.new_context(), []
    context.add_init_script(
        "for (const name of ['alert', 'confirm', 'prompt']) window[name] = () => { top.pwned = name };"
        "document.addEventListener('securitypolicyviolation', (event) => { top.refused = event.violatedDirective });"
    )
    page = context.new_page()
    page.on("console", lambda message: message.type == "error" and said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "request", lambda request: request.url.startswith(("http://127.0.0.1", "data:")) or said.append(request.url)
    )
    page.set_content(CORPUS[0])
    assert page.evaluate("top.pwned") == 1, "what ran would be seen"
    with served(desk) as address:
        context.add_cookies([{"name": "newsletter-session", "value": session, "url": address}])
        written = 0
        for path in pages:
            page.goto(address + path)
            assert page.evaluate("[typeof pwned, typeof refused]") == ["undefined", "undefined"], path
            strange = (
                "a[href^='javascript:' i], a[href^='data:' i], base, [onerror], [onload], [hx-get], iframe[srcdoc]"
            )
            assert page.locator(strange).count() == 0, path
            assert [each for each in said if "Failed to load resource" not in each] == [], path
            written += "pwned" in page.inner_text("body")
    context.close()
    assert written > 60, "the payloads are seen, as text"
