"""What is answered when the program itself is at fault, or the database."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.calls import topups
from services.domain.api_answer import StoredAnswer
from services.domain.database import DatabaseFailed, DatabaseRefused
from services.ports import Tx
from tests.kit.api_caller import KEY, ApiCaller


def _breaks_a_rule(tx: Tx, *args: Any, **kwargs: Any) -> Any:
    for _ in range(2):
        tx.api_answers.add("DUKA", "k" * 16, "pepper", "fingerprint", StoredAnswer(200, "", ""))


async def test_a_broken_rule_of_the_schema_is_a_fault_of_ours(
    caller: ApiCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: it was called the database's, to be sent again, and no error was logged."""
    monkeypatch.setattr(topups.topups, "start_for_system", _breaks_a_rule)
    with capture_logs() as logged:
        answer = await caller.topup(key=KEY)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "constraint" not in answer.text
    assert [line["log_level"] for line in logged if line["event"] == "call failed"] == ["error"]
    monkeypatch.undo()
    assert (await caller.topup(key=KEY)).status_code == 202


async def test_a_failed_database_is_told_apart(
    caller: ApiCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(tx: Tx, *args: Any, **kwargs: Any) -> Any:
        raise DatabaseFailed("disk I/O error")

    monkeypatch.setattr(topups.topups, "start_for_system", fails)
    answer = await caller.topup(key=KEY)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.json()["retryable"] is True


async def test_a_broken_rule_is_a_kind_of_failure(caller: ApiCaller) -> None:
    with pytest.raises(DatabaseRefused):
        await caller.world.app.database.write(_breaks_a_rule)
