"""Orders behind a paged JSON API: ``orders+https://TOKEN@host/path``."""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import urllib3

from adapters.base import (
    Cancellation,
    Compare,
    Condition,
    Field,
    FieldType,
    In,
    Options,
    Or,
    Row,
    Table,
    Value,
)
from adapters.errors import QueryFailed, SchemaChanged, SourceUnavailable
from adapters.pushdown import Push, PushdownAdapter, Request

PAGE = 500


class OrdersApi(PushdownAdapter):
    """Reads what the API calls collections; nothing is contacted before the first call."""

    def __init__(self, url: str, options: Options) -> None:
        super().__init__(url, options)
        parts = urlsplit(url.partition("+")[2])
        self._base = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        self._pool = urllib3.PoolManager(
            maxsize=8,
            headers={"Authorization": f"Bearer {parts.username}"},
            timeout=urllib3.Timeout(connect=3, read=5),
            retries=False,
        )

    def _get(self, path: str, parameters: list[tuple[str, str]] | None = None) -> Any:
        """The answer's JSON; every failure as one of adapters.errors."""
        address = f"{self._base}{path}?{urlencode(parameters or [])}"
        try:
            answer = self._pool.request("GET", address)
        except urllib3.exceptions.HTTPError as error:
            raise SourceUnavailable(f"{type(error).__name__}: {error}") from None
        match answer.status:
            case 200:
                return answer.json()
            case 404:
                raise SchemaChanged(f"{path} is not there any more")
            case 401 | 403 | 502 | 503 | 504:
                raise SourceUnavailable(f"the API answers {answer.status}")
            case status:
                raise QueryFailed(f"the API answers {status} to {path}")

    def check(self) -> None:
        self._get("/collections")

    def tables(self) -> list[Table]:
        return [Table(name) for name in self._get("/collections")]

    def describe(self, table: Table) -> list[Field]:
        described = self._get(f"/collections/{quote(table.name, safe='')}")
        return [
            Field(each["name"], KINDS[each["kind"]], native=frozenset(each["filters"]))
            for each in described
        ]

    def close(self) -> None:
        self._pool.clear()

    def can(self, condition: Condition | Or) -> Push:
        return question(condition)[0]

    def fetch(self, request: Request, cancellation: Cancellation) -> Generator[list[Row]]:
        parameters = [("fields", ",".join(field.name for field in request.fields))]
        parameters.append(("size", str(min(PAGE, request.limit or PAGE))))
        parameters += [question(condition)[1:] for condition in request.conditions]
        path = f"/collections/{quote(request.table.name, safe='')}/rows"
        page = self._get(path, parameters)
        yield [read(request.fields, row) for row in page["rows"]]
        while page["next"]:
            page = self._get(path, [*parameters, ("after", page["next"])])
            yield [read(request.fields, row) for row in page["rows"]]


KINDS = {
    "integer": FieldType.INT,
    "number": FieldType.DOUBLE,
    "text": FieldType.STRING,
    "day": FieldType.DATE,
    "instant": FieldType.DATETIME,
}


def read(fields: tuple[Field, ...], row: dict[str, Any]) -> Row:
    """A row of the API as a tuple in the order of ``fields``; its instants become aware."""
    return tuple(
        datetime.fromisoformat(row[field.name])
        if field.type is FieldType.DATETIME and row[field.name] is not None
        else row[field.name]
        for field in fields
    )


WORDS = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
DAY = timedelta(days=1)


def question(condition: Condition | Or) -> tuple[Push, str, str]:
    """How far the API can be asked for ``condition``, and the parameter that asks for it."""
    match condition:
        case In(field, (value,), negated=False) if "eq" in field.native:
            # The API takes a and A for equal.
            push = Push.SUPERSET if field.type is FieldType.STRING else Push.EXACT
            return push, f"{field.name}.eq", text(value)
        case Compare(field, operator, value) if WORDS[operator] in field.native:
            if not isinstance(value, datetime):
                return Push.EXACT, f"{field.name}.{WORDS[operator]}", text(value)
            # The value is local time, the API has instants: a day more on either side is safe.
            if datetime.min + DAY <= value <= datetime.max - DAY:
                wider = value + DAY if operator == "<" else value - DAY
                return Push.SUPERSET, f"{field.name}.{WORDS[operator]}", text(wider)
    return Push.NO, "", ""


def text(value: Value) -> str:
    """A value as the API takes it."""
    match value:
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.replace(tzinfo=UTC).isoformat()
        case date():
            return value.isoformat()
        case _:
            return value
