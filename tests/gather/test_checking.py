"""Numbers and names of a note against its story: invented paraphrases here, changed facts on real feeds."""

from __future__ import annotations

import json
import random
import re
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.gather import entries
from newsletter.gather.checking import unsupported
from newsletter.gather.cleaning import clean_text
from newsletter.gather.extract import sentences
from newsletter.plan.values import SourcePlan

from .conftest import NOW

# What a story says, and an honest way to say it again: numbers written otherwise, names shortened, peoples of places.
PARAPHRASES = """
Acme raised $1,200,000 from Birch Capital.|Acme took $1.2 million from Birch.
Sales rose 40 percent in China.|Chinese sales were up 40%.
The plant in Osaka employs 1,200 people.|About 1,200 people work at the Osaka plant.
Prime Minister Ana Reyes spoke in Manila.|Reyes said so in Manila.
The United States will tax imports from Vietnam.|The US plans a tax on Vietnamese imports.
Twelve ships left the port on Monday.|On Monday 12 ships left.
The bank cut its rate to 2.5 percent.|The rate is now 2.5%.
Kenya's parliament passed the bill with 210 votes.|The bill had 210 votes in the Kenyan parliament.
The Association of Southeast Asian Nations met in Jakarta.|ASEAN met in Jakarta.
ASEAN met in Jakarta.|Leaders of ASEAN gathered in Jakarta.
Prices rose by 3.4% in April and 3.1% in March.|April's rise of 3.4% followed one of 3.1%.
Some 44.4 billion rupees were spent.|Over 44 billion rupees were spent.
The company lost 1.96 million users.|It lost about 2 million users.
Seven towns lost power, said mayor Tom Okafor.|Okafor said 7 towns were without power.
The Reserve Bank of India kept rates.|The RBI kept rates.
Japan's Honda will build cars in Ohio.|Honda, the Japanese maker, will build in Ohio.
France and Germany signed the pact in 2019.|The French and the Germans signed in 2019.
The court in Seoul fined Hanil 3bn won.|Hanil must pay 3 billion won, the Seoul court ruled.
Researchers at Kyoto University studied 500 patients.|The Kyoto team followed 500 patients.
Peru's copper exports fell for a third month.|Copper exports of Peru fell for the third month.
The mine near Perth closes in June 2027.|The Perth mine will close in 2027.
The law takes effect on 1 July.|It takes effect on July 1.
Governor Li Wen opened the bridge.|Li opened the bridge.
Brazil's central bank raised rates to 15%.|The Brazilian central bank now asks for 15 percent.
The European Union fined Orbital 250m euros.|The EU's fine for Orbital is 250 million euros.
Half of the 900 workers were hired locally.|Half of its 900 workers are local.
Nepal issued 450 permits for Everest.|The Nepalese gave out 450 permits for Everest.
Delta Foods sold its Lagos unit to Sahel Group.|Sahel Group bought the Lagos unit from Delta.
Canada will admit 395,000 people next year.|Next year 395,000 people may come to Canada.
The index fell 1.2 percent to 3,410 points.|At 3,410 points, the index was 1.2% lower.
NASA delayed the launch to March.|The launch by NASA moves to March.
Mayor Ines Duarte of Porto resigned.|Duarte has resigned as mayor of Porto.
The fund manages $2.3tn.|It manages 2.3 trillion dollars.
Thailand expects 36m visitors.|Thai officials expect 36 million visitors.
Three-quarters of voters in Quito agreed.|Voters in Quito agreed.
Nine of ten clinics in Kerala use the app.|Nine in ten clinics of Kerala use it.
Turkey raised its minimum wage by 30%.|The Turkish minimum wage rises by 30 percent.
The Dutch firm ASML sold 120 machines.|ASML sold 120 machines from the Netherlands.
South Korea's exports grew 8.3%.|Korean exports were 8.3 percent higher.
Iraq's oil ministry signed with Total.|The Iraqi ministry signed with Total.
Ukraine's grid lost 2 GW.|The Ukrainian grid is short of 2 GW.
The World Bank lent Ghana $360 million.|Ghana gets $360m from the World Bank.
Police in Delhi arrested 14 men.|Fourteen men were arrested in Delhi.
The drug costs $25 a dose in Mexico.|Mexicans pay $25 a dose.
Norway's wealth fund owns 1.5% of shares.|The Norwegian fund holds 1.5 percent.
Chip exports from Taiwan doubled to NT$90bn.|Taiwanese chip exports doubled to NT$90 billion.
Rwanda planted 6 million trees in 2025.|In 2025 Rwandans planted 6,000,000 trees.
Singapore's Temasek invested in Grab.|Temasek of Singapore put money into Grab.
Saudi Aramco pumps 12 million barrels.|Aramco pumps 12m barrels.
The flood displaced 80 families in Assam.|Assam's flood drove 80 families away.
Spain's Iberia added 4 routes.|Iberia, a Spanish airline, added four routes.
Analysts at Birch see growth of 5 to 6 percent.|Birch sees 5-6% growth.
The village of Aro lies 40km from Goma.|Aro is 40 km from Goma.
Minister Petra Kovac said talks failed.|Talks failed, according to Kovac.
Swiss exports to Poland fell.|Switzerland sold less to the Poles.
The ferry MV Lago carried 310 people.|There were 310 people on the Lago.
Pakistan bought 25 locomotives.|Pakistani railways get 25 locomotives.
The strike cost Air Nova €15m a day.|Each day costs Air Nova €15 million.
Egypt's pound lost 9% since May.|Since May the Egyptian pound is down 9 percent.
Australian miners want A$2 billion.|Miners of Australia ask for A$2bn.
新药在日本有1.2亿人使用。|日本使用者达1.2亿。
북한 지도자가 3명을 임명했다.|북한이 3명을 임명했다.
"""


