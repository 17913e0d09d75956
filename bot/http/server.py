"""The HTTP server: one in this process, for all inbound HTTP."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from ipaddress import ip_network

import structlog
import uvicorn
from starlette.routing import BaseRoute

from bot.environment.ip_addresses import IpNetwork, spellings
from bot.http.connection import HEAD_MAX, HEAD_S, Connection
from bot.http.listener import BACKLOG, Listener, open_listeners
from bot.http.request_limits import Refusal, bare_refusal, with_request_limits

STOP_S = 5  # real seconds that open requests get at shutdown
TOLD_EVERY_S = 60.0  # real seconds between two log lines about connections that were cut
LOOPBACK = (ip_network("127.0.0.1"), ip_network("::1"))
LATE_TICKS = 10  # tenths of a second between two checks for overdue connections

_log = structlog.get_logger(__name__)


class PortUnavailable(Exception):
    """The address cannot be listened on; ``str()`` is a line for the operator, ``reason`` the same
    without advice."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason}: set HTTP_HOST and HTTP_PORT")
        self.reason = reason


class ServerEnded(Exception):
    """The server has ended without being stopped."""


async def try_port(host: str, port: int) -> None:
    """Check the port before anything else is opened or any money moves.

    Raises ``PortUnavailable``.
    """
    for listener in await _open(host, port, 0, lambda: False):
        listener.close()


@asynccontextmanager
async def serving(
    routes: Sequence[BaseRoute],
    host: str,
    port: int,
    stop: asyncio.Event,
    *,
    connections_max: int = 64,
    proxies: Sequence[IpNetwork] = LOOPBACK,
    refusal: Refusal = bare_refusal,
) -> AsyncIterator[Sequence[tuple[str, int]]]:
    """Serve ``routes`` while the block runs; does nothing if there are none.

    Yields the addresses and ports that are listened on. At most ``connections_max`` clients are
    connected at once. ``proxies`` are trusted to set ``X-Forwarded-For``. ``refusal`` words what
    ``RequestLimits`` answers. If the server ends by itself, it sets ``stop``, and ``ServerEnded``
    is raised at the end of the block. Paths may hold secrets, so there is no access log.
    Raises ``PortUnavailable``.
    """
    if not routes:
        yield ()
        return
    server = _Server(
        uvicorn.Config(
            with_request_limits(routes, refusal),
            http=Connection,
            ws="none",
            log_config=None,
            log_level="error",  # a line for each malformed request would let callers fill the log
            access_log=False,
            lifespan="off",
            forwarded_allow_ips=[
                spelling for network in proxies for spelling in spellings(network)
            ],
            limit_concurrency=connections_max + 2,  # open requests, also of clients that have left
            backlog=BACKLOG,
            timeout_keep_alive=HEAD_S,
            timeout_graceful_shutdown=STOP_S,
            h11_max_incomplete_event_size=HEAD_MAX,
        )
    )
    server.listeners = await _open(host, port, connections_max, server.make_room)
    addresses = [listener.getsockname()[:2] for listener in server.listeners]
    _log.info("http_opened", at=addresses)
    task = asyncio.create_task(server.serve(sockets=list(server.listeners)))
    task.add_done_callback(lambda _: stop.set())
    task.add_done_callback(lambda _: server.begun.set())
    try:
        await server.begun.wait()  # whoever is told of the addresses must be able to connect
        yield addresses
    finally:
        ended_by_itself = task.done()
        server.should_exit = True
        await task
    if ended_by_itself:
        raise ServerEnded("the HTTP server ended by itself")


async def _open(host: str, port: int, most: int, make_room: Callable[[], bool]) -> list[Listener]:
    try:
        return await open_listeners(host, port, most, make_room)
    except (OSError, UnicodeError) as error:
        code = getattr(error, "errno", None) or 0
        why = os.strerror(code) if code > 0 else str(error)  # below 0: a name did not resolve
        raise PortUnavailable(f"nothing can listen at {host} port {port}: {why}") from None


class _Server(uvicorn.Server):
    """Leaves signals to the program, which stops the server."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listeners: Sequence[Listener] = ()
        self.begun = asyncio.Event()
        self._late = 0
        self._made_room = 0
        self._logged_at = float("-inf")

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.begun.set()

    async def on_tick(self, counter: int) -> bool:
        if counter % LATE_TICKS == 0:
            self._cut_late()
        return await super().on_tick(counter)

    def make_room(self) -> bool:
        """Cut the connection that has kept us waiting longest; ``False`` if none does."""
        waiting = [connection for connection in self._connections() if connection.keeps_us_waiting]
        if not waiting:
            return False
        min(waiting, key=lambda connection: connection.since).abort()
        self._made_room += 1
        return True

    def _cut_late(self) -> None:
        now = asyncio.get_running_loop().time()
        for connection in self._connections():
            if connection.is_overdue(now):
                connection.abort()
                self._late += 1
        self._log_cuts(now)

    def _connections(self) -> list[Connection]:
        return [
            connection
            for connection in self.server_state.connections
            if isinstance(connection, Connection)
        ]

    def _log_cuts(self, now: float) -> None:
        turned_away = sum(listener.turned_away for listener in self.listeners)
        cut = self._late + self._made_room + turned_away
        if cut == 0 or now - self._logged_at < TOLD_EVERY_S:
            return
        _log.warning(
            "http_connections_cut",
            late=self._late,
            made_room=self._made_room,
            turned_away=turned_away,
        )
        self._logged_at, self._late, self._made_room = now, 0, 0
        for listener in self.listeners:
            listener.turned_away = 0
