"""Faults that the next calls meet."""

from __future__ import annotations

import re
from collections import deque

from bot.simulation.telegram.errors import ApiError, ApiRefusal, too_many

SENDS = frozenset({"sendmessage", "editmessagetext", "sendphoto", "senddocument"})


class Faults:
    """Each armed fault is met once, in order, by a call that sends or edits."""

    def __init__(self) -> None:
        self._armed: deque[str] = deque()

    def arm(self, fault: str, times: int = 1) -> None:
        """``403`` blocked, ``429:5`` rate limited, ``timeout`` lost: such a call has no effect."""
        _error(fault)
        self._armed.extend([fault] * times)

    def raise_due(self, method: str) -> None:
        """Raises the ``ApiError`` that is due, if any."""
        if self._armed and method.lower() in SENDS:
            raise _error(self._armed.popleft())


def _error(fault: str) -> ApiError:
    if fault == "403":
        return ApiError(ApiRefusal.BLOCKED)
    if fault == "timeout":
        return ApiError(ApiRefusal.NO_ANSWER)
    if flood := re.fullmatch(r"429:([1-9][0-9]{0,5})", fault):
        return too_many(int(flood[1]))
    raise ValueError(f"no such fault: {fault!r}")
