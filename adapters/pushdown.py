"""For sources with filters of their own: they do what they can, this does the rest.

An adapter says of each condition whether its source can honour it, and fetches pages. Whatever the
source cannot do is done here, row by row, by the meaning that filters have everywhere
(:mod:`adapters.evaluate`).
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, assert_never

from adapters.base import (
    Adapter,
    And,
    Cancellation,
    Capability,
    Compare,
    Condition,
    Expression,
    Field,
    In,
    IsNull,
    Lacks,
    Like,
    Or,
    Query,
    Row,
    Table,
)
from adapters.errors import QueryCancelled, QueryFailed, QueryTimeout
from adapters.evaluate import fields_of, predicate, shown

BATCH_ROWS = 1000

EVERYTHING = And(())
NOTHING = Or(())


class Push(Enum):
    """What a source makes of a condition."""

    EXACT = "keeps exactly the rows that the condition keeps"
    SUPERSET = "keeps those rows, and maybe some more"
    NO = "cannot be asked for it"


@dataclass(frozen=True)
class Request:
    """What an adapter shall fetch: ``fields`` in this order, of rows that hold all ``conditions``.

    Each condition is one for which :meth:`PushdownAdapter.can` did not answer NO. ``limit`` is the
    most rows that are needed, None for all.
    """

    table: Table
    fields: tuple[Field, ...]
    conditions: tuple[Condition | Or, ...]
    limit: int | None


class PushdownAdapter(Adapter):
    """An adapter that fetches pages; limits, the rest of a filter and cancellation are done here.

    Memory holds one page at a time. Between two pages a cancelled query ends, and one that has
    taken longer than ``options.timeout``.
    """

    lacks: ClassVar[Lacks] = {Capability.STATEMENTS: "The source does not speak SQL."}

    @abstractmethod
    def can(self, condition: Condition | Or) -> Push:
        """Whether the source can be asked for ``condition``, by its operator, field and value.

        With EXACT the source has to agree with :mod:`adapters.base` on every value: null, letter
        case, trailing spaces, time zones. Where it might not, SUPERSET is safe and still spares
        most rows. An Or is asked about only if each of its items can be asked for.
        """

    @abstractmethod
    def fetch(self, request: Request, cancellation: Cancellation) -> Generator[list[Row]]:
        """The rows in pages of any size, a tuple for each with the values of ``request.fields``.

        Values as for :meth:`Adapter.rows`. The generator is closed when no more rows are needed,
        so give back what it holds in ``finally`` or ``with``; and never wait without a time limit.
        """

    def rows(self, query: Query, cancellation: Cancellation) -> Generator[list[Row]]:
        where = simplified(query.where)
        if where == NOTHING:
            return
        pushed, rest = split(where, self.can)
        fields = tuple({f.name: f for f in (*query.fields, *fields_of(rest))}.values())
        limit = query.limit if rest == EVERYTHING else None
        conditions = pushed.items if isinstance(pushed, And) else (pushed,)
        request = Request(query.table, fields, conditions, limit)  # type: ignore[arg-type]
        kept = self._kept(request, rest, cancellation)
        with closing(kept):
            yield from _in_batches(kept, [fields.index(f) for f in query.fields], query.limit)

    def _kept(
        self, request: Request, rest: Expression, cancellation: Cancellation
    ) -> Generator[list[Row]]:
        """The rows of each page that also hold ``rest``."""
        ends = time.monotonic() + self.options.timeout.total_seconds()
        keeps = self._tester(request.fields, rest)
        with closing(self.fetch(request, cancellation)) as pages:
            while True:
                if cancellation.reason is not None:
                    raise QueryCancelled(cancellation.reason)
                if time.monotonic() > ends:
                    raise QueryTimeout("the time limit has passed")
                page = next(pages, _END)
                if page is _END:
                    return
                _check(page, len(request.fields))
                yield page if keeps is None else [row for row in page if keeps(row)]

    def _tester(self, fields: Sequence[Field], rest: Expression) -> Callable[[Row], bool] | None:
        """What tells of a row whether it holds ``rest``; None if every row does."""
        if rest == EVERYTHING:
            return None
        zone = self.options.timezone
        tested = {f.name for f in fields_of(rest)}
        cells = [(i, f) for i, f in enumerate(fields) if f.name in tested]
        holds = predicate(rest)
        return lambda row: holds({f.name: shown(f, row[i], zone) for i, f in cells})


_END: list[Row] = []


def _check(page: list[Row], width: int) -> None:
    if not isinstance(page, list):
        raise QueryFailed(f"fetch gave a {type(page).__name__} where a list of rows belongs")
    for row in page:
        if not isinstance(row, (tuple, list)):
            raise QueryFailed(f"fetch gave a row that is a {type(row).__name__}, no tuple or list")
        if len(row) != width:
            raise QueryFailed(f"fetch gave a row of {len(row)} values for {width} fields")


def _in_batches(
    pages: Iterator[list[Row]], places: Sequence[int], limit: int | None
) -> Iterator[list[Row]]:
    """The values at ``places``, in batches of a size that is neither nothing nor too much."""
    left = limit
    if left == 0:
        return
    for page in pages:
        for start in range(0, len(page), BATCH_ROWS):
            part = page[start : start + BATCH_ROWS]
            batch: list[Row] = [tuple([row[i] for i in places]) for row in part[:left]]
            yield batch
            if left is not None:
                left -= len(batch)
                if left == 0:
                    return


def split(
    expression: Expression, can: Callable[[Condition | Or], Push]
) -> tuple[Expression, Expression]:
    """What to ask of the source, and what is still to be tested of the rows that it gives.

    A row is kept by ``expression`` exactly if both keep it. The first is an And of conditions, or
    one alone, each of which ``can`` accepts.
    """
    match expression:
        case And(items):
            parts = [split(item, can) for item in items]
            pushed = simplified(And(tuple(asked for asked, _ in parts)))
            return pushed, simplified(And(tuple(rest for _, rest in parts)))
        case Or(items):
            return _split_or(expression, [split(item, can) for item in items], can)
        case IsNull() | In() | Compare() | Like():
            return _asked(expression, expression, can(expression))
        case _:
            assert_never(expression)


def _split_or(
    whole: Or,
    parts: Sequence[tuple[Expression, Expression]],
    can: Callable[[Condition | Or], Push],
) -> tuple[Expression, Expression]:
    """An item that cannot be asked for may keep any row, so all of them can, or none is."""
    asked = simplified(Or(tuple(pushed for pushed, _ in parts)))
    if not isinstance(asked, Or):
        return EVERYTHING, whole
    push = can(asked)
    exact = all(rest == EVERYTHING for _, rest in parts)
    return _asked(asked, whole, push if exact or push is Push.NO else Push.SUPERSET)


def _asked(pushed: Expression, whole: Expression, push: Push) -> tuple[Expression, Expression]:
    match push:
        case Push.EXACT:
            return pushed, EVERYTHING
        case Push.SUPERSET:
            return pushed, whole
        case Push.NO:
            return EVERYTHING, whole


def simplified(expression: Expression) -> Expression:
    """The same filter without groups that change nothing, so that more of it can be asked for."""
    match expression:
        case And(items):
            found = _flat(items, And)
            if NOTHING in found:
                return NOTHING
            return found[0] if len(found) == 1 else And(found)
        case Or(items):
            found = _flat(items, Or)
            if EVERYTHING in found:
                return EVERYTHING
            return found[0] if len(found) == 1 else Or(found)
        case In(field, (), negated):
            return IsNull(field, negated=True) if negated else NOTHING
        case _:
            return expression


def _flat(items: Sequence[Expression], kind: type[And | Or]) -> tuple[Expression, ...]:
    """The items of a group, those of groups of the same kind in their place, each only once."""
    found: dict[Expression, None] = {}
    for item in map(simplified, items):
        inner = item.items if isinstance(item, And | Or) and isinstance(item, kind) else (item,)
        found.update(dict.fromkeys(inner))
    return tuple(found)
