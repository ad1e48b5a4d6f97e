"""What is published, what is hidden, and what happens when the database changes underneath."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.wire.codes import field_code, table_code
from tests.engines import Engine
from tests.server import Answer, Server, serving

QUOTE = {"sqlite": '"', "postgresql": '"', "mysql": "`", "duckdb": '"', "clickhouse": "`"}

ODD_TABLES = [
    *("Заказы 2026", "order items", 'say "hi"', "it's", "select", "2026", "a__b", "0", "x" * 63),
    *("per%cent", "col:on", "back`tick", "brack[et]", "semi;--", "a.b", "CamelCase"),
]
ODD_COLUMNS = [
    *("Имя клиента", "two words", 'quo"te', "order", "2nd", "0", "LOGIC", "a.b", "y" * 60),
    *("per%cent", "col:on", "back`tick", "brack[et]", "semi;--", "c0", "CamelCase", "имя клиента"),
]

CONFIG = """
[connectors.company]
title = "Company"
[sources.all]
url = "{url}"
tokens = ["of-all"]
[sources.all.queries.by_hand]
title = "  By  hand "
sql = "SELECT 1 AS one, 'x' AS secret"
[sources.all.queries.replaced]
sql = "SELECT 'from the query' AS text"
[sources.narrow]
url = "{url}"
tokens = ["of-narrow"]
tables = ["orders", "crm.pe*"]
hide = ["orders.Phone", "*.SECRET", "crm.people.n*"]
[sources.narrow.queries.by_hand]
sql = "SELECT 1 AS one, 'x' AS secret"
[sources.hiding]
url = "{url}"
tokens = ["of-hiding"]
tables = ["o*", "a_view", "crm.*"]
hide = ["Orders.*", "a_*.*", "crm.p*.*", "by_hand.*", "other.i*"]
[sources.hiding.queries.by_hand]
sql = "SELECT 1 AS one"
[sources.hiding.queries.other_one]
sql = "SELECT 1 AS one"
[sources.hiding_all]
url = "{url}"
tokens = ["of-hiding-all"]
hide = ["*.*"]
"""


@pytest.fixture(scope="module")
def server(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    engine.execute("CREATE TABLE orders (id INTEGER, phone VARCHAR(20), secret VARCHAR(20))")
    engine.execute("INSERT INTO orders VALUES (1, '555', 'hush')")
    engine.execute("CREATE TABLE other (id INTEGER)")
    engine.execute("CREATE TABLE replaced (id INTEGER)")
    engine.execute("CREATE VIEW a_view AS SELECT id FROM orders")
    for table in ODD_TABLES:
        engine.execute(f"CREATE TABLE {quoted(engine, table)} (id INTEGER)")
        engine.execute(f"INSERT INTO {quoted(engine, table)} VALUES (7)")
    columns = ", ".join(f"{quoted(engine, c)} VARCHAR(40)" for c in odd_columns(engine))
    engine.execute(f"CREATE TABLE odd ({columns})")
    for turn in "ab":
        values = ", ".join(f"'{turn} {i}'" for i, _ in enumerate(odd_columns(engine)))
        engine.execute(f"INSERT INTO odd VALUES ({values})")
    if engine.name == "postgresql":
        engine.execute("CREATE SCHEMA crm")
        for table in ("people", "pets", "orders"):
            engine.execute(f"CREATE TABLE crm.{table} (id INTEGER, name TEXT, secret TEXT)")
            engine.execute(f"INSERT INTO crm.{table} VALUES (3, '{table}', 'hush')")
    if engine.name in ("postgresql", "duckdb"):
        engine.execute("COMMENT ON TABLE orders IS '  Заказы\n клиентов '")
        engine.execute("COMMENT ON TABLE other IS '0'")
        engine.execute("COMMENT ON COLUMN orders.id IS 'Номер'")
        engine.execute("COMMENT ON COLUMN orders.phone IS '0'")
    if engine.name == "mysql":
        engine.execute("ALTER TABLE orders COMMENT 'Заказы клиентов'")
        engine.execute("ALTER TABLE orders MODIFY id INTEGER COMMENT 'Номер'")
    if engine.name == "clickhouse":
        engine.execute("ALTER TABLE orders MODIFY COMMENT 'Заказы клиентов'")
        engine.execute("ALTER TABLE orders COMMENT COLUMN id 'Номер'")
    directory: Path = tmp_path_factory.mktemp("server")
    with serving(directory, CONFIG.format(url=engine.url)) as running:
        yield running


def quoted(engine: Engine, name: str) -> str:
    quote = QUOTE[engine.name]
    return quote + name.replace(quote, quote * 2) + quote


def odd_columns(engine: Engine) -> list[str]:
    """MySQL takes two names for one that differ in the case of any letter."""
    return ODD_COLUMNS[:-1] if engine.name == "mysql" else ODD_COLUMNS


def ask(server: Server, endpoint: str, token: str = "of-all", **more: str) -> Any:
    answer = server.form(f"/api/company/{endpoint}", token, **more)
    assert answer.status == 200, answer
    return answer.json


def failed(server: Server, table: str, token: str = "of-all", **more: str) -> tuple[str, str]:
    answer: Answer = server.form("/api/company/data", token, table=table, **more)
    return answer.error, answer.json["error_description"]


def tables(server: Server, token: str = "of-all", **more: str) -> dict[str, str]:
    return {row["code"]: row["title"] for row in ask(server, "table_list", token, **more)}


def fields(server: Server, table: str, token: str = "of-all") -> dict[str, str]:
    described = ask(server, "table_description", token, table=table)
    return {row["code"]: row["name"] for row in described}


def test_everything_in_the_default_schema_is_published(server: Server, engine: Engine) -> None:
    expected = {table_code(name) for name in ODD_TABLES}
    expected |= {"orders", "other", "replaced", "a_view", "odd", "by_hand"}
    assert tables(server).keys() == expected


def test_only_what_the_patterns_name_is_published(server: Server, engine: Engine) -> None:
    elsewhere = {"crm__people", "crm__pets"} if engine.name == "postgresql" else set()
    assert tables(server, "of-narrow").keys() == {"orders", "by_hand"} | elsewhere
    for table in ("other", "odd", "crm__orders", "a_view"):
        assert failed(server, table, "of-narrow")[0] == "UNKNOWN_TABLE"


@pytest.mark.parametrize("table", ODD_TABLES)
def test_an_odd_table_is_listed_described_and_read(server: Server, table: str) -> None:
    code = table_code(table)
    assert tables(server)[code] == (table if table != "0" else code)
    assert fields(server, code) == {"ID": "id"}
    assert ask(server, "data", table=code) == [["ID"], [7]]


def test_odd_columns_are_described_selected_and_filtered(server: Server, engine: Engine) -> None:
    columns = odd_columns(engine)
    sensitive = engine.name in ("postgresql", "clickhouse")
    codes = [field_code(name, case_sensitive=sensitive) for name in columns]
    names = [name if name != "0" else code for name, code in zip(columns, codes, strict=True)]
    assert list(fields(server, "odd").items()) == list(zip(codes, names, strict=True))
    header, *rows = ask(server, "data", table="odd")
    assert header == codes
    assert sorted(rows) == [[f"{turn} {i}" for i, _ in enumerate(codes)] for turn in "ab"]
    for i, code in enumerate(codes):
        found = {"table": "odd", "select[0]": code, f"filter[={code}][0]": f"b {i}"}
        assert ask(server, "data", **found) == [[code], [f"b {i}"]]
        lower = {"table": "odd", "select[0]": code.lower(), f"filter[%{code.lower()}]": "A "}
        assert ask(server, "data", **lower) == [[code.lower()], [f"a {i}"]]


@pytest.mark.parametrize("name", ["phone", "PHONE", "Phone", "SECRET", "secret"])
def test_a_hidden_column_does_not_exist(server: Server, name: str) -> None:
    assert list(fields(server, "orders", "of-narrow")) == ["ID"]
    assert ask(server, "data", "of-narrow", table="orders") == [["ID"], [1]]
    for asked in (
        {"select[0]": "{}"},
        {"select[0]": "ID", "filter[={}]": "555"},
        {"filter[0][LOGIC]": "OR", "filter[0][0][!%{}][0]": "9"},
        {"mapFields[{}]": "ALIAS", "select[0]": "ALIAS"},
        {"mapFields[{}]": "ALIAS", "filter[>ALIAS]": "1"},
    ):
        answers = [
            failed(
                server,
                "orders",
                "of-narrow",
                **{key.format(n): text.format(n) for key, text in asked.items()},
            )
            for n in (name, "NO_SUCH_COLUMN")
        ]
        assert answers[0][0] == "UNKNOWN_FIELD"
        assert answers[0][1].replace(name, "") == answers[1][1].replace("NO_SUCH_COLUMN", "")


def test_a_column_of_a_query_can_be_hidden_too(server: Server) -> None:
    assert list(fields(server, "by_hand")) == ["ONE", "SECRET"]
    assert list(fields(server, "by_hand", "of-narrow")) == ["ONE"]


def test_a_table_of_which_all_is_hidden_does_not_exist(server: Server, engine: Engine) -> None:
    """As far as the patterns say so: "other" has but one field, and who knows for how long."""
    codes = {table_code(name) for name in ODD_TABLES if name.startswith("o")}
    codes |= {"odd", "other", "other_one"}
    codes |= {"crm__orders"} if engine.name == "postgresql" else set()
    assert tables(server, "of-hiding").keys() == codes
    for table in ("orders", "a_view", "by_hand", "other", "crm__people"):
        for endpoint in ("table_description", "data"):
            answer = server.form(f"/api/company/{endpoint}", "of-hiding", table=table)
            assert answer.error == "UNKNOWN_TABLE"
    assert tables(server, "of-hiding-all") == {}


def test_a_query_is_a_table_and_takes_the_place_of_one(server: Server) -> None:
    listed = tables(server)
    assert (listed["by_hand"], listed["replaced"]) == ("By hand", "replaced")
    found = {"table": "by_hand", "select[0]": "SECRET", "filter[=ONE]": "1"}
    assert ask(server, "data", **found) == [["SECRET"], ["x"]]
    assert ask(server, "data", table="replaced") == [["TEXT"], ["from the query"]]


def test_another_schema_has_its_own_codes_titles_and_hidden_columns(
    server: Server, engine: Engine
) -> None:
    if engine.name != "postgresql":
        pytest.skip("only PostgreSQL has schemas in one database")
    assert tables(server, "of-narrow")["crm__people"] == "crm.people"
    assert list(fields(server, "crm__people", "of-narrow")) == ["ID"]
    assert ask(server, "data", "of-narrow", table="crm__people") == [["ID"], [3]]
    assert ask(server, "data", "of-narrow", table="crm__pets") == [["ID", "NAME"], [3, "pets"]]
    assert failed(server, "crm__people")[0] == "UNKNOWN_TABLE"


def test_titles_are_the_database_s_own_comments(server: Server, engine: Engine) -> None:
    if engine.name == "sqlite":
        pytest.skip("SQLite has no comments")
    assert tables(server)["orders"] == "Заказы клиентов"
    assert tables(server)["other"] == "other"
    assert fields(server, "orders") == {"ID": "Номер", "PHONE": "phone", "SECRET": "secret"}


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ("заказы 2026", table_code("Заказы 2026")),
        ("  ЗАКАЗЫ 2", table_code("Заказы 2026")),
        (" ZaKaZy_2 ", table_code("Заказы 2026")),
        ("ITEMS", table_code("order items")),
        ("ORDER_ITEMS_X", table_code("order items")),
        ("by HAND", "by_hand"),
        ("%", table_code("per%cent")),
    ],
)
def test_tables_are_found_by_title_and_code_in_any_letter_case(
    server: Server, wanted: str, code: str
) -> None:
    found = tables(server, searchString=wanted)
    assert code in found
    assert "odd" not in found
    assert tables(server, searchString="no such table") == {}


def test_a_running_service_follows_its_tables(server: Server, engine: Engine) -> None:
    def select(*names: str) -> dict[str, str]:
        return {f"select[{i}]": name for i, name in enumerate(names)}

    assert "moving" not in tables(server)
    engine.execute("CREATE TABLE moving (id INTEGER, a VARCHAR(9))")
    assert "moving" in tables(server)
    engine.execute("INSERT INTO moving VALUES (1, 'x')")
    assert ask(server, "data", table="moving") == [["ID", "A"], [1, "x"]]

    engine.execute("ALTER TABLE moving ADD COLUMN b VARCHAR(9) NULL")
    assert ask(server, "data", table="moving", **select("B")) == [["B"], [None]]
    engine.execute("ALTER TABLE moving ADD COLUMN c VARCHAR(9) NULL")
    assert list(fields(server, "moving")) == ["ID", "A", "B", "C"]
    assert ask(server, "data", table="moving") == [["ID", "A", "B", "C"], [1, "x", None, None]]

    engine.execute("ALTER TABLE moving DROP COLUMN b")
    assert failed(server, "moving", **select("ID", "B"))[0] == "UNKNOWN_FIELD"
    assert ask(server, "data", table="moving", **select("A", "ID")) == [["A", "ID"], ["x", 1]]

    engine.execute("ALTER TABLE moving RENAME COLUMN a TO d")
    assert failed(server, "moving", **{"filter[=A]": "x"})[0] == "UNKNOWN_FIELD"
    assert ask(server, "data", table="moving", **select("D")) == [["D"], ["x"]]

    engine.execute("DROP TABLE moving")
    engine.execute("CREATE TABLE moving (id VARCHAR(9))")
    engine.execute("INSERT INTO moving VALUES ('one')")
    assert failed(server, "moving", **select("D"))[0] == "UNKNOWN_FIELD"
    assert ask(server, "data", table="moving") == [["ID"], ["one"]]

    engine.execute("DROP TABLE moving")
    assert "moving" not in tables(server)
    for _ in range(2):
        assert failed(server, "moving")[0] == "UNKNOWN_TABLE"


def test_a_dropped_column_with_an_odd_name_is_missed(server: Server, engine: Engine) -> None:
    odd = quoted(engine, "odd name")
    engine.execute(f"CREATE TABLE shrinking (id INTEGER, {odd} VARCHAR(9))")
    engine.execute("INSERT INTO shrinking VALUES (1, 'x')")
    code = field_code("odd name")
    found = {"table": "shrinking", "select[0]": code}
    assert ask(server, "data", **found) == [[code], ["x"]]
    engine.execute(f"ALTER TABLE shrinking DROP COLUMN {odd}")
    assert failed(server, **found)[0] == "UNKNOWN_FIELD"
    engine.execute("DROP TABLE shrinking")
