"""Faults that the next calls meet."""

from __future__ import annotations

import re
from collections import deque

from bot.simulator.telegram import errors
from bot.simulator.telegram.errors import ApiError

SENDS = frozenset({"sendMessage", "editMessageText", "sendPhoto", "sendDocument"})


class Faults:
    """Each armed fault is met once, in the order armed, by a call that sends or edits."""

    def __init__(self) -> None:
        self._armed: deque[ApiError] = deque()

    def arm(self, fault: str, times: int = 1) -> None:
        """``403`` blocked, ``429:5`` flood, ``timeout`` lost: none of them has an effect."""
        self._armed.extend(_parse(fault) for _ in range(times))

    def meet(self, method: str) -> None:
        """Raises the ``ApiError`` that is due, if any."""
        if self._armed and method in SENDS:
            raise self._armed.popleft()


def _parse(fault: str) -> ApiError:
    if fault == "403":
        return errors.blocked()
    if fault == "timeout":
        return errors.no_answer()
    if flood := re.fullmatch(r"429:([1-9][0-9]{0,5})", fault):
        return errors.too_many_requests(int(flood[1]))
    raise ValueError(f"no such fault: {fault!r}")
