"""A query as one SELECT of ClickHouse, every value of it bound by the server."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from clickhouse_connect.cc_sqlalchemy.dialect import ClickHouseDialect

from adapters.base import Query, Table
from adapters.clickhouse.catalog import has_types
from adapters.evaluate import NOT_ONE_TO_ONE
from adapters.sql.columns import Element
from adapters.sql.drift import fields_of
from adapters.sql.verbatim import verbatim
from adapters.sql.where import TextRules, where

DIALECT = ClickHouseDialect(server_side_params=True)

# Texts are compared by their bytes, and so by their code points.
_RULES = TextRules(
    exact=lambda text: text,
    # One character to one, where lowerUTF8 looks at what stands beside these two.
    folded=lambda text: sa.func.lowerUTF8(sa.func.translateUTF8(text, *NOT_ONE_TO_ONE)),
    shown=lambda value: sa.func.toString(value),
    escape=None,
)


def select(query: Query, zone: ZoneInfo) -> sa.Select[Any]:
    """The query as one SELECT, which fails if a column of a table has another type by now.

    A name that SELECT gives to an expression means that expression in WHERE, too. So the names
    given are none of the query's columns.
    """
    label = "c"
    while any(field.name.startswith(label) for field in fields_of(query)):
        label += "_"
    read = [field.native.read.label(f"{label}{i}") for i, field in enumerate(query.fields)]
    statement = sa.select(*read).select_from(_from(query.table))
    condition: Element = where(query.where, _RULES, zone)
    statement = statement.where(condition)
    if query.table.sql is None:
        # The server would convert silently what has another type by now.
        types = {field.name: field.native.declared for field in fields_of(query)}
        statement = statement.where(has_types(query.table, types))
    if query.limit is None:
        return statement
    return statement.limit(sa.literal(query.limit, sa.BigInteger()))


def _from(table: Table) -> sa.FromClause:
    if table.sql is None:
        return sa.table(table.name, schema=table.schema)
    return sa.text(f"({verbatim(table.sql)}\n) AS query")  # type: ignore[return-value]
