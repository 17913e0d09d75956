"""Where a script is played: the whole product on one channel, with the outside simulated.

Everything outside the product survives ``restart``, ``crash`` and an armed crash: what was shown,
inboxes, handsets, the bank and its books, armed faults and the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

from bot.scripts.api_answer import ApiAnswer
from bot.scripts.api_call import ApiRequest
from bot.scripts.directive import ArmBank, BankNotifies, CrashPoint, SendFault, SendHop
from bot.scripts.given import Given
from bot.scripts.head import ScriptHead
from services.domain.money import Money
from services.domain.phone import Phone

CHATS = ("telegram", "terminal")  # where a script plays that names no channel
CHANNELS = (*CHATS, "ussd")  # channels this build can play on


class CannotDo(Exception):
    """The build lacks something, so the script is unreadable. The text follows "cannot"."""


@dataclass(frozen=True, slots=True)
class Option:
    """``data`` is the channel's payload of a tap; it names the turn the option was drawn on."""

    id: str
    label: str
    data: str


@dataclass(frozen=True, slots=True)
class Shown:
    """Something delivered, as it was at delivery; ``to`` is a person's name.

    ``answer``: part of a turn's answer, even if the channel replaced a screen in place. ``notice``:
    an unsolicited message. ``edit``: a message changed later, outside a turn. ``alert``: the short
    text that answers a tap. ``page``: on USSD, whether it asks for more. What ``may_be_left`` need
    not be read.
    """

    to: str
    kind: Literal["answer", "notice", "edit", "alert"]
    message_id: str
    text: str
    rows: tuple[tuple[Option, ...], ...] = ()
    page: Literal["con", "end"] | None = None
    may_be_left: bool = False


class Stage(Protocol):
    """``copies`` of an input arrive at the same moment with different event ids, and all complete.

    Any method may raise ``CannotDo``; ``open`` may also raise a given line's ``at.error(…)``.
    """

    @property
    def channel(self) -> str: ...

    async def open(self, head: ScriptHead, givens: Sequence[Given]) -> None:
        """Start the product on a fresh database, with the world as given."""
        ...

    async def close(self) -> None:
        """Release everything, even after an ``open`` that failed half-way."""
        ...

    # What people say.
    async def say(self, name: str, text: str, copies: int = 1) -> None: ...
    async def tap(self, name: str, screen: Shown, option: Option, copies: int = 1) -> None: ...
    async def share_contact(self, name: str, of: str | None, copies: int = 1) -> None: ...
    async def send_other(self, name: str, what: str, copies: int = 1) -> None: ...
    async def send_file(self, name: str, file: str, content: bytes, copies: int = 1) -> None: ...
    async def edit_last(self, name: str, text: str, copies: int = 1) -> None: ...
    async def dial(self, name: str, code: str, copies: int = 1) -> None: ...
    async def send_hop(self, hop: SendHop) -> None:
        """What a gateway of USSD does with the hop that was sent last."""
        ...

    # What partners' own systems do.
    async def call_api(self, request: ApiRequest, copies: int = 1) -> None:
        """Send it; one that the API keeps waiting may end later."""
        ...

    async def api_answer(self) -> ApiAnswer:
        """The answer to the newest request, or the one that came last to its copies; waited for in
        real time.
        """
        ...

    def api_answered(self) -> ApiAnswer | None:
        """As ``api_answer``; ``None`` while it has not come."""
        ...

    def arm_webhook(self, partner: str, status: int, times: int) -> None:
        """What the partner's system answers to its next events."""
        ...

    def webhooks_taken(self, partner: str) -> int:
        """How many of the partner's events its system has taken."""
        ...

    # What the outside saw.
    def shown_since(self, cursor: int) -> Sequence[Shown]:
        """Everything delivered to anybody, in order, without the first ``cursor`` entries."""
        ...

    def is_gone(self, name: str) -> bool:
        """Whether the person's last message was deleted; True on a channel that cannot delete."""
        ...

    def sms(self, phone: str) -> Sequence[str]:
        """All texts sent to this phone, oldest first."""
        ...

    def mail(self, address: str) -> Sequence[str]:
        """The texts of all mails sent to this address, oldest first."""
        ...

    def bank_calls(self, call: str) -> int:
        """How many such requests the bank received since ``open``, successful or not."""
        ...

    def answers(self) -> Sequence[str]:
        """Our answer to each copy of the last notification; empty before the first."""
        ...

    def waiting_crashes(self) -> Sequence[CrashPoint]:
        """Armed points whose crash has not happened yet, oldest first."""
        ...

    # Actions.
    async def settle(self) -> None:
        """Do all work due now; the clock stands still."""
        ...

    async def advance(self, seconds: int) -> None:
        """Move time forward from one timer to the next, up to and including the end."""
        ...

    async def set_clock(self, seconds: int) -> None:
        """Change the machine's wall clock by this much; the outside keeps true time."""
        ...

    async def redeliver(self) -> None:
        """Deliver the last event again with the same id, or send the last request again."""
        ...

    async def restart(self) -> None:
        """Stop cleanly and reopen from the database."""
        ...

    def take_database_away(self, seconds: int) -> None:
        """Nobody can reach it for so long."""
        ...

    async def crash(self) -> None:
        """Kill the product, reopen it, and redeliver what was not acknowledged."""
        ...

    def arm_crash(self, point: CrashPoint) -> None:
        """Like ``crash``, when the point is passed for the nth time from now."""
        ...

    def arm_bank(self, what: ArmBank) -> None: ...
    def arm_sends(self, fault: SendFault, times: int) -> None: ...

    async def set_handset(self, phone: str, action: str) -> None:
        """Act on the open prompt at once, or else on the next prompt only."""
        ...

    def set_payee(self, phone: Phone, does: str) -> None:
        """What M-PESA does with the next payout to that phone; afterwards it pays again."""
        ...

    async def notify(self, directive: BankNotifies) -> None:
        """The bank receives a payment and notifies it; all copies arrive at the same moment."""
        ...

    async def run_job(self, name: str) -> None: ...

    async def give_statement(self, lines: Sequence[str]) -> None:
        """Import the bank's statement for the days in these CSV lines. Raises
        ``TableFileError``.
        """
        ...

    async def close_day(self, day: date) -> None:
        """Reconcile the day with its statement: the given one, or else the bank's own."""
        ...

    # State of the product.
    async def current_node(self, name: str) -> str | None:
        """``flow.node`` of this person's conversation; ``None`` if none is open."""
        ...

    async def wallet(self, partner: str) -> Money:
        """The posted balance."""
        ...

    async def available(self, partner: str) -> Money: ...
    async def float_balance(self, partner: str) -> Money: ...

    async def state(self, kind: str) -> str | None:
        """State without reason of the newest operation of this kind across all partners."""
        ...

    async def events(self, partner: str) -> int:
        """How many events the partner's feed has."""
        ...

    async def is_day_closed(self, day: date) -> bool | None:
        """``None`` for a day never reconciled."""
        ...

    async def books(self) -> Sequence[str]:
        """Broken invariants in words; empty if our books and the bank's agree."""
        ...

    async def audit_rows(self) -> int:
        """Across all partners."""
        ...

    async def audit_problems(self) -> Sequence[str]:
        """Every break of a chain in words; empty if all are intact."""
        ...

    async def secrets(self) -> Sequence[str]:
        """Where a code, token or key of this run was found at rest, without repeating it."""
        ...

    async def trail(self, rows: int) -> Sequence[str]:
        """The newest trail rows, oldest first."""
        ...


StageFactory = Callable[[str], Stage]  # takes the channel's name
