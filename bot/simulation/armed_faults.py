"""Which faults the next calls to a simulated API meet."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.simulation.faults import Fault, FaultKind


class ArmedFaults:
    """Faults queued for the next calls, in order and by call, and outages of a kind of call until a
    given time. Queued faults come first.

    ``met_by`` names the calls that can meet a fault; a kind that is not in it is met by none.
    """

    def __init__(self, calls: Sequence[str], met_by: Mapping[FaultKind, Sequence[str]]) -> None:
        self._calls = calls
        self._met_by = met_by
        self._queues: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._outages: dict[str, tuple[Fault, datetime]] = {}

    def arm(self, fault: Fault, call: str, times: int = 1) -> None:
        """Raises ``ValueError`` if the call cannot meet it."""
        self._check(fault, call)
        if times < 1:
            raise ValueError(f"a fault is met once or more, not {times} times")
        self._queues[call].extend([fault] * times)

    def arm_until(self, fault: Fault, call: str, end: datetime) -> None:
        """Every such call before ``end``; a later outage replaces an earlier one. Raises
        ``ValueError`` if the call cannot meet it.
        """
        self._check(fault, call)
        self._outages[call] = fault, end

    def left(self) -> Mapping[str, int]:
        """The queued faults of each call that has some."""
        return {call: len(queue) for call, queue in self._queues.items() if queue}

    def take(self, call: str, now: datetime) -> Fault | None:
        queue = self._queues[call]
        if queue:
            return queue.popleft()
        fault, end = self._outages.get(call, (None, now))
        return fault if now < end else None

    def clear(self) -> None:
        self._queues.clear()
        self._outages.clear()

    def check_call(self, call: str) -> None:
        """Raises ``ValueError`` if there is no such call."""
        if call not in self._calls:
            raise ValueError(f"unknown call {call!r}: one of {', '.join(self._calls)}")

    def _check(self, fault: Fault, call: str) -> None:
        self.check_call(call)
        calls = self._met_by.get(fault.kind, ())
        what = fault.kind.name.lower().replace("_", "-")
        if not calls:
            raise ValueError(f"nothing here can meet {what}")
        if call not in calls:
            raise ValueError(f"only {' and '.join(calls)} can meet {what}, and {call} cannot")
