"""``hazina sim --serve`` as a separate process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

END_MAX_S = 10.0
START_MAX_S = 60.0


@asynccontextmanager
async def _sim(folder: Path, *args: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("hazina"),
        "sim",
        "--serve",
        *args,
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
async def test_it_says_where_it_is_serves_and_ends_when_told(
    tmp_path: Path, by: signal.Signals
) -> None:
    async with _sim(tmp_path, "0", "--set", "FLOOD_TURNS=500") as process:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), START_MAX_S)
        begun = json.loads(line)
        assert list(begun["keys"]) == ["DUKA", "SOKO"]
        assert begun["page"] == f"{begun['url']}/"
        async with httpx.AsyncClient(base_url=begun["url"], trust_env=False) as client:
            said = await client.post("/sim/say", json={"person": "wanjiru", "text": "/balance"})
            assert "Wallet: KES 50,000" in said.json()["messages"][0]["text"]
            assert (await client.post("/sim/crash")).status_code == 200
            assert (await client.get("/sim/books")).json()["ok"]
            assert (await client.get("/readyz")).status_code == 200
            process.send_signal(by)
            rest, _ = await asyncio.wait_for(process.communicate(), END_MAX_S)
        assert (process.returncode, rest) == (128 + by, b"")


async def test_a_gateway_of_ussd_calls_at_the_address_it_prints(tmp_path: Path) -> None:
    async with _sim(tmp_path, "0") as process:
        assert process.stdout is not None
        begun = json.loads(await asyncio.wait_for(process.stdout.readline(), START_MAX_S))
        assert begun["ussd"].startswith(f"{begun['url']}/ussd/")
        hop = {
            "sessionId": "ATUid_1",
            "phoneNumber": "+254712345678",
            "networkCode": "63902",
            "serviceCode": "*384*7#",
            "text": "",
        }
        async with httpx.AsyncClient(trust_env=False) as client:
            menu = await client.post(begun["ussd"], data=hop)
            assert (menu.status_code, menu.headers["content-type"]) == (
                200,
                "text/plain; charset=utf-8",
            )
            assert menu.text.startswith("CON Hazina DUKA\nBalance KES 50,000\n1 ")
            amount = await client.post(begun["ussd"], data={**hop, "text": "1"})
            assert amount.text.startswith("CON ")
            assert (await client.post(begun["ussd"], data=hop)).text == amount.text
            assert (await client.post(f"{begun['url']}/ussd/another", data=hop)).status_code == 404
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), END_MAX_S)


async def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    async with _sim(tmp_path, "0") as first:
        assert first.stdout is not None
        begun = json.loads(await asyncio.wait_for(first.stdout.readline(), START_MAX_S))
        port = begun["url"].rpartition(":")[2]
        async with _sim(tmp_path, port) as second:
            out, words = await asyncio.wait_for(second.communicate(), START_MAX_S)
        assert (second.returncode, out, words.count(b"\n")) == (2, b"", 1)
        assert b"in use" in words

        first.send_signal(signal.SIGTERM)
        await asyncio.wait_for(first.communicate(), END_MAX_S)
        async with _sim(tmp_path, port) as third:
            assert third.stdout is not None
            again = json.loads(await asyncio.wait_for(third.stdout.readline(), START_MAX_S))
            assert again["url"] == begun["url"]


async def test_a_wrong_setting_is_one_line(tmp_path: Path) -> None:
    async with _sim(tmp_path, "0", "--set", "FLOOD_TURNS=many") as process:
        out, words = await asyncio.wait_for(process.communicate(), START_MAX_S)
    assert (process.returncode, out, words.count(b"\n")) == (2, b"", 1)
    assert b"FLOOD_TURNS" in words
