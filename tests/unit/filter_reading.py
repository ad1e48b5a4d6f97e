"""PROTOCOL's table of filters read directly, row by row, and expressions evaluated in Python.

Nothing here shares code with what it is compared to: operators, values and nulls are read anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from adapters.base import (
    And,
    Compare,
    Expression,
    Field,
    FieldType,
    In,
    IsNull,
    Like,
    Or,
    Wildcard,
)

Row = dict[str, Any]

FIELDS = {kind.upper(): Field(f"the {kind}", kind) for kind in FieldType}

# The dates that the tests write in filters, and what they mean in a source of any date order.
MOMENTS = {
    "01.09.2026": datetime(2026, 9, 1),
    "01.09.2026 00:00:00": datetime(2026, 9, 1),
    "01.09.2026 12:30": datetime(2026, 9, 1, 12, 30),
    "01.09.2026 23:59:59": datetime(2026, 9, 1, 23, 59, 59),
    "09/02/2026 12:00:00 am": datetime(2026, 9, 2),
    "2026-09-01T23:59:59.7": datetime(2026, 9, 1, 23, 59, 59, 700_000),
    "01.01.0001": datetime(1, 1, 1),
    "31.12.9999 23:59:59": datetime(9999, 12, 31, 23, 59, 59),
}
VALUES = {
    FieldType.STRING: ["abc", "ABC", "a", "a%c", "%", "_", "\\", "0", "", "false", "привет", "10"],
    FieldType.INT: ["0", "1", "-2", "10", "1.5", "-1.5", "1e1", "007", "+3", "2.0"],
    FieldType.DOUBLE: ["0", "0.0", "1", "1.5", "-2", "1e1", "0.1", ".5"],
    FieldType.DATE: list(MOMENTS),
    FieldType.DATETIME: list(MOMENTS),
}
CELLS: dict[FieldType, list[Any]] = {
    FieldType.STRING: [None, "", "0", "abc", "ABC", "a%c", "a\\c", "_", "Привет", "10", "zabcz"],
    FieldType.INT: [None, 0, 1, -2, 10, 3, 7, 2**63],
    FieldType.DOUBLE: [None, *map(Decimal, ("0.0", "1", "1.5", "-2", "10", "0.1", "0.5"))],
    FieldType.DATE: [None, date(1, 1, 1), date(2026, 9, 1), date(2026, 9, 2), date(9999, 12, 31)],
    FieldType.DATETIME: [
        None,
        datetime(1, 1, 1),
        datetime(2026, 9, 1),
        datetime(2026, 9, 1, 0, 0, 0, 1),
        datetime(2026, 9, 1, 12, 30),
        datetime(2026, 9, 1, 23, 59, 59),
        datetime(2026, 9, 1, 23, 59, 59, 700_000),
        datetime(2026, 9, 2),
        datetime(9999, 12, 31, 23, 59, 59, 999_999),
    ],
}
# Every cell of every type at least once, and beside different neighbours.
ROWS: list[Row] = [
    {
        name: CELLS[field.type][row * step % len(CELLS[field.type])]
        for step, (name, field) in enumerate(FIELDS.items(), 1)
    }
    for row in range(48)
]

OPERATORS = """
    = == @ ! != !== !@ % !% =% %= !=% !%= >< !>< > >= < <= !> !>= !< !<=
