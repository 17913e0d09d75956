"""An event loop for worlds that receive almost nothing from the operating system."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any, TypeVarTuple

_Ts = TypeVarTuple("_Ts")


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Polls timers and sockets only when no callback is ready, because a poll costs as much as a
    callback. It also knows when it is idle.
    """

    _ready: deque[asyncio.Handle]  # the base class's own attribute, like its ``_run_once``
    _waiter: asyncio.Future[None] | None = None

    async def wait_until_idle(self) -> None:
        """Return when only callbacks that wait for time, a thread or a socket are left."""
        if self._waiter is None or self._waiter.done():
            self._waiter = self.create_future()
        await self._waiter

    def release_idle_waiter(self) -> None:
        """End ``wait_until_idle`` early."""
        if self._waiter is not None:
            waiter, self._waiter = self._waiter, None
            if not waiter.done():
                waiter.set_result(None)

    def call_soon(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def _run_once(self) -> None:
        ready = self._ready
        if not ready:
            if self._waiter is not None:
                self.release_idle_waiter()
            else:
                super()._run_once()  # type: ignore[misc]
        for _ in range(len(ready)):
            handle: Any = ready.popleft()
            if handle._cancelled:
                continue
            try:
                handle._context.run(handle._callback, *handle._args)
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:  # noqa: BLE001 - as the base class's handles do
                words = f"a callback failed: {handle}"
                self.call_exception_handler({"message": words, "exception": error})
