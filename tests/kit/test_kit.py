"""The kit does what docs/adapters.md promises: an adapter of somebody else, installed and found."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from adapters.testing.data import COLUMNS, ROWS, TABLE, json_ready
from adapters.testing.options import pytest_addoption
from tests.engines import Engine
from tests.example_adapter.tests.api import TOKEN, Api, serving_api
from tests.server import serving

EXAMPLE = Path(__file__).parents[1] / "example_adapter"
DOCUMENT = (Path(__file__).parents[2] / "docs" / "adapters.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with serving_api() as running:
        yield running


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the example's package, built and installed by pip."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("target")
    shutil.copytree(EXAMPLE, source, dirs_exist_ok=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(target), str(source)], check=True)
    return target


def suite(
    directory: Path, url: str, *options: str, path: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the suite as an author would, away from this repository."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rs"]
    return subprocess.run(
        [*command, "--pyargs", "adapters.testing", "--adapter-url", url, *options],
        cwd=directory,
        env=os.environ | ({"PYTHONPATH": str(path)} if path else {}),
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_the_document_shows_all_of_the_example() -> None:
    blocks = re.findall(r"```(\w+)\n(.*?)\n```", DOCUMENT, flags=re.S)
    code = (EXAMPLE / "orders_api.py").read_text(encoding="utf-8")
    for block in (text for language, text in blocks if language == "python"):
        assert block in code
        code = code.replace(block, "", 1)
    assert code.strip() == "", "the document does not show this"
    assert (EXAMPLE / "pyproject.toml").read_text().strip() in [text for _, text in blocks]
    assert len((EXAMPLE / "orders_api.py").read_text().splitlines()) < 150


def test_the_document_names_every_option_of_the_suite() -> None:
    class Group:
        def __init__(self) -> None:
            self.names: set[str] = set()

        def getgroup(self, *_: str) -> Group:
            return self

        def addoption(self, name: str, **_: object) -> None:
            self.names.add(name)

    group = Group()
    pytest_addoption(group)  # type: ignore[arg-type]
    assert set(re.findall(r"^\| `(--[a-z-]+)`", DOCUMENT, flags=re.M)) == group.names


def test_the_example_is_found_and_keeps_the_contract(
    installed: Path, api: Api, tmp_path: Path
) -> None:
    wrong = [api.url.replace(TOKEN, "another"), f"orders+http://{TOKEN}@127.0.0.1:1"]
    options = [option for url in wrong for option in ("--adapter-wrong-url", url)]
    run = suite(tmp_path, api.url, *options, "--adapter-examples", "15", path=installed)
    assert run.returncode == 0, run.stdout
    assert "skipped" not in run.stdout
    assert int(re.findall(r"(\d+) passed", run.stdout)[0]) > 40


def test_the_service_answers_through_the_example(installed: Path, api: Api, tmp_path: Path) -> None:
    config = f"""
        [connectors.company]
        title = "Company"
        [sources.orders]
        url = "{api.url}"
        tokens = ["the-token"]
        date_order = "dmy"
        [sources.orders.queries.made]
        sql = "SELECT 1"
    """
    with serving(tmp_path, config, PYTHONPATH=str(installed)) as server:
        tables = server.form("/api/company/table_list", "the-token").json
        assert [table["code"] for table in tables] == [TABLE, "made"]
        described = server.form("/api/company/table_description", "the-token", table=TABLE).json
        assert {f["code"]: f["type"] for f in described} == {
            name.upper(): kind for name, kind in COLUMNS.items()
        }
        made = server.form("/api/company/data", "the-token", table="made")
        assert made.error == "QUERY_FAILED"
        assert "does not speak SQL" in server.lines()
        sent = api.sent
        answer = server.form(
            "/api/company/data",
            "the-token",
            **{
                "table": TABLE,
                "select[0]": "CUSTOMER",
                "select[1]": "ID",
                "filter[>=DAY]": "01.09.2026",
                "filter[=CUSTOMER]": "ab",
                "filter[%PRICE]": "1",
            },
        )
        meant = [
            [row["customer"], row["id"]]
            for row in ROWS
            if row["customer"] == "ab" and row["day"] and row["day"].isoformat() >= "2026-09-01"
            if "1" in str(json_ready(row)["price"])
        ]
        assert meant
        assert answer.json == [["CUSTOMER", "ID"], *meant]
        assert ("customer.eq", "ab") in api.asked[-1]
        assert ("day.gte", "2026-09-01") in api.asked[-1]
        assert api.sent - sent < 60  # of 1,500: the source has done most of it
        assert TOKEN not in server.lines()


@pytest.fixture
def loaded(engine: Engine) -> Engine:
    types = {"int": "bigint", "date": "date", **engine.order_types}
    columns = ", ".join(f"{name} {types[kind]}" for name, kind in COLUMNS.items())
    engine.execute(f"CREATE TABLE {TABLE} ({columns})")
    places = ", ".join([engine.placeholder] * len(COLUMNS))
    rows = [tuple(json_ready(row).values()) for row in ROWS]
    engine.execute(f"INSERT INTO {TABLE} VALUES ({places})", rows)
    return engine


def test_our_own_engines_keep_the_contract(loaded: Engine, tmp_path: Path) -> None:
    run = suite(tmp_path, loaded.url, "--adapter-examples", "15")
    assert run.returncode == 0, run.stdout


def test_the_suite_says_what_it_needs(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    run = suite(tmp_path, f"sqlite:///{tmp_path}/empty.db", "-x")
    assert run.returncode == 1
    assert "load what `python -m adapters.testing` prints" in run.stdout
    run = suite(tmp_path, "")
    assert run.returncode == 4
    assert "--adapter-url" in run.stderr + run.stdout


def test_a_table_of_almost_the_same_name_is_named(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database:
        database.execute("CREATE TABLE kit_orders (id INTEGER)")
    run = suite(tmp_path, "sqlite:///shop.db", "-x", "--adapter-table", "kit_order")
    assert "tables() lists no kit_order, but kit_orders: load what" in run.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--adapter-url", "sqlit:///x.db"], "--adapter-url: no adapter for sqlit:// is installed"),
        (["--adapter-url", "duckdb://x.db"], "--adapter-url needs a third slash, as in duckdb:///"),
        (["--adapter-wrong-url", "sqlit:///x"], "--adapter-wrong-url: no adapter for sqlit:// is"),
        (["--adapter-without", "day, pric"], "--adapter-without names pric: it takes some of cust"),
        (["--adapter-without", "id"], "--adapter-without names id: it takes some of customer,"),
        (["--adapter-examples", "0"], "--adapter-examples is 0: it takes 1 or more"),
    ],
)
def test_an_option_with_a_typo_is_named(tmp_path: Path, options: list[str], said: str) -> None:
    run = suite(tmp_path, "sqlite:///shop.db", *options)
    assert run.returncode == 4
    assert f"ERROR: {said}" in run.stderr + run.stdout


def test_the_data_are_printed_for_loading(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "adapters.testing"]
    printed = subprocess.run(command, capture_output=True, check=True, cwd=tmp_path).stdout
    assert [json.loads(line) for line in printed.splitlines()] == [json_ready(r) for r in ROWS]


# What an author gets wrong, and the test that says so.
MISTAKES = {
    "test_every_operator_on_every_type[customer]": """
        def can(self, condition):  # but the API ignores letter case
            push = super().can(condition)
            return Push.EXACT if push is Push.SUPERSET else push
    """,
    "test_every_operator_on_every_type[created]": """
        def can(self, condition):
            return Push.EXACT if super().can(condition) is not Push.NO else Push.NO
    """,
    "test_a_limit_counts_the_rows_that_a_filter_keeps": """
        def rows(self, query, cancellation):
            for batch in super().rows(replace(query, limit=None), cancellation):
                yield batch[: query.limit]
    """,
    "test_a_limit_is_kept": """
        def rows(self, query, cancellation):
            return super().rows(replace(query, limit=None), cancellation)
    """,
    "test_a_table_that_is_gone": """
        def describe(self, table):
            return super().describe(Table("kit_orders"))
    """,
    "test_every_row_arrives_with_every_value": """
        def fetch(self, request, cancellation):
            for page in super().fetch(request, cancellation):
                yield [tuple(v or None for v in row) for row in page]
    """,
    "test_what_was_opened_is_given_back": """
        def close(self):
            pass
        def check(self):
            self._get("/collections")
            self.kept = KEPT.append(open("/dev/null"))
        tables = lambda self: (self.check(), super().tables())[1]
    """,
    "test_cancelling_between_batches": """
        def fetch(self, request, cancellation):
            for page in super().fetch(request, cancellation):
                if cancellation.reason is not None:
                    return
                yield page
        def rows(self, query, cancellation):
            for batch in super().rows(query, Cancellation()):
                if cancellation.reason is not None:
                    return
                yield batch
    """,
    "test_fields_in_any_order_and_number": """
        def rows(self, query, cancellation):
            fields = tuple(dict.fromkeys(query.fields))
            for batch in super().rows(replace(query, fields=fields), cancellation):
                yield [row + row[-1:] * (len(query.fields) - len(fields)) for row in batch]
    """,
}


@pytest.mark.parametrize("name", MISTAKES)
def test_the_suite_finds_a_mistake(installed: Path, api: Api, tmp_path: Path, name: str) -> None:
    body = MISTAKES[name].replace("\n    ", "\n")
    (tmp_path / "mistaken.py").write_text(
        "from dataclasses import replace\n"
        "from adapters.base import Cancellation, Table\nfrom adapters.pushdown import Push\n"
        f"from orders_api import OrdersApi\nKEPT = []\nclass Mistaken(OrdersApi):{body}\n"
    )
    info = tmp_path / "mistaken-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mistaken\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[b24_connector.adapters]\nmistaken = mistaken:Mistaken\n"
    )
    url = api.url.replace("orders+", "mistaken+")
    run = suite(tmp_path, url, "-k", name.replace("[", " and ").rstrip("]"), path=installed)
    assert run.returncode == 1, run.stdout
    assert name in run.stdout
