"""The column types of DuckDB."""

from __future__ import annotations

from tests.contract.types.data import TypeCase

CASES = [
    TypeCase("BOOLEAN", "int", {"true": "1", "false": "0"}),
    TypeCase("TINYINT", "int", {"-128": "-128", "127": "127"}),
    TypeCase("SMALLINT", "int", {"-32768": "-32768"}),
    TypeCase("INTEGER", "int", {"-2147483648": "-2147483648", "0": "0"}),
    TypeCase(
        "BIGINT",
        "int",
        {
            "-9223372036854775808": "-9223372036854775808",
            "9223372036854775807": "9223372036854775807",
            "9007199254740993": "9007199254740993",
        },
    ),
    TypeCase("UTINYINT", "int", {"255": "255"}),
    TypeCase("USMALLINT", "int", {"65535": "65535"}),
    TypeCase("UINTEGER", "int", {"4294967295": "4294967295"}),
    TypeCase("UBIGINT", "int", {"18446744073709551615": "18446744073709551615"}),
    TypeCase(
        "HUGEINT",
        "double",
        {"-170141183460469231731687303715884105728": "-170141183460469231731687303715884105728"},
    ),
    TypeCase(
        "UHUGEINT",
        "double",
        {"340282366920938463463374607431768211455": "340282366920938463463374607431768211455"},
    ),
    TypeCase("BIGNUM", "string", {"'1" + "0" * 50 + "'": '"1' + "0" * 50 + '"'}),
    TypeCase("DECIMAL(18,0)", "int", {"-999999999999999999": "-999999999999999999"}),
    TypeCase("DECIMAL(19,0)", "double", {"9999999999999999999": "9999999999999999999"}),
    TypeCase(
        "DECIMAL(30,10)",
        "double",
        {
            "12345678901234567890.0123456789": "12345678901234567890.0123456789",
            "-0.0000000001": "-0.0000000001",
            "0": "0.0000000000",
        },
    ),
    TypeCase("DECIMAL(4,1)", "double", {"1.1": "1.1", "100": "100.0"}),
    TypeCase("DECIMAL(4,4)", "double", {"-0.5": "-0.5000", "0": "0.0000"}),
    TypeCase(
        "FLOAT",
        "double",
        {
            "0.1": "0.1",
            "16777217": "16777216.0",
            "3.4028235e38": "3.4028235e+38",
            "2262244.25": "2262244.2",
            "1e-45": "1e-45",
            "'nan'": "null",
            "'infinity'": "null",
        },
    ),
    TypeCase(
        "DOUBLE",
        "double",
        {
            "0.1": "0.1",
            "0.1::DOUBLE + 0.2::DOUBLE": "0.30000000000000004",
            "1.7976931348623157e308": "1.7976931348623157e+308",
            "2417851639229258349412352": "2.4178516392292583e+24",
            "-2::DOUBLE ** 807": "-8.535058474086213e+242",
            "5e-324": "5e-324",
            "0.00002": "0.00002",
            "1.5e-7": "1.5e-7",
            "-0.0::DOUBLE": "-0.0",
            "'nan'": "null",
            "'infinity'": "null",
            "'-infinity'": "null",
        },
    ),
    TypeCase(
        "VARCHAR",
        "string",
        {
            "'Größe ''1'' \\ \"😀\"'": '"Größe \'1\' \\\\ \\"😀\\""',
            "''": '""',
            "chr(10) || chr(31) || chr(0) || '\\u001F' || chr(8232)": (
                '"\\n\\u001f\\u0000\\\\u001F\u2028"'
            ),
        },
    ),
    TypeCase("VARCHAR COLLATE NOCASE", "string", {"'Zz'": '"Zz"'}),
    TypeCase("VARCHAR(5)", "string", {"'ab  '": '"ab  "'}),
    TypeCase("CHAR(5)", "string", {"'ab'": '"ab"'}),
    TypeCase(
        "mood", "string", {"'so so'": '"so so"'}, ("CREATE TYPE mood AS ENUM ('so so')",), "ENUM"
    ),
    TypeCase(
        "UUID",
        "string",
        {"'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'": '"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"'},
    ),
    TypeCase("BLOB", "string", {r"'\x00\xFFA'::BLOB": '"00ff41"', "''": '""'}),
    TypeCase("BIT", "string", {"'1010'": '"1010"'}),
    TypeCase(
        "DATE",
        "date",
        {
            "'2026-09-01'": '"2026-09-01"',
            "'0001-01-01'": '"0001-01-01"',
            "'9999-12-31'": '"9999-12-31"',
            "'10000-01-01'": "null",
            "'0044-03-15 (BC)'": "null",
            "'infinity'": "null",
            "'-infinity'": "null",
        },
    ),
    TypeCase(
        "TIMESTAMP",
        "datetime",
        {
            "'2026-09-01 23:59:59.999999'": '"2026-09-01 23:59:59"',
            "'0001-01-01'": '"0001-01-01 00:00:00"',
            "'9999-12-31 23:59:59'": '"9999-12-31 23:59:59"',
            "'2026-03-29 02:30:00'": '"2026-03-29 02:30:00"',
            "'10000-01-01'": "null",
            "'0044-03-15 (BC)'": "null",
            "'infinity'": "null",
        },
    ),
    TypeCase("TIMESTAMP_S", "datetime", {"'2026-09-01 23:59:59'": '"2026-09-01 23:59:59"'}),
    TypeCase("TIMESTAMP_MS", "datetime", {"'2026-09-01 23:59:59.999'": '"2026-09-01 23:59:59"'}),
    TypeCase(
        "TIMESTAMP_NS", "datetime", {"'2026-09-01 23:59:59.999999999'": '"2026-09-01 23:59:59"'}
    ),
    TypeCase(
        "TIMESTAMPTZ",
        "datetime",
        {
            "'2026-09-01 12:00:00+00'": '"2026-09-01 14:00:00"',
            "'2026-03-29 00:59:59Z'": '"2026-03-29 01:59:59"',
            "'2026-03-29 01:00:00Z'": '"2026-03-29 03:00:00"',
            "'2026-10-25 00:30:00Z'": '"2026-10-25 02:30:00"',
            "'2026-10-25 01:30:00Z'": '"2026-10-25 02:30:00"',
            "'9999-12-31 22:59:59Z'": '"9999-12-31 23:59:59"',
            "'9999-12-31 23:00:00Z'": "null",
            "'0001-01-01 00:00:00Z'": '"0001-01-01 00:53:28"',
            "'infinity'": "null",
            "'-infinity'": "null",
        },
    ),
    TypeCase("TIMESTAMPTZ_NS", "datetime", {"'2026-09-01 12:00:00+00'": '"2026-09-01 14:00:00"'}),
    TypeCase("TIME", "string", {"'23:59:59.5'": '"23:59:59.5"', "'24:00:00'": '"24:00:00"'}),
    TypeCase("TIMETZ", "string", {"'12:00:00+02'": '"12:00:00+02"'}),
    TypeCase("TIME_NS", "string", {"'10:00:00.123456789'": '"10:00:00.123456789"'}),
    TypeCase(
        "INTERVAL",
        "string",
        {"'1 year 2 months -3 days 04:05:06'": '"1 year 2 months -3 days 04:05:06"'},
    ),
    TypeCase("INTEGER[]", "string", {"[1, NULL]": '"[1,null]"', "[]": '"[]"'}),
    TypeCase("INTEGER[2][]", "string", {"[[1, 2]]": '"[[1,2]]"'}),
    TypeCase("VARCHAR[]", "string", {"['a\"b', NULL]": r'"[\"a\\\"b\",null]"'}),
    TypeCase("DATE[]", "string", {"[DATE '2026-01-02']": r'"[\"2026-01-02\"]"'}),
    TypeCase(
        "STRUCT(a INTEGER, b VARCHAR)", "string", {"{'a': 1, 'b': 'x'}": r'"{\"a\":1,\"b\":\"x\"}"'}
    ),
    TypeCase("MAP(VARCHAR, INTEGER)", "string", {"MAP {'k': 1}": r'"{\"k\":1}"'}),
    TypeCase(
        "UNION(num INTEGER, str VARCHAR)", "string", {"union_value(num := 2)": r'"{\"num\":2}"'}
    ),
    TypeCase("JSON", "string", {"""'{"b": 1,  "a": null}'""": r'"{\"b\": 1,  \"a\": null}"'}),
    TypeCase("VARIANT", "string", {"{'a': 1}": "\"{'a': 1}\""}),
    TypeCase("GEOMETRY", "string", {"'POINT(1 2)'": '"POINT (1 2)"'}),
]
