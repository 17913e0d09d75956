"""Faults that a call to a simulated API can meet (``@bank FAULT on CALL``)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, StrEnum, auto


class FaultKind(Enum):
    """Only ``SLOW``, ``TIMEOUT_AFTER``, ``SAME_ID``, ``REFUSE_AFTER``, ``DUPLICATE``,
    ``ONLY_ACCEPTED``, ``QUEUE_TIMEOUT`` and ``RESULT`` have the call's effect, ``ONLY_ACCEPTED``
    when it settles. ``BOUNCES`` takes the money and returns it.
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
    SPIKE_ARREST = auto()  # too many calls in a moment
    QUOTA = auto()  # too many calls
    SYSTEM_ERROR = auto()  # nothing done, with the code of a duplicate
    QUEUE_TIMEOUT = auto()  # a message that it was not processed in time, and then it is
    RESULT = auto()  # its Result comes in another shape


class ResultShape(StrEnum):
    """How a Result differs from the usual one, as scripts spell it."""

    ONE_OBJECT = "one-object"  # the receipt alone, in place of the list of parameters
    ABSENT = "absent"  # no parameters
    CODE_TYPE = "code-type"  # the code as text where it is a number, and the reverse
    OTHER_ORIGINATOR = "other-originator"  # the gateway's id in place of the one that we sent
    OTHER_CONVERSATION = "other-conversation"  # not the one of the acknowledgement
    NO_VALUE = "no-value"  # keys without values, but for the receipt
    MORE_TO_COME = "more-to-come"  # ResultType 1
    MASKED = "masked"  # the phone behind asterisks
    CREDIT_PARTY = "credit-party"  # the customer under a name of its own, as newer answers have it
    OTHER_AMOUNT = "other-amount"
    OTHER_PHONE = "other-phone"
    CONTRADICTS = "contradicts"  # the words say the reverse of the code


class Fate(StrEnum):
    """The outcome of float that was only accepted, as scripts spell it."""

    SETTLES = "settles"
    FAILS = "fails"  # from then on the status query reports a failure
    NEVER = "never"  # the status query reports pending forever


@dataclass(frozen=True, slots=True)
class Fault:
    """``fate`` and ``fate_after`` belong to ``ONLY_ACCEPTED``, ``shape`` to ``RESULT``."""

    kind: FaultKind
    reason: str = ""
    status: int = 0
    delay_s: float = 0.0
    fate: Fate = Fate.SETTLES
    fate_after: timedelta = timedelta(0)
    shape: ResultShape | None = None


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
    "spike-arrest": FaultKind.SPIKE_ARREST,
    "quota": FaultKind.QUOTA,
    "system-error": FaultKind.SYSTEM_ERROR,
    "queue-timeout": FaultKind.QUEUE_TIMEOUT,
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
    if word == "result":
        if rest not in list(ResultShape):
            raise ValueError(f"result needs a shape: {', '.join(ResultShape)}; not {rest!r}")
        return Fault(FaultKind.RESULT, shape=ResultShape(rest))
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
