"""Every request that a portal is known to send, byte for byte, on every engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engines import CASES, Engine, load_orders
from tests.server import Answer, Server, serving


@pytest.fixture(scope="module")
def server(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    load_orders(engine)
    config = '[connectors.company]\ntitle = "Company"\n' + "".join(
        f'[sources.{order}]\nurl = "{engine.url}"\n'
        f'tokens = ["of-{order}"]\ndate_order = "{order}"\n'
        for order in ("mdy", "dmy")
    )
    directory: Path = tmp_path_factory.mktemp("server")
    with serving(directory, config) as running:
        yield running


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
@pytest.mark.parametrize("encoding", ["form", "json"])
def test_case(server: Server, case: dict[str, Any], encoding: str) -> None:
    token = f"of-{case['date_order']}"
    if encoding == "form":
        tail = f"table=orders&connection%5Btoken%5D={token}"
        answer = server.post("/api/company/data", f"{case['body']}&{tail}".lstrip("&"))
    else:
        answer = server.send_json(
            "/api/company/data",
            {**case["params"], "table": "orders", "connection": {"token": token}},
        )
    check(answer, case["expect"])


def test_a_field_may_be_asked_for_several_times(server: Server) -> None:
    """By its name and its code, in any letter case: the header repeats each as it was sent."""
    wanted = {"select": ["DEAL", "ID", "id", "ID", "City"], "mapFields": {"ID": "DEAL"}}
    only = {"filter": {"=DEAL": [1]}, "table": "orders", "connection": {"token": "of-mdy"}}
    answer = server.send_json("/api/company/data", wanted | only)
    assert answer.json == [wanted["select"], [1, 1, 1, 1, "Berlin"]]


def check(answer: Answer, expect: dict[str, Any]) -> None:
    assert answer.status == expect["status"], answer
    if expect["status"] != 200:
        # Some reasons hold the culprit's name, which the sentence has to hold too.
        words = [word for word in expect["why"].split() if word.isupper()]
        assert answer.error
        assert all(word in answer.json["error_description"] for word in words)
        return
    header, *rows = answer.json
    assert header == expect["header"]
    assert all(len(row) == len(header) for row in rows)
    position = next(i for i, name in enumerate(header) if name in ("ID", "id", "DEAL"))
    ids = [row[position] for row in rows]
    if expect["limit"] and expect["limit"] < len(expect["ids"]):
        assert len(ids) == expect["limit"]
        assert set(ids) <= set(expect["ids"])
    else:
        assert sorted(ids) == expect["ids"]
