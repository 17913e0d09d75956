"""A listening socket that limits connections, so that descriptors never run out."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

BACKLOG = 128  # connections that wait in the kernel, and that one loop iteration accepts
# "localhost" resolves to both address families even on a machine that has only one.
_ABSENT = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}
_STARVED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class Listener(socket.socket):
    """Keeps at most ``most`` connections ``inside``, plus one that is about to close.

    When full, calls ``make_room`` to cut a connection that keeps us waiting; that one closes
    before the next iteration of the event loop. If there is none, the new caller is turned away.
    """

    def __init__(
        self,
        family: int,
        most: int,
        make_room: Callable[[], bool],
        inside: WeakSet[socket.socket] | None = None,
    ) -> None:
        # TCP by number: asyncio sets TCP_NODELAY only on sockets created with it.
        super().__init__(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self.turned_away = 0
        self._most = most
        self._make_room = make_room
        self._inside: WeakSet[socket.socket] = WeakSet() if inside is None else inside
        self._paused = False

    def accept(self) -> tuple[socket.socket, Any]:
        """Raises ``BlockingIOError`` or ``ConnectionAbortedError``, which the event loop takes to
        mean that nobody waits.

        If no descriptor is left, raises that ``OSError`` once; the loop then pauses for a second.
        """
        if self._paused or self._count_inside() > self._most:
            self._paused = False
            raise BlockingIOError
        try:
            caller, address = super().accept()
        except OSError as error:
            # Otherwise the loop would retry for the whole backlog, and log each time.
            self._paused = error.errno in _STARVED
            raise
        if self._count_inside() >= self._most and not self._make_room():
            caller.close()
            self.turned_away += 1
            raise ConnectionAbortedError
        self._inside.add(caller)
        return caller, address

    def _count_inside(self) -> int:
        if len(self._inside) >= self._most:
            for gone in [caller for caller in self._inside if caller.fileno() == -1]:
                self._inside.discard(gone)
        return len(self._inside)


async def open_listeners(
    host: str, port: int, most: int, make_room: Callable[[], bool]
) -> list[Listener]:
    """One listener for each address of ``host`` that this machine has; ``most`` connections over
    all of them. Raises ``OSError``."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    inside: WeakSet[socket.socket] = WeakSet()
    listeners: list[Listener] = []
    absent: OSError | None = None
    for family, address in dict.fromkeys((info[0], info[4]) for info in found):
        try:
            listeners.append(_bound(Listener(family, most, make_room, inside), address))
        except OSError as error:
            if error.errno not in _ABSENT:
                for listener in listeners:
                    listener.close()
                raise
            absent = error
    if not listeners and absent is not None:
        raise absent
    return listeners


def _bound(listener: Listener, address: Any) -> Listener:
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if listener.family == socket.AF_INET6:  # IPv4 has a listener of its own
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener
