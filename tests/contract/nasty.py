"""A table of nasty rows for each engine: a column for each family of types, values in SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from random import Random
from uuid import UUID

ROWS = 200
NAME = "nasty"

Columns = dict[str, tuple[str, Sequence[str]]]
"""The declaration of each column, and what is put into it."""

_WORDS = [
    *("", " ", "a", "A", "a ", "a  ", "ab", "AB", "Ab ", "z", "Z", "0", "00", "1", "1.0", "1e2"),
    *("é", "É", "e", "ß", "ss", "яблоко", "Яблоко", "ЯБЛОКО", "їжак", "ЇЖАК", "😀", "😁", "\uff5e"),
    *("a%b", "a_b", "axb", "a!b", "%", "_", "!", "!!", "\\", "a\\b", "\\%", "'", '"', "`", "\n"),
    *("ΟΔΟΣΑ", "οδος", "ΟΔΟΣ", "οδοσ", "İzmir", "izmir", "IZMIR"),
    *("тест:1", "::text", "$1", "%s", "%(x)s", "?", "{}", "-- no", "00ff", "NULL", "null"),
]
_LATIN = ["", "a", "A", "a ", "é", "É", "e", "ß", "ss", "z", "%", "_", "\\", "~"]
_CYRILLIC = ["", "a", "A", "a ", "я", "Я", "їжак", "ЇЖАК", "ё", "е", "%", "№"]
_SHORT = ["", "a", "A", "ab", "AB", "é", "яб", "1", "%", "_", "a b"]

_SMALL = ["0", "1", "-1", "2", "26", "70", "127", "-128"]
_INTS = [*_SMALL, "2147483647", "-2147483648", "2026"]
_BIGS = [*_INTS, "9223372036854775807", "-9223372036854775807", "9007199254740993"]
_EXACT = ["0", "1", "-1", "0.1", "1.1", "-0.0000000001", "12345678901234567890.0123456789", "0.01"]
_FLOATS = ["0", "1", "-1", "0.1", "1.1", "16777216", "0.3", "-2.5", "100", "0.25", "1234.5"]
_DAYS = [
    *("0001-01-01", "9999-12-31", "2026-09-01", "2026-08-31", "2026-09-02", "2024-02-29"),
    *("1970-01-01", "1582-10-10", "2026-12-31", "2027-01-01"),
]
_TIMES = [
    *("2026-03-29 01:30:00", "2026-03-29 02:30:00", "2026-03-29 03:00:00", "2026-10-25 02:30:00"),
    *("2026-03-29 00:59:59.999999", "2026-10-25 00:30:00", "2026-10-25 01:30:00.5"),
    *("2026-11-01 05:30:00", "2026-11-01 06:30:00", "2026-04-04 15:15:00", "2026-04-04 14:45:00"),
    *("2026-09-01 00:00:00", "2026-08-31 23:59:59", "2026-09-01 23:59:59.999999"),
    *("1970-01-01 00:00:01", "2037-12-31 23:59:59", "2011-12-30 09:59:59", "2011-12-30 10:00:00"),
]
_FAR_TIMES = ["0001-01-01 00:00:00", "9999-12-31 23:59:59", "9999-12-31 12:00:00.25"]

# In the years in which a number of nanoseconds begins and ends.
_NANO_TIMES = ["1677-10-01 12:00:00", "1677-10-01 12:00:01", "2262-03-01 12:00:00"]
_NANO_TIMES += ["2262-03-01 12:00:01"]


def _quoted(texts: Sequence[str]) -> list[str]:
    return ["'" + text.replace("'", "''") + "'" for text in texts]


def _mysql(texts: Sequence[str]) -> list[str]:
    return [literal.replace("\\", "\\\\") for literal in _quoted(texts)]


_POSTGRESQL: Columns = {
    "b": ("boolean", ["true", "false"]),
    "small": ("smallint", _SMALL),
    "i": ("integer", _INTS),
    "big": ("bigint", [*_BIGS, "-9223372036854775808"]),
    "o": ("oid", ["0", "1", "26", "2026", "2147483648", "4294967295"]),
    "whole": ("numeric(18,0)", [*_INTS, "'NaN'", "999999999999999999"]),
    "exact": ("numeric(30,10)", [*_EXACT, "'NaN'"]),
    "free": ("numeric", [*_EXACT, "1e40", "1e-40", "'NaN'", "'Infinity'", "'-Infinity'"]),
    "double": ("double precision", [*_FLOATS, "'NaN'", "'Infinity'", "'-Infinity'"]),
    "vast": ("double precision", ["1e308", "-1e308", "1e15", "1e-5", "5e-324", "0.1"]),
    "single": ("real", [*_FLOATS, "'NaN'", "'Infinity'"]),
    "vast_single": ("real", ["3.4028235e38", "-3.4028235e38", "1e-45", "1e15", "0.1"]),
    "cash": ("money", _quoted(["0", "1.10", "-2.5"])),
    "t": ("text", _quoted(_WORDS)),
    "c": ('varchar(20) COLLATE "C"', _quoted(_WORDS)),
    "u": ('text COLLATE "pg_c_utf8"', _quoted(_WORDS)),
    "padded": ("char(4)", _quoted([*_SHORT, "a ", "a  "])),
    "mood": ("mood", _quoted(_SHORT)),
    "day": ("date", _quoted([*_DAYS, "infinity", "-infinity", "0044-03-15 BC", "10000-01-01"])),
    "local": (
        "timestamp",
        _quoted([*_TIMES, *_FAR_TIMES, "infinity", "0044-03-15 BC", "10000-01-01"]),
    ),
    "instant": (
        "timestamptz",
        _quoted(
            [
                *(f"{time}Z" for time in [*_TIMES, *_FAR_TIMES]),
                *("0001-01-02 00:00:00Z", "9999-12-30 00:00:00Z"),
                *("infinity", "-infinity", "0044-03-15 BC", "10000-01-02 00:00Z"),
            ]
        ),
    ),
    "uuid": ("uuid", _quoted(["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "0" * 32])),
    "list": ("integer[]", _quoted(["{}", "{1,2}", "{1}"])),
    "document": ("jsonb", _quoted(['{"a": "Я"}', "1", "null"])),
    "bytes": ("bytea", _quoted(["\\x00ff", "\\x"])),
}

_MYSQL: Columns = {
    "b": ("boolean", ["true", "false"]),
    "small": ("tinyint", _SMALL),
    "i": ("int", _INTS),
    "big": ("bigint", [*_BIGS, "-9223372036854775808"]),
    "unsigned": (
        "bigint unsigned",
        ["0", "1", "26", "18446744073709551615", "9223372036854775808"],
    ),
    "bits": ("bit(64)", ["0", "1", "26", "18446744073709551615"]),
    "y": ("year", ["0", "1901", "1970", "2026", "2155", "2000", "2001"]),
    "whole": ("decimal(18,0)", [*_INTS, "999999999999999999"]),
    "exact": ("decimal(30,10)", _EXACT),
    "wide": ("decimal(65,0)", ["0", "1", "9" * 65, "-" + "9" * 65, "1" + "0" * 40]),
    "fine": ("decimal(65,30)", ["0", "1", "0." + "0" * 29 + "1", "-0." + "9" * 30]),
    "double": ("double", _FLOATS),
    "vast": ("double", ["1e308", "-1e308", "1e15", "1e-5", "5e-324", "0.1"]),
    "single": ("float", [*_FLOATS, "1234567.5", "0.12345679"]),
    "priced": ("float(7,2)", ["0", "0.1", "1234.56", "-1.5", "100", "1.10"]),
    "cents": ("double(10,2)", ["0", "0.1", "1234.56", "-1.5", "100", "1.10"]),
    "vast_single": ("float", ["3.40282e38", "-3.40282e38", "1e-38", "1e15", "0.1"]),
    "general": ("varchar(20) COLLATE utf8mb4_general_ci", _mysql(_WORDS)),
    "unicode": ("varchar(20) COLLATE utf8mb4_unicode_ci", _mysql(_WORDS)),
    "nopad": ("varchar(20) COLLATE utf8mb4_nopad_bin", _mysql(_WORDS)),
    "bin": ("text COLLATE utf8mb4_bin", _mysql(_WORDS)),
    "latin": ("varchar(20) CHARACTER SET latin1", _mysql(_LATIN)),
    "cyrillic": ("varchar(20) CHARACTER SET cp1251", _mysql(_CYRILLIC)),
    "three": ("varchar(20) CHARACTER SET utf8mb3", _mysql([*_LATIN, *_CYRILLIC])),
    "padded": ("char(4)", _mysql([*_SHORT, "a ", "a  "])),
    "mood": ("enum('a', 'Ab', 'я', '1')", _mysql(["a", "Ab", "я", "1"])),
    "bytes": ("varbinary(9)", ["x'00ff'", "''", "'a'"]),
    "day": ("date", _quoted([*_DAYS, "0000-00-00", "2026-00-10", "2026-09-00", "0000-05-05"])),
    "local": (
        "datetime(6)",
        _quoted([*_TIMES, *_FAR_TIMES, "0000-00-00", "2026-00-10 10:00:00", "2026-09-00 00:00:00"]),
    ),
    "instant": ("timestamp(6) NULL", [*_quoted([*_TIMES, "2038-01-19 03:14:07"]), "0"]),
    "clock": ("time", _quoted(["-838:59:59", "00:00:00", "10:00:00"])),
}

_ALIENS = ["'abc'", "''", "'2026'", "x'3030'", "1.5", "9e999", "9223372036854775808"]
_ZONED = [
    *(f"{time}Z" for time in _TIMES),
    *("2026-09-01T12:00:00+05:30", "2026-09-01 00:00:00.25-11:00", "0001-01-01 00:00:00Z"),
    *("2026-09-01 12:00:00 +0200", "9999-12-31 23:59:59Z"),
]
_STRANGE_TIMES = ["2026-02-30 10:00:00", "yesterday", "2026-09-01 10:00:00 or so", "2026-09-01 1"]

_SQLITE: Columns = {
    "b": ("BOOLEAN", ["0", "1", "'yes'"]),
    "i": ("INTEGER", [*_INTS, *_ALIENS]),
    "big": ("BIGINT", [*_BIGS, "-9223372036854775808", *_ALIENS]),
    "exact": ("DECIMAL(30,10)", [*_EXACT, "9007199254740993", *_ALIENS, "-9e999"]),
    "double": ("REAL", [*_FLOATS, *_ALIENS, "-9e999", "1e308", "1e15", "1e-5", "5e-324"]),
    "t": ("TEXT", [*_quoted(_WORDS), "x'6162'", "7", "1.5"]),
    "nocase": ("VARCHAR(20) COLLATE NOCASE", [*_quoted(_WORDS), "x'6162'"]),
    "rtrim": ("TEXT COLLATE RTRIM", _quoted(_WORDS)),
    "day": (
        "DATE",
        [*_quoted([*_DAYS, *_TIMES, "2026-02-30", "01.09.2026", "0000-01-01"]), "20260901", "1.5"],
    ),
    "local": (
        "DATETIME",
        [
            *_quoted([*_TIMES, *_FAR_TIMES, *_DAYS, *_STRANGE_TIMES, "2026-09-01T10:20"]),
            "17",
            "x''",
        ],
    ),
    "instant": ("TIMESTAMP", _quoted([*_ZONED, *_TIMES])),
    "none": ("", [*_quoted(_WORDS), *_ALIENS, "x'00ff'", "7", "-1"]),
    "blob": ("BLOB", [*_quoted(_WORDS), *_ALIENS, "x'00ff'", "7"]),
}

_CLICKHOUSE_TIMES = [*_TIMES, "1970-01-01 00:00:00", "2106-02-07 06:28:15"]
_WIDE_TIMES = [*_TIMES, "1900-01-02 00:00:00", "2299-12-30 23:59:59.999", "1969-12-31 23:59:59.5"]
_CLICKHOUSE: Columns = {
    "b": ("Bool", ["true", "false"]),
    "small": ("Int8", _SMALL),
    "tiny": ("UInt8", ["0", "1", "26", "255"]),
    "i": ("Int32", _INTS),
    "big": ("Int64", [*_BIGS, "-9223372036854775808"]),
    "unsigned": ("UInt64", ["0", "1", "26", "18446744073709551615", "9223372036854775808"]),
    "wide": ("Int256", ["0", "1", "-1", "'" + "9" * 70 + "'", "'-" + "9" * 70 + "'"]),
    "vast_unsigned": ("UInt128", ["0", "1", f"'{2**128 - 1}'"]),
    "whole": ("Decimal(18, 0)", [f"'{value}'" for value in [*_INTS, "999999999999999999"]]),
    "exact": ("Decimal(30, 10)", _quoted(_EXACT)),
    "fine": ("Decimal(76, 60)", _quoted(["0", "1", "0." + "0" * 59 + "1", "-0." + "9" * 60])),
    "double": ("Float64", [*_FLOATS, "nan", "inf", "-inf", "1e15", "1e-5", "1e20", "-0."]),
    "vast": ("Float64", ["1e308", "-1e308", "1e22", "1e-7", "5e-324", "0.1"]),
    "single": ("Float32", [*_FLOATS, "nan", "inf", "3.4028235e38", "1e-45", "1e15"]),
    "brain": ("BFloat16", [*_FLOATS, "nan"]),
    "t": ("String", [*_mysql(_WORDS), "unhex('00')"]),
    "low": ("LowCardinality(Nullable(String))", _mysql(_WORDS)),
    "padded": ("FixedString(8)", _quoted([*_SHORT, "a ", "a  "])),
    "mood": ("Enum8('a' = 3, 'Ab' = -2, 'я' = 1, '1' = 2)", _quoted(["a", "Ab", "я", "1"])),
    "day": ("Date", _quoted(["1970-01-01", "2149-06-06", *_DAYS[2:6], *_DAYS[8:]])),
    "far_day": ("Date32", _quoted(["1900-01-01", "2299-12-31", *_DAYS[2:7], *_DAYS[8:]])),
    "instant": (
        "DateTime('Asia/Tokyo')",
        [f"toDateTime('{t[:19]}', 'UTC')" for t in _CLICKHOUSE_TIMES],
    ),
    "far": ("DateTime64(3)", [f"toDateTime64('{t}', 3, 'UTC')" for t in _WIDE_TIMES]),
    "nano": (
        "DateTime64(9)",
        [f"toDateTime64('{t}', 9, 'UTC')" for t in [*_TIMES, "2262-04-11 23:47:16.8"]],
    ),
    "uuid": ("UUID", _quoted(["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", str(UUID(int=0))])),
    "address": ("IPv4", _quoted(["10.0.0.1", "9.0.0.1"])),
    "document": ("JSON", _quoted(['{"a": "Я"}', '{"a": 1}', "{}"])),
}

_DUCKDB: Columns = {
    "b": ("BOOLEAN", ["true", "false"]),
    "small": ("TINYINT", _SMALL),
    "i": ("INTEGER", _INTS),
    "big": ("BIGINT", [*_BIGS, "-9223372036854775808"]),
    "unsigned": ("UBIGINT", ["0", "1", "26", "18446744073709551615", "9223372036854775808"]),
    "huge": ("HUGEINT", [*_BIGS, "9" * 38, "-" + "9" * 38]),
    "unsigned_huge": ("UHUGEINT", ["0", "1", "26", "340282366920938463463374607431768211455"]),
    "whole": ("DECIMAL(18,0)", [*_INTS, "999999999999999999"]),
    "exact": ("DECIMAL(30,10)", _EXACT),
    "wide": ("DECIMAL(38,0)", ["0", "1", "9" * 38, "-" + "9" * 38]),
    "fraction": ("DECIMAL(4,4)", ["0", "0.5", "-0.5", "0.1234"]),
    "double": ("DOUBLE", [*_FLOATS, "'nan'", "'infinity'", "'-infinity'"]),
    "accents": ("VARCHAR COLLATE NOACCENT", _quoted(["", "é", "e", "É", "Йод", "Иод", "йод"])),
    "vast": ("DOUBLE", ["1e308", "-1e308", "1e15", "1e16", "1e-5", "2e-7", "5e-324", "0.1"]),
    "single": ("FLOAT", [*_FLOATS, "'nan'", "'infinity'", "2262244.25", "-974872832"]),
    "vast_single": ("FLOAT", ["3.4028235e38", "-3.4028235e38", "1e-45", "1e15", "0.1"]),
    "t": ("VARCHAR", _quoted(_WORDS)),
    "nocase": ("VARCHAR COLLATE NOCASE", _quoted(_WORDS)),
    "noaccent": ("VARCHAR COLLATE NOACCENT", _quoted(_WORDS)),
    "mood": ("mood", _quoted(_SHORT)),
    "day": (
        "DATE",
        _quoted([*_DAYS, "infinity", "-infinity", "0044-03-15 (BC)", "10000-01-01"]),
    ),
    "local": (
        "TIMESTAMP",
        _quoted([*_TIMES, *_FAR_TIMES, "infinity", "0044-03-15 (BC)", "10000-01-01"]),
    ),
    "seconds": ("TIMESTAMP_S", _quoted([*_TIMES, *_FAR_TIMES])),
    "nanoseconds": ("TIMESTAMP_NS", _quoted([*_TIMES, *_NANO_TIMES])),
    "instant": (
        "TIMESTAMPTZ",
        _quoted(
            [
                *(f"{time}Z" for time in [*_TIMES, *_FAR_TIMES]),
                *("0001-01-02 00:00:00Z", "9999-12-30 00:00:00Z"),
                *("infinity", "-infinity", "10000-01-02 00:00:00Z"),
            ]
        ),
    ),
    "instant_ns": (
        "TIMESTAMPTZ_NS",
        _quoted([f"{time}Z" for time in [*_TIMES, *_NANO_TIMES]]),
    ),
    "uuid": ("UUID", _quoted(["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "0" * 32])),
    "list": ("INTEGER[]", ["[]", "[1, 2]", "[1]"]),
    "document": ("JSON", _quoted(['{"a": "Я"}', "1", "null"])),
    "bytes": ("BLOB", [r"'\x00\xFF'::BLOB", "''"]),
}

COLUMNS = {
    "sqlite": _SQLITE,
    "postgresql": _POSTGRESQL,
    "mysql": _MYSQL,
    "duckdb": _DUCKDB,
    "clickhouse": _CLICKHOUSE,
}
_MOOD = f"CREATE TYPE mood AS ENUM ({', '.join(_quoted(_SHORT))})"
SETUP = {"postgresql": _MOOD, "duckdb": _MOOD}
FLOATS = ("vast", "vast_single")
"""Floats beyond 15 digits, which some databases write otherwise than JSON does."""
SESSION = {"mysql": "SET STATEMENT sql_mode = '', time_zone = '+00:00' FOR "}
"""What MySQL refuses to store in its strict mode is met in old databases."""


def statements(engine: str) -> Iterator[str]:
    """What creates and fills the table."""
    if engine in SETUP:
        yield SETUP[engine]
    columns = COLUMNS[engine]
    quote = "`" if engine in ("mysql", "clickhouse") else '"'
    null = "" if engine != "clickhouse" else " NULL"  # there, nothing is null unless it may be
    declared = ", ".join(
        f"{quote}{name}{quote} {kind}{'' if 'Nullable' in kind else null}"
        for name, (kind, _) in columns.items()
    )
    yield f"CREATE TABLE {NAME} (id integer PRIMARY KEY, {declared})"
    random = Random(2026)
    cells = [list(islice(cycle([*values, "NULL"]), ROWS)) for _, values in columns.values()]
    for column in cells:
        random.shuffle(column)
    rows = [f"({i}, {', '.join(row)})" for i, row in enumerate(zip(*cells, strict=True))]
    yield f"{SESSION.get(engine, '')}INSERT INTO {NAME} VALUES {', '.join(rows)}"
