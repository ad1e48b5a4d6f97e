"""SQLAlchemy's side of DuckDB, which takes PostgreSQL's SQL.

Only the compiler is used; statements go to DuckDB itself.
"""

from __future__ import annotations

from typing import Any

import duckdb
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.base import PGDialect, PGIdentifierPreparer


class _Quoting(PGIdentifierPreparer):
    """Every name is quoted: DuckDB has keywords that PostgreSQL has not."""

    def _requires_quotes(self, value: str) -> bool:
        return True


class Dialect(PGDialect):
    """PostgreSQL's, but for what has to do with a server."""

    name = "duckdb"
    driver = "b24"
    default_paramstyle = "qmark"
    supports_statement_cache = True
    preparer = _Quoting

    @classmethod
    def import_dbapi(cls) -> Any:
        return duckdb

    def initialize(self, connection: sa.Connection) -> None:
        """Ask nothing: there is no server."""

    def is_disconnect(self, e: Any, connection: Any, cursor: Any) -> bool:
        return False

    def do_rollback(self, dbapi_connection: Any) -> None:
        """No transaction was begun."""
