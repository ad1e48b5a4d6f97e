"""The column types of MySQL and MariaDB."""

from __future__ import annotations

from tests.contract.types.data import TypeCase

CASES = [
    TypeCase("boolean", "int", {"true": "1", "false": "0"}),
    TypeCase("tinyint", "int", {"-128": "-128", "127": "127"}),
    TypeCase("smallint", "int", {"-32768": "-32768"}),
    TypeCase("mediumint", "int", {"-8388608": "-8388608"}),
    TypeCase("int", "int", {"-2147483648": "-2147483648"}),
    TypeCase("int(5) unsigned zerofill", "int", {"42": "42"}),
    TypeCase("bigint", "int", {"-9223372036854775808": "-9223372036854775808"}),
    TypeCase("bigint unsigned", "int", {"18446744073709551615": "18446744073709551615"}),
    TypeCase("bit(1)", "int", {"b'1'": "1", "b'0'": "0"}),
    TypeCase("bit(64)", "int", {"b'" + "1" * 64 + "'": "18446744073709551615"}),
    TypeCase("year", "int", {"2026": "2026", "0": "0", "1901": "1901"}),
    TypeCase("decimal(18,0)", "int", {"-999999999999999999": "-999999999999999999"}),
    TypeCase("decimal(19,0)", "double", {"9999999999999999999": "9999999999999999999"}),
    TypeCase(
        "decimal(30,10)",
        "double",
        {
            "12345678901234567890.0123456789": "12345678901234567890.0123456789",
            "-0.0000000001": "-0.0000000001",
            "0": "0.0000000000",
        },
    ),
    TypeCase("decimal(12,2) unsigned", "double", {"1.1": "1.10"}),
    TypeCase(
        "float",
        "double",
        {"0.1": "0.1", "16777217": "16777216.0", "3.40282e38": "3.40282e+38", "1e-45": "1e-45"},
    ),
    TypeCase(
        "double",
        "double",
        {
            "0.1": "0.1",
            "0.1e0 + 0.2e0": "0.30000000000000004",
            "1.7976931348623157e308": "1.7976931348623157e+308",
            "5e-324": "5e-324",
        },
    ),
    TypeCase("char(5)", "string", {"'ab '": '"ab"', "''": '""'}),
    TypeCase(
        "varchar(40)", "string", {"'Größe ''1'' \\\\ 😀'": "\"Größe '1' \\\\ 😀\"", "'a '": '"a "'}
    ),
    TypeCase("varchar(40) CHARACTER SET latin1", "string", {"'Größe'": '"Größe"'}),
    TypeCase("varchar(40) CHARACTER SET cp1251", "string", {"'Ёж'": '"Ёж"'}),
    TypeCase("varchar(40) CHARACTER SET utf8mb3", "string", {"'Ёж'": '"Ёж"'}),
    TypeCase("varchar(40) CHARACTER SET ucs2", "string", {"'Ёж'": '"Ёж"'}),
    TypeCase("tinytext", "string", {"'a'": '"a"'}),
    TypeCase("text", "string", {"''": '""'}),
    TypeCase("mediumtext", "string", {"'a'": '"a"'}),
    TypeCase("longtext", "string", {"'a'": '"a"'}),
    TypeCase("enum('a','B b')", "string", {"'b B'": '"B b"'} | {"'B b'": '"B b"'}),
    TypeCase("set('a','b')", "string", {"'b,a'": '"a,b"', "''": '""'}),
    TypeCase("json", "string", {"""'{"b": 1, "a": null}'""": r'"{\"b\": 1, \"a\": null}"'}),
    TypeCase("binary(3)", "string", {"x'00ff'": '"00ff00"'}),
    TypeCase("varbinary(9)", "string", {"x'00ff'": '"00ff"', "''": '""'}),
    TypeCase("tinyblob", "string", {"x'41'": '"41"'}),
    TypeCase("blob", "string", {"x'00ff41'": '"00ff41"'}),
    TypeCase("mediumblob", "string", {"x'41'": '"41"'}),
    TypeCase("longblob", "string", {"x'41'": '"41"'}),
    TypeCase(
        "date",
        "date",
        {
            "'2026-09-01'": '"2026-09-01"',
            "'0001-01-01'": '"0001-01-01"',
            "'9999-12-31'": '"9999-12-31"',
            "'0000-00-00'": "null",
            "'2026-00-10'": "null",
            "'2026-09-00'": "null",
            "'0000-01-01'": "null",
        },
    ),
    TypeCase(
        "datetime",
        "datetime",
        {
            "'2026-09-01 23:59:59'": '"2026-09-01 23:59:59"',
            "'0001-01-01'": '"0001-01-01 00:00:00"',
            "'9999-12-31 23:59:59'": '"9999-12-31 23:59:59"',
            "'2026-03-29 02:30:00'": '"2026-03-29 02:30:00"',
            "'0000-00-00'": "null",
            "'2026-00-10 10:00:00'": "null",
        },
    ),
    TypeCase("datetime(6)", "datetime", {"'2026-09-01 23:59:59.999999'": '"2026-09-01 23:59:59"'}),
    TypeCase(
        "timestamp",
        "datetime",
        {
            "'2026-09-01 12:00:00'": '"2026-09-01 14:00:00"',
            "'2026-03-29 00:59:59'": '"2026-03-29 01:59:59"',
            "'2026-03-29 01:00:00'": '"2026-03-29 03:00:00"',
            "'2026-10-25 00:30:00'": '"2026-10-25 02:30:00"',
            "'2026-10-25 01:30:00'": '"2026-10-25 02:30:00"',
            "'1970-01-01 00:00:01'": '"1970-01-01 01:00:01"',
            "'2038-01-19 03:14:07'": '"2038-01-19 04:14:07"',
            "0": "null",
        },
    ),
    TypeCase("timestamp(3)", "datetime", {"'2026-09-01 12:00:00.999'": '"2026-09-01 14:00:00"'}),
    TypeCase("time", "string", {"'-838:59:59'": '"-838:59:59"'}),
    TypeCase("time(2)", "string", {"'10:00:00.5'": '"10:00:00.50"'}),
    TypeCase("geometry", "string", {"ST_GeomFromText('POINT(1 2)')": '"POINT(1 2)"'}),
    TypeCase("point", "string", {"Point(1, 2)": '"POINT(1 2)"'}),
    TypeCase(
        "linestring",
        "string",
        {"ST_GeomFromText('LINESTRING(0 0,1 1)')": '"LINESTRING(0 0,1 1)"'},
    ),
    TypeCase(
        "polygon",
        "string",
        {"ST_GeomFromText('POLYGON((0 0,0 1,1 1,0 0))')": '"POLYGON((0 0,0 1,1 1,0 0))"'},
    ),
    TypeCase(
        "multipoint", "string", {"ST_GeomFromText('MULTIPOINT(0 0,1 1)')": '"MULTIPOINT(0 0,1 1)"'}
    ),
    TypeCase(
        "multilinestring",
        "string",
        {"ST_GeomFromText('MULTILINESTRING((0 0,1 1))')": '"MULTILINESTRING((0 0,1 1))"'},
    ),
    TypeCase(
        "multipolygon",
        "string",
        {
            "ST_GeomFromText('MULTIPOLYGON(((0 0,0 1,1 1,0 0)))')": (
                '"MULTIPOLYGON(((0 0,0 1,1 1,0 0)))"'
            )
        },
    ),
    TypeCase(
        "geometrycollection",
        "string",
        {"ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2))')": '"GEOMETRYCOLLECTION(POINT(1 2))"'},
    ),
    TypeCase(
        "uuid",
        "string",
        {"'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'": '"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"'},
        name="uuid (MariaDB)",
    ),
    TypeCase("inet4", "string", {"'10.0.0.1'": '"10.0.0.1"'}, name="inet4 (MariaDB)"),
    TypeCase("inet6", "string", {"'2001:DB8::1'": '"2001:db8::1"'}, name="inet6 (MariaDB)"),
]
