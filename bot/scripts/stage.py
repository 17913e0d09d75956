"""Where a script is played: the whole product on one channel, with the simulated outside.

Everything outside the product survives ``restart``, ``crash`` and an armed crash: what was
shown, inboxes, handsets, the bank and its books, armed faults and the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

from bot.scripts.directive import ArmBank, BankNotifies, CrashPoint, SendFault
from bot.scripts.given import Given
from bot.scripts.head import ScriptHead
from services.domain.money import Money

CHANNELS = ("telegram", "terminal")  # what this build can be played on


class CannotDo(Exception):
    """The build has no such thing: the script ends as unreadable. Says what, after "cannot"."""


@dataclass(frozen=True, slots=True)
class Option:
    """``data`` is what the channel carries when it is tapped: it names the turn it was drawn on."""

    id: str
    label: str
    data: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One delivered thing, as it was when it was delivered; ``to`` is a person's name.

    ``answer``: belongs to a turn, once a turn and answer, also when the channel replaced a
    screen in place. ``notice``: a message by itself. ``edit``: a message changed later,
    outside a turn. ``alert``: the short answer to a tap, where it has words.
    """

    to: str
    kind: Literal["answer", "notice", "edit", "alert"]
    message_id: str
    text: str
    rows: tuple[tuple[Option, ...], ...] = ()


class Stage(Protocol):
    """``copies`` of an input arrive at the same moment with different event ids; all end first.

    Any method may raise ``CannotDo``; ``open`` may also raise a given line's ``at.error(…)``.
    """

    @property
    def channel(self) -> str: ...

    async def open(self, head: ScriptHead, givens: Sequence[Given]) -> None:
        """A fresh database, the world as given, the product running."""
        ...

    async def close(self) -> None:
        """Take everything down; also after an ``open`` that failed half-way."""
        ...

    # What people say.
    async def say(self, name: str, text: str, copies: int = 1) -> None: ...
    async def tap(self, name: str, screen: Shown, option: Option, copies: int = 1) -> None: ...
    async def share_contact(self, name: str, of: str | None, copies: int = 1) -> None: ...
    async def send_other(self, name: str, what: str, copies: int = 1) -> None: ...
    async def edit_last(self, name: str, text: str, copies: int = 1) -> None: ...
    async def dial(self, name: str, code: str, copies: int = 1) -> None: ...

    # What the outside saw.
    def shown_since(self, cursor: int) -> Sequence[Shown]:
        """Everything delivered to anybody, in order, without its first ``cursor`` entries."""
        ...

    def is_gone(self, name: str) -> bool:
        """The person's last message was deleted; True on a channel that cannot delete."""
        ...

    def sms(self, phone: str) -> Sequence[str]:
        """All texts this phone has had, oldest first."""
        ...

    def mail(self, address: str) -> Sequence[str]:
        """The text of all mails this address has had, oldest first."""
        ...

    def bank_calls(self, call: str) -> int:
        """How many such requests the bank has had since ``open``, whatever they met."""
        ...

    def answers(self) -> Sequence[str]:
        """What we answered to each copy of the last notification; empty before the first."""
        ...

    def waiting_crashes(self) -> Sequence[CrashPoint]:
        """The points, as they were armed, whose crash has not happened yet; oldest first."""
        ...

    # What happens.
    async def settle(self) -> None:
        """Do all work that is due at the present moment; the clock stands still."""
        ...

    async def advance(self, seconds: int) -> None:
        """Jump from one due moment to the next, the end included."""
        ...

    async def set_clock(self, seconds: int) -> None:
        """Set the machine's wall clock by so much; the outside keeps true time."""
        ...

    async def redeliver(self) -> None:
        """The last event again, with its id."""
        ...

    async def restart(self) -> None:
        """Stop cleanly and reopen from the database."""
        ...

    async def crash(self) -> None:
        """Drop the process as a kill would, reopen, deliver again what was not acknowledged."""
        ...

    def arm_crash(self, point: CrashPoint) -> None:
        """As ``crash``, by itself, when the point is passed for the nth time from now."""
        ...

    def arm_bank(self, what: ArmBank) -> None: ...
    def arm_sends(self, fault: SendFault, times: int) -> None: ...

    async def set_handset(self, phone: str, action: str) -> None:
        """What the payer does: at once with an open prompt, else with the next one only."""
        ...

    async def notify(self, told: BankNotifies) -> None:
        """The bank takes a payment, and tells of it; all copies arrive at the same moment."""
        ...

    async def run_job(self, name: str) -> None: ...

    async def give_statement(self, lines: Sequence[str]) -> None:
        """The bank's statement of the days that these CSV lines are of, taken in at once. Raises
        ``StatementFileError``."""
        ...

    async def close_day(self, day: date) -> None:
        """Compare the day with its statement: what was given, else the bank's own."""
        ...

    # What stands in the product.
    async def current_node(self, name: str) -> str | None:
        """``flow.node`` of this person's conversation; ``None`` when none is open."""
        ...

    async def wallet(self, partner: str) -> Money:
        """Posted."""
        ...

    async def available(self, partner: str) -> Money: ...
    async def float_balance(self, partner: str) -> Money: ...

    async def state(self, kind: str) -> str | None:
        """State, without its reason, of the newest operation of this kind over all partners."""
        ...

    async def is_day_closed(self, day: date) -> bool | None:
        """``None`` for a day that was never compared."""
        ...

    async def books(self) -> Sequence[str]:
        """Each broken invariant in words; empty when our books and the bank's hold."""
        ...

    async def audit_rows(self) -> int:
        """Over all partners."""
        ...

    async def audit_problems(self) -> Sequence[str]:
        """Every break of a chain, in words; empty when all are whole."""
        ...

    async def secrets(self) -> Sequence[str]:
        """Where a code, token or key of this run was found at rest, without repeating it."""
        ...

    async def trail(self, rows: int) -> Sequence[str]:
        """The newest trail rows, oldest of them first."""
        ...


StageFactory = Callable[[str], Stage]  # from the channel's name
