"""A configuration is read whole, or every mistake in it is named, and no secret is ever shown."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.config import Config, ConfigError, load_config
from app.wire.dates import DateOrder

SOUND = """
[connectors.company]
title = "Company"
[sources.shop]
url = "sqlite:///shop.db"
tokens = ["sesame-1"]
"""
Load = Callable[..., Config]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def loaded(text: str = SOUND, **environ: str) -> Config:
        path = tmp_path / "connector.toml"
        path.write_text(text, encoding="utf-8")
        return load_config(path, environ)

    return loaded


def test_what_is_not_said_has_its_default(load: Load) -> None:
    source = load().sources["shop"]
    assert source == replace(
        source,
        title="shop",
        connectors=("company",),
        tables=(),
        hide=(),
        timezone=ZoneInfo("UTC"),
        date_order=DateOrder.MDY,
        timeout=timedelta(seconds=240),
        max_rows=0,
        schema_ttl=timedelta(seconds=60),
        queries=(),
    )


def test_everything_can_be_said(load: Load) -> None:
    config = load(
        """
        [server]
        public_url = "https://bi.example.com/"
        [connectors.company]
        title = "Company"
        [connectors.other_1]
        title = "Other"
        [sources.shop]
        url = "sqlite:///shop.db"
        tokens = ["one", "sha256:%s"]
        title = "The shop"
        connectors = ["other_1"]
        tables = ["orders", "crm.*"]
        hide = ["customers.phone"]
        timezone = "Europe/Berlin"
        date_order = "dmy"
        timeout = 0.5
        max_rows = 7
        schema_ttl = 0
        [sources.shop.queries.by_month]
        title = "By month"
        sql = "SELECT 1"
        """
        % ("0" * 64)
    )
    source = config.sources["shop"]
    assert config.server.public_url == "https://bi.example.com"
    assert list(config.connectors) == ["company", "other_1"]
    assert (source.connectors, source.tables) == (("other_1",), ("orders", "crm.*"))
    assert (source.date_order, source.timeout) == (DateOrder.DMY, timedelta(seconds=0.5))
    assert [(q.name, q.comment, q.sql) for q in source.queries] == [
        ("by_month", "By month", "SELECT 1")
    ]


def changed(**lines: str) -> str:
    """The sound configuration with some lines of its source replaced, left out or added."""
    source = {"url": '"sqlite:///shop.db"', "tokens": '["sesame-1"]'} | lines
    text = "\n".join(f"{key} = {value}" for key, value in source.items() if value)
    return f'[connectors.company]\ntitle = "Company"\n[sources.shop]\n{text}\n'


def head(text: str) -> str:
    return f"{text}\n{SOUND}"


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        ("", "connectors: is missing"),
        ("", "sources: is missing"),
        ("tokens = [", "is not valid TOML"),
        (head("nonsense = 1"), "nonsense: is not a setting"),
        (head("[server]\nport = 1"), "server.port: is not a setting"),
        (head("server = 5"), "server: has to be a table"),
        (head('[server]\npublic_url = "bi.example.com"'), "server.public_url: "),
        (
            head('[server]\npublic_url = "https://bi.example.com/bi"'),
            "server.public_url: has to be",
        ),
        ("connectors = 1\nsources = []", "connectors: "),
        ("connectors = 1\nsources = []", "sources: "),
        ("[connectors]\ncompany = 5\n[sources]", "connectors.company: has to be a table"),
        ("[connectors.x]\n[sources]", "connectors.x.title: is missing"),
        ('[connectors.x]\ntitle = ""\n[sources]', "connectors.x.title: "),
        (f'[connectors.x]\ntitle = "{"x" * 513}"\n[sources]', "connectors.x.title: "),
        (
            f'[connectors.x]\ntitle = "X"\nsource_code = "{"x" * 65}"\n[sources]',
            "connectors.x.source_code: ",
        ),
        ('[connectors.x]\ntitle = "X"\naccess = "open"\n[sources]', "connectors.x.access: "),
        ("[connectors.Big]\ntitle = 'X'\n[sources]", "connectors.Big: is not a name"),
        ("[connectors.a__b]\ntitle = 'X'\n[sources]", "connectors.a__b: is not a name"),
        ("[connectors.a_]\ntitle = 'X'\n[sources]", "connectors.a_: is not a name"),
        ('[connectors."a\\n"]\ntitle = "X"\n[sources]', "connectors.a\n: is not a name"),
        (
            f"[connectors.{'a' * 60}]\ntitle = 'X'\n[sources]",
            f"connectors.{'a' * 60}: is not a name",
        ),
        (
            f"[connectors.{'a_' * 40}a]\ntitle = 'X'\n[sources]",
            f"connectors.{'a_' * 40}a: is not a name",
        ),
        (changed(url=""), "sources.shop.url: is missing"),
        (changed(url="5"), "sources.shop.url: "),
        (changed(url='"shop.db"'), "sources.shop.url: a source's url begins with a scheme"),
        (changed(url='"db2://h/db"'), "sources.shop.url: no adapter for db2://"),
        (changed(url='"postgresql://u:p@h:port/db"'), "sources.shop.url: is not an address"),
        (
            changed(url='"files://data/exports"'),
            "sources.shop.url: needs a third slash, as in files:///data/exports",
        ),
        (changed(url='"files://csv"'), "sources.shop.url: needs a third slash, as in files:///csv"),
        (
            changed(url='"duckdb://shop.duckdb"'),
            "sources.shop.url: needs a third slash, as in duckdb:///shop.duckdb",
        ),
        (changed(url='"files:///a?encodin=utf-8"'), "sources.shop.url: has encodin after its"),
        (
            changed(url='"postgresql://h/db?sslmod=require"'),
            "sources.shop.url: has sslmod after its question mark, which postgresql:// does not "
            "know; it knows sslmode",
        ),
        (
            changed(url='"postgres://h/db?user=u&nonsense=1"'),
            "sources.shop.url: has nonsense after",
        ),
        (changed(url='"mysql://h/db?ssl_ca=x&read_timout=1"'), "sources.shop.url: has read_timout"),
        (changed(url='"mssql://h/db?tds=7"'), "sources.shop.url: has tds after its question mark"),
        (changed(url='"oracle://h/db?nonsense=1"'), "sources.shop.url: has nonsense after its"),
        (changed(url='"trino://h/db?verfy=1"'), "sources.shop.url: has verfy after its question"),
        (changed(url='"clickhouse://h/db?secur=1"'), "sources.shop.url: has secur after its"),
        (changed(url='"sqlite:///shop.db?mode=rw"'), "sources.shop.url: has mode after its"),
        (changed(tokens=""), "sources.shop.tokens: needs a token"),
        (changed(tokens="[]"), "sources.shop.tokens: needs a token"),
        (changed(tokens='["a", ""]'), "sources.shop.tokens.1: is not a token"),
        (changed(tokens='["two words"]'), "sources.shop.tokens.0: is not a token"),
        (changed(tokens='["from-a-file\\n"]'), "sources.shop.tokens.0: is not a token"),
        (changed(tokens='["sha256:123"]'), "sources.shop.tokens.0: is not a token"),
        (changed(tokens=f'["sha256:{"A" * 64}"]'), "sources.shop.tokens.0: is not a token"),
        (changed(url='"${UNSET}"'), "sources.shop.url: needs the environment variable UNSET"),
        (changed(tokens='["${UNSET}"]'), "sources.shop.tokens.0: needs the environment variable"),
        (changed(connectors='["nope"]'), "sources.shop.connectors: names nope"),
        (changed(hide='["phone"]'), "sources.shop.hide.0: has to say table and column"),
        (changed(timezone='"Berlin"'), "sources.shop.timezone: 'Berlin' is not a time zone"),
        (changed(timezone='"../UTC"'), "sources.shop.timezone: '../UTC' is not a time zone"),
        (changed(timezone='""'), "sources.shop.timezone: '' is not a time zone"),
        (changed(date_order='"ymd"'), "sources.shop.date_order: "),
        (changed(timeout="0"), "sources.shop.timeout: has to be between 0.1 and 86400"),
        (changed(timeout="-1e300"), "sources.shop.timeout: has to be between"),
        (changed(timeout="1e300"), "sources.shop.timeout: has to be between"),
        (changed(timeout="nan"), "sources.shop.timeout: "),
        (changed(timeout='"soon"'), "sources.shop.timeout: "),
        (changed(max_rows="-1"), "sources.shop.max_rows: "),
        (changed(max_rows='"many"'), "sources.shop.max_rows: "),
        (changed(schema_ttl="-1"), "sources.shop.schema_ttl: has to be between 0 and 86400"),
        (changed(nonsense="1"), "sources.shop.nonsense: is not a setting"),
        (changed() + "[sources.shop.queries.q]", "sources.shop.queries.q.sql: is missing"),
        (
            changed() + "[sources.shop.queries.Q]\nsql = 'x'",
            "sources.shop.queries.Q: is not a name",
        ),
        (changed().replace("sources.shop", "sources.value") + "x = 1", "sources.value.x: is not"),
        (changed().replace("sources.shop", "sources.key") + "x = 1", "sources.key.x: is not"),
    ],
)
def test_every_mistake_names_file_key_and_reason(load: Load, text: str, culprit: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert f"connector.toml: {culprit}" in str(caught.value)


def test_all_mistakes_are_named_at_once(load: Load) -> None:
    with pytest.raises(ConfigError) as caught:
        load(changed(url="5", timeout="0", nonsense="1"))
    assert len(str(caught.value).splitlines()) == 3


def test_all_variables_that_are_not_set_are_named_at_once(load: Load) -> None:
    text = changed(url='"postgresql://${A}:${B}@h/${A}"', tokens='["${C}", "${SET}"]')
    with pytest.raises(ConfigError) as caught:
        load(text, SET="sesame")
    assert [line.partition("toml: ")[2] for line in str(caught.value).splitlines()] == [
        "sources.shop.url: needs the environment variable A",
        "sources.shop.url: needs the environment variable B",
        "sources.shop.tokens.0: needs the environment variable C",
    ]


@pytest.mark.parametrize(
    "rest",
    [
        "u:p@sesame@h/db",
        "u:p@sesame/x@h:5432/db",
        "u:p@sesame#x@h/db",
        "u:p@sesame?x@h/db",
        "u:p@sesame:x@h/db",
        "u:p@sesame:5432@h/db",
    ],
)
@pytest.mark.parametrize("scheme", ["postgresql", "mysql", "clickhouse"])
def test_how_to_write_a_password_is_said_without_showing_it(
    load: Load, scheme: str, rest: str
) -> None:
    for text, environ in (
        (changed(url=f'"{scheme}://{rest}"'), {}),
        (SOUND, {"DATABASE_URL": f"{scheme}://{rest}"}),
    ):
        with pytest.raises(ConfigError, match="percent-encoded: @ as %40") as caught:
            load(text, **environ)
        assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u@server:pw@h/db",
        "postgresql://u:p%40w@h/db",
        "postgresql://u:pw@h/db?application_name=a@b",
        "postgresql://u:p/w?#@h:5432/db",
        "postgresql://h:5432/a@b",
        "files:///srv/a:b@c@d",
    ],
)
def test_an_at_sign_elsewhere_is_let_be(load: Load, url: str) -> None:
    assert load(changed(url=f'"{url}"')).sources["shop"].url == url


@pytest.mark.parametrize("name", ["no-such-file.toml", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be read: ") as caught:
        load_config(tmp_path / name, {})
    assert str(tmp_path / name) in str(caught.value)


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "latin.toml"
    path.write_bytes(b'title = "\xfc"')
    with pytest.raises(ConfigError, match=r"latin\.toml: is not valid TOML"):
        load_config(path, {})


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:${P}@h/db", "postgresql://u:p%40ss%3A%2F%25%20w@h/db"),
        (
            "postgresql://${P}:${P}@h/db",
            "postgresql://p%40ss%3A%2F%25%20w:p%40ss%3A%2F%25%20w@h/db",
        ),
        ("postgresql://h/db?password=${P}", "postgresql://h/db?password=p%40ss%3A%2F%25%20w"),
        ("${WHOLE}", "sqlite:////a b/c.db"),
        ("${START}:${P}@h/db", "postgresql://u:p%40ss%3A%2F%25%20w@h/db"),
    ],
)
def test_a_variable_is_one_part_of_a_url_unless_it_begins_it(
    load: Load, url: str, expected: str
) -> None:
    environ = {"P": "p@ss:/% w", "WHOLE": "sqlite:////a b/c.db", "START": "postgresql://u"}
    assert load(changed(url=f'"{url}"'), **environ).sources["shop"].url == expected


def test_a_variable_stands_as_it_is_in_every_other_string(load: Load) -> None:
    source = load(
        changed(tokens='["${A}", "x-${A}-y"]', title='"${A}$A"', tables='["${A}"]'), A="/%@"
    ).sources["shop"]
    assert source.tokens == ("/%@", "x-/%@-y")
    assert (source.title, source.tables) == ("/%@$A", ("/%@",))


def test_variables_win_over_the_file_and_need_nothing_in_it(load: Load) -> None:
    config = load(
        changed(timeout="5"),
        CONNECTOR_SOURCES__SHOP__TIMEOUT="60",
        CONNECTOR_SOURCES__SHOP__TOKENS="one, two",
        CONNECTOR_SOURCES__SHOP__MAX_ROWS="10",
        CONNECTOR_SOURCES__SHOP__QUERIES__Q__SQL="SELECT 1",
        CONNECTOR_SERVER__PUBLIC_URL="https://bi.example.com",
        CONNECTOR_CONNECTORS__OTHER__TITLE="Other",
        CONNECTOR_PORT="tcp://10.0.0.1:80",
        connector_sources__shop__title="not ours",
    )
    source = config.sources["shop"]
    assert (source.timeout, source.tokens) == (timedelta(seconds=60), ("one", "two"))
    assert (source.max_rows, source.title, len(source.queries)) == (10, "shop", 1)
    assert config.server.public_url == "https://bi.example.com"
    assert list(config.connectors) == ["company", "other"]


@pytest.mark.parametrize(
    ("variable", "culprit"),
    [
        ("CONNECTOR_SOURCES__SHOP__NONSENSE", "sources.shop.nonsense: is not a setting"),
        ("CONNECTOR_SOURCES__SHOP__TIMEOUT", "sources.shop.timeout: "),
        ("CONNECTOR_SOURCES__SHOP__URL__X", "CONNECTOR_SOURCES__SHOP__URL__X: leads to url"),
        ("CONNECTOR_SOURCES__SHOP__TOKENS__0", "CONNECTOR_SOURCES__SHOP__TOKENS__0: leads to"),
    ],
)
def test_a_variable_that_fits_nowhere_is_named(load: Load, variable: str, culprit: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(SOUND, **{variable: "sesame-2"})
    assert f"connector.toml: {culprit}" in str(caught.value)
    assert "sesame" not in str(caught.value)


SECRET_URL = '"postgresql://reader:ses%40me-2@h/db?sslpassword=sesame-3"'


@pytest.mark.parametrize("kept", ["nonsense = 1", 'timezone = "X"', "max_rows = -1", "url = 1"])
def test_no_mistake_shows_a_secret(load: Load, kept: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(changed(url=SECRET_URL, tokens='["sesame-1", "sesame 4", "sha256:sesame"]') + kept)
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["postgresql://u:sesame@h:sesame/db", "sesame@host/db", "postgresql://u:1/sesame@h:x/d"]
)
def test_no_bad_address_is_repeated(load: Load, url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(changed(url=f'"{url}"'))
    assert "sesame" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_no_representation_shows_a_secret_and_the_log_knows_them_all(load: Load) -> None:
    config = load(changed(url=SECRET_URL))
    assert "sesame" not in repr(config)
    assert "ses%40me" not in repr(config)
    assert {"sesame-1", "ses%40me-2", "ses@me-2", "sesame-3"} <= set(config.secrets())


def test_the_shipped_configuration_can_be_used() -> None:
    path = Path(__file__).parent.parent.parent / "config" / "connector.toml"
    names = tomllib.loads(path.read_text(encoding="utf-8"))["sources"]
    config = load_config(path, _AnyVariable())
    assert list(config.sources) == list(names)


class _AnyVariable(dict[str, str]):
    def __contains__(self, name: object) -> bool:
        return name in ("DEMO_TOKEN", "PORTAL_CLIENT_ID", "PORTAL_CLIENT_SECRET")

    def __missing__(self, name: str) -> str:
        return "anything"
