"""Bounds how long a connection waits for its server.

A server that is frozen, or a commit that waits for a standby which is gone, never answers. To
cancel it is no way out: a cancelled COMMIT counts as done although it is on one machine only
(facts: postgres 7). So the socket is shut, and who waits on it sees a connection that was lost.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from threading import Condition, Thread


class SocketWatch:
    """One for any number of connections. It has a thread, so whoever waits must let other threads
    run meanwhile: psycopg's ``execute`` and ``commit`` do, its ``pgconn.get_result`` does not."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._changed = Condition()
        self._waits: dict[int, tuple[float, int]] = {}  # when each ends, and its socket
        self._numbers = count()
        self._is_idle = True  # until somebody waits; otherwise it wakes by itself
        self._is_closed = False
        self._thread = Thread(target=self._watch, name="hazina-socket-watch", daemon=True)
        self._thread.start()

    @contextmanager
    def over(self, fd: int) -> Iterator[None]:
        """Shut the socket ``fd`` if this lasts longer than the limit. It must stay open within."""
        number = next(self._numbers)
        with self._changed:
            self._waits[number] = (time.monotonic() + self._limit_s, fd)
            if self._is_idle:
                self._changed.notify()
        try:
            yield
        finally:
            # The lock is held while a socket is shut, so that it is never another one's by then.
            with self._changed:
                self._waits.pop(number, None)

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join()

    def _watch(self) -> None:
        with self._changed:
            while not self._is_closed:
                now = time.monotonic()
                for number, (ends_at, fd) in list(self._waits.items()):
                    if ends_at <= now:
                        del self._waits[number]
                        _shut(fd)
                next_end = min((ends_at for ends_at, _ in self._waits.values()), default=None)
                self._is_idle = next_end is None
                self._changed.wait(None if next_end is None else next_end - now)


def _shut(fd: int) -> None:
    """For reading and writing, without closing: the descriptor stays its owner's."""
    with suppress(OSError), socket.socket(fileno=os.dup(fd)) as same:
        same.shutdown(socket.SHUT_RDWR)
