"""The seam between the application and any database.

An :class:`Adapter` lists tables, describes one, and answers a :class:`Query` with rows. It knows
nothing of HTTP or of the portal's wire format: names here are the database's own, and values in a
filter already have the type of the field that they are compared with.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Any, ClassVar, Literal, NamedTuple
from zoneinfo import ZoneInfo

from adapters.cancellation import Cancellation as Cancellation  # a part of the seam
from adapters.encode import encode_rows

Row = Sequence[Any]


class FieldType(StrEnum):
    """What a field holds, in the words of the portal (Bitrix24 REST: biconnector.dataset)."""

    INT = "int"
    STRING = "string"
    DOUBLE = "double"
    DATE = "date"
    DATETIME = "datetime"


@dataclass(frozen=True)
class Table:
    """A table, a view or anything else that has columns and rows.

    ``schema`` is None where the engine has none; ``default`` says whether it is the one that names
    without a schema mean. ``comment`` is the database's own description. With ``sql`` set, the
    table is the result of that statement.
    """

    name: str
    schema: str | None = None
    default: bool = True
    comment: str = ""
    sql: str | None = None


@dataclass(frozen=True)
class Field:
    """A column of a table.

    ``native`` is the adapter's own knowledge about the column; the application carries it from
    ``describe`` to ``rows`` and never looks inside.
    """

    name: str
    type: FieldType
    comment: str = ""
    native: Any = field(default=None, repr=False, compare=False)


# A filter is a tree in which nothing is negated above a condition, and every condition is false
# for null except IsNull: so SQL's three-valued logic and Python's two-valued one agree on it.

Value = str | Decimal | date | datetime
Comparison = Literal["<", "<=", ">", ">="]


@dataclass(frozen=True)
class IsNull:
    """The field is null, or is not null when ``negated``."""

    field: Field
    negated: bool = False


@dataclass(frozen=True)
class In:
    """The field equals one of ``values`` exactly, or none of them when ``negated``.

    Not used for ``datetime`` fields, where a value stands for a span: see :class:`Compare`.
    """

    field: Field
    values: tuple[Value, ...]
    negated: bool = False


@dataclass(frozen=True)
class Compare:
    """The field compares to ``value``; texts by their code points.

    Values for ``int`` fields are whole; those for ``datetime`` fields are local times in the
    source's time zone, and only ``<`` and ``>=`` are used with them.
    """

    field: Field
    operator: Comparison
    value: Value


class Wildcard(Enum):
    """What is not literal in a pattern; the values are those of SQL's LIKE."""

    ANY = "%"
    ONE = "_"


@dataclass(frozen=True)
class Like:
    """The field's text matches ``pattern`` in any letter case, or does not when ``negated``.

    ``pattern`` covers the whole text: literal pieces and wildcards. The text of a field that is
    not a string is what :mod:`adapters.encode` shows of it.
    """

    field: Field
    pattern: tuple[str | Wildcard, ...]
    negated: bool = False


@dataclass(frozen=True)
class And:
    """Every item holds; with no items, every row is kept."""

    items: tuple[Expression, ...]


@dataclass(frozen=True)
class Or:
    """At least one item holds; with no items, no row is kept."""

    items: tuple[Expression, ...]


Condition = IsNull | In | Compare | Like
Expression = Condition | And | Or


@dataclass(frozen=True)
class Query:
    """``fields`` in this order, of the rows that ``where`` keeps, ``limit`` of them at most."""

    table: Table
    fields: tuple[Field, ...]
    where: Expression = And(())
    limit: int | None = None


@dataclass(frozen=True)
class Options:
    """What a source's configuration says to its adapter.

    ``timezone`` is the zone in which date-times are shown and filtered; ``timeout`` the longest
    that one query may take.
    """

    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    timeout: timedelta = timedelta(seconds=240)


class Batch(NamedTuple):
    """Some rows as JSON: ``json`` is ``[…],[…]``, without a comma at either end."""

    rows: int
    json: bytes


class Capability(StrEnum):
    """What an adapter does unless it says that its engine cannot (:attr:`Adapter.lacks`)."""

    CANCEL = "cancel"
    """A running query ends soon after its cancellation, also while the database thinks."""

    TIME_LIMIT = "time limit"
    """A query that runs longer than the source's ``timeout`` ends by itself."""

    STATEMENTS = "statements"
    """A table may be made of the operator's own SQL."""

    FLOAT_PATTERNS = "float patterns"
    """A pattern sees every floating-point number as it is shown, however large or small."""


Lacks = Mapping[Capability, str]


class Adapter(ABC):
    """One database. Every method may be called from several threads at once.

    Any method may raise the errors of :mod:`adapters.errors`, and no others.
    """

    case_sensitive_names = True
    """Whether two columns of one table may differ in nothing but letter case."""

    prompt = False
    """Whether a query ends within moments of its cancellation, whatever has become of the database:
    few rows may then be read in the thread of their request, which nothing else can wake."""

    lacks: ClassVar[Lacks] = MappingProxyType({})
    """What the engine cannot do, and why: shown in docs/engines.md, and the contract suite expects
    exactly these failures."""

    def __init__(self, url: str, options: Options) -> None:
        """Prepare to talk to the database at ``url``; connecting waits for the first call."""
        self.url = url
        self.options = options

    @abstractmethod
    def check(self) -> None:
        """Return if the database answers to these credentials."""

    @abstractmethod
    def tables(self) -> list[Table]:
        """All tables that these credentials may read, in any order."""

    @abstractmethod
    def describe(self, table: Table) -> list[Field]:
        """The columns of ``table`` in the database's order, those that may not be read left out."""

    @abstractmethod
    def rows(self, query: Query, cancellation: Cancellation) -> Iterator[list[Row]]:
        """The answer in batches, none of them empty, without ever holding all of it.

        A value is None, bool, int, float, Decimal, str, bytes, date or datetime; a datetime is
        local to ``options.timezone``, or aware; either may be a text in the form that is shown.
        Closing the iterator ends the query.
        """

    def json_rows(self, query: Query, cancellation: Cancellation) -> Iterator[Batch]:
        """The same as JSON. Override it where an engine has a faster way to the same bytes."""
        for batch in self.rows(query, cancellation):
            yield Batch(len(batch), encode_rows(query.fields, batch, self.options.timezone))

    @abstractmethod
    def close(self) -> None:
        """Give back every connection; the adapter is not used afterwards."""
