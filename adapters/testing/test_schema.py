"""The source answers, lists its tables and describes them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.base import Cancellation, Field, FieldType, Query, Table
from adapters.errors import AdapterError, SchemaChanged
from adapters.testing.conftest import Loaded
from adapters.testing.data import COLUMNS

GONE = Table("no_such_table_in_any_source")


def test_check_returns_when_the_source_answers(loaded: Loaded) -> None:
    loaded.adapter.check()


def test_tables_have_names_each_its_own(loaded: Loaded) -> None:
    tables = loaded.adapter.tables()
    for table in tables:
        assert isinstance(table, Table), f"tables() gave {table!r}, which is no adapters.base.Table"
        assert isinstance(table.name, str), f"a table's name is a text, not {table.name!r}"
        assert table.name, "a table has an empty name: leave out what has no name"
        assert isinstance(table.comment, str), f"{table.name}: a comment is a text, '' for none"
    names = [(table.schema, table.name) for table in tables]
    twice = {name for name in names if names.count(name) > 1}
    assert not twice, f"tables() lists {twice} more than once: names have to be unique in a schema"


def test_describe_gives_each_column_with_its_type(loaded: Loaded, columns: list[str]) -> None:
    types = {name: loaded.fields[name].type for name in columns}
    assert types == {name: COLUMNS[name] for name in columns}, (
        "describe() has to give the type that a portal shall use; a source without such a type "
        "can leave the column out: --adapter-without"
    )


def test_fields_are_well_formed(loaded: Loaded) -> None:
    fields = loaded.adapter.describe(loaded.table)
    for field in fields:
        assert isinstance(field, Field), f"describe() gave {field!r}, no adapters.base.Field"
        assert isinstance(field.name, str), f"a field's name is a text, not {field.name!r}"
        assert field.name, "a field has an empty name: leave it out, or name it by its place"
        assert isinstance(field.type, FieldType), f"{field.name}: the type has to be a FieldType"
        assert isinstance(field.comment, str), f"{field.name}: a comment is a text, '' for none"
    names = [field.name for field in fields]
    if not loaded.adapter.case_sensitive_names:
        names = [name.lower() for name in names]
    assert len(set(names)) == len(names), f"describe() names a field twice: {names}"


def test_describe_says_the_same_twice(loaded: Loaded) -> None:
    first, second = (loaded.adapter.describe(loaded.table) for _ in range(2))
    assert first == second, "describe() has to give the same fields in the same order every time"


def test_a_table_that_is_gone(loaded: Loaded) -> None:
    with pytest.raises(SchemaChanged):
        loaded.adapter.describe(GONE)
    query = Query(GONE, (loaded.fields["id"],))
    with pytest.raises(SchemaChanged):
        list(loaded.adapter.rows(query, Cancellation()))


def test_a_field_that_is_gone(loaded: Loaded) -> None:
    """Nulls for it would be believed; some adapters know a column by its ``native`` alone."""
    known = loaded.fields["id"]
    gone = replace(known, name="no_such_field")
    try:
        rows = list(loaded.adapter.rows(Query(loaded.table, (gone,), limit=5), Cancellation()))
    except SchemaChanged:
        return
    except AdapterError as error:
        pytest.fail(f"a field that is gone has to raise SchemaChanged, not {error!r}")
    assert all(row[0] is not None for batch in rows for row in batch), (
        "a field that is gone reads as null, which would be believed: raise SchemaChanged"
    )
