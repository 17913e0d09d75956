"""What happens outside: one value per directive, with the values a stage is handed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from bot.scripts.source_line import SourceLine
from services.domain.money import Money

CALLS = ("token", "initiate", "query", "float", "status", "qr")

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
]
PointKind = Literal["commit", "after-commit", "before-call", "after-call"]
SendFaultKind = Literal["403", "429", "timeout"]
BalanceKind = Literal["wallet", "available", "float"]


@dataclass(frozen=True, slots=True)
class BankFault:
    """What the next calls meet.

    ``reason`` belongs to ``refuse`` and ``says-failed``, and is what becomes of what is
    ``only-accepted``; ``status`` to ``http``, ``seconds`` to ``slow``.
    """

    kind: FaultKind
    reason: str = ""
    status: int = 0
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class CrashPoint:
    """The ``nth`` next passing of a point; ``call`` belongs to the two points around a call."""

    point: PointKind
    call: str | None
    nth: int

    def __str__(self) -> str:
        words = [self.point, self.call, str(self.nth) if self.nth > 1 else None]
        return " ".join(word for word in words if word)


@dataclass(frozen=True, slots=True)
class SendFault:
    """What a send meets: shut out (403), too fast (429, with its wait), or no answer in time."""

    kind: SendFaultKind
    retry_after_s: int = 0


@dataclass(frozen=True, slots=True)
class Advance:
    at: SourceLine
    seconds: int


@dataclass(frozen=True, slots=True)
class SetClock:
    """Somebody sets the wall clock of the machine by so much; no time passes by it."""

    at: SourceLine
    seconds: int


@dataclass(frozen=True, slots=True)
class NodeIs:
    """``node`` is ``None`` when no conversation may be open."""

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
class ArmBank:
    """``lasts_s``: every such call for so long, however many there are."""

    at: SourceLine
    fault: BankFault
    call: str
    times: int = 1
    lasts_s: int | None = None


@dataclass(frozen=True, slots=True)
class BankCallsAre:
    """The bank has had exactly ``count`` such requests since the start, whatever they met."""

    at: SourceLine
    call: str
    count: int


@dataclass(frozen=True, slots=True)
class BankNotifies:
    """A push notification; ``spoiled`` names what is wrong with its signature.
    ``narrative`` is that field where it is not the bank's own; ``account_only``: the field of the
    reference holds our account alone. ``kind``: a notice of the account, of that type. The payment
    is made now, and the notification arrives after ``late_s``."""

    at: SourceLine
    phone: str
    amount: Money
    reference: str | None
    receipt: str | None
    times: int
    spoiled: str | None
    narrative: str | None = None
    account_only: bool = False
    kind: str | None = None
    late_s: int = 0


@dataclass(frozen=True, slots=True)
class GiveStatement:
    """The bank's statement of the days that its lines are of; CSV, ``{var}`` and all."""

    at: SourceLine
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CloseDay:
    """The day is compared with its statement, and closes if nothing is left over."""

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
    """``rows`` is ``None`` when the chain must verify."""

    at: SourceLine
    rows: int | None


# Those that happen to the product, and those that only look at it.
ActionDirective = (
    Advance
    | SetClock
    | SetHandset
    | ArmBank
    | BankNotifies
    | Redeliver
    | Restart
    | Crash
    | ArmCrash
    | ArmSends
    | RunJob
    | GiveStatement
    | CloseDay
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
)
Directive = ActionDirective | CheckDirective
