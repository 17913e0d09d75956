"""What the conversation engine may ask of the program, for one turn in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from bot.context import AppContext, OperationUpdate, TurnContext, Wakeup
from bot.handlers import operations_under_way
from bot.handlers.suspicious_attempts import note_suspicious_attempt
from bot.turns import authorisation
from bot.turns.authorisation import AccessDenied
from bot.turns.registry import HANDLERS
from flows.engine.capabilities import ChannelCapabilities
from flows.engine.declarations import HandlerKind
from flows.engine.event import Event
from flows.engine.host import Begun, Exit, OperationStarted, Recalled, View
from services import float_quotes, payout_quotes
from services.domain.business_days import business_day
from services.domain.money import Money
from services.domain.outbox import OutboxRow
from services.domain.partner import Person, Right
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.ports import Tx
from services.preferences import THRESHOLD_MAX

# The least for amounts without a stored limit; their most is that of a low-balance mark.
LEAST = {"offer": Money(100), "mark": Money(0), "limit": Money(0), "adjustment": Money(1)}
LIMITS = {
    "topup": ("c2b.min", "c2b.max"),
    "float": ("float.min", "float.max"),
    "pay": ("payout.min", "payout.max"),
}


class TurnHost:
    """``Host`` for one event. ``person`` is ``None`` if the address is not linked.

    ``rows`` are the messages that use cases queued besides the answer. ``outcomes`` are operations
    that ended during the turn, whose initiators must be notified.
    """

    def __init__(
        self,
        context: AppContext,
        tx: Tx,
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
        return self._offers[what]()

    @property
    def _offers(self) -> Mapping[str, Callable[[], bool]]:
        """By what an option needs: whether it is there now."""
        by_hand = self._context.policy.by_hand
        return {
            "paybill": lambda: by_hand is not None,
            "qr": lambda: by_hand is not None and by_hand.has_till and self.channel.files,
            "payouts_running": lambda: not self._is_frozen(),
            "payouts_frozen": self._is_frozen,
            "doubled_rows": self._has_doubled_rows,
            "all_payouts_running": lambda: self._tx.payout_pauses.standing() is None,
            "all_payouts_paused": lambda: self._tx.payout_pauses.standing() is not None,
        }

    def _is_frozen(self) -> bool:
        person = self._turn.linked_person
        return person is not None and person.partner.payouts_frozen_at is not None

    def _has_doubled_rows(self) -> bool:
        """Whether a file was sent here whose repeated rows nobody has taken yet."""
        quoted = self._tx.payout_batches.quoted(self._event.channel, self._event.address)
        return quoted is not None and not quoted.accepted

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
        return authorisation.not_linked(self._turn)

    def has_right(self, needs: Right | None) -> bool:
        return authorisation.has_right(self._turn, needs)

    def owns(self, needs: Right | None, operation: str) -> bool:
        if needs in (None, Right.ADMIN):  # strangers' handlers ask themselves; admins may see all
            return True
        return authorisation.owns(self._turn, operation)

    def open_refusal(self, flow: str, needs: Right | None) -> Refusal | None:
        """Whether this person may enter ``flow`` now."""
        refusal = authorisation.check_right(self._turn, needs)
        if refusal is None and flow == "float":
            return float_quotes.check_may_buy(self._tx, self._context.policy, self._turn.person)
        if refusal is None and flow == "batch" and self._context.policy.payout_short_code is None:
            return Refusal("pay_not_set_up")
        if refusal is None and flow == "pay":
            return payout_quotes.check_may_pay(self._tx, self._context.policy, self._turn.person)
        return refusal

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

    def recipient(self, name: str) -> Phone | None:
        saved = self._tx.recipients.of_name(self._turn.person.partner.code, name)
        return None if saved is None else saved.phone

    def run(
        self, use_case: str, args: Mapping[str, Any], operation: str | None
    ) -> Exit | OperationStarted | Refusal:
        values = {**args, "operation": operation}
        result: Exit | OperationStarted | Refusal
        result = self._call(HandlerKind.USE_CASE, use_case, values)
        return result

    def check_code(
        self, use_case: str, args: Mapping[str, Any], operation: str, code: str
    ) -> Exit | Refusal:
        values = {**args, "operation": operation, "code": code}
        result: Exit | Refusal = self._call(HandlerKind.CODE_CHECK, use_case, values)
        return result

    def act(self, action: str, operation: str) -> Exit | Refusal | None:
        result: Exit | Refusal | None
        result = self._call(HandlerKind.ACTION, action, {"operation": operation})
        return result

    def suggest(self, name: str, args: Mapping[str, Any]) -> Sequence[Any]:
        suggested: Sequence[Any] = self._show(HandlerKind.SUGGESTION, name, args)
        return suggested

    def count(self, name: str) -> int:
        counted: int = self._show(HandlerKind.COUNT, name, {})
        return counted

    def progress(self, operation: str) -> Mapping[str, Any]:
        facts: Mapping[str, Any]
        facts = self._show(HandlerKind.PROGRESS, operation[:2], {"operation": operation})
        return facts

    def load_view(self, view: str, args: Mapping[str, Any], cursor: str | None) -> View:
        loaded: View | None = self._show(HandlerKind.VIEW, view, {**args, "cursor": cursor})
        assert loaded is not None, "only what is there can be opened"
        return loaded

    def under_way(self) -> Begun | None:
        person = self._turn.linked_person
        return None if person is None else operations_under_way.newest(self._turn)

    def recall(self, operation: str) -> Recalled | Refusal:
        if HANDLERS.get(HandlerKind.RECALL, operation[:2]) is None:
            refusal = authorisation.check_right(self._turn, Right.VIEW)
            return refusal or Refusal.of("not_yours", partner=self._turn.person.partner.code)
        values = {"operation": operation}
        result: Recalled | Refusal = self._call(HandlerKind.RECALL, operation[:2], values)
        return result

    def may_open(self, view: str, args: Mapping[str, Any]) -> bool:
        handler = HANDLERS[HandlerKind.VIEW, view]
        values = {**args, "cursor": None}
        if authorisation.check_access(self._turn, handler, values) is not None:
            return False
        return handler.call(self._turn, values) is not None

    def _call(self, kind: HandlerKind, name: str, values: Mapping[str, Any]) -> Any:
        handler = HANDLERS[kind, name]
        refusal = authorisation.check_access(self._turn, handler, values)
        return refusal or handler.call(self._turn, values)

    def _show(self, kind: HandlerKind, name: str, values: Mapping[str, Any]) -> Any:
        """Raises ``AccessDenied``."""
        handler = HANDLERS[kind, name]
        if refusal := authorisation.check_access(self._turn, handler, values):
            raise AccessDenied(handler, refusal)
        return handler.call(self._turn, values)
