"""What can be made to go wrong with one call to the simulated bank (``@bank FAULT on CALL``)."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from dataclasses import dataclass
from enum import Enum, auto

CALLS = ("token", "initiate", "query", "float", "status", "qr")
_SAY_FAILED = ("query", "status")


class FaultKind(Enum):
    """Only ``SLOW``, ``TIMEOUT_AFTER``, ``SAME_ID``, ``REFUSE_AFTER`` and ``ONLY_ACCEPTED`` have
    the call's effect at the bank. ``BOUNCES`` takes the money and gives it back."""

    REFUSE = auto()
    HTTP = auto()
    HTML = auto()
    GARBAGE = auto()
    TIMEOUT_BEFORE = auto()
    TIMEOUT_AFTER = auto()
    SLOW = auto()
    SAYS_FAILED = auto()
    SAME_ID = auto()  # done, and answered with the id of the prompt before
    REFUSE_AFTER = auto()  # done, and answered with a refusal in words of doubt
    TOKEN_GONE = auto()  # the bank knows its tokens no more, and does nothing
    CONTRADICTS = auto()  # nothing done, and an answer that says both
    ONLY_ACCEPTED = auto()  # done, in the shape of a rail that only queues
    BOUNCES = auto()


@dataclass(frozen=True, slots=True)
class Fault:
    kind: FaultKind
    reason: str = ""
    status: int = 0
    delay_s: float = 0.0


_BARE = {
    "html": FaultKind.HTML,
    "garbage": FaultKind.GARBAGE,
    "timeout-before": FaultKind.TIMEOUT_BEFORE,
    "timeout-after": FaultKind.TIMEOUT_AFTER,
    "same-id": FaultKind.SAME_ID,
    "token-gone": FaultKind.TOKEN_GONE,
    "contradicts": FaultKind.CONTRADICTS,
    "only-accepted": FaultKind.ONLY_ACCEPTED,
    "bounces": FaultKind.BOUNCES,
}
_REASONED = {
    "refuse": FaultKind.REFUSE,
    "says-failed": FaultKind.SAYS_FAILED,
    "refuse-after": FaultKind.REFUSE_AFTER,
}
_SECONDS = {"s": 1, "m": 60}


def parse_fault(text: str) -> Fault:
    """Read a fault as scripts write it, or as storms do, which know some more. Raises
    ``ValueError`` saying what is wrong with it."""
    word, _, rest = text.strip().partition(" ")
    rest = rest.strip()
    if word in _BARE and not rest:
        return Fault(_BARE[word])
    if word in _REASONED:
        if not rest:
            raise ValueError(f"{word} needs a reason")
        return Fault(_REASONED[word], reason=rest)
    if word == "http":
        if not re.fullmatch(r"[1-9][0-9]{2}", rest):
            raise ValueError(f"http needs a three-digit status, not {rest!r}")
        return Fault(FaultKind.HTTP, status=int(rest))
    if word == "slow":
        delay = re.fullmatch(r"([0-9]+)([sm])", rest)
        if not delay:
            raise ValueError(f"slow needs a duration such as 20s, not {rest!r}")
        return Fault(FaultKind.SLOW, delay_s=int(delay[1]) * _SECONDS[delay[2]])
    raise ValueError(f"unknown fault {text!r}")


class ArmedFaults:
    """What the next calls will meet, in the order it was armed, a queue a call."""

    def __init__(self) -> None:
        self._queues: defaultdict[str, deque[Fault]] = defaultdict(deque)

    def arm(self, fault: Fault, call: str, times: int = 1) -> None:
        check_call(call)
        if times < 1:
            raise ValueError(f"a fault is met once or more, not {times} times")
        if fault.kind is FaultKind.SAYS_FAILED and call not in _SAY_FAILED:
            those = " and ".join(_SAY_FAILED)
            raise ValueError(f"{call} does not say whether something failed: only {those} do")
        if fault.kind is FaultKind.SAME_ID and call != "initiate":
            raise ValueError("only initiate gives an id")
        self._queues[call].extend([fault] * times)

    def take(self, call: str) -> Fault | None:
        queue = self._queues[call]
        return queue.popleft() if queue else None


def check_call(call: str) -> None:
    if call not in CALLS:
        raise ValueError(f"unknown call {call!r}: one of {', '.join(CALLS)}")
