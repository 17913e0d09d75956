"""A function that waits for the writer, and its caller, who waits for the commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from storage.transaction import StoreTx

T = TypeVar("T")


class QueuedWrite(Generic[T]):
    __slots__ = ("changed", "error", "function", "future", "priority", "result", "tries")

    def __init__(
        self, function: Callable[[StoreTx], T], future: asyncio.Future[T], priority: int
    ) -> None:
        self.function = function
        self.future = future
        self.priority = priority
        self.tries = 0  # after which another transaction was in its way
        self.result: T
        self.changed: frozenset[str] = frozenset()  # references of operations
        self.error: Exception | None = None

    def tell(self) -> None:
        """Deliver the result or error to the caller, unless the caller was cancelled."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)
