"""MySQL and MariaDB through PyMySQL.

Sessions are read-only, in UTC and limited in time. Instants are turned into local time here, since
a server knows named time zones only where somebody has loaded their tables.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pymysql
import sqlalchemy as sa
from pymysql.constants import CLIENT, ER, FIELD_TYPE, FLAG
from pymysql.constants import CR as CLIENT_ERROR
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

from adapters.base import Cancellation, FieldType, Options, Table
from adapters.errors import (
    AdapterError,
    QueryCancelled,
    QueryFailed,
    QueryTimeout,
    SchemaChanged,
    SourceUnavailable,
)
from adapters.sql import columns
from adapters.sql.adapter import SqlAdapter, verbatim
from adapters.sql.columns import Element, SqlColumn
from adapters.sql.where import TextRules

_TABLES = sa.text("""
    SELECT table_name, table_schema, table_schema = DATABASE(),
           IF(table_type LIKE '%VIEW', '', table_comment)
    FROM information_schema.tables
    WHERE table_schema NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')
""")
_COLUMNS = sa.text("""
    SELECT column_name, data_type, numeric_precision, numeric_scale, collation_name, column_comment
    FROM information_schema.columns
    WHERE table_name = :table AND table_schema = coalesce(:schema, DATABASE())
    ORDER BY ordinal_position
""")

_GEOMETRIES = (
    "geometry",
    "point",
    "linestring",
    "polygon",
    "multipoint",
    "multilinestring",
    "multipolygon",
    "geometrycollection",
    "geomcollection",
)
_BINARY_CHARSET = 63
_MARIADB_STATEMENT_TIMEOUT = 1969
_MYSQL_STATEMENT_TIMEOUT = 3024
_UNAVAILABLE = frozenset(
    {
        ER.ACCESS_DENIED_ERROR,
        ER.BAD_DB_ERROR,
        ER.COLUMNACCESS_DENIED_ERROR,
        ER.CON_COUNT_ERROR,
        ER.DBACCESS_DENIED_ERROR,
        ER.HOST_IS_BLOCKED,
        ER.HOST_NOT_PRIVILEGED,
        ER.SERVER_SHUTDOWN,
        ER.TABLEACCESS_DENIED_ERROR,
        ER.TOO_MANY_USER_CONNECTIONS,
        1927,  # connection was killed
        CLIENT_ERROR.CR_CONNECTION_ERROR,
        CLIENT_ERROR.CR_CONN_HOST_ERROR,
        CLIENT_ERROR.CR_SERVER_GONE_ERROR,
        CLIENT_ERROR.CR_SERVER_LOST,
    }
)
_UTF8MB4 = mysql.CHAR(charset="utf8mb4")
_SHOWN_DATES = ("0001-01-01", "9999-12-31")
_SHOWN_DATETIMES = ("0001-01-01 00:00:00", "9999-12-31 23:59:59.999999")


class MySQLAdapter(SqlAdapter):
    """``mysql://`` or ``mariadb://user:password@host:port/database``."""

    driver = "mysql+pymysql"
    # Names of columns; whether names of tables are depends on the server's file system.
    case_sensitive_names = False

    def __init__(self, url: str, options: Options) -> None:
        super().__init__(url, options)
        self.type_names = {**self.type_names, **dict.fromkeys(_GEOMETRIES, columns.Geometry)}

    def prepare_url(self, url: sa.URL) -> sa.URL:
        return url.update_query_dict({"charset": "utf8mb4"})

    def engine_options(self) -> dict[str, Any]:
        return {
            "connect_args": {
                "connect_timeout": 10,
                "client_flag": CLIENT.FOUND_ROWS,
                "local_infile": False,
                "program_name": "b24-connector",
            }
        }

    def prepare_session(self, raw: Any) -> None:
        seconds = max(1, round(self.options.timeout.total_seconds()))
        if "MariaDB" in raw.get_server_info():
            limit = f"max_statement_time = {self.options.timeout.total_seconds()}"
        else:
            limit = f"max_execution_time = {seconds * 1000}"
        with raw.cursor() as cursor:
            cursor.execute("SET SESSION TRANSACTION READ ONLY")
            # A slow reader is ours to judge: the server waits as long as the query may take.
            cursor.execute(
                f"SET time_zone = '+00:00', {limit}, net_write_timeout = {seconds}, "
                "group_concat_max_len = 4294967295"
            )

    def interrupt(self, raw: Any) -> None:
        _, arguments = self.engine.dialect.create_connect_args(self.engine.url)
        with pymysql.connect(**{**arguments, "connect_timeout": 5}) as other:
            other.cursor().execute("KILL QUERY %s", [raw.thread_id()])

    def translate(self, error: Exception) -> AdapterError:
        code = error.args[0] if error.args else None
        message = f"{type(error).__name__}: {error}"
        if code in (_MARIADB_STATEMENT_TIMEOUT, _MYSQL_STATEMENT_TIMEOUT):
            return QueryTimeout(message)
        if code == ER.QUERY_INTERRUPTED:
            return QueryCancelled(message)
        if code in (ER.NO_SUCH_TABLE, ER.BAD_FIELD_ERROR):
            return SchemaChanged(message)
        if code in _UNAVAILABLE:
            return SourceUnavailable(message)
        return QueryFailed(message)

    def text_rules(self) -> TextRules:
        def utf8(text: Element) -> Element:
            return sa.cast(text, _UTF8MB4)

        return TextRules(
            exact=lambda text: sa.cast(utf8(text), sa.LargeBinary()),
            folded=lambda text: sa.func.lower(utf8(text)).collate("utf8mb4_bin"),
            shown=lambda value: sa.cast(value, sa.Text()),
        )

    def tables(self) -> list[Table]:
        with self.session(Cancellation()) as connection:
            return [
                Table(name, schema, bool(default), comment or "")
                for name, schema, default, comment in connection.execute(_TABLES)
            ]

    def reflect(
        self, connection: sa.Connection, table: Table
    ) -> list[tuple[str, TypeEngine[Any], str]]:
        names = {"table": table.name, "schema": table.schema}
        found = connection.execute(_COLUMNS, names).all()
        if not found:
            raise SchemaChanged(f"table {table.name} does not exist any more")
        return [
            (name, self._named_type(data_type.lower(), precision, scale, collation), comment)
            for name, data_type, precision, scale, collation, comment in found
        ]

    def _named_type(
        self, name: str, precision: int | None, scale: int | None, collation: str | None
    ) -> TypeEngine[Any]:
        kind: Any = self.type_names.get(name, sa.types.NullType)
        if issubclass(kind, sa.String):
            return sa.String(collation=collation)
        if kind is mysql.DECIMAL:
            return sa.Numeric(precision, scale)
        return sa.types.to_instance(kind)

    def describe_sql(
        self, connection: sa.Connection, sql: str
    ) -> list[tuple[str, TypeEngine[Any]]]:
        result = connection.execute(sa.text(f"SELECT * FROM ({verbatim(sql)}\n) query LIMIT 0"))
        return [(field.name, _field_type(field)) for field in result.cursor._result.fields]

    def column(self, name: str, kind: TypeEngine[Any]) -> SqlColumn:  # noqa: C901 - a table
        column: Element = sa.column(name)
        match kind:
            case mysql.BIT():
                whole = sa.cast(column, mysql.INTEGER(unsigned=True))
                return columns.integer(whole)
            case mysql.YEAR():
                return columns.integer(column)
            case mysql.FLOAT():
                precise = column + sa.literal_column("0e0")
                return SqlColumn(
                    FieldType.DOUBLE,
                    precise,
                    column,
                    columns.bind_single,
                    convert=columns.shortest_single,
                )
            case mysql.TIMESTAMP():
                return self._instant(column)
            case sa.DateTime():
                return _moment(FieldType.DATETIME, column, _SHOWN_DATETIMES, 19)
            case sa.Date():
                return _moment(FieldType.DATE, column, _SHOWN_DATES, 10)
            case sa.types._Binary():
                return columns.shown_as(sa.func.lower(sa.func.hex(column)))
            case columns.Geometry():
                return columns.shown_as(sa.func.ST_AsText(column))
            case sa.String():
                if (kind.collation or "").startswith("utf8"):
                    return columns.text(column, inexact=True)
                test = sa.cast(column, _UTF8MB4)
                return SqlColumn(FieldType.STRING, column, test, columns.bind_text, inexact=True)
            case _:
                return super().column(name, kind)

    def _instant(self, column: Element) -> SqlColumn:
        zone = self.options.timezone
        shown = _moment(FieldType.DATETIME, column, _SHOWN_DATETIMES, 19)
        return SqlColumn(
            FieldType.DATETIME,
            shown.read,
            column,
            shown.bind,
            bounds=shown.bounds,
            zoned=True,
            convert=lambda text: _local(text, zone),
        )

    def abandon(self, connection: sa.Connection) -> None:
        """The driver would read all that is left; instead the query and the connection end."""
        self.interrupt(connection.connection.dbapi_connection)
        connection.invalidate()


