"""PostgreSQL's own catalogs: which tables there are to read, and what types their columns have.

SQLAlchemy's reflection asks for much more than we need, and stumbles over types that it does not
know; here every type is either known by its name in ``pg_catalog`` or shown as text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.types import TypeEngine

from adapters.base import Table
from adapters.errors import SchemaChanged
from adapters.sql.columns import Geometry

# Partitions are read through their parent; a table of which nothing may be read is not there.
_TABLES = sa.text("""
    SELECT c.relname, n.nspname, n.nspname = current_schema(), obj_description(c.oid, 'pg_class')
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
      AND n.nspname NOT LIKE 'pg!_%' ESCAPE '!' AND n.nspname <> 'information_schema'
      AND has_schema_privilege(n.oid, 'USAGE')
      AND has_any_column_privilege(c.oid, 'SELECT')
      AND EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a
                  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
""")

_COLUMNS = sa.text("""
    SELECT a.attname, a.atttypid, a.atttypmod, col_description(c.oid, a.attnum),
           NOT l.collisdeterministic, has_column_privilege(c.oid, a.attnum, 'SELECT')
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
    WHERE c.relname = :table AND n.nspname = coalesce(:schema, current_schema())
      AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum
""")

_TYPES = sa.text("""
    SELECT t.oid, t.typname, n.nspname, t.typbasetype, t.typtypmod,
           t.typcategory = 'A' AND t.typname LIKE '!_%' ESCAPE '!'
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    WHERE t.oid = ANY(:oids)
""")


class Native(NamedTuple):
    """A column as the catalog and the protocol describe it."""

    name: str
    oid: int
    modifier: int
    comment: str = ""
    loose: bool = True
    """Whether its collation may call different texts equal; in a query's result, who knows."""


class _Type(NamedTuple):
    oid: int
    name: str
    schema: str
    base: int
    base_modifier: int
    is_array: bool


def tables(connection: sa.Connection) -> list[Table]:
    """Everything with columns of which the user may read at least one."""
    return [
        Table(name, schema, bool(default), comment or "")
        for name, schema, default, comment in connection.execute(_TABLES)
    ]


def columns(connection: sa.Connection, table: Table) -> list[Native]:
    """The columns that may be read; raises SchemaChanged if the table is gone."""
    names = {"table": table.name, "schema": table.schema}
    found = connection.execute(_COLUMNS, names).all()
    if not found:
        raise SchemaChanged(f"table {table.name} does not exist any more")
    return [
        Native(name, oid, modifier, comment or "", bool(loose))
        for name, oid, modifier, comment, loose, readable in found
        if readable
    ]


def kinds(connection: sa.Connection, natives: Iterable[Native]) -> list[TypeEngine[Any]]:
    """SQLAlchemy's types for them; a domain is what it is made of."""
    natives = list(natives)
    known: dict[int, _Type] = {}
    missing = {native.oid for native in natives}
    while missing:
        rows = [_Type(*row) for row in connection.execute(_TYPES, {"oids": list(missing)})]
        known |= {row.oid: row for row in rows}
        missing = {row.base for row in rows if row.base} - known.keys()
    return [_kind(native, known) for native in natives]


def _kind(native: Native, known: dict[int, _Type]) -> TypeEngine[Any]:
    found, modifier = known[native.oid], native.modifier
    while found.base:
        found, modifier = known[found.base], found.base_modifier
    if found.name in ("geometry", "geography"):
        return Geometry(schema=found.schema)
    if found.is_array:
        return pg.ARRAY(sa.types.NullType())
    if found.schema != "pg_catalog":
        return sa.types.NullType()
    match found.name:
        case "numeric":
            return _numeric(modifier)
        case "text" | "varchar":
            return sa.Text(collation="loose" if native.loose else None)
        case name:
            return _NAMED.get(name, sa.types.NullType())


def _numeric(modifier: int) -> TypeEngine[Any]:
    if modifier < 0:
        return sa.Numeric()
    precision, scale = (modifier - 4) >> 16, (modifier - 4) & 0x7FF
    return sa.Numeric(precision, scale - 0x800 if scale >= 0x400 else scale)


_NAMED: dict[str, TypeEngine[Any]] = {
    "bool": sa.Boolean(),
    "int2": sa.Integer(),
    "int4": sa.Integer(),
    "int8": sa.Integer(),
    "oid": pg.OID(),
    "float4": sa.REAL(),
    "float8": sa.Double(),
    "money": pg.MONEY(),
    "bpchar": sa.CHAR(),
    "bytea": pg.BYTEA(),
    "date": sa.Date(),
    "timestamp": pg.TIMESTAMP(timezone=False),
    "timestamptz": pg.TIMESTAMP(timezone=True),
}
