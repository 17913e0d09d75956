"""A function that waits for the writer, and its caller, who waits for the commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from storage.locks import Lock
from storage.transaction import StoreTx

T = TypeVar("T")


class QueuedWrite(Generic[T]):
    __slots__ = (
        "about",
        "changed",
        "error",
        "function",
        "future",
        "leading",
        "locks",
        "priority",
        "put_off",
        "result",
        "runs_alone",
        "tries",
    )

    def __init__(
        self,
        function: Callable[[StoreTx], T],
        future: asyncio.Future[T],
        priority: int,
        *,
        leading: bool = False,
        about: Hashable | None = None,
    ) -> None:
        self.function = function
        self.future = future
        self.priority = priority
        self.about = about  # others about the same take the same locks, most likely
        self.leading = leading  # only the leader may write this
        self.tries = 0  # that another transaction was in the way of
        self.runs_alone = False  # others in its group could be in its way again
        self.put_off = 0  # times, since a lock was not free
        self.locks: set[Lock] = set()  # that it was found to need
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
