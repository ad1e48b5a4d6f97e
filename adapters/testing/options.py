"""The contract suite's options for pytest.

An entry point of the group ``pytest11``: options of a conftest.py in an installed package would
come too late. It is loaded wherever the connector is installed, so it loads nothing itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Called by pytest."""
    group = parser.getgroup("adapter", "contract of an adapter (pytest --pyargs adapters.testing)")
    group.addoption("--adapter-url", metavar="URL", help="The source, as in a configuration.")
    group.addoption(
        "--adapter-table",
        metavar="NAME",
        default="kit_orders",
        help="The table that holds what `python -m adapters.testing` prints.",
    )
    group.addoption(
        "--adapter-without",
        metavar="COLUMNS",
        default="",
        help="Columns of it, with commas between, that the source has no type for.",
    )
    group.addoption(
        "--adapter-wrong-url",
        metavar="URL",
        action="append",
        default=[],
        help="A source that is not there or does not let us in; may be given several times.",
    )
    group.addoption(
        "--adapter-examples",
        metavar="N",
        type=int,
        default=50,
        help="How many random filters are tried in each of three time zones.",
    )
