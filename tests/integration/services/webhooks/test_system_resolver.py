"""The system's own resolver, asked without a network."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from typing import Any

import pytest

from services.gateways.webhooks.resolver import system_resolve


async def test_it_gives_every_address() -> None:
    found = [ipaddress.ip_address(one) for one in await system_resolve("localhost")]
    assert found
    assert all(address.is_loopback for address in found)


@pytest.mark.parametrize("host", ["a" * 64 + ".ke", "a..ke"])
async def test_what_is_no_name_is_not_found(host: str) -> None:
    with pytest.raises(OSError, match=r".+"):
        await system_resolve(host)


async def test_a_look_up_that_hangs_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def hang(*_: Any, **__: Any) -> list[Any]:
        released.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    waiting = [asyncio.create_task(system_resolve(f"{n}.ke")) for n in range(50)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await asyncio.wait_for(asyncio.to_thread(lambda: "served"), 5) == "served"
    released.set()