""".split()


def keeps(tree: dict[str, Any], row: Row) -> bool:
    """Whether the filter keeps the row, as PROTOCOL says."""
    answer = _group(tree, row)
    return True if answer is None else answer


def _group(tree: dict[str, Any], row: Row) -> bool | None:
    answers = []
    for key, value in tree.items():
        if key == "LOGIC":
            continue
        if re.fullmatch(r"-?[0-9]+", key):
            answers.append(_group(value, row))
        else:
            answers.append(_condition(key, value, row))
    answers = [answer for answer in answers if answer is not None]
    if not answers:
        return None
    logic = tree.get("LOGIC", "AND").upper()
    return {"AND": all(answers), "OR": any(answers), "NOT": not all(answers)}[logic]


def _condition(key: str, value: dict[str, str] | str, row: Row) -> bool:
    operator = max((op for op in ["", *OPERATORS] if key.startswith(op)), key=len)
    name = key.removeprefix(operator)
    kind, cell = FIELDS[name].type, row[name]
    texts = list(value.values()) if isinstance(value, dict) else [value]
    if operator in ("", "=", "==", "@"):
        if isinstance(value, str) and value in ("0", "", "false"):
            return cell is None or (kind in ("string", "int", "double") and cell in ("", 0))
        return cell is not None and any(_equal(kind, cell, text) for text in texts)
    if operator in ("!", "!=", "!==", "!@"):
        if isinstance(value, str) and value in ("0", "", "false"):
            return cell is not None
        if cell is None:
            return kind == "string"
        return not any(_equal(kind, cell, text) for text in texts)
    return cell is not None and _KEPT[operator](kind, cell, texts)


def _equal(kind: str, cell: Any, text: str) -> bool:
    if kind == "date":
        return bool(cell == MOMENTS[text].date())
    return _order(kind, cell, text) == 0


def _order(kind: str, cell: Any, text: str) -> int:
    """-1, 0 or 1 as the cell lies before, at or after the value."""
    value: Any
    match kind:
        case "string":
            value = text
        case "int" | "double":
            value = Decimal(text)
        case "date":
            cell, value = datetime(cell.year, cell.month, cell.day), MOMENTS[text]
        case _:
            value = MOMENTS[text]
            if not value.microsecond:  # a value without a fraction means its whole second
                cell = cell.replace(microsecond=0)
    return (cell > value) - (cell < value)


def _contains(kind: str, cell: Any, texts: list[str]) -> bool:
    return any(text.lower() in str(cell).lower() for text in texts)


def _matches(kind: str, cell: Any, texts: list[str]) -> bool:
    def pattern(text: str) -> str:
        return "".join({"%": ".*", "_": "."}.get(c, re.escape(c)) for c in text.lower())

    return any(re.fullmatch(pattern(t), str(cell).lower(), re.DOTALL) for t in texts)


def _between(kind: str, cell: Any, texts: list[str]) -> bool:
    return _order(kind, cell, texts[0]) >= 0 and _order(kind, cell, texts[1]) <= 0


_KEPT: dict[str, Callable[[str, Any, list[str]], bool]] = {
    "%": _contains,
    "!%": lambda *c: not _contains(*c),
    "=%": _matches,
    "%=": _matches,
    "!=%": lambda *c: not _matches(*c),
    "!%=": lambda *c: not _matches(*c),
    "><": _between,
    "!><": lambda *c: not _between(*c),
    ">": lambda kind, cell, texts: _order(kind, cell, texts[0]) > 0,
    ">=": lambda kind, cell, texts: _order(kind, cell, texts[0]) >= 0,
    "<": lambda kind, cell, texts: _order(kind, cell, texts[0]) < 0,
    "<=": lambda kind, cell, texts: _order(kind, cell, texts[0]) <= 0,
    "!>": lambda kind, cell, texts: _order(kind, cell, texts[0]) <= 0,
    "!>=": lambda kind, cell, texts: _order(kind, cell, texts[0]) < 0,
    "!<": lambda kind, cell, texts: _order(kind, cell, texts[0]) >= 0,
    "!<=": lambda kind, cell, texts: _order(kind, cell, texts[0]) > 0,
}


def holds(expression: Expression, row: Row) -> bool:
    """Whether an expression keeps the row, as :mod:`adapters.base` says."""
    match expression:
        case And(items):
            return all(holds(item, row) for item in items)
        case Or(items):
            return any(holds(item, row) for item in items)
        case IsNull(field, negated):
            return (row[field.type.upper()] is None) != negated
    cell = row[expression.field.type.upper()]
    if cell is None:
        return False
    match expression:
        case In(field, values, negated):
            assert field.type is not FieldType.DATETIME, "a value stands for a span"
            assert field.type is not FieldType.INT or _whole(values)
            return (cell in values) != negated
        case Compare(field, operator, value):
            if field.type is FieldType.DATETIME:
                assert operator in ("<", ">=")
            assert field.type is not FieldType.INT or _whole((value,))
            return {
                "<": cell < value,
                "<=": cell <= value,
                ">": cell > value,
                ">=": cell >= value,
            }[operator]
        case Like(_, pieces, negated):
            wild = {Wildcard.ANY: ".*", Wildcard.ONE: "."}
            pattern = "".join(
                wild[piece] if isinstance(piece, Wildcard) else re.escape(piece.lower())
                for piece in pieces
            )
            return bool(re.fullmatch(pattern, str(cell).lower(), re.DOTALL)) != negated


def _whole(values: tuple[Any, ...]) -> bool:
    return all(value == int(value) for value in values)
