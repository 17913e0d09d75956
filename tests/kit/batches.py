"""A partner's system that sends batches of payouts."""

from __future__ import annotations

from typing import Any

import httpx

from tests.kit.api_caller import KEY
from tests.kit.paying_system import PayingSystem

PATH = "/v1/payout-batches"
FILE = b"phone,amount,reference\n0722000111,1500,S-1\n0733000222,700,S-2\n"


def row(number: int, amount: object = 100, **more: Any) -> dict[str, Any]:
    reference = f"S-{number}"
    return {"phone_number": f"0722{number:06}", "amount": amount, "reference": reference, **more}


ROWS = [
    {"phone_number": "0722000111", "amount": "1500.00", "reference": "S-1"},
    {"phone_number": 254733000222, "amount": 700, "reference": "S-2"},
]


async def send_file(
    system: PayingSystem, content: bytes = FILE, query: str = "", key: str = KEY, **headers: str
) -> httpx.Response:
    given = {"idempotency-key": key, "content-type": "text/csv", **headers}
    answer = await system.caller.send("POST", PATH + query, content=content, headers=given)
    await system.caller.world.settle()
    return answer


async def batches(system: PayingSystem) -> int:
    """How many are stored, whatever became of them."""
    found = await system.caller.world.app.database.read(lambda tx: tx.payout_batches.every())
    return len(found)
