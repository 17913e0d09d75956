"""Faults that a call to a simulated API can meet (``@bank FAULT on CALL``)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, StrEnum, auto


class FaultKind(Enum):
    """Only ``SLOW``, ``TIMEOUT_AFTER``, ``SAME_ID``, ``REFUSE_AFTER``, ``DUPLICATE`` and
    ``ONLY_ACCEPTED`` have the call's effect at the bank, the last one when it settles. ``BOUNCES``
    takes the money and returns it.
    """

    REFUSE = auto()
    HTTP = auto()
    HTML = auto()
    GARBAGE = auto()
    TIMEOUT_BEFORE = auto()
    TIMEOUT_AFTER = auto()
    SLOW = auto()
    SAYS_FAILED = auto()
    SAME_ID = auto()  # done, but answered with the previous prompt's id
    REFUSE_AFTER = auto()  # done, but answered with an ambiguous refusal
    TOKEN_GONE = auto()  # the bank forgot its tokens, and does nothing
    CONTRADICTS = auto()  # nothing done, and the answer says both yes and no
    ONLY_ACCEPTED = auto()  # queued, with the answer of a rail that queues
    DUPLICATE = auto()  # done, but answered like a second request with the same reference
    BOUNCES = auto()


class Fate(StrEnum):
    """The outcome of float that was only accepted, as scripts spell it."""

    SETTLES = "settles"
    FAILS = "fails"  # from then on the status query reports a failure
    NEVER = "never"  # the status query reports pending forever


@dataclass(frozen=True, slots=True)
class Fault:
    """``fate`` and ``fate_after`` belong to ``ONLY_ACCEPTED``."""

    kind: FaultKind
    reason: str = ""
    status: int = 0
    delay_s: float = 0.0
    fate: Fate = Fate.SETTLES
    fate_after: timedelta = timedelta(0)


_BARE = {
    "html": FaultKind.HTML,
    "garbage": FaultKind.GARBAGE,
    "timeout-before": FaultKind.TIMEOUT_BEFORE,
    "timeout-after": FaultKind.TIMEOUT_AFTER,
    "same-id": FaultKind.SAME_ID,
    "token-gone": FaultKind.TOKEN_GONE,
    "contradicts": FaultKind.CONTRADICTS,
    "bounces": FaultKind.BOUNCES,
    "duplicate": FaultKind.DUPLICATE,
}
_REASONED = {
    "refuse": FaultKind.REFUSE,
    "says-failed": FaultKind.SAYS_FAILED,
    "refuse-after": FaultKind.REFUSE_AFTER,
}
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_SPAN = re.compile(r"([0-9]{1,6})([smhd])")


def parse_fault(text: str) -> Fault:
    """Read a fault as scripts write it, or in one of the further forms that storms use. Raises
    ``ValueError``.
    """
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
        return Fault(FaultKind.SLOW, delay_s=parse_duration(word, rest).total_seconds())
    if word == "only-accepted":
        return _only_accepted(rest)
    raise ValueError(f"unknown fault {text!r}")


def parse_duration(word: str, text: str) -> timedelta:
    """``20s``, ``10m``, ``2h`` or ``1d`` after ``word``. Raises ``ValueError``."""
    span = _SPAN.fullmatch(text)
    if not span:
        raise ValueError(f"{word} needs a duration such as 20s or 2h, not {text!r}")
    return timedelta(seconds=int(span[1]) * _SECONDS[span[2]])


def _only_accepted(rest: str) -> Fault:
    fate, _, after = rest.partition(" ")
    if not fate:
        return Fault(FaultKind.ONLY_ACCEPTED)
    if fate == Fate.NEVER and not after:
        return Fault(FaultKind.ONLY_ACCEPTED, fate=Fate.NEVER)
    if fate in (Fate.SETTLES, Fate.FAILS):
        return Fault(
            FaultKind.ONLY_ACCEPTED, fate=Fate(fate), fate_after=parse_duration(fate, after)
        )
    raise ValueError(f"what is only accepted settles 2h, fails 2h or never, not {rest!r}")
