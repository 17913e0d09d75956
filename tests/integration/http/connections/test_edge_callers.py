"""The caller's address as a proxy states it; nobody but a proxy may state one."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from tests.kit.served_edge import CLOSING, HOST, edge


@pytest.mark.parametrize(
    ("said", "caller"),
    [
        ("::ffff:196.201.214.200", b"196.201.214.200"),
        ("[::ffff:196.201.214.200]:443", b"196.201.214.200"),
        ("196.201.214.200:5544", b"196.201.214.200"),
        ("192.0.2.1, 196.201.214.200, ::ffff:127.0.0.1", b"196.201.214.200"),
        ("192.0.2.1, 196.201.214.200, ::1", b"196.201.214.200"),
        ("fe80::1%eth0", b"fe80::1"),
    ],
)
async def test_a_proxy_may_spell_the_caller_as_it_likes(said: str, caller: bytes) -> None:
    async with edge() as desk:
        request = CLOSING.replace(b"/hello", b"/caller")
        head = request[:-2] + f"X-Forwarded-For: {said}\r\n\r\n".encode()
        assert (await desk.ask(head)).endswith(b"\r\n\r\n" + caller)


async def test_who_is_no_proxy_speaks_for_nobody() -> None:
    async with edge(proxies=[ip_network("192.0.2.0/24")]) as desk:
        request = CLOSING.replace(b"/hello", b"/caller")
        head = request[:-2] + b"X-Forwarded-For: 196.201.214.200\r\n\r\n"
        assert (await desk.ask(head)).endswith(HOST.encode())
