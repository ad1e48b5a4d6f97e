"""What a direct connector's configuration has to say, and what it may not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from app.config import Config, ConfigError, load_config

DIRECT = """
    [connectors.pg]
    title = "PostgreSQL"
    access = "direct"
    engine = "postgresql"
    allow_hosts = ["db.example.com"]
"""
Load = Callable[..., Config]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def loaded(text: str, **environ: str) -> Config:
        path = tmp_path / "connector.toml"
        path.write_text(text, encoding="utf-8")
        return load_config(path, environ)

    return loaded


def test_a_direct_connector_needs_no_sources(load: Load) -> None:
    config = load(
        DIRECT
        + """
        tables = ["a"]
        hide = ["a.b"]
        timezone = "Europe/Berlin"
        timeout = 3
        max_rows = 5
        connect_timeout = 2
        """
    )
    direct = config.connectors["pg"].direct
    assert direct
    assert direct.connect_timeout == timedelta(seconds=2)
    assert (direct.source.tables, direct.source.hide) == (("a",), ("a.b",))
    assert (direct.source.timezone.key, direct.source.max_rows) == ("Europe/Berlin", 5)
    assert direct.source.timeout == timedelta(seconds=3)
    assert direct.tls.mode == "require"
    assert not config.sources


def test_hosts_can_come_from_the_environment(load: Load) -> None:
    config = load(DIRECT, CONNECTOR_CONNECTORS__PG__ALLOW_HOSTS="10.0.0.1,10.0.0.2:5433")
    direct = config.connectors["pg"].direct
    assert direct
    assert direct.hosts.target("10.0.0.2", 5433)


def test_tokens_are_for_the_other_connectors(load: Load) -> None:
    sources = '[sources.a]\nurl = "sqlite:///a.db"\ntokens = ["t"]\n'
    config = load(DIRECT + '[connectors.company]\ntitle = "C"\n' + sources)
    assert config.sources["a"].connectors == ("company",)


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        (DIRECT.replace('"db.example.com"', ""), "connectors.pg.allow_hosts: is missing or empty"),
        (DIRECT.replace("allow_hosts", "#"), "connectors.pg.allow_hosts: is missing or empty"),
        (DIRECT.replace("db.example.com", "*"), "connectors.pg.allow_hosts: '*' is not a host"),
        (DIRECT.replace("engine", "#"), "connectors.pg.engine: is missing"),
        (DIRECT.replace('"postgresql"', '"sqlite"'), "connectors.pg.engine: "),
        (DIRECT + 'tls = "no"', "connectors.pg.tls: "),
        (DIRECT + 'tls = "verify"', "connectors.pg.tls_ca: is missing"),
        (DIRECT + 'tls_ca = "x.pem"', "connectors.pg.tls_ca: is only for"),
        (DIRECT + 'tls = "verify"\ntls_ca = "no.pem"', "connectors.pg.tls_ca: cannot be read"),
        (DIRECT + "connect_timeout = 0", "connectors.pg.connect_timeout: has to be between 1"),
        (DIRECT + 'url = "postgresql://x"', "connectors.pg.url: is not a setting"),
        (DIRECT.replace('"direct"', '"token"'), "connectors.pg.allow_hosts: is only for"),
        (DIRECT.replace("access", "#"), "connectors.pg.allow_hosts: is only for"),
        (DIRECT + '[connectors.x]\ntitle = "X"', "sources: is missing"),
        (
            DIRECT + '[sources.a]\nurl = "sqlite:///a"\ntokens = ["t"]\nconnectors = ["pg"]',
            "sources.a.connectors: names pg, whose users",
        ),
    ],
)
def test_every_mistake_names_file_key_and_reason(load: Load, text: str, culprit: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert f"connector.toml: {culprit}" in str(caught.value)
