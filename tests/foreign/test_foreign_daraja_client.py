"""A third-party client, as it is, pays from the simulated Daraja.

It is a process of its own in .venv-foreign; Daraja is served to it over loopback. Of two payments
in one second it gives both the same id, and spells the occasion as the other APIs do.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.clock import SystemClock
from bot.simulation.daraja.credentials import CREDENTIALS
from bot.simulation.daraja.daraja import SimulatedDaraja
from bot.simulation.daraja.result_sender import ResultSender
from tests.kit.daraja_caller import RESULT_URL, security_credential, values
from tests.kit.real_process import served
from tests.kit.real_time import until

pytestmark = pytest.mark.foreign

HERE = Path(__file__).parent
PYTHON = HERE.parent.parent / ".venv-foreign" / "bin" / "python"
PATIENCE_S = 60.0  # a process on a busy machine needs time to start


async def run(*arguments: str) -> list[dict[str, Any]]:
    """What the client said, in order."""
    # Ignore the machine's proxies: everything is on loopback.
    env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    process = await asyncio.create_subprocess_exec(
        PYTHON,
        HERE / "daraja_client.py",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        env=env,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0
    return [json.loads(line) for line in output.splitlines()]


async def test_a_foreign_client_pays_and_collides_with_itself() -> None:
    loop, tasks = asyncio.get_running_loop(), set[asyncio.Task[None]]()
    results: list[dict[str, Any]] = []

    def take(request: httpx.Request) -> httpx.Response:
        results.append(json.loads(request.content)["Result"])
        return httpx.Response(200)

    sender = ResultSender(
        lambda after, leave: loop.call_later(after.total_seconds(), leave),
        lambda work: tasks.add(loop.create_task(work)),
    )
    sender.open(httpx.MockTransport(take))
    daraja = SimulatedDaraja(SystemClock(), random.Random(1), sender)
    daraja.opening(1_000_00)
    async with served(daraja) as base_url:
        no_token, *taken, refused, asked = await run(
            base_url,
            CREDENTIALS.consumer_key,
            CREDENTIALS.consumer_secret,
            CREDENTIALS.short_code,
            CREDENTIALS.initiator_name,
            security_credential(),
            RESULT_URL,
        )
    assert no_token["what"] == "no token"
    assert "Invalid Authentication passed" in no_token["text"]
    assert [one["what"] for one in taken] == ["taken"] * len(taken)
    assert [one["id"] for one in taken] == [one.originator_id for one in daraja.payments()]
    assert (refused["what"], refused["code"]) == ("refused", "500.002.1001")
    assert "Duplicate OriginatorConversationID." in refused["text"]
    assert asked == {"what": "asked", "text": "Accept the service request successfully."}

    await until(lambda: len(results) == len(taken) + 1)
    *payments, balance = results
    assert [one["ResultCode"] for one in payments] == [0] * len(taken)
    assert [one.originator_id for one in daraja.paid()] == [one["id"] for one in taken]
    left = 1_000 - sum(one.amount_kes for one in daraja.paid())
    assert f"Utility Account|KES|{left}.00" in values(balance)["AccountBalance"]
