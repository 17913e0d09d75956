"""The benchmark of the API measures the real program: a small run of each case finishes."""

from __future__ import annotations

import json
from pathlib import Path

from bot.bench.api import cases
from bot.bench.report import Comparison, Target


async def test_every_case_is_measured(tmp_path: Path) -> None:
    measured = [
        case
        async for case in cases.measure(
            callers=2, seconds=0.3, pairs=1, waiting=10, sent=20, within=tmp_path
        )
    ]

    assert [case.name for case in measured] == [
        "api: balance, answers a second",
        "api: balance, p99",
        "api: top-up, committed",
        "api: waiting while nothing changes, statements a call",
        "api: a change of one operation, calls woken of one that waits for it",
        "api: all that wait for one operation have heard",
        "api: events delivered, a second of CPU",
    ]
    idle, woken, events = measured[3], measured[4], measured[6]
    assert (idle.ratio, woken.ratio) == (0, 1)
    assert events.conditions == {"none lost": True, "in order": True}


def test_a_line_says_the_ratio_its_limit_and_whether_it_held() -> None:
    case = Comparison("balance", {"pairs": 5}, 0.25, Target("ratio", at_least=0.3), {"per_s": 900})
    line = json.loads(case.line())

    assert (line["ratio"], line["limit"], line["held"]) == (0.25, {"at_least": 0.3}, False)


def test_a_condition_must_be_true_whatever_the_ratio() -> None:
    limit = Target("ratio", at_most=3)

    assert Comparison("x", {}, 3.0, limit, {}, {"in order": True}).held is True
    assert Comparison("x", {}, 3.0, limit, {}, {"in order": False}).held is False
    assert Comparison("x", {}, 3.0, None, {}).held is None
