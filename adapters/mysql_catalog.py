"""MySQL's own lists: which tables there are to read, and what types columns have.

A type is known by its name in ``information_schema``, or in the result of a query by what the
protocol says of it; any other is shown as text.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa
from pymysql.constants import FIELD_TYPE, FLAG
from sqlalchemy.dialects import mysql
from sqlalchemy.dialects.mysql.base import ischema_names
from sqlalchemy.types import TypeEngine

from adapters.base import Table
from adapters.errors import SchemaChanged
from adapters.sql.columns import Geometry

_OURS = "NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')"
_TABLES = sa.text(f"""
    SELECT table_name, table_schema, table_schema = DATABASE(),
           IF(table_type LIKE '%VIEW', '', table_comment)
    FROM information_schema.tables
    WHERE table_schema {_OURS} AND table_type <> 'SEQUENCE'
""")
# Any privilege at all makes the server list a table; this one is needed to read it.
_READABLE = sa.text(f"""
    SELECT DISTINCT table_schema, table_name FROM information_schema.columns
    WHERE table_schema {_OURS} AND FIND_IN_SET('select', privileges)
""")
_COLUMNS = sa.text("""
    SELECT column_name, data_type, numeric_precision, numeric_scale, collation_name, column_comment,
           FIND_IN_SET('select', privileges)
    FROM information_schema.columns
    WHERE table_name = :table AND table_schema = coalesce(:schema, DATABASE())
    ORDER BY ordinal_position
""")
_GEOMETRIES = (
    "geometry point linestring polygon multipoint multilinestring multipolygon"
    " geometrycollection geomcollection"
).split()
_NAMED = {**ischema_names, **dict.fromkeys(_GEOMETRIES, Geometry)}
BINARY_CHARSET = 63
# The scale of a floating-point number that has none.
_FREE = 31


def tables(connection: sa.Connection) -> list[Table]:
    """Everything of which the user may read at least one column."""
    readable = {tuple(row) for row in connection.execute(_READABLE)}
    return [
        Table(name, schema, bool(default), comment or "")
        for name, schema, default, comment in connection.execute(_TABLES)
        if (schema, name) in readable
    ]


def columns(connection: sa.Connection, table: Table) -> list[tuple[str, TypeEngine[Any], str]]:
    """Name, type and comment of those that may be read; raises SchemaChanged if there are none."""
    names = {"table": table.name, "schema": table.schema}
    found = connection.execute(_COLUMNS, names).all()
    if not found:
        raise SchemaChanged(f"table {table.name} does not exist any more")
    return [
        (name, _named_type(data_type.lower(), precision, scale, collation), comment)
        for name, data_type, precision, scale, collation, comment, readable in found
        if readable
    ]


def _named_type(
    name: str, precision: int | None, scale: int | None, collation: str | None
) -> TypeEngine[Any]:
    kind: Any = _NAMED.get(name, sa.types.NullType)
    if issubclass(kind, sa.String):
        return sa.String(collation=collation)
    if kind is mysql.DECIMAL:
        return sa.Numeric(precision, scale)
    if kind is mysql.DOUBLE and scale is not None:
        return mysql.DOUBLE(precision, scale)
    return sa.types.to_instance(kind)


class ResultField(NamedTuple):
    """What the protocol says of a column of a result."""

    name: str
    type_code: int
    charsetnr: int
    flags: int
    length: int
    scale: int


def field_type(field: ResultField) -> TypeEngine[Any]:
    """The type of a result's column."""
    code = field.type_code
    if code in _TEXTS:
        binary = field.charsetnr == BINARY_CHARSET
        return sa.LargeBinary() if binary else sa.String()
    if code in (FIELD_TYPE.DECIMAL, FIELD_TYPE.NEWDECIMAL):
        # The length counts the sign and the decimal point.
        signed = not field.flags & FLAG.UNSIGNED
        return sa.Numeric(field.length - signed - bool(field.scale), field.scale)
    if code == FIELD_TYPE.DOUBLE and field.scale < _FREE:
        return mysql.DOUBLE(field.length, field.scale)
    return _RESULT_TYPES.get(code, sa.types.NullType())


_TEXTS = frozenset(
    {
        FIELD_TYPE.VARCHAR,
        FIELD_TYPE.VAR_STRING,
        FIELD_TYPE.STRING,
        FIELD_TYPE.BLOB,
        FIELD_TYPE.TINY_BLOB,
        FIELD_TYPE.MEDIUM_BLOB,
        FIELD_TYPE.LONG_BLOB,
    }
)
_RESULT_TYPES: dict[int, TypeEngine[Any]] = {
    FIELD_TYPE.TINY: sa.Integer(),
    FIELD_TYPE.SHORT: sa.Integer(),
    FIELD_TYPE.INT24: sa.Integer(),
    FIELD_TYPE.LONG: sa.Integer(),
    FIELD_TYPE.LONGLONG: sa.BigInteger(),
    FIELD_TYPE.YEAR: mysql.YEAR(),
    FIELD_TYPE.BIT: mysql.BIT(),
    FIELD_TYPE.FLOAT: mysql.FLOAT(),
    FIELD_TYPE.DOUBLE: sa.Double(),
    FIELD_TYPE.DATE: sa.Date(),
    FIELD_TYPE.NEWDATE: sa.Date(),
    FIELD_TYPE.DATETIME: sa.DateTime(),
    FIELD_TYPE.TIMESTAMP: mysql.TIMESTAMP(),
    FIELD_TYPE.GEOMETRY: Geometry(),
}
