"""Many at once, while things break: the small brother of ``python -m benchmarks.load``."""

from __future__ import annotations

from benchmarks import load


def test_every_answer_under_load_is_right_or_none() -> None:
    found = load.run(requests=500, clients=20, seconds=60, workers=1)
    assert not found.complaints()
    assert found.outcomes.total() == 500
    assert found.killed > 0
    assert found.outcomes["as it should be"] > 250
