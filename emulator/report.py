"""A report over a dataset: groups of rows with a measure, read from the connector as a stream."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator import bi, calls
from emulator.portal import Portal, map_fields, visible_types
from emulator.rows import Row, batches
from emulator.storage import Dataset

GRAINS = {"year": 4, "month": 7, "day": 10, "": 19}
FUNCTIONS = ("count", "sum", "avg", "min", "max")
OTHERS = "…"
_MOST_SERIES = 8
_MOST_GROUPS = 400


@dataclass(frozen=True)
class Report:
    """What is asked for; field names are the dataset's."""

    dimension: str
    grain: str = ""
    breakdown: str = ""
    function: str = "count"
    measure: str = ""
    date_range: Mapping[str, str] = field(default_factory=dict)
    time_column: str = ""
    filters: tuple[tuple[Mapping[str, Any], ...], ...] = ()

    def fields(self) -> list[str]:
        """List the fields that have to be asked for, each once."""
        wanted = [self.dimension, self.breakdown, self.measure]
        return list(dict.fromkeys(name for name in wanted if name))


@dataclass
class Cell:
    """Everything that any measure needs to know of a group's values."""

    count: int = 0
    number: int = 0
    total: float = 0.0
    least: float | None = None
    most: float | None = None

    def add(self, value: Any) -> None:
        """Take in one row."""
        self.count += 1
        if value is None or isinstance(value, str):
            return
        self.number += 1
        self.total += value
        if self.least is None or value < self.least:
            self.least = value
        if self.most is None or value > self.most:
            self.most = value

    def merge(self, other: Cell) -> None:
        """Take in another group."""
        self.count += other.count
        self.number += other.number
        self.total += other.total
        self.least = min((v for v in (self.least, other.least) if v is not None), default=None)
        self.most = max((v for v in (self.most, other.most) if v is not None), default=None)

    def value(self, function: str) -> float | None:
        """Compute a measure; nothing but a count exists without numbers."""
        match function:
            case "count":
                return self.count
            case "sum":
                return round(self.total, 6) if self.number else None
            case "avg":
                return round(self.total / self.number, 6) if self.number else None
            case "min":
                return self.least
            case _:
                return self.most


def read_report(value: Mapping[str, Any], types: Mapping[str, str]) -> Report:
    """Check a request for a report against the fields of the dataset."""
    report = Report(
        dimension=str(value.get("dimension") or ""),
        grain=str(value.get("grain") or ""),
        breakdown=str(value.get("breakdown") or ""),
        function=str(value.get("function") or "count"),
        measure=str(value.get("measure") or ""),
        date_range=value.get("dateRange") or {},
        time_column=str(value.get("timeColumn") or ""),
        filters=tuple(tuple(group) for group in value.get("dimensionsFilters") or ()),
    )
    if not report.dimension:
        raise bi.ReportError("A report needs a field to group by.")
    for name in report.fields():
        if name not in types:
            raise bi.ReportError(f"The dataset has no visible field {name}.")
    if report.function not in FUNCTIONS or report.grain not in GRAINS:
        raise bi.ReportError("The measure or the step of time is unknown.")
    if report.function != "count" and not report.measure:
        raise bi.ReportError("This measure needs a field.")
    return report


def run(portal: Portal, dataset: Dataset, report: Report) -> dict[str, Any]:
    """Ask the connector and add up what comes."""
    types = visible_types(dataset)
    with portal.store.read() as state:
        shape = bi.Shape(types, state.site_format, old=state.portal == "old")
        mapping = map_fields(state, dataset.external_code)
        active = state.sources[dataset.source_id].active
    if not active:
        raise bi.ReportError("The connection is switched off.")
    condition = bi.build_filter(shape, report.date_range, report.time_column, report.filters)
    query = {"select": report.fields(), "filter": condition, "limit": 0}
    started = time.perf_counter()
    blocks = calls.data(portal.connection(dataset.source_id), dataset.external_code, query, mapping)
    cells, count = collect(batches(blocks), report, types)
    answer = arrange(cells, report, ordered=types[report.dimension] in ("date", "datetime"))
    seconds = round(time.perf_counter() - started, 3)
    return answer | {"rows": count, "seconds": seconds, "filter": condition}


Cells = dict[tuple[Any, Any], Cell]


def collect(
    arriving: Iterable[list[Row]], report: Report, types: Mapping[str, str]
) -> tuple[Cells, int]:
    """Add up rows into cells, keeping no row."""
    cells: Cells = {}
    count = -1
    places: list[int | None] = []
    dated = types[report.dimension] in ("date", "datetime")
    length = GRAINS[report.grain] if dated else 0
    for rows in arriving:
        if count < 0 and rows:
            places = _places(rows[0], report)
        _add_rows(cells, rows[1:] if count < 0 else rows, places, length)
        count += len(rows)
    return cells, max(count, 0)


def _places(head: Row, report: Report) -> list[int | None]:
    """Find the columns: by the names that were asked for, or else in the order of asking."""
    wanted = report.fields()
    if len(head) != len(wanted):
        raise bi.ReportError(f"{len(wanted)} fields were asked for, {len(head)} came.")
    order = head if set(wanted) <= set(map(str, head)) else wanted
    return [
        order.index(name) if name else None
        for name in (report.dimension, report.breakdown, report.measure)
    ]


def _add_rows(cells: Cells, rows: list[Row], places: list[int | None], length: int) -> None:
    if not rows:
        return
    group_at, series_at, value_at = places
    for row in rows:
        group = row[group_at or 0]
        if length and isinstance(group, str):
            group = group[:length]
        key = (group, None if series_at is None else row[series_at])
        cell = cells.get(key)
        if cell is None:
            cell = cells[key] = Cell()
        if value_at is None:
            cell.count += 1
        else:
            cell.add(row[value_at])


def arrange(cells: Cells, report: Report, *, ordered: bool) -> dict[str, Any]:
    """Put cells into groups and series: time in its order, everything else by weight.

    More series than a chart can show are put together in one.
    """
    groups: dict[Any, Cell] = {}
    series: dict[Any, Cell] = {}
    for (group, name), cell in cells.items():
        groups.setdefault(group, Cell()).merge(cell)
        series.setdefault(name, Cell()).merge(cell)
    names = sorted(series, key=lambda name: -series[name].count)
    shown, rest = names[:_MOST_SERIES], set(names[_MOST_SERIES:])
    by_time = sorted(groups, key=lambda group: (group is None, str(group)))
    by_weight = sorted(groups, key=lambda group: _weight(groups[group], report))
    labels = (by_time if ordered else by_weight)[:_MOST_GROUPS]
    answer = [
        {"name": name, "values": [_value(cells.get((g, name)), report) for g in labels]}
        for name in shown
    ]
    if rest:
        others = [_merged(cells, group, rest) for group in labels]
        answer.append({"name": OTHERS, "values": [_value(cell, report) for cell in others]})
    return {
        "groups": labels,
        "totals": [_value(groups[group], report) for group in labels],
        "series": answer,
        "more": max(0, len(groups) - len(labels)),
    }


def _merged(cells: Cells, group: Any, names: set[Any]) -> Cell:
    merged = Cell()
    for name in names:
        if cell := cells.get((group, name)):
            merged.merge(cell)
    return merged


def _value(cell: Cell | None, report: Report) -> float | None:
    return None if cell is None or not cell.count else cell.value(report.function)


def _weight(cell: Cell, report: Report) -> float:
    value = cell.value(report.function)
    return float("inf") if value is None else -value
