"""Codes fit every portal, tell all names apart, and never change: reports hold them for good."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.wire.codes import (
    FIELD_LENGTH,
    JOINT,
    SOURCE_JOINT,
    TABLE_LENGTH,
    field_code,
    table_code,
)

DATASET = re.compile(r"[a-z][a-z0-9_]*")
FIELD = re.compile(r"[A-Z][A-Z0-9_]*")
LONG = "abcdefghij" * 6 + "xyz"  # 63 characters, PostgreSQL's longest name

# Written down once and never to be changed: portals know these tables and fields by these codes.
TABLES = {
    ("orders", None): "orders",
    ("order_items2", None): "order_items2",
    ("select", None): "select",
    ("a_", None): "a_",
    (LONG, None): LONG,
    ("orders", "crm"): "crm__orders",
    ("a_b", "crm"): "crm__a_b",
    ("b", "crm_a"): "crm_a__b",
    ("Orders", None): "orders_xb7e8acdd",
    ("ORDERS", None): "orders_xd0d6efb1",
    ("order items", None): "order_items_xd9206391",
    ('say "hi"', None): "say_hi_xf65be999",
    ("it's", None): "it_s_x24ceef1c",
    ("Заказы", None): "zakazy_x5b1d4238",
    ("заказы", None): "zakazy_xc359203e",
    ("щука и ёлка", None): "shchuka_i_yolka_xeee28b84",
    ("2024_sales", None): "n_2024_sales_x7ab816c1",
    ("0", None): "n_0_x5feceb66",
    ("_a", None): "a_x34fb7160",
    ("a__b", None): "a_b_x63e5c1c4",
    ("日本語", None): "n_x77710aed",
    ("naïve", None): "naive_xf86fd89d",
    ("orders_x12345678", None): "orders_x12345678_xc7a7bc86",
    ("orders", "CRM"): "crm_orders_xfbfc2e27",
    ("orders", "crm_"): "crm_orders_x6cd09302",
    ("_orders", "crm"): "crm_orders_xda235454",
    ("b", "crm__a"): "crm_a_b_xc409c656",
    ("a__b", "crm"): "crm_a_b_x5903559a",
    ("заказы", "схема"): "skhema_zakazy_x98a95bb2",
}
FIELDS = {
    ("id", True): "ID",
    ("ID", True): "ID_X3843971D",
    ("Id", True): "ID_X12156E92",
    ("ID", False): "ID",
    ("Id", False): "ID",
    ("order_date", True): "ORDER_DATE",
    ("user", True): "USER",
    ("a__b", True): "A__B",
    ("a" * 32, True): "A" * 32,
    ("a" * 33, True): "AAAAAAAAAAAAAAAAAAAAAA_X852785C8",
    (LONG, True): "ABCDEFGHIJABCDEFGHIJAB_X0650D31B",
    ("Order Date", False): "ORDER_DATE_XAD8704D6",
    ("Order-Items", True): "ORDER_ITEMS_X21F5372A",
    ("Order-Items", False): "ORDER_ITEMS_X89455F5C",
    ("Сумма", True): "SUMMA_X46A0EDBB",
    ("Сумма", False): "SUMMA_X46A0EDBB",
    ("%", True): "N_XBBF3F11C",
    ("1st", True): "N_1ST_XE01DDF65",
}


@pytest.mark.parametrize(("name", "code"), TABLES.items(), ids=str)
def test_the_code_of_a_table_never_changes(name: tuple[str, str | None], code: str) -> None:
    assert table_code(*name) == code


@pytest.mark.parametrize(("name", "code"), FIELDS.items(), ids=str)
def test_the_code_of_a_field_never_changes(name: tuple[str, bool], code: str) -> None:
    assert field_code(name[0], case_sensitive=name[1]) == code


def test_the_names_above_are_told_apart() -> None:
    assert len(set(TABLES.values())) == len(TABLES)
    sensitive = [code for (_, sensitive), code in FIELDS.items() if sensitive]
    assert len(set(sensitive)) == len(sensitive)


# Any text, and texts that look so much like codes that they might collide.
NAMES = st.text(max_size=70) | st.from_regex(r"[a-z_]{1,3}_?_x[0-9a-f]{8}", fullmatch=True)
ALIKE = st.text(alphabet="aA_b.x0", max_size=6)
QUALIFIED = st.tuples(ALIKE | NAMES, st.none() | ALIKE)


@given(NAMES | st.text(max_size=400), st.none() | NAMES)
def test_the_code_of_any_table_fits_every_portal(name: str, schema: str | None) -> None:
    code = table_code(name, schema)
    assert DATASET.fullmatch(code)
    assert len(code) <= TABLE_LENGTH
    assert SOURCE_JOINT not in code, "a portal could not tell where the source's name ends"


@given(NAMES | st.text(max_size=400), st.booleans())
def test_the_code_of_any_field_fits_every_portal(name: str, case_sensitive: bool) -> None:
    code = field_code(name, case_sensitive=case_sensitive)
    assert FIELD.fullmatch(code)
    assert len(code) <= FIELD_LENGTH


@given(QUALIFIED, QUALIFIED)
@example(("a__b", None), ("b", "a"))
@example(("b", "a_"), ("_b", "a"))
@example(("b", "a__"), ("b", "a"))
def test_no_two_tables_share_a_code(
    one: tuple[str, str | None], other: tuple[str, str | None]
) -> None:
    assert (table_code(*one) == table_code(*other)) == (one == other)


@given(NAMES | ALIKE, NAMES | ALIKE)
def test_no_two_fields_share_a_code(one: str, other: str) -> None:
    assert (field_code(one) == field_code(other)) == (one == other)


@given(NAMES)
def test_a_code_is_never_the_plain_code_of_another_name(name: str) -> None:
    code = table_code(name)
    assert code == name or table_code(code) != code
    code = field_code(name)
    assert code == name.upper() or field_code(code.lower()) != code


@given(st.text(alphabet="aAzZ_ Щщ", max_size=8))
def test_where_an_engine_folds_latin_letters_so_do_the_codes(name: str) -> None:
    swapped = "".join(c.swapcase() if c.isascii() else c for c in name)
    assert field_code(name, case_sensitive=False) == field_code(swapped, case_sensitive=False)


def test_a_code_with_its_source_stays_within_the_portals_limit() -> None:
    longest_source = 59
    assert longest_source + len(SOURCE_JOINT) + TABLE_LENGTH <= 230
    assert JOINT in table_code("orders", "crm")
