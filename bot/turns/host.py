"""What the conversation engine may ask of the program, for one turn in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from bot.context import AppContext, OperationUpdate, TurnContext, Wakeup
from bot.handlers.suspicious_attempts import note_suspicious_attempt
from bot.turns.registry import (
    ACTIONS,
    CODE_CHECKS,
    PROGRESS,
    REQUIRED_RIGHTS,
    SUGGESTERS,
    USE_CASES,
    VIEWS,
)
from flows.engine.capabilities import ChannelCapabilities
from flows.engine.event import Event
from flows.engine.host import Exit, OperationStarted, View
from services import float_quotes
from services.domain.business_days import business_day
from services.domain.money import Money
from services.domain.partner import RIGHTS, Person, Right
from services.domain.refusal import Refusal
from services.preferences import THRESHOLD_MAX
from services.statements import month_before, month_so_far
from storage.stores.outbox import OutboxRow
from storage.transaction import SqliteTx

USUAL_AMOUNTS = tuple(Money(shillings * 100) for shillings in (500, 1_000, 5_000))
USUAL_FLOAT = tuple(Money(shillings * 100) for shillings in (5_000, 10_000, 50_000))
SUGGESTIONS = 3  # buttons of usual values
# The least for amounts without a stored limit; their most is that of a low-balance mark.
LEAST = {"mark": Money(0), "limit": Money(0), "adjustment": Money(1)}
LIMITS = {"topup": ("c2b.min", "c2b.max"), "float": ("float.min", "float.max")}


class TurnHost:
    """``Host`` for one event. ``person`` is ``None`` if the address is not linked.

    ``rows`` are the messages that use cases queued besides the answer. ``outcomes`` are operations
    that ended during the turn, whose initiators must be notified.
    """

    def __init__(
        self,
        context: AppContext,
        tx: SqliteTx,
        event: Event,
        person: Person | None,
        *,
        is_admin: bool,
    ) -> None:
        self._context = context
        self._tx = tx
        self._event = event
        self._turn = TurnContext(context, tx, event, person, is_admin)

    @property
    def rows(self) -> Sequence[OutboxRow]:
        return self._turn.rows

    @property
    def outcomes(self) -> Sequence[OperationUpdate]:
        return self._turn.outcomes

    @property
    def wakes(self) -> Sequence[Wakeup]:
        return self._turn.wakes

    @property
    def language(self) -> str:
        return self._turn.language

    @property
    def channel(self) -> ChannelCapabilities:
        return self._context.channel(self._event.channel)

    def offers(self, what: str) -> bool:
        by_hand = self._context.policy.by_hand
        return by_hand is not None and (
            what == "paybill" or (by_hand.has_till and self.channel.files)
        )

    def facts(self) -> Mapping[str, Any]:
        person = self._turn.linked_person
        if person is None:
            return {}
        return {
            "name": person.name.title(),
            "partner": person.partner.code,
            "my_phone": person.phone,
            "bank": self._bank_warning(),
        }

    def _bank_warning(self) -> str:
        """A warning while prompts are slow, else an empty string."""
        slow = self._context.metrics.prompts_are_slow()
        return self._turn.say("engine.bank_slow") if slow else ""

    def entry_refusal(self) -> Refusal | None:
        if self._turn.linked_person is not None or self._turn.is_admin:
            return None
        return Refusal.of("not_linked", address=self._event.address)

    def has_right(self, needs: Right | None) -> bool:
        """The only place that checks roles; checked again for every step that acts."""
        if needs is None:
            return True
        if needs is Right.ADMIN:
            return self._turn.is_admin
        person = self._turn.linked_person
        return person is not None and needs in RIGHTS[person.role]

    def open_refusal(self, flow: str, needs: Right | None) -> Refusal | None:
        """Whether this person may enter ``flow`` now."""
        if needs is None or (self.has_right(Right.ADMIN) and needs is Right.ADMIN):
            return None
        person = self._turn.linked_person
        if person is None:
            return Refusal("admin_only") if self._turn.is_admin else self.entry_refusal()
        if not self.has_right(needs):
            return Refusal.of("role", partner=person.partner.code)
        if needs is Right.MOVE_MONEY and person.partner.suspended:
            return Refusal.of("suspended", partner=person.partner.code)
        if flow == "float":
            return float_quotes.check_may_buy(self._tx, self._context.policy, person)
        return None

    def has_partner(self, code: str) -> bool:
        return self._tx.people.partner(code) is not None

    def note_suspicious(self, event: str) -> None:
        note_suspicious_attempt(self._turn, event)

    def today(self) -> date:
        return business_day(self._tx.now)

    def limits(self, name: str) -> tuple[Money, Money]:
        if name in LEAST:
            return LEAST[name], THRESHOLD_MAX
        least, most = LIMITS[name]
        limits, partner = self._tx.limits, self._turn.person.partner.code
        return limits.in_force(least, partner), limits.in_force(most, partner)

    def suggest(self, name: str, args: Mapping[str, Any]) -> Sequence[Any]:
        if name in SUGGESTERS:
            return SUGGESTERS[name](self._turn, args)
        if name == "periods":
            today = self.today()
            return [month_so_far(today), month_before(today)]
        person = self._turn.person
        if name == "amounts":
            own = self._tx.topups.recent_amounts(person.id, SUGGESTIONS)
            return sorted(own) or USUAL_AMOUNTS
        if name == "float_amounts":
            own = self._tx.purchases.recent_amounts(person.id, SUGGESTIONS)
            return sorted(own) or USUAL_FLOAT
        assert name == "phones"
        recent = self._tx.topups.recent_phones(person.id, SUGGESTIONS + 1)
        return [phone for phone in recent if phone != person.phone][:SUGGESTIONS]

    def run(
        self, use_case: str, args: Mapping[str, Any], operation: str | None
    ) -> Exit | OperationStarted | Refusal:
        if refusal := self._check_right(use_case):
            return refusal
        return USE_CASES[use_case](self._turn, args, operation)

    def _check_right(self, use_case: str) -> Refusal | None:
        """Check the role as it is now, not as it was when the button was shown."""
        needs = REQUIRED_RIGHTS.get(use_case)
        return None if needs is None else self.open_refusal(use_case, needs)

    def check_code(
        self, use_case: str, args: Mapping[str, Any], operation: str, code: str
    ) -> Exit | Refusal:
        if refusal := self._check_right(use_case):
            return refusal
        return CODE_CHECKS[use_case](self._turn, args, operation, code)

    def act(self, use_case: str, operation: str) -> Exit | Refusal | None:
        return self._check_right(use_case) or ACTIONS[use_case](self._turn, operation)

    def progress(self, operation: str) -> Mapping[str, Any]:
        return PROGRESS[operation[:2]](self._turn, operation)

    def load_view(self, view: str, args: Mapping[str, Any], cursor: str | None) -> View:
        return VIEWS[view](self._turn, args, cursor)
