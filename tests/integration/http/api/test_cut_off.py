"""A call whose caller is cut off while it is committed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from services.ports import Tx
from tests.kit.api_caller import ApiCaller


async def test_what_was_committed_is_sent_on_all_the_same(
    caller: ApiCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = caller.world.app.database
    write = database.write

    async def cut_off(function: Callable[[Tx], Any], **more: Any) -> Any:
        monkeypatch.undo()
        await write(function, **more)
        raise asyncio.CancelledError

    await caller.get("/v1/balance")  # the use of the key is noted
    monkeypatch.setattr(database, "write", cut_off)
    answer = await caller.topup()
    assert answer.status_code == 503
    assert caller.world.bank.calls("initiate") == 1
