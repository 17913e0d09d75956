"""What became of a hop of a USSD session."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from bot.context import Wakeup
from services.domain.outbox import OutboxRow
from services.domain.ussd import Page


class HopKind(StrEnum):
    """What became of a hop, for metrics and the log."""

    BEGUN = "begun"
    ANSWERED = "answered"
    REPEATED = "repeated"  # nothing new was typed: the page as before
    TIMED_OUT = "timed_out"
    DISPUTED = "disputed"  # the session belongs to another phone or code
    NOBODY = "nobody"
    TOO_FAST = "too_fast"
    FAULT = "fault"
    BUSY = "busy"


@dataclass(slots=True)
class HopDecided:
    """What the hop committed. ``screen`` is what the keys of its page mean, as it is stored; ``at``
    and ``exit`` are of its newest step, and ``operations`` are those that are now due."""

    page: Page
    kind: HopKind
    screen: str | None = None
    rows: list[OutboxRow] = field(default_factory=list)
    operations: list[str] = field(default_factory=list)
    wakes: list[Wakeup] = field(default_factory=list)
    person: int | None = None
    at: str | None = None
    exit: str | None = None
