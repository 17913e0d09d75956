"""Resolves the hosts of partners' endpoints, and refuses every answer that is not public."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeAlias

from services.domain.webhook_url import IpAddress, is_public, literal_address

ADDRESSES_MAX = 4  # of one host that are tried, one after another

# Every address of a host, without brackets; raises ``OSError``.
Resolve: TypeAlias = Callable[[str], Awaitable[Sequence[str]]]


class NotPublic(Exception):
    """A host with an address that no event may be sent to."""


class NotResolved(Exception):
    """A host without an address, at the moment or ever."""


async def checked_addresses(host: str, resolve: Resolve) -> Sequence[IpAddress]:
    """The addresses to connect to, in the resolver's order.

    Raises ``NotPublic`` if any one of them is not: which of them a connection would take is up to
    whoever answers for the name. Raises ``NotResolved``.
    """
    literal = literal_address(host)
    if literal is not None:
        found = [literal]
    else:
        try:
            answers = await resolve(host)
        except OSError:
            raise NotResolved from None
        found = []
        for answer in dict.fromkeys(answers):
            address = literal_address(answer)
            if address is None:
                raise NotPublic
            found.append(address)
    if not found:
        raise NotResolved
    if not all(is_public(address) for address in found):
        raise NotPublic
    return found[:ADDRESSES_MAX]


async def system_resolve(host: str) -> Sequence[str]:
    """By the system's resolver, in a thread of its own.

    It may take longer than anybody waits. In the loop's pool such threads would keep others from
    running, and the program from ending.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Sequence[str]] = loop.create_future()

    def settle(found: Sequence[str] | OSError) -> None:
        if answer.done():
            return
        if isinstance(found, OSError):
            answer.set_exception(found)
        else:
            answer.set_result(found)

    def look_up() -> None:
        found: Sequence[str] | OSError
        try:
            infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            found = [str(info[4][0]) for info in infos]
        except (OSError, UnicodeError) as error:
            found = OSError(str(error))
        with suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(partial(settle, found))

    threading.Thread(target=look_up, name="resolver", daemon=True).start()
    return await answer
