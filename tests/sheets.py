"""Data files as other programs write them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import duckdb

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
# Formats 1 and 2 show a number as a day, and as a day with its time.
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14"/>'
    '<xf numFmtId="22"/></cellXfs></styleSheet>'
)


def write_csv(path: Path, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Texts are in quotes, nulls are nothing at all."""
    lines = [",".join(names), *(",".join(map(_csv_cell, row)) for row in rows)]
    path.write_text("\r\n".join(lines) + "\r\n", encoding="utf-8", newline="")


def _csv_cell(value: Any) -> str:
    if value is None:
        return ""
    return '"' + value.replace('"', '""') + '"' if isinstance(value, str) else str(value)


def write_json_lines(path: Path, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    objects = [dict(zip(names, row, strict=True)) for row in rows]
    path.write_text("".join(json.dumps(each) + "\n" for each in objects), encoding="utf-8")


def write_parquet(path: Path, columns: str, rows: Sequence[Sequence[Any]]) -> None:
    """``columns`` is what stands between the brackets of CREATE TABLE."""
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE t ({columns})")
        places = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO t VALUES ({places})", rows)
        connection.execute(f"COPY t TO '{path}' (FORMAT parquet)")


def write_workbook(path: Path, sheets: dict[str, Sequence[Sequence[Any]]]) -> None:
    """An .xlsx as small as can be."""
    numbers = range(1, len(sheets) + 1)
    listed = "".join(
        f'<sheet name="{escape(name)}" sheetId="{i}" r:id="rId{i}"/>'
        for i, name in zip(numbers, sheets, strict=True)
    )
    relations = "".join(
        f'<Relationship Id="rId{i}" Type="{_OFFICE}/worksheet" Target="worksheets/s{i}.xml"/>'
        for i in numbers
    )
    styles = f'<Relationship Id="s" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    root = f'<Relationship Id="r" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{root}</Relationships>',
        "xl/workbook.xml": (
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": (
            f'<Relationships xmlns="{_PACKAGE}/relationships">{relations}{styles}</Relationships>'
        ),
        "xl/styles.xml": _STYLES,
    }
    for i, rows in zip(numbers, sheets.values(), strict=True):
        cells = "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in rows)
        parts[f"xl/worksheets/s{i}.xml"] = (
            f'<worksheet xmlns="{_MAIN}"><sheetData>{cells}</sheetData></worksheet>'
        )
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)


def _cell(value: Any) -> str:
    match value:
        case None:
            return "<c/>"
        case bool():
            return f'<c t="b"><v>{int(value)}</v></c>'
        case str():
            return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
        case datetime() | date():
            moment = datetime(value.year, value.month, value.day)
            whole = value if isinstance(value, datetime) else moment
            days = (whole - datetime(1899, 12, 30)).total_seconds() / 86400
            return f'<c s="{2 if isinstance(value, datetime) else 1}"><v>{days!r}</v></c>'
        case _:
            return f"<c><v>{value}</v></c>"