def _moment(kind: FieldType, column: Element, shown: tuple[str, str], width: int) -> SqlColumn:
    """A date or a date-time; the zero date and dates with a zero in them read as null."""
    low, high = (sa.literal(bound, sa.String()) for bound in shown)
    real = sa.and_(column.between(low, high), sa.func.month(column) > 0, sa.func.day(column) > 0)
    text = sa.func.left(sa.cast(column, sa.Text()), width)
    return SqlColumn(kind, sa.case((real, text)), column, _bind_moment, bounds=(low, high))


def _bind_moment(value: datetime) -> Element:
    return sa.literal(str(value), sa.String())


def _local(text: str | None, zone: ZoneInfo) -> str | None:
    if text is None:
        return None
    local = datetime.fromisoformat(text).replace(tzinfo=UTC).astimezone(zone)
    return local.strftime("%Y-%m-%d %H:%M:%S")


def _field_type(field: Any) -> TypeEngine[Any]:
    """The type of a result's column, from the protocol's description of it."""
    code = field.type_code
    if code in _TEXTS:
        binary = field.charsetnr == _BINARY_CHARSET
        return sa.LargeBinary() if binary else sa.String(collation="unknown")
    if code in (FIELD_TYPE.DECIMAL, FIELD_TYPE.NEWDECIMAL):
        # The length counts the sign and the decimal point.
        signed = not field.flags & FLAG.UNSIGNED
        return sa.Numeric(field.length - signed - bool(field.scale), field.scale)
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
    FIELD_TYPE.GEOMETRY: columns.Geometry(),
}
