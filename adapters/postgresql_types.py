"""How a column of each type of PostgreSQL is read and compared, and what its result is then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.types import TypeEngine

from adapters.base import FieldType, Query
from adapters.errors import SchemaChanged
from adapters.evaluate import fields_of
from adapters.sql import columns, numbers
from adapters.sql.columns import Element, Narrow, SqlColumn

# NaN sorts above all numbers. An infinite numeric is beyond the largest finite one, but servers
# before 14 cannot even name it.
_NUMERIC: tuple[Element, Element] = (
    sa.literal_column("CAST('-1e131071' AS NUMERIC)"),
    sa.literal_column("CAST('1e131071' AS NUMERIC)"),
)
_SHOWN_DATES: tuple[Element, Element] = (
    sa.literal_column("DATE '0001-01-01'"),
    sa.literal_column("DATE '9999-12-31'"),
)


def column_of(name: str, kind: TypeEngine[Any]) -> SqlColumn | None:  # noqa: C901 - a table
    """The column ``name``; None if there is nothing peculiar about its type."""
    column: Element = sa.column(name)
    match kind:
        case sa.Boolean():
            # Of nothing but a truth value, where a cast would round a number.
            return columns.integer(sa.case((column, 1), (sa.not_(column), 0)))
        case sa.REAL():
            # As a double, which has no exponent before JSON has one.
            digits: Element = sa.cast(sa.cast(column, sa.Text()), sa.Double())
            as_text = columns.float_text(sa.cast(digits, sa.Text()))
            near = numbers.near_single_alone
            return columns.single(column, shown=_finite(column), as_text=as_text, near=near)
        case sa.Float():
            return columns.double(column, shown=_finite(column))
        case pg.OID():
            # Compared as it is, any other number would be no oid.
            return columns.integer(sa.cast(column, sa.BigInteger()))
        case sa.Numeric():
            make = columns.integer if columns.is_whole(kind) else columns.number
            return make(column, shown=column.between(*_NUMERIC))
        case pg.MONEY():
            return columns.number(sa.cast(column, sa.Numeric()))
        case sa.DateTime():
            return _datetime(column, zoned=bool(kind.timezone))
        case sa.Date():
            return _date(column)
        case pg.BYTEA():
            return columns.shown_as(sa.func.encode(column, "hex"))
        case pg.ARRAY():
            # Of nothing but an array, where to_json would put quotes around a text.
            return columns.shown_as(sa.cast(sa.func.array_to_json(column), sa.Text()))
        case columns.Geometry():
            return columns.shown_as(getattr(sa.func, kind.schema).ST_AsText(column))
        case sa.CHAR():
            return _padded(column)
        case sa.String() if kind.collation is None:
            return columns.text(column, exact=True)
        case sa.String():
            return columns.text(column, narrow=_equal(column))
        case _:
            return None


_SHOWN_AS: dict[FieldType, frozenset[str]] = {
    FieldType.INT: frozenset({"int2", "int4", "int8", "numeric"}),
    FieldType.DOUBLE: frozenset({"float4", "float8", "numeric"}),
    FieldType.STRING: frozenset({"text", "varchar", "name"}),
    FieldType.DATE: frozenset({"text"}),
    FieldType.DATETIME: frozenset({"text"}),
}


def refuse_others(query: Query, answer: Any) -> None:
    """Raise SchemaChanged if a column is read as it stands and stands for something else by now."""
    for i, field in enumerate(query.fields):
        found = psycopg.adapters.types.get(answer.ftype(i))
        if found is None or found.name not in _SHOWN_AS[field.type]:
            raise SchemaChanged(f"column {field.name} is not what it was")


def compares_decimals(query: Query) -> bool:
    """Whether a filter depends on which number with a fraction a column has.

    The server would compare any of them with any other, and 0.1 is another number as a ``real``.
    """
    return any(field.type is FieldType.DOUBLE for field in fields_of(query.where))


def _finite(column: Element) -> Element:
    limit: Element = sa.literal(numbers.MAX_DOUBLE, sa.Double())
    return column.between(-limit, limit)


def _equal(column: Element, bind: Callable[[Any], Element] = columns.bind_text) -> Narrow:
    """What an index finds before texts are compared exactly; for no other comparison."""
    return lambda _, values: column.in_([bind(value) for value in values])


def _padded(column: Element) -> SqlColumn:
    """Blanks at the end of ``char(n)`` are not part of the value."""
    shown = columns.shown_as(sa.cast(column, sa.Text()))
    bare = _equal(column, lambda value: sa.func.bpchar(columns.bind_text(value)))
    return replace(shown, narrow=bare)


def _date(column: Element) -> SqlColumn:
    known = column.between(*_SHOWN_DATES)
    shown = sa.case((known, sa.cast(column, sa.Text())))

    def bind(value: date) -> Element:
        return sa.literal(value, sa.Date())

    return SqlColumn(FieldType.DATE, shown, column, bind, shown=known)


def _datetime(column: Element, *, zoned: bool) -> SqlColumn:
    kind = "TIMESTAMPTZ" if zoned else "TIMESTAMP"
    known = column.between(
        sa.literal_column(f"{kind} '0001-01-01 00:00:00'"),
        sa.literal_column(f"{kind} '9999-12-31 23:59:59.999999'"),
    )
    shown = sa.case((known, sa.func.left(sa.cast(column, sa.Text()), 19)))

    def bind(value: datetime) -> Element:
        moment = value.replace(tzinfo=UTC) if zoned else value
        return sa.literal(moment, pg.TIMESTAMP(timezone=zoned))

    return SqlColumn(FieldType.DATETIME, shown, column, bind, shown=known, zoned=zoned)
