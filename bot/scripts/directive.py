"""Directives: one value type each, and the values passed to a stage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from bot.scripts.source_line import SourceLine
from services.domain.money import Money
from services.domain.phone import Phone

BANK_CALLS = ("token", "initiate", "query", "float", "status", "qr")
PAYOUT_CALLS = ("payout-token", "payout", "payout-status", "payout-balance")  # of Daraja
CALLS = BANK_CALLS + PAYOUT_CALLS

FaultKind = Literal[
    "refuse",
    "http",
    "html",
    "garbage",
    "timeout-before",
    "timeout-after",
    "same-id",
    "duplicate",
    "only-accepted",
    "slow",
    "says-failed",
    "spike-arrest",
    "quota",
    "system-error",
    "queue-timeout",
    "token-gone",
    "result",
]
PointKind = Literal["commit", "after-commit", "before-call", "after-call"]
SendFaultKind = Literal["403", "429", "timeout"]
BalanceKind = Literal["wallet", "available", "float"]


@dataclass(frozen=True, slots=True)
class BankFault:
    """The fault that the next calls meet.

    ``reason`` belongs to ``refuse`` and ``says-failed``, and is the outcome of ``only-accepted``
    and the shape of ``result``; ``status`` belongs to ``http``, ``seconds`` to ``slow``.
    """

    kind: FaultKind
    reason: str = ""
    status: int = 0
    seconds: int = 0

    def __str__(self) -> str:
        words = {"http": str(self.status), "slow": f"{self.seconds}s"}
        return f"{self.kind} {words.get(self.kind, self.reason)}".rstrip()


@dataclass(frozen=True, slots=True)
class CrashPoint:
    """The ``nth`` passing of a point from now; ``call`` belongs to the two points around a call."""

    point: PointKind
    call: str | None
    nth: int

    def __str__(self) -> str:
        words = [self.point, self.call, str(self.nth) if self.nth > 1 else None]
        return " ".join(word for word in words if word)


@dataclass(frozen=True, slots=True)
class SendFault:
    """The fault a send meets: blocked (403), rate limited (429 with its delay), or a timeout."""

    kind: SendFaultKind
    retry_after_s: int = 0


@dataclass(frozen=True, slots=True)
class Advance:
    at: SourceLine
    seconds: int


@dataclass(frozen=True, slots=True)
class SetClock:
    """Change the machine's wall clock by this much; no time passes."""

    at: SourceLine
    seconds: int


@dataclass(frozen=True, slots=True)
class NodeIs:
    """``node`` is ``None`` if no conversation may be open."""

    at: SourceLine
    name: str
    node: str | None


@dataclass(frozen=True, slots=True)
class BalanceIs:
    at: SourceLine
    of: BalanceKind
    partner: str
    amount: Money


@dataclass(frozen=True, slots=True)
class StateIs:
    at: SourceLine
    kind: str
    state: str


@dataclass(frozen=True, slots=True)
class BooksBalance:
    at: SourceLine


@dataclass(frozen=True, slots=True)
class SetHandset:
    at: SourceLine
    phone: str
    action: str


@dataclass(frozen=True, slots=True)
class SetPayee:
    """What M-PESA does with the next payout to that phone; ``does`` is as written."""

    at: SourceLine
    phone: Phone
    does: str


@dataclass(frozen=True, slots=True)
class ArmBank:
    """``lasts_s``: every such call for this long, instead of a number of calls."""

    at: SourceLine
    fault: BankFault
    call: str
    times: int = 1
    lasts_s: int | None = None


@dataclass(frozen=True, slots=True)
class BankCallsAre:
    """The bank has received exactly ``count`` such requests since the start, successful or not."""

    at: SourceLine
    call: str
    count: int


@dataclass(frozen=True, slots=True)
class BankNotifies:
    """A push notification; ``forged_by`` names what is wrong with its signature.

    ``narrative`` replaces the bank's own. ``account_only``: the reference field holds only our
    account number. ``kind``: an account notification of this type. The payment is made now, and the
    notification arrives after ``late_s``.
    """

    at: SourceLine
    phone: str
    amount: Money
    reference: str | None
    receipt: str | None
    times: int
    forged_by: str | None
    narrative: str | None = None
    account_only: bool = False
    kind: str | None = None
    late_s: int = 0


@dataclass(frozen=True, slots=True)
class GiveStatement:
    """The bank's statement for the days in these CSV lines, before variables are filled in."""

    at: SourceLine
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CloseDay:
    """Reconcile the day with its statement; it closes if nothing is left over."""

    at: SourceLine
    day: date


@dataclass(frozen=True, slots=True)
class DayIs:
    at: SourceLine
    day: date
    is_closed: bool


@dataclass(frozen=True, slots=True)
class AnswerIs:
    at: SourceLine
    code: str


@dataclass(frozen=True, slots=True)
class Redeliver:
    at: SourceLine


@dataclass(frozen=True, slots=True)
class Restart:
    at: SourceLine


@dataclass(frozen=True, slots=True)
class DatabaseAway:
    at: SourceLine
    seconds: int


@dataclass(frozen=True, slots=True)
class Crash:
    at: SourceLine


@dataclass(frozen=True, slots=True)
class ArmCrash:
    at: SourceLine
    point: CrashPoint


@dataclass(frozen=True, slots=True)
class ArmSends:
    at: SourceLine
    fault: SendFault
    times: int


@dataclass(frozen=True, slots=True)
class RunJob:
    at: SourceLine
    name: str


@dataclass(frozen=True, slots=True)
class NoSecrets:
    at: SourceLine


@dataclass(frozen=True, slots=True)
class AuditIs:
    """``rows`` is ``None`` if the chain must verify."""

    at: SourceLine
    rows: int | None


@dataclass(frozen=True, slots=True)
class ArmWebhook:
    """What the partner's own system answers to its next ``times`` events."""

    at: SourceLine
    partner: str
    status: int
    times: int = 1


@dataclass(frozen=True, slots=True)
class EventsAre:
    """The partner's feed has exactly ``count`` events by now."""

    at: SourceLine
    partner: str
    count: int


@dataclass(frozen=True, slots=True)
class DeliveredAre:
    """``count`` of the partner's events have been taken by its own system."""

    at: SourceLine
    partner: str
    count: int


@dataclass(frozen=True, slots=True)
class SendHop:
    """The last hop ``again``, in ``parallel`` with itself, or from another ``phone``; or one with
    this ``text``."""

    at: SourceLine
    how: Literal["again", "parallel", "phone", "text"]
    value: str = ""


# Directives that act on the product, and those that only inspect it.
ActionDirective = (
    Advance
    | SetClock
    | SetHandset
    | SetPayee
    | ArmBank
    | BankNotifies
    | Redeliver
    | Restart
    | DatabaseAway
    | Crash
    | ArmCrash
    | ArmSends
    | RunJob
    | GiveStatement
    | CloseDay
    | ArmWebhook
    | SendHop
)
CheckDirective = (
    NodeIs
    | BalanceIs
    | StateIs
    | BooksBalance
    | BankCallsAre
    | AnswerIs
    | DayIs
    | NoSecrets
    | AuditIs
    | EventsAre
    | DeliveredAre
)
Directive = ActionDirective | CheckDirective
