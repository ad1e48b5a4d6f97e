"""ClickHouse's own lists: which tables there are to read, and what types columns have."""

from __future__ import annotations

import sqlalchemy as sa

from adapters.base import Table
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


def columns_of(table: Table) -> sa.TextClause:
    """Asks for name, type and comment of each column; no row if there is no such table."""
    return _COLUMNS.bindparams(
        sa.bindparam("schema", table.schema or "", type_=sa.Text()),
        sa.bindparam("table", table.name, type_=sa.Text()),
    )


def columns_of_sql(sql: str) -> sa.TextClause:
    """Asks for name and type of each column that a statement would give."""
    return sa.text(f"DESCRIBE (SELECT * FROM ({verbatim(sql)}\n) AS query)")
