"""Every request that a portal is known to send, answered from files of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.engines import CASES, ORDERS
from tests.http.test_wire_cases import check
from tests.server import Server, serving
from tests.sheets import write_csv, write_json_lines, write_parquet, write_workbook

NAMES = [column["name"] for column in ORDERS["columns"]]
TYPES = {"int": "BIGINT", "double": "DECIMAL(14,2)", "datetime": "TIMESTAMP", "string": "VARCHAR"}


def write(folder: Path, kind: str) -> None:
    rows = ORDERS["rows"]
    match kind:
        case "csv":
            write_csv(folder / "orders.csv", NAMES, rows)
        case "folder":
            (folder / "orders").mkdir()
            write_csv(folder / "orders" / "1.csv", NAMES, rows[:10])
            write_csv(folder / "orders" / "2.csv", NAMES, rows[10:])
        case "jsonl":
            write_json_lines(folder / "orders.jsonl", NAMES, rows)
        case "parquet":
            kinds = {c["name"]: TYPES.get(c["type"], c["type"]) for c in ORDERS["columns"]}
            columns = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
            write_parquet(folder / "orders.parquet", columns, rows)
        case "xlsx":
            types = [column["type"] for column in ORDERS["columns"]]
            cells = [[cell(k, v) for k, v in zip(types, row, strict=True)] for row in rows]
            write_workbook(folder / "orders.xlsx", {"Sheet 1": [NAMES, *cells]})


def cell(kind: str, value: Any) -> Any:
    if kind in ("date", "datetime") and value is not None:
        return {"date": date, "datetime": datetime}[kind].fromisoformat(value)
    return value


@pytest.fixture(scope="module", params=["csv", "folder", "jsonl", "parquet", "xlsx"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("files")
    write(folder, request.param)
    config = '[connectors.company]\ntitle = "Company"\n' + "".join(
        f'[sources.{order}]\nurl = "files://{folder}"\n'
        f'tokens = ["of-{order}"]\ndate_order = "{order}"\n'
        for order in ("mdy", "dmy")
    )
    with serving(tmp_path_factory.mktemp("server"), config) as running:
        yield running


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(request: pytest.FixtureRequest, server: Server, case: dict[str, Any]) -> None:
    if "xlsx" in request.node.callspec.params.values() and case["name"] in EMPTY:
        pytest.skip("a workbook does not tell an empty text from an empty cell")
    tail = f"table=orders&connection%5Btoken%5D=of-{case['date_order']}"
    check(server.post("/api/company/data", f"{case['body']}&{tail}".lstrip("&")), case["expect"])


EMPTY = {"is-not-null-string", "not-contains"}
