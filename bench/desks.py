"""A desk to measure on: sample stories, many readers, one approved issue."""

from __future__ import annotations

import shutil
from pathlib import Path

from newsletter.newsroom import Newsroom, desks
from newsletter.newsroom.intake import gathering
from newsletter.newsroom.issue import issues
from subscribers.signups import Terms

NEWSLETTER = "asia-ai-daily"

# A mail of about 8 KB: the headlines of the same issue.
_SLIM = {
    "body.mjml": """\
<mjml lang="{{issue.language}}" dir="{{issue.direction}}">
  <mj-head><mj-title>{{issue.title}}</mj-title></mj-head>
  <mj-body>
    <mj-section><mj-column><mj-text>
      <h1>{{issue.title}}</h1>
      <!--% for section in sections %--><!--% for card in section.cards %-->
      <p><a href="{{card.url|url}}">{{card.title}}</a> {{_("via %(outlet)s",outlet=card.outlet)}}</p>
      <!--% endfor %--><!--% endfor %-->
      <!--% for card in rows %--><p><a href="{{card.url|url}}">{{card.title}}</a> {{card.outlet}}</p><!--% endfor %-->
      <p><a href="{{slots.unsubscribe|url}}">{{_("Unsubscribe")}}</a></p><p>{{issue.postal_address}}</p>
    </mj-text></mj-column></mj-section>
  </mj-body>
</mjml>
""",
    "body.txt": """\
{{issue.title}}
{% for section in sections %}{% for card in section.cards %}
{{card.title}}
{{card.outlet}}: {{card.url}}
{% endfor %}{% endfor %}
{% for card in rows %}{{card.title}}
{{card.outlet}}: {{card.url}}
{% endfor %}
Unsubscribe: {{slots.unsubscribe}}
{{issue.postal_address}}
""",
    "subject.txt": "{{lead.title}}\n",
}


def approved_desk(folder: Path, readers: int, *, slim: bool = False) -> str:
    """Make the desk in `folder` with that many readers of two countries each; returns the approved issue's id.

    A message has about 52 KB, or about 8 KB where it is `slim`.
    """
    desks.make_sample_desk(folder)
    if slim:
        own = folder / "templates" / "slim"
        own.mkdir(parents=True, exist_ok=True)
        for name, text in _SLIM.items():
            (own / name).write_text(text, encoding="utf-8")
        plan = folder / "schedule.yaml"
        text = plan.read_text(encoding="utf-8")
        plan.write_text(text.replace("    title: Asia AI Daily\n", "    title: Asia AI Daily\n    template: slim\n"))
    with Newsroom.open(folder, environ={}) as room:
        desks.fill_with_samples(room)
        list(gathering.gather_all(room, gathering.polled_sources(room)))
        countries = room.plan.newsletters[NEWSLETTER].countries
        rows = ["email,name,newsletters,countries,status,consent_at,consent_source"]
        for number in range(readers):
            pair = f"{countries[number % 7]};{countries[(number + 1) % 7]}"
            stated = "confirmed,2026-01-01T00:00:00Z,bench"
            rows.append(f"reader{number}@example.com,Reader {number},{NEWSLETTER},{pair},{stated}")
        file = folder / "many.csv"
        file.write_text("\n".join(rows), encoding="utf-8")
        room.subscribers.import_file(file, Terms(known=frozenset(room.plan.newsletters)), room.clock.now())
        issue = issues.build(room, NEWSLETTER)
        issues.approve(room, issue.id, "bench")
        return str(issue.id)


def copied(desk: Path, target: Path) -> Path:
    """A fresh copy of the desk, so that each round sends an issue that nobody has sent."""
    shutil.copytree(desk, target)
    return target
