"""The doctor asks for columns only where a pattern of ``hide`` may be about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.base import Adapter, Field, FieldType, Options, Table
from adapters.errors import QueryFailed
from app.config import load_config
from app.doctor import examine
from app.sources import Source

TABLES = [Table("orders", "main"), Table("people", "crm", default=False), Table("broken", "main")]
CONFIG = """
[connectors.company]
title = "Company"
[sources.shop]
url = "sqlite:///never-opened.db"
tokens = ["of-shop"]
tables = ["*", "crm.*"]
"""


class Memory(Adapter):
    """Every table has the column ``id``, and is written down when it is described."""

    def __init__(self) -> None:
        super().__init__("", Options())
        self.described: list[str] = []

    def check(self) -> None:
        pass

    def tables(self) -> list[Table]:
        return TABLES

    def describe(self, table: Table) -> list[Field]:
        self.described.append(table.name)
        if table.name == "broken":
            raise QueryFailed("no such\nthing")
        return [Field("id", FieldType.INT)]

    def rows(self, *_: Any) -> Any:
        raise NotImplementedError

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("hide", "described", "idle"),
    [
        ([], [], []),
        (["orders.id", "orders.phone"], ["orders"], ["orders.phone"]),
        (["main.ORDERS.id", "order.id"], ["orders"], ["order.id"]),
        (["crm.people.id", "people.id"], ["people"], ["people.id"]),
        (["crm.*.phone"], ["people"], ["crm.*.phone"]),
        (["orders.*", "crm.p*.*", "crm.x*.*"], [], ["crm.x*.*"]),
        (["*.id", "*.nothing"], [], []),
        (["o?????[.]id", "or*s.i"], ["orders"], ["or*s.i"]),
        # What cannot be described may well have the column.
        (["broken.phone"], ["broken"], []),
    ],
)
def test_columns_are_asked_for_where_a_pattern_may_be_about_them(
    tmp_path: Path, hide: list[str], described: list[str], idle: list[str]
) -> None:
    path = tmp_path / "connector.toml"
    path.write_text(f"{CONFIG}hide = {hide}\n")
    adapter = Memory()
    report = examine(Source(load_config(path, {}).sources["shop"], adapter))
    assert adapter.described == described
    assert report.faults == tuple(
        f"hide: {pattern} matches no column of a published table" for pattern in idle
    )
    assert len(report.tables) == 3 - sum(pattern in ("orders.*", "crm.p*.*") for pattern in hide)


def test_a_reason_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "connector.toml"
    path.write_text(f'{CONFIG}[sources.shop.queries.broken]\nsql = "SELECT 1"\n')
    report = examine(Source(load_config(path, {}).sources["shop"], Memory()))
    (fault,) = report.faults
    assert fault.startswith("queries.broken: QueryFailed: ")
    assert fault.endswith("no such thing")
