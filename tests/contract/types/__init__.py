"""What every column type of every engine looks like to a portal: the data of the type tests.

docs/types.md is compared with it, so that neither says what the other does not.
"""

from tests.contract.types import clickhouse, duckdb, mysql, postgresql, sqlite
from tests.contract.types.data import ZONE, TypeCase

CASES = {
    "sqlite": sqlite.CASES,
    "postgresql": postgresql.CASES,
    "mysql": mysql.CASES,
    "clickhouse": clickhouse.CASES,
    "duckdb": duckdb.CASES,
}

__all__ = ["CASES", "ZONE", "TypeCase"]
