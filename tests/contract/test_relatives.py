"""Servers that lack what the engines' relatives lack: real ones, in which it has another name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, make_url, text

from adapters.base import Cancellation, Options
from adapters.errors import SourceUnavailable
from adapters.mysql import MySQLAdapter
from adapters.registry import open_adapter
from adapters.sql.adapter import SqlAdapter
from tests.contract import nasty
from tests.contract.test_filters import assert_rows_are_meant, load_table
from tests.engines import Engine

OPTIONS = Options(timezone=ZoneInfo("Asia/Kathmandu"), timeout=timedelta(seconds=7))
EXAMPLES = 150

postgresql = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
mysql = pytest.mark.parametrize("engine", ["mysql", "mysqlclient"], indirect=True)


def value(adapter: SqlAdapter, sql: str) -> Any:
    """What a session of the adapter's says."""
    connection: Connection
    with adapter.session(Cancellation()) as connection:
        return connection.execute(text(sql)).scalar()


@pytest.fixture
def lacking(engine: Engine) -> Iterator[None]:
    """Settings whose name begins with what the setting ``test.lacks`` says are unknown."""
    engine.execute("""
        CREATE FUNCTION public.set_config(name text, value text, local boolean) RETURNS text
        LANGUAGE plpgsql AS $$ BEGIN
            IF name ~ current_setting('test.lacks') THEN
                RAISE undefined_object USING MESSAGE = 'unrecognized parameter ' || name;
            END IF;
            RETURN pg_catalog.set_config(name, value, local);
        END $$""")
    engine.execute("ALTER DATABASE test_relatives SET search_path = public, pg_catalog")
    yield
    engine.execute("ALTER DATABASE test_relatives RESET ALL")
    engine.execute("DROP FUNCTION public.set_config")


def lack(engine: Engine, names: str) -> None:
    engine.execute(f"ALTER DATABASE test_relatives SET test.lacks = '{names}'")


@postgresql
@pytest.mark.usefixtures("lacking")
def test_settings_that_a_relative_of_postgresql_may_lack(engine: Engine) -> None:
    lack(engine, "^(intervalstyle|bytea_output|extra_float_digits|client_encoding)$")
    with closing(open_adapter(engine.url, OPTIONS)) as adapter:
        assert isinstance(adapter, SqlAdapter)
        shown = {
            "default_transaction_read_only": "on",
            "statement_timeout": "7s",
            "timezone": "Asia/Kathmandu",
            "datestyle": "ISO, YMD",
        }
        for name, expected in shown.items():
            assert value(adapter, f"SHOW {name}") == expected


@postgresql
@pytest.mark.usefixtures("lacking")
@pytest.mark.parametrize(
    "name", ["default_transaction_read_only", "statement_timeout", "timezone", "datestyle"]
)
def test_settings_that_every_relative_of_postgresql_needs(engine: Engine, name: str) -> None:
    lack(engine, name)
    with (
        closing(open_adapter(engine.url, OPTIONS)) as adapter,
        pytest.raises(SourceUnavailable, match=f"unrecognized parameter {name}"),
    ):
        adapter.check()


@postgresql
def test_filters_without_the_order_of_code_points(engine: Engine) -> None:
    for statement in nasty.statements("postgresql"):
        engine.execute(statement)
    engine.execute('ALTER COLLATION pg_catalog."C" RENAME TO "not C"')
    with closing(open_adapter(engine.url, OPTIONS)) as adapter:
        table = load_table(adapter)
        assert_rows_are_meant({OPTIONS.timezone.key: table}, EXAMPLES)


class Renaming:
    """A cursor that says other names than it is told, which the server does not know."""

    names: Mapping[str, str]

    def execute(self, query: str, args: Any = None) -> Any:
        for name, other in self.names.items():
            query = query.replace(name, other)
        return super().execute(query, args)  # type: ignore[misc]


def relative(engine: Engine, **names: str) -> MySQLAdapter:
    """An adapter to whose sessions some names mean something else, or nothing."""
    adapter = open_adapter(engine.url, OPTIONS)
    assert isinstance(adapter, MySQLAdapter)
    prepare_session = adapter.prepare_session

    def prepare(raw: Any) -> None:
        raw.cursorclass = type("Cursor", (Renaming, raw.cursorclass), {"names": names})
        prepare_session(raw)

    adapter.prepare_session = prepare  # type: ignore[method-assign]
    return adapter


@mysql
@pytest.mark.parametrize("lacks", ["net_write_timeout", "group_concat_max_len"])
def test_settings_that_a_relative_of_mysql_may_lack(engine: Engine, lacks: str) -> None:
    others = {"net_write_timeout": 7, "group_concat_max_len": 1 << 30}  # the server's most
    with closing(relative(engine, **{lacks: "not_known"})) as adapter:
        assert value(adapter, "SELECT @@time_zone") == "+00:00"
        assert value(adapter, "SELECT @@tx_read_only") == 1
        assert value(adapter, "SELECT @@max_statement_time") == 7
        for name in others.keys() - {lacks}:
            assert value(adapter, f"SELECT @@{name}") == others[name]


@mysql
def test_a_time_limit_of_another_name(engine: Engine) -> None:
    """What stands for it counts whole seconds, and so has the same effect."""
    names = {"max_statement_time": "not_known", "query_timeout": "long_query_time"}
    with closing(relative(engine, **names)) as adapter:
        assert value(adapter, "SELECT @@long_query_time") == 7
        assert value(adapter, "SELECT @@net_write_timeout") == 7


@mysql
@pytest.mark.parametrize(
    ("lacks", "reason"),
    [
        ("max_statement_time", "takes no time limit"),
        ("time_zone", "Unknown system variable"),
        ("TRANSACTION READ ONLY", "You have an error in your SQL syntax"),
    ],
)
def test_settings_that_every_relative_of_mysql_needs(
    engine: Engine, lacks: str, reason: str
) -> None:
    with (
        closing(relative(engine, **{lacks: "not_known"})) as adapter,
        pytest.raises(SourceUnavailable, match=reason),
    ):
        adapter.check()


@mysql
def test_a_session_that_is_lost_is_not_a_refusal(engine: Engine) -> None:
    kill = {"SET time_zone": "KILL CONNECTION_ID() -- "}
    with (
        closing(relative(engine, **kill)) as adapter,
        pytest.raises(SourceUnavailable) as caught,
    ):
        adapter.check()
    assert "time limit" not in str(caught.value)


OLDER = {"utf8mb4_unicode_520_ci": "utf8mb4_unicode_999_ci"}


@mysql
def test_filters_with_an_older_collation(engine: Engine) -> None:
    engine.execute(f"DROP TABLE IF EXISTS {nasty.NAME}")
    for statement in nasty.statements("mysql"):
        engine.execute(statement)
    with closing(relative(engine, **OLDER)) as adapter:
        table = load_table(adapter)
        assert_rows_are_meant({OPTIONS.timezone.key: table}, EXAMPLES)
        assert adapter._folding() == "utf8mb4_unicode_ci"


@mysql
def test_what_an_operator_has_a_session_begin_with(engine: Engine) -> None:
    """TiDB has to be told that read-only may be a promise that it does not keep."""
    url = make_url(engine.url).update_query_dict({"init_command": "SET @begun=7"})
    with closing(open_adapter(url.render_as_string(hide_password=False), OPTIONS)) as adapter:
        assert isinstance(adapter, MySQLAdapter)
        assert value(adapter, "SELECT @begun") == 7
