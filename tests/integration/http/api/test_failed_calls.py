"""A call that fails on our side never says that nothing was done unless that is known."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from services.domain.outbox import OutboxRow
from tests.kit.api_caller import KEY, ApiCaller


async def test_what_failed_after_its_commit_may_have_moved_money_and_is_done_once(
    caller: ApiCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(rows: Sequence[OutboxRow]) -> None:
        raise RuntimeError("after the commit")

    with monkeypatch.context() as failing:
        failing.setattr(caller.world.app.calls, "_push", fail)
        first = await caller.topup(key=KEY)
    assert (first.status_code, first.json()["code"]) == (500, "internal")
    assert first.json()["money"] == "pending"
    again = await caller.topup(key=KEY)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (202, "true")
    history = (await caller.get("/v1/transactions?kind=topup")).json()["data"]
    assert [one["reference"] for one in history] == [again.json()["reference"]]


async def test_what_only_looks_has_moved_nothing(
    caller: ApiCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*given: object) -> None:
        raise RuntimeError("while looking")

    monkeypatch.setattr(caller.world.app.calls, "read", fail)
    answer = await caller.get("/v1/balance")
    assert (answer.status_code, answer.json()["money"]) == (500, "none")
