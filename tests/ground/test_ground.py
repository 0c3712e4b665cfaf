"""The ground floor: settings and where they come from, the clock, tokens, countries, issue ids."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.clock import Clock
from newsletter.countries import country_name, flag_file, is_country
from newsletter.errors import InputError, SettingError
from newsletter.model import Edition, IssueId
from newsletter.settings import FIELDS, load_settings
from newsletter.tokens import Purpose, Signer

NOW = datetime(2026, 5, 27, tzinfo=UTC)


def test_each_layer_wins_over_the_one_before(tmp_path: Path) -> None:
    def origin(**environ: str) -> tuple[str, str]:
        settings = load_settings(tmp_path, environ)
        return settings.base_url, settings.origins["base_url"]

    assert origin() == ("http://127.0.0.1:8000", "default")
    (tmp_path / "newsletter.toml").write_text('base_url = "https://toml.example"\nlive = false\n')
    assert origin() == ("https://toml.example", "newsletter.toml")
    (tmp_path / ".env").write_text("NEWSLETTER_BASE_URL=https://env.example/\n")
    assert origin() == ("https://env.example", ".env")
    assert origin(NEWSLETTER_BASE_URL="https://shell.example") == ("https://shell.example", "environment")
    settings = load_settings(tmp_path, {"NEWSLETTER_BASE_URL": "https://a.example"}, {"base_url": "https://b.example"})
    assert (settings.base_url, settings.origins["base_url"]) == ("https://b.example", "command line")


def test_a_file_may_hold_any_value_and_secrets_are_masked(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("new-key,old-key\n")
    environ = {"NEWSLETTER_SECRET_KEY_FILE": "key", "NEWSLETTER_SMTP_URL": "smtp://user:hush@mail.example:587"}
    settings = load_settings(tmp_path, environ)
    assert settings.secret_key == ("new-key", "old-key")
    shown = str(settings.table())
    assert "new-key" not in shown
    assert "hush" not in shown
    assert "smtp://user:••••••@mail.example:587" in shown
    with pytest.raises(SettingError, match="NEWSLETTER_SECRET_KEY_FILE names nowhere"):
        load_settings(tmp_path, {"NEWSLETTER_SECRET_KEY_FILE": "nowhere"})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("LIVE", "maybe", "write true or false"),
        ("SMTP_URL", "mail.example.com", "smtp://"),
        ("SMTP_URL", "http://mail.example.com", "smtp://"),
        ("DATABASE_URL", "mysql://x", "SQLite and PostgreSQL"),
        ("BASE_URL", "news.example.com", "https://"),
        ("ON_UNKNOWN", "guess", "hold or resend"),
        ("SPEED", "-1", "over 0"),
        ("NOW", "yesterday", "NEWSLETTER_NOW"),
        ("NOW", "2026-05-27T05:25:00", "offset"),
        ("BOUNCE_DOMAIN", "bounces@example.com", "a domain such as"),
        ("BOUNCE_DOMAIN", "exam ple.com", "a domain such as"),
        ("BOUNCE_DOMAIN", "example.com>\r\nRCPT TO:<x@example.com", "a domain such as"),
        ("UNSUBSCRIBE_MAILTO", "leave", "a mail address such as"),
        ("UNSUBSCRIBE_MAILTO", "กานต์@example.com", "a mail address such as"),
    ],
)
def test_a_bad_value_names_its_variable(tmp_path: Path, name: str, value: str, words: str) -> None:
    with pytest.raises(SettingError, match=words) as raised:
        load_settings(tmp_path, {f"NEWSLETTER_{name}": value})
    assert f"NEWSLETTER_{name}" in str(raised.value)


def test_domains_of_mail_are_written_in_ascii(tmp_path: Path) -> None:
    """Else a server without SMTPUTF8 would refuse every message of an issue."""
    given = {"NEWSLETTER_BOUNCE_DOMAIN": "faß.example", "NEWSLETTER_UNSUBSCRIBE_MAILTO": "mailto:go@faß.example?x=1"}
    settings = load_settings(tmp_path, given)
    assert (settings.bounce_domain, settings.unsubscribe_mailto) == ("xn--fa-hia.example", "go@xn--fa-hia.example")


@pytest.mark.parametrize(
    "url", ["ftp://user:hush@mail.example", "smtp://user:hush#x@mail.example:587", "smtp://u:hu/sh@h:x"]
)
def test_a_bad_secret_is_not_repeated(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingError) as raised:
        load_settings(tmp_path, {"NEWSLETTER_SMTP_URL": url})
    assert "hush" not in str(raised.value)
    assert "hu/sh" not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hush@h/db",
        "postgresql://u:hu/sh@h/db",
        "postgresql://u@h/db?password=hush",
        "postgresql://h/db?user=x&sslpassword=hush",
    ],
)
def test_a_password_in_any_place_is_masked(tmp_path: Path, url: str) -> None:
    shown = str(load_settings(tmp_path, {"NEWSLETTER_DATABASE_URL": url}).table())
    assert "hush" not in shown
    assert "hu/sh" not in shown
    assert "••••••" in shown


def test_a_rehearsal_is_refused_while_live(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="refused while NEWSLETTER_LIVE"):
        load_settings(tmp_path, {"NEWSLETTER_LIVE": "true", "NEWSLETTER_NOW": "2026-05-27T05:25:00+08:00"})


def test_an_unknown_key_of_the_toml_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "newsletter.toml").write_text("bse_url = 'x'\n")
    with pytest.raises(SettingError, match="bse_url"):
        load_settings(tmp_path, {})
    with pytest.raises(SettingError, match="newsletter init"):
        load_settings(tmp_path / "nowhere", {})


def test_proxies_are_addresses_and_networks(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {}).trusted_proxies == ()
    settings = load_settings(tmp_path, {"NEWSLETTER_TRUSTED_PROXIES": "10.0.0.7, 2001:db8::/64"})
    shown = {row["variable"]: row["value"] for row in settings.table()}
    assert shown["NEWSLETTER_TRUSTED_PROXIES"] == "10.0.0.7/32,2001:db8::/64"
    for wrong in ("proxy.example", "10.0.0.7/8", "10.0.0.0/40"):
        with pytest.raises(SettingError, match=r"NEWSLETTER_TRUSTED_PROXIES .*write addresses such as 10\.0\.0\.7"):
            load_settings(tmp_path, {"NEWSLETTER_TRUSTED_PROXIES": wrong})


def test_each_setting_says_what_it_means() -> None:
    assert all(field.help for field in FIELDS)


def test_processes_with_one_anchor_show_one_time() -> None:
    text = "2026-05-27T05:25:00+08:00@1779830700"
    first, second = (Clock.parse(text, 60) for _ in range(2))
    assert abs(first.now() - second.now()) < timedelta(seconds=5)
    still = Clock(datetime(2026, 5, 26, 21, 25, tzinfo=UTC), anchor=100.0, speed=60.0, unix=lambda: 110.0)
    assert still.now() == datetime(2026, 5, 26, 21, 35, tzinfo=UTC)
    assert still.real_seconds(timedelta(minutes=2)) == 2.0
    assert still.real_seconds(timedelta(minutes=-2)) == 0.0


@given(st.text(), st.sampled_from(Purpose))
def test_a_token_says_what_was_signed_for_its_purpose_only(payload: str, purpose: Purpose) -> None:
    signer = Signer(["one"])
    token = signer.sign(purpose, payload)
    assert signer.verify(purpose, token, NOW) == payload
    for other in set(Purpose) - {purpose}:
        assert signer.verify(other, token, NOW) is None
    assert Signer(["another"]).verify(purpose, token, NOW) is None


@given(st.text())
def test_any_text_may_be_offered_as_a_token(text: str) -> None:
    assert Signer(["one"]).verify(Purpose.UNSUBSCRIBE, text, NOW) is None


@given(st.integers(0, 10_000), st.characters())
def test_a_changed_token_is_none(place: int, letter: str) -> None:
    signer = Signer(["one"])
    token = signer.sign(Purpose.VIEW, "asia-ai-daily/2026-05-27|CN.en")
    place %= len(token)
    forged = token[:place] + letter + token[place + 1 :]
    if forged != token:
        assert signer.verify(Purpose.VIEW, forged, NOW) in (None, "asia-ai-daily/2026-05-27|CN.en")


def test_tokens_expire_and_old_keys_stay_valid() -> None:
    old, both = Signer(["old"]), Signer(["new", "old"])
    token = old.sign(Purpose.UNSUBSCRIBE, "7|asia")
    assert both.verify(Purpose.UNSUBSCRIBE, token, NOW) == "7|asia"
    assert both.sign(Purpose.UNSUBSCRIBE, "7|asia") != token
    assert both.digest(Purpose.MESSAGE_ID, "x") == old.digest(Purpose.MESSAGE_ID, "x")
    soon = old.sign(Purpose.VIEW, "1", NOW + timedelta(minutes=5))
    assert old.verify(Purpose.VIEW, soon, NOW) == "1"
    assert old.verify(Purpose.VIEW, soon, NOW + timedelta(minutes=6)) is None


def test_countries_have_the_names_that_desks_print() -> None:
    assert [country_name(code) for code in ("CN", "KR", "TW", "HK", "VN")] == [
        "China",
        "South Korea",
        "Taiwan",
        "Hong Kong",
        "Vietnam",
    ]
    assert country_name("JP", "zh") == "日本"
    assert country_name("asia") == "Asia"
    assert not is_country("XX")
    assert not is_country("cn")
    assert (flag_file("CN"), flag_file("asia")) == ("cn.png", None)


def test_issue_ids_read_as_they_are_written() -> None:
    plain, second = IssueId("asia-ai-daily", date(2026, 5, 27)), IssueId("asia-ai-daily", date(2026, 5, 27), 2)
    assert (str(plain), str(second)) == ("asia-ai-daily/2026-05-27", "asia-ai-daily/2026-05-27/2")
    assert [IssueId.parse(str(each)) for each in (plain, second)] == [plain, second]
    for wrong in ("asia-ai-daily", "asia-ai-daily/2026-13-01", "asia/2026-05-27/0", "../2026-05-27", ""):
        with pytest.raises(InputError, match="asia-ai-daily/2026-05-27"):
            IssueId.parse(wrong)
    edition = Edition(("CN", "JP"), "en")
    assert Edition.parse(edition.key) == edition
