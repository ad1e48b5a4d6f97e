"""ClickHouse's own lists: which tables there are to read, and what types columns have."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from adapters.base import Table
from adapters.sql.columns import Element
from adapters.sql.verbatim import verbatim

# To read from a stream takes its messages away from whom they are for; a set cannot be read.
TABLES = sa.text("""
    SELECT name, database, database = currentDatabase(), comment
    FROM system.tables
    WHERE database NOT IN ('system', 'information_schema', 'INFORMATION_SCHEMA')
      AND NOT is_temporary AND NOT startsWith(name, '.inner')
      AND engine NOT IN ('Kafka', 'RabbitMQ', 'NATS', 'FileLog', 'S3Queue', 'AzureQueue', 'Set')
""")
_COLUMNS = sa.text("""
    SELECT name, type, comment FROM system.columns
    WHERE database = if(:schema = '', currentDatabase(), :schema) AND table = :table
      AND default_kind <> 'EPHEMERAL'
    ORDER BY position
""")

_NAMES = ("database", "table", "name", "type")
_OF = sa.table("columns", *(sa.column(name, sa.Text()) for name in _NAMES), schema="system")


def columns_of(table: Table) -> sa.TextClause:
    """Asks for name, type and comment of each column; no row if there is no such table."""
    return _COLUMNS.bindparams(
        sa.bindparam("schema", table.schema or "", type_=sa.Text()),
        sa.bindparam("table", table.name, type_=sa.Text()),
    )


def has_types(table: Table, types: Mapping[str, str]) -> Element:
    """True; a query that asks for it fails if a column of ``table`` has another of the ``types``.

    It is asked before the table is read, and once.
    """
    schema = sa.literal(table.schema, sa.Text()) if table.schema else sa.func.currentDatabase()
    found = sa.select(sa.func.throwIf(sa.func.count() != sa.literal_column(str(len(types))))).where(
        _OF.c.database == schema,
        _OF.c.table == sa.literal(table.name, sa.Text()),
        sa.tuple_(_OF.c.name, _OF.c.type).in_(list(types.items())),
    )
    return found.scalar_subquery() == sa.literal_column("0")


def columns_of_sql(sql: str) -> sa.TextClause:
    """Asks for name and type of each column that a statement would give."""
    return sa.text(f"DESCRIBE (SELECT * FROM ({verbatim(sql)}\n) AS query)")
