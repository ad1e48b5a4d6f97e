"""The declared types of SQLite, and values that do not fit them."""

from __future__ import annotations

from tests.contract.types.data import TypeCase

_INTEGERS = {
    "-9223372036854775808": "-9223372036854775808",
    "9223372036854775807": "9223372036854775807",
    "7.0": "7",
    "'8'": "8",
    "1.5": "null",
    "9223372036854775808": "null",
    "'abc'": "null",
    "x'41'": "null",
}
_NUMBERS = {
    "0.1": "0.1",
    "0.1 + 0.2": "0.30000000000000004",
    "1.7976931348623157e308": "1.7976931348623157e+308",
    "5e-324": "5e-324",
    "9e999": "null",
    "-9e999": "null",
    "'abc'": "null",
    "x'41'": "null",
}
_TEXTS = {
    "'Größe ''1'' \\ 😀'": "\"Größe '1' \\\\ 😀\"",
    "''": '""',
    "'a  '": '"a  "',
    "1.5": '"1.5"',
    "7": '"7"',
    "CAST(x'61ff' AS TEXT)": '"a\N{REPLACEMENT CHARACTER}"',
    "x'00ff41'": "null",
}
_MOMENTS = {
    "'2026-09-01'": '"2026-09-01 00:00:00"',
    "'2026-09-01 10:20'": '"2026-09-01 10:20:00"',
    "'2026-09-01T10:20:30'": '"2026-09-01 10:20:30"',
    "'2026-09-01 23:59:59.9999999'": '"2026-09-01 23:59:59"',
    "'2026-09-01 12:00:00Z'": '"2026-09-01 14:00:00"',
    "'2026-09-01T12:00:00.5+05:30'": '"2026-09-01 08:30:00"',
    "'2026-10-25T00:30:00+00:00'": '"2026-10-25 02:30:00"',
    "'2026-10-25T01:30:00+00:00'": '"2026-10-25 02:30:00"',
    "'0001-01-01 00:00:00'": '"0001-01-01 00:00:00"',
    "'9999-12-31 23:59:59'": '"9999-12-31 23:59:59"',
    "'2026-02-30 10:00:00'": "null",
    "'2026-09-01 10:20:30 or so'": "null",
    "'0000-01-01 00:00:00'": "null",
    "'10000-01-01 00:00:00'": "null",
    "'yesterday'": "null",
    "1788220800": "null",
    "x'41'": "null",
}

CASES = [
    *(
        TypeCase(declared, "int", _INTEGERS)
        for declared in ("INTEGER", "INT", "TINYINT", "SMALLINT", "MEDIUMINT", "BIGINT")
    ),
    TypeCase("UNSIGNED BIG INT", "int", _INTEGERS),
    TypeCase("INT8", "int", _INTEGERS),
    TypeCase("BOOLEAN", "int", {"true": "1", "false": "0", "'yes'": "null"}),
    TypeCase("YEAR", "int", {"2026": "2026"}),
    *(
        TypeCase(declared, "double", {"3": "3.0"} | _NUMBERS)
        for declared in ("REAL", "DOUBLE", "DOUBLE PRECISION", "FLOAT")
    ),
    *(
        TypeCase(declared, "double", {"3": "3", "9007199254740993": "9007199254740993"} | _NUMBERS)
        for declared in ("NUMERIC", "DECIMAL(30,10)", "NUMBER(10,2)", "MONEY", "CURRENCY")
    ),
    *(
        TypeCase(declared, "string", _TEXTS)
        for declared in (
            "TEXT",
            "VARCHAR(20)",
            "CHAR(5)",
            "NVARCHAR(100)",
            "CLOB",
            "TEXT COLLATE NOCASE",
        )
    ),
    TypeCase(
        "DATE",
        "date",
        {
            "'2026-09-01'": '"2026-09-01"',
            "'2026-09-01 10:00:00'": '"2026-09-01"',
            "'0001-01-01'": '"0001-01-01"',
            "'9999-12-31'": '"9999-12-31"',
            "'0000-01-01'": "null",
            "'2026-02-30'": "null",
            "'01.09.2026'": "null",
            "20260901": "null",
            "x'41'": "null",
        },
    ),
    *(TypeCase(declared, "datetime", _MOMENTS) for declared in ("DATETIME", "TIMESTAMP")),
    TypeCase("TIME", "string", {"'10:00:00'": '"10:00:00"'}),
    TypeCase("JSON", "string", {"""'{"a": 1}'""": r'"{\"a\": 1}"', "1": '"1"'}),
    TypeCase("UUID", "string", {"'a0ee'": '"a0ee"'}),
    TypeCase("BLOB", "string", {"x'00ff41'": '"00ff41"', "'a'": '"a"', "1.5": '"1.5"'}),
    TypeCase("POINT", "string", {"'POINT(1 2)'": '"POINT(1 2)"'}),
    TypeCase("", "string", {"'a'": '"a"', "1": '"1"', "x'41'": '"41"'}, name="none"),
    TypeCase("WHATEVER", "string", {"'a'": '"a"', "1.5": '"1.5"'}, name="any other name"),
]
