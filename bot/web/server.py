"""The HTTP edge: one server, in this process, for whatever comes in over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

STOP_S = 5  # real seconds that a request in hand is given at shutdown
_log = structlog.get_logger(__name__)


@asynccontextmanager
async def serving(
    routes: Sequence[BaseRoute], host: str, port: int, stop: asyncio.Event
) -> AsyncIterator[None]:
    """Serve ``routes`` while the block runs; nothing where there are none.

    A server that ends by itself (its port is taken) sets ``stop``. Paths may hold secrets, so
    there is no access log.
    """
    if not routes:
        yield
        return
    server = _Server(
        uvicorn.Config(
            Starlette(routes=list(routes)),
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=STOP_S,
        )
    )
    task = asyncio.create_task(_run(server, stop))
    try:
        yield
    finally:
        server.should_exit = True
        await task


async def _run(server: _Server, stop: asyncio.Event) -> None:
    try:
        await server.serve()
    except SystemExit:  # how uvicorn says that it could not listen; it has logged why
        _log.error("the HTTP edge could not be opened")
    finally:
        stop.set()


class _Server(uvicorn.Server):
    """Signals are the program's: it stops the server, not the other way round."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