@pytest.mark.parametrize("pair", PARAPHRASES.strip().splitlines())
def test_an_honest_paraphrase(pair: str) -> None:
    """Each on its own line, so that a false alarm is seen; at most one in twenty is let pass below."""
    source, _, note = pair.partition("|")
    if doubts := unsupported([note], source):
        FALSE_ALARMS.append((note, doubts))


FALSE_ALARMS: list[tuple[str, object]] = []


def test_false_alarms_are_rare() -> None:
    lines = PARAPHRASES.strip().splitlines()
    assert len(lines) >= 60
    alarms = [line for line in lines if unsupported([line.partition("|")[2]], line.partition("|")[0])]
    print(f"{len(alarms)} false alarms on {len(lines)} paraphrases: {alarms}")
    assert len(alarms) <= len(lines) * 0.05


@pytest.mark.parametrize(
    ("source", "note", "doubts"),
    [
        ("Sales rose 40%.", "Sales rose 45%.", ["45"]),
        ("In 2026 it opens.", "It opens in 2027.", ["2027"]),
        ("It cost $12bn.", "It cost $13bn.", ["13bn"]),
        ("12,000 people came.", "12,500 people came.", ["12,500"]),
        ("Seven towns.", "It hit nine towns.", ["nine"]),
        ("Kate Park said.", "Jane Park said.", ["Jane"]),
        ("Honda builds cars.", "Toyota builds cars.", ["Toyota"]),
        ("Minister Reyes.", "Officials from Peru met Reyes.", ["Peru"]),
        ("Tokyo shares fell.", "Shares in Osaka fell.", ["Osaka"]),
        ("The EU agreed.", "The UN agreed.", ["UN"]),
        ("ソニーが発表した。", "パナソニックが発表した。", ["パナソニック"]),
        ("中国发布规划。", "日本发布规划。", ["日本"]),
        ("利率升至3.5%。", "利率升至4.5%。", ["4.5"]),
    ],
)
def test_what_does_not_stand_in_the_story(source: str, note: str, doubts: list[str]) -> None:
    assert [doubt.text for doubt in unsupported([note], source)] == doubts


KIND_OF = {"wordpress-rest-posts": "wordpress", "ghost-content-api": "ghost", "jsonfeed": "jsonfeed", "ninjs": "ninjs"}
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{2,}(?: [A-Z][a-z]+)*|(?:^|(?<=[.] ))[A-Z][a-z]+(?: [A-Z][a-z]+)+")


@pytest.fixture(scope="module")
def notes(test_data: Path) -> list[tuple[str, str]]:
    """Two sentences of each real story that has a text, as a note, and all of it as the source."""
    found: list[tuple[str, str]] = []
    kept = entries.summarise

    def remember(title: str, written: str, full: str, plan: SourcePlan) -> object:
        summary, text = clean_text(written), clean_text(full)
        note = " ".join(sentences(summary if len(summary) > 60 else text)[:2])
        if note:
            found.append((note, ". ".join((title, summary, text))))
        return kept(title, written, full, plan)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entries, "summarise", remember)
        for file in sorted((test_data / "feeds").glob("*.expected.json")):
            expected = json.loads(file.read_text(encoding="utf-8"))
            kind = KIND_OF.get(expected["kind"], "feed")
            plan = SourcePlan(id="wire", kind=kind, outlet="The Wire")
            parse = import_module(f"newsletter.gather.{kind}").parse
            parse((file.parent / expected["file"]).read_bytes(), plan, NOW, address="https://news.example/feed")
    return found


def test_changed_numbers_and_swapped_names_are_caught(notes: list[tuple[str, str]]) -> None:
    dice = random.Random(27)
    pool = [name[0] for note, _ in notes for name in NAME.finditer(note)]
    caught, tried, alarms = {"number": 0, "name": 0}, {"number": 0, "name": 0}, 0
    for note, source in notes:
        alarms += bool(unsupported([note], source))
        for kind, pattern in (("number", NUMBER), ("name", NAME)):
            places = list(pattern.finditer(note))
            if not places:
                continue
            place = dice.choice(places)
            other = another_number(place[0], dice) if kind == "number" else dice.choice(pool)
            if any(word.casefold() in source.casefold() for word in other.split()):
                continue  # then it stands in the story, and nothing but reading it would tell
            tried[kind] += 1
            caught[kind] += bool(unsupported([note[: place.start()] + other + note[place.end() :]], source))
    rates = {kind: caught[kind] / tried[kind] for kind in tried}
    print(f"{len(notes)} notes, {alarms} false alarms; caught of {tried}: {rates}")
    assert tried["number"] > 250
    assert tried["name"] > 250
    assert min(rates.values()) >= 0.97
    assert alarms <= len(notes) * 0.05


def another_number(number: str, dice: random.Random) -> str:
    place = dice.choice([at for at, character in enumerate(number) if character.isdigit()])
    digit = dice.choice([each for each in "123456789" if each != number[place]])
    return number[:place] + digit + number[place + 1 :]


@given(st.text(max_size=200))
def test_a_text_supports_itself(text: str) -> None:
    assert unsupported([text], text) == []
