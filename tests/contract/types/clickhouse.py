"""The column types of ClickHouse."""

from __future__ import annotations

from tests.contract.types.data import TypeCase

_INT64_MAX = "9223372036854775807"
_INT128_MIN = str(-(2**127))
_UINT256_MAX = str(2**256 - 1)

CASES = [
    TypeCase("Bool", "int", {"true": "1", "false": "0"}),
    TypeCase("Int8", "int", {"-128": "-128", "127": "127"}),
    TypeCase("Int16", "int", {"-32768": "-32768"}),
    TypeCase("Int32", "int", {"-2147483648": "-2147483648"}),
    TypeCase("Int64", "int", {"-9223372036854775808": "-9223372036854775808"}),
    TypeCase("UInt8", "int", {"255": "255"}),
    TypeCase("UInt16", "int", {"65535": "65535"}),
    TypeCase("UInt32", "int", {"4294967295": "4294967295"}),
    TypeCase("UInt64", "int", {"18446744073709551615": "18446744073709551615"}),
    TypeCase("Int128", "double", {f"'{_INT128_MIN}'": _INT128_MIN}),
    TypeCase("Int256", "double", {"-1": "-1"}),
    TypeCase("UInt128", "double", {"1": "1"}),
    TypeCase("UInt256", "double", {f"'{_UINT256_MAX}'": _UINT256_MAX}),
    TypeCase("Decimal(9, 2)", "double", {"1.1": "1.1", "-9999999.99": "-9999999.99"}),
    TypeCase("Decimal(18, 0)", "int", {"'-999999999999999999'": "-999999999999999999"}),
    TypeCase("Decimal(19, 0)", "double", {"'9999999999999999999'": "9999999999999999999"}),
    TypeCase(
        "Decimal(38, 10)",
        "double",
        {
            "'12345678901234567890.0123456789'": "12345678901234567890.0123456789",
            "'-0.0000000001'": "-0.0000000001",
            "0": "0",
        },
    ),
    TypeCase("Decimal(76, 20)", "double", {"'0.00000000000000000001'": "0.00000000000000000001"}),
    TypeCase(
        "Float64",
        "double",
        {
            "0.1": "0.1",
            "0.1 + 0.2": "0.30000000000000004",
            "3": "3",
            "1.7976931348623157e308": "1.7976931348623157e308",
            "5e-324": "5e-324",
            "1e20": "100000000000000000000",
            "nan": "null",
            "inf": "null",
            "-inf": "null",
        },
    ),
    TypeCase(
        "Float32",
        "double",
        {"0.1": "0.1", "3.4028235e38": "3.4028235e38", "1e-45": "1e-45", "nan": "null"},
    ),
    TypeCase("BFloat16", "double", {"0.1": "0.099609375"}),
    TypeCase(
        "String",
        "string",
        {r"'Größe \'1\' \\ / 😀'": "\"Größe '1' \\\\ / 😀\"", "'a '": '"a "', "''": '""'},
    ),
    TypeCase("FixedString(5)", "string", {"'ab'": '"ab"', "unhex('61ff')": '"a\ufffd"'}),
    TypeCase("LowCardinality(String)", "string", {"'a'": '"a"'}, nowhere="''"),
    TypeCase("LowCardinality(Nullable(String))", "string", {"'a'": '"a"'}, nowhere="NULL"),
    TypeCase("Enum8('a' = 1, 'B b' = -2)", "string", {"'B b'": '"B b"'}),
    TypeCase("Enum16('a' = 1000)", "string", {"'a'": '"a"'}),
    TypeCase(
        "Date",
        "date",
        {
            "'2026-09-01'": '"2026-09-01"',
            "'1970-01-01'": '"1970-01-01"',
            "'2149-06-06'": '"2149-06-06"',
        },
    ),
    TypeCase("Date32", "date", {"'1900-01-01'": '"1900-01-01"', "'2299-12-31'": '"2299-12-31"'}),
    TypeCase(
        "DateTime",
        "datetime",
        {"toDateTime('2026-09-01 12:00:00', 'UTC')": '"2026-09-01 14:00:00"'},
    ),
    TypeCase(
        "DateTime('UTC')",
        "datetime",
        {
            "'2026-09-01 12:00:00'": '"2026-09-01 14:00:00"',
            "'2026-03-29 00:59:59'": '"2026-03-29 01:59:59"',
            "'2026-03-29 01:00:00'": '"2026-03-29 03:00:00"',
            "'2026-10-25 00:30:00'": '"2026-10-25 02:30:00"',
            "'2026-10-25 01:30:00'": '"2026-10-25 02:30:00"',
            "'1970-01-01 00:00:00'": '"1970-01-01 01:00:00"',
            "'2106-02-07 06:28:15'": '"2106-02-07 07:28:15"',
        },
    ),
    TypeCase(
        "DateTime('America/New_York')",
        "datetime",
        {"'2026-09-01 12:00:00'": '"2026-09-01 18:00:00"'},
    ),
    TypeCase(
        "DateTime64(3, 'UTC')",
        "datetime",
        {
            "'2026-09-01 12:00:00.999'": '"2026-09-01 14:00:00"',
            "'1950-01-01 00:00:00.700'": '"1950-01-01 01:00:00"',
            "'1900-01-01 00:00:00'": '"1900-01-01 01:00:00"',
            "'2299-12-31 22:59:59.999'": '"2299-12-31 23:59:59"',
        },
    ),
    TypeCase(
        "DateTime64(9, 'Asia/Tokyo')",
        "datetime",
        {"'2026-09-01 12:00:00.123456789'": '"2026-09-01 05:00:00"'},
    ),
    TypeCase("Time", "string", {"'10:00:00'": '"10:00:00"'}),
    TypeCase("Time64(3)", "string", {"'-10:00:00.5'": '"-10:00:00.500"'}),
    TypeCase("IntervalDay", "string", {"toIntervalDay(3)": '"3"'}),
    TypeCase(
        "UUID",
        "string",
        {"'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'": '"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"'},
    ),
    TypeCase("IPv4", "string", {"'10.0.0.1'": '"10.0.0.1"'}),
    TypeCase("IPv6", "string", {"'2001:DB8::1'": '"2001:db8::1"'}),
    TypeCase(
        "Array(Nullable(Float64))",
        "string",
        {"[1, 2.5, NULL, nan]": '"[1,2.5,null,null]"'},
        nowhere="[]",
    ),
    TypeCase("Array(String)", "string", {"['a', 'Я/']": '"[\\"a\\",\\"Я/\\"]"'}, nowhere="[]"),
    TypeCase(
        "Map(String, UInt64)",
        "string",
        {"map('a', 18446744073709551615)": '"{\\"a\\":18446744073709551615}"'},
        nowhere="map()",
    ),
    TypeCase("Tuple(Int8, String)", "string", {"(1, 'x')": '"[1,\\"x\\"]"'}, nowhere="(0, '')"),
    TypeCase(
        "Tuple(a Int8, b Date)",
        "string",
        {"(1, '2026-09-01')": '"{\\"a\\":1,\\"b\\":\\"2026-09-01\\"}"'},
        nowhere="(0, '1970-01-01')",
    ),
    TypeCase(
        "JSON",
        "string",
        {"""'{"b": {"c": 1}, "a": "Я"}'""": '"{\\"a\\":\\"Я\\",\\"b\\":{\\"c\\":1}}"'},
    ),
    TypeCase("Variant(String, UInt8)", "string", {"'x'": '"x"', "7::UInt8": '"7"'}, nowhere="NULL"),
    TypeCase("Dynamic", "string", {"'x'": '"x"', "7::UInt8": '"7"'}, nowhere="NULL"),
    TypeCase("Point", "string", {"(1, 2)": '"[1,2]"'}, nowhere="(0, 0)"),
    TypeCase("Polygon", "string", {"[[(0, 0), (1, 1)]]": '"[[[0,0],[1,1]]]"'}, nowhere="[]"),
    TypeCase("SimpleAggregateFunction(max, Int64)", "int", {_INT64_MAX: _INT64_MAX}, nowhere="0"),
    TypeCase(
        "AggregateFunction(sum, UInt64)",
        "string",
        {"initializeAggregation('sumState', 5::UInt64)": '"5"'},
        nowhere="initializeAggregation('sumState', 0::UInt64)",
    ),
]
