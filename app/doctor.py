"""What is wrong with a source, found by asking its database: for ``b24-connector doctor``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from adapters.base import Field, Table
from adapters.errors import AdapterError
from app.ops.logs import one_line
from app.sources import PublishedTable, Source, hides, hides_whole, matches, names, selects


@dataclass(frozen=True)
class Report:
    """The codes of the tables that a source publishes, and its faults, a line each."""

    tables: tuple[str, ...]
    faults: tuple[str, ...]


def examine(source: Source) -> Report:
    """Ask the database for its tables, and for the columns of no more than have to be known."""
    try:
        source.adapter.check()
        published = source.tables(fresh=True)
        faults = [*_idle_tables(source), *_broken_queries(source, published), *_idle_hides(source)]
    except AdapterError as error:
        return Report((), (_reason(error),))
    if not published:
        faults.append("publishes no tables")
    return Report(tuple(sorted(published)), tuple(faults))


def _idle_tables(source: Source) -> Iterator[str]:
    """The patterns of ``tables`` that publish nothing."""
    if not source.settings.tables:
        return
    found = [*source.adapter.tables(), *source.settings.queries]
    for pattern in source.settings.tables:
        if not any(selects(pattern, table) for table in found):
            yield f"tables: {pattern} matches no table"


def _broken_queries(source: Source, published: Mapping[str, PublishedTable]) -> Iterator[str]:
    """The queries of the configuration of which the database does not tell the columns."""
    for table in published.values():
        if table.table.sql is not None:
            try:
                source.fields(table, fresh=True)
            except AdapterError as error:
                yield f"queries.{table.table.name}: {_reason(error)}"


def _idle_hides(source: Source) -> Iterator[str]:
    """The patterns of ``hide`` that hide nothing of what is published: a misspelled one does.

    One for all tables may be there for those to come.
    A table that cannot be described is taken for one in which the pattern hides something.
    """
    chosen = source.chosen().values()
    described: dict[Table, list[Field] | None] = {}

    def has_column(table: Table, pattern: str) -> bool:
        if not _may_hide(pattern, table):
            return False
        if table not in described:
            described[table] = _fields(source, table)
        fields = described[table]
        return fields is None or any(hides([pattern], table, field) for field in fields)

    for pattern in source.settings.hide:
        if pattern.startswith("*.") or any(hides_whole([pattern], table) for table in chosen):
            continue
        if not any(has_column(table, pattern) for table in chosen):
            yield f"hide: {pattern} matches no column of a published table"


def _fields(source: Source, table: Table) -> list[Field] | None:
    try:
        return source.adapter.describe(table)
    except AdapterError:
        return None


def _may_hide(pattern: str, table: Table) -> bool:
    """Whether a column of ``table`` could match, whatever its name is.

    Some beginning of the pattern then covers the table's name and the dot after it.
    """
    ends = [end for end, letter in enumerate(pattern, 1) if letter in ".*?]"]
    beginnings = [pattern[:end] for end in ends]
    return matches((f"{name}." for name in names(table)), beginnings)


def _reason(error: AdapterError) -> str:
    return f"{type(error).__name__}: {one_line(error)}"
