"""The gazetteer on headlines made up to mislead it, in several languages."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.gather.filing import with_country
from newsletter.gather.gazetteer import guess_country
from newsletter.model import CountryOrigin, Story
from newsletter.plan.values import SourcePlan

from .conftest import NOW

ANSWERED = """
CN|China is increasingly keeping its best AI talent to itself
CN|Beijing tightens rules for chatbots
CN|Shenzhen's robot makers look for workers
CN|Chinese chip designer files for an IPO
CN|Xinjiang cotton mill reopens
JP|Tokyo court rules on music copyright
JP|Osaka opens its expo
JP|Japan's rice prices double
KR|Seoul subway goes cashless
KR|South Korea lowers rates
KR|Busan port strike ends
KP|North Korea fires missile
KP|Pyongyang shows off a new ship
IN|Monsoon floods close schools across Kerala
IN|Lok Sabha passes telecom bill
IN|Bengaluru start-up raises ₹40 crore
IN|India's satellite lands
ID|Jakarta moves ministries to the forest
ID|Gempa guncang Sulawesi
ID|Pemerintah Indonesia naikkan pajak
ID|Wali Kota Bandung dilantik
VN|Hanoi plans a second metro line
VN|Vietnam's coffee harvest shrinks
SG|Singapore Airlines orders forty jets
TH|Bangkok bans plastic bags
MY|Kuala Lumpur hosts summit
PH|Manila braces for typhoon
TW|Taiwan recalls lawmakers
TW|Hsinchu fab expands
HK|Hong Kong reopens its harbour tunnel
PK|Karachi heatwave kills dozens
BD|Dhaka garment workers strike
NP|Kathmandu airport closes
LK|Colombo port deal is signed
MM|Yangon curfew is lifted
AU|Sydney house prices fall
AU|Queensland floods again
NZ|Auckland mayor resigns
US|White House unveils AI plan
US|U.S. tariffs rise again
US|US tariffs rise again
US|California passes privacy law
US|Ohio train derails
US|Texas grid holds
US|FAA grounds drones
US|Pentagon orders review
GB|UK inflation falls
GB|London mayor bans ads
GB|Downing Street denies rift
GB|NHS waiting lists grow
GB|Northern Ireland's assembly meets
IE|Ireland raises corporate tax
FR|Paris bakery wins prize
FR|French farmers block roads
DE|Bundestag votes on budget
DE|German carmakers cut jobs
DE|Berlin rents rise
IT|Milan fashion week opens
ES|Catalonia votes
PT|Lisbon tram derails
NL|Dutch government falls
BE|Belgian beer exports grow
CH|Swiss bank fined
AT|Austria bans diesel
SE|Stockholm hosts climate talks
NO|Oslo fund sells shares
DK|Copenhagen harbour bath opens
FI|Helsinki library wins award
PL|Warsaw builds reactor
UA|Kyiv power cut
UA|Kharkiv shelled
RU|Kremlin rejects talks
RU|Moscow airport closed
TR|Turkey cuts rates
TR|Istanbul mayor jailed
GR|Athens heatwave shuts Acropolis
IL|Knesset votes on courts
PS|Gaza hospital runs out of fuel
LB|Beirut port inquiry resumes
SY|Damascus bus bomb
IQ|Baghdad protest grows
IR|Tehran water shortage
SA|Saudi oil output cut
AE|Dubai tower catches fire
QA|Doha talks stall
EG|Cairo bread prices rise
ZA|Cape Town dams fill
NG|Lagos bans motorbikes
NG|Nigeria's naira slides
NE|Niger's junta expels envoys
KE|Nairobi traders close shops
ET|Ethiopian dam is full
RW|Rwanda's plastic ban works
BR|São Paulo floods
BR|Brazil's coffee crop fails
AR|Buenos Aires inflation slows
MX|Mexico City water runs short
CO|Bogotá tram delayed
CL|Chile's lithium plan passes
CA|Ontario strikes end
CA|Vancouver's ban on foreign buyers
PR|Puerto Rico's grid fails again
PG|Papua New Guinea landslide buries villages
GN|Guinea's bauxite exports resume
CD|DR Congo's mines close
GE|Tbilisi protesters return
CN|上海房价下跌
CN|国务院发布中国人工智能规划
US|美国加息
US|ホワイトハウスがAI計画を発表
JP|大阪で地震
JP|日銀が利上げ
JP|総務省が電波を割り当て
KR|韓国で大統領選
KP|北朝鮮がミサイル発射
TW|台積電在台灣擴廠
IN|印度发射卫星
ID|印尼总统就职
KR|서울 지하철 요금 인상
TH|กรุงเทพน้ำท่วม
DE|柏林举行选举
GB|伦敦地铁罢工
VN|Hà Nội mở tuyến metro
JP|Jepang naikkan suku bunga
CN|Tiongkok batasi ekspor
DE|Alemania sube los impuestos
FR|Frankreich streikt
TH|タイの首都で洪水
ML|マリで軍が政権を掌握
IR|イラン、核合意に復帰
KR|한국은 금리를 동결했다
JP|일본 정부, 금리 인상
CN|중국의 수출이 늘었다
IR|이란 핵협상 재개
US|马里兰州州长签署法案
GB|北爱尔兰议会开会
TW|中国台北队夺冠
JP|中国地方で大雨
US|Lebanon, Pennsylvania, mayor resigns
US|Birmingham, Alabama, bans plastic bags
US|Jamaica, Queens, gets a new library
US|Paris, Texas, rebuilds
US|Fire in Moscow, Idaho
US|Shooting in Peru, Ind., kills two
CD|Goma falls to M23 rebels
CD|Congo army retakes Goma from M23
GE|格鲁吉亚举行大选
US|乔治亚州举行初选
US|ジョージア州で銃撃
GU|グアムに台風
KR|ソウルで雪
SA|サウジが減産
EG|مصر ترفع أسعار الوقود
SA|السعودية تخفض إنتاج النفط
CN|国务院发布新规
CN|国家统计局公布数据
HK|港股收盘上涨
TW|立法院三讀通過
ID|Timnas menang 2-0
ID|IHSG ditutup menguat
ID|Gempa guncang Maluku
TD|Lake Chad shrinks again
JO|King of Jordan opens parliament
US|Ohio votes | The Japan Times
JP|Tokyo votes | South China Morning Post
US|U.S. SAYS TRADE GAP NARROWS
US|US SENATE PASSES BUDGET
GB|UK INFLATION FALLS
JP|BANK OF JAPAN RAISES RATES
DE|WEST GERMANY CUTS RATES
US|Biden visits Michigan factory
FR|Assemblée nationale vote le budget
FR|フランス・パリで地震
BR|Governo brasileiro anuncia pacote
RU|Москва закрывает небо над аэропортом
RU|모스크바 공항 폐쇄
RU|Госдума приняла закон о рекламе
PT|Lisboa muda o trânsito da Baixa
GB|Londres prohíbe los coches viejos
GB|Londra'da metro grevi
PL|Varşova'da zirve başladı
EG|القاهرة تستضيف القمة
DE|베를린에서 열린 회의
DK|Kopenhagen sperrt Straßen
BD|ঢাকা শহরে বৃষ্টি
ZA|East London taxi strike ends
ZA|Eskom cuts power again
CA|London, Ont. council votes on bikes
CN|四川发布高温预警
VN|Quốc hội thông qua luật đất đai
"""

ABSTAINED = """
Georgia votes
Jordan scores forty
Chad goes viral
China and Japan sign trade pact
US and China resume talks
France beat Germany in final
India, Pakistan exchange fire
Korean drama breaks records
Native Americans mark anniversary
Indian Ocean currents shift
Guinea pigs make good pets
French fries get pricier
New York Times wins prize
American Airlines cancels flights
Paris Hilton launches perfume
The Panama Papers, ten years on
Michael Jordan sells his team
Swiss cheese holes explained
Java 25 is released
Turkey sandwich recipe of the week
us against them: how teams split
Who will lead the WHO
He will polish the silver
it is a small island
中美贸易谈判重启
日韓首脳会談
中印边界对峙
日本酒の作り方
英語の勉強法
机器学习入门
プログラミング言語の歴史
EU agrees on AI rules
Africa's mobile money boom
Latin America's growth slows
Antarctic ice retreats
Apple unveils new phone
Twelve ways to sleep better
Selamat pagi semua
Wednesday's letters
Chinatown restaurant wins award
The New Yorker's cartoon issue
South China Sea tension rises
Kyoto Protocol anniversary
Boston Dynamics shows robot
次の会議のタイトルが決まる
阪神タイガース、首位に立つ
マリオの新作が発売
アイランドリゾートが開業
オリビアの新曲が1位に
シリアルの値上げが続く
エビチリの作り方
ライフスタイルを見直す
꿈이란 무엇인가
목적을 위한 수단
인도적 지원이 늘어난다
오만한 태도에 비판
부탄가스 폭발 사고
올리비아의 새 앨범
马里布海滩别墅
马里奥赛车新作发布
珠海地铁开工
今日本报讯
巴比伦文明展
苏丹红再现食品
印度洋上的风暴
孟加拉湾风暴生成
几内亚湾海盗
パプアニューギニアンコーヒー
コロンビア大学で抗議
日本製鉄の決算
スペイン風邪から百年
フランス料理店が人気
ドイツ村のイルミネーション
トルコ石の選び方
美国队长新片上映
加拿大鹅涨价
德国牧羊犬的饲养
荷兰豆怎么炒
日本脑炎疫苗
埃及艳后的传说
Rome, Georgia: a mill reopens
Congo's new government sworn in
Turkey prices rise before Thanksgiving
Turkey recall widens
China plates fetch a record price
Panama hats are back
Spanish flu, a century on
Cuban missile crisis files opened
Vienna Convention turns fifty
Oslo Accords at thirty
Damascus steel's secret
Houston, we have a problem: sleep
US Open: second seed out
America's Cup sails again
Minsk agreements are dead
American Ninja Warrior returns
Israel Adesanya wins by knockout
Naomi Osaka returns to court
Brooklyn Beckham marries
America Ferrera joins cast
Israel strikes Beirut suburb
Jemaah haji Indonesia tiba di Madinah
Kashmir sees its first snow
中日韩三国外长会晤
乌克兰冲突：普京发表讲话
台海局势升温
British Airways cancels flights
Canada Goose shares fall
Air India plane makes emergency landing
A new start for Jordan Spieth
ボストン・ダイナミクスの犬
में लाल रंग की गाड़ी
中俄总理在杭州举行会晤
中美贸易谈判在北京举行
Ganó la Mosca de oro
방콕에서 보낸 주말
북미 시장 진출
Bundesrat billigt Gesetz
Chili recipes for winter
Adriana Lima walks again
Lima bean recall widens
Dubai chocolate sells out
Great British Bake Off returns
Fed up with noise
Harga Emas dan Perak Naik
四川料理の店
"""


@pytest.mark.parametrize("line", ANSWERED.strip().splitlines())
def test_it_answers(line: str) -> None:
    country, _, headline = line.partition("|")
    guess = guess_country(headline)
    assert guess is not None
    assert guess.country == country, guess


@pytest.mark.parametrize("headline", ABSTAINED.strip().splitlines())
def test_it_abstains(headline: str) -> None:
    assert guess_country(headline) is None


def test_the_set_is_large_enough() -> None:
    assert len(ANSWERED.strip().splitlines()) + len(ABSTAINED.strip().splitlines()) >= 280


def test_a_summary_decides_where_the_headline_does_not() -> None:
    assert guess_country("A river returns", "Villages along the Brahmaputra in Assam, India, are under water.")
    guess = guess_country("Georgia votes", "Polls opened in Tbilisi and Georgians queued; Tbilisi mayor is confident.")
    assert guess is not None
    assert guess.country == "GE"


def test_a_dateline_says_where_it_was_written() -> None:
    assert (
        guess_country("Drug firm sued", "NEWARK, N.J. (AP) — A jury heard the case of a drug firm on Monday.") is None
    )


def test_a_digest_is_about_none_of_its_parts() -> None:
    assert guess_country("早报：股市上涨；手机发布；油价下跌", "北京的公司在上海发布新手机，中国股市上涨。") is None


def test_the_evidence_is_what_stands_there() -> None:
    guess = guess_country("Seoul’s chip makers", "South Korea", ["Samsung"])
    assert guess is not None
    assert guess.evidence == ("Seoul", "South Korea")


def story(title: str, **fields: object) -> Story:
    usual = {"source": "wire", "external_id": "1", "url": "https://e.example/1", "outlet": "W", "published_at": NOW}
    return Story(title=title, **(usual | fields))  # type: ignore[arg-type]


def test_the_order_is_own_then_source_then_words_then_nobody() -> None:
    japan = SourcePlan(id="wire", kind="feed", country="JP")
    editors = story("Tokyo rises", country="KR", country_origin=CountryOrigin.EDITOR)
    assert with_country(editors, japan, ()) == editors
    assert with_country(story("Berlin rents rise"), japan, ()).country_origin is CountryOrigin.SOURCE
    ruled = with_country(story("Berlin rents rise"), None, ())
    assert (ruled.country, ruled.country_origin) == ("DE", CountryOrigin.RULE)
    assert with_country(story("Twelve ways to sleep"), None, ()).country is None


def test_a_place_that_the_desk_does_not_know_waits_for_an_editor() -> None:
    coast = story("Tides rise", country="coast", country_origin=CountryOrigin.FEED)
    assert with_country(coast, None, ("asia", "coast")) == coast
    nowhere = with_country(coast, None, ("asia",))
    assert (nowhere.country, nowhere.country_origin) == (None, None)
    assert with_country(story("Berlin rents rise", country="coast"), None, ()).country == "DE"


@given(st.text(max_size=200), st.text(max_size=200), st.lists(st.text(max_size=20), max_size=4))
def test_any_text_is_answered_or_not(title: str, summary: str, tags: list[str]) -> None:
    guess = guess_country(title, summary, tags)
    assert guess is None or (len(guess.country) == 2 and guess.score >= 4 and guess.evidence)


def test_it_is_quick_whatever_comes() -> None:
    guess_country("warm")
    for text in ("中" * 1200, "United " * 170, "A" * 1200, "U.S." * 300, "(" * 1200, "Xx, " * 300 + "(AP) —"):
        before = time.perf_counter()
        guess_country(text[:300], text)
        assert time.perf_counter() - before < 0.25, text[:10]


def test_a_name_that_may_be_no_place_leaves_no_answer_to_another() -> None:
    for headline in ("Jordan opens border crossing with Syria", "Chad ends defence pact with France"):
        assert guess_country(headline) is None, headline
    assert guess_country("Syria opens border crossing") is not None
