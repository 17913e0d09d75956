"""The engine's host: one person's turn, inside one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from bot import document_acts, float_acts, settings_acts, topup_acts, views
from bot.desk import Desk, Turn
from flows.event import Event
from flows.host import Exit, View, Waiting
from services import purchases
from services.domain.days import business_day
from services.domain.money import Money
from services.domain.partner import MOVES_MONEY, Person
from services.domain.refusal import Refusal
from services.preferences import MARK_MAX
from services.statements import month_before, month_so_far
from storage.outbox import OutboxRow
from storage.transaction import SqliteTx

USUAL_AMOUNTS = tuple(Money(shillings * 100) for shillings in (500, 1_000, 5_000))
USUAL_FLOAT = tuple(Money(shillings * 100) for shillings in (5_000, 10_000, 50_000))
SUGGESTIONS = 3  # buttons of usual values
LIMITS = {"topup": ("c2b.min", "c2b.max"), "float": ("float.min", "float.max")}

Run = Callable[[Turn, Mapping[str, Any], str | None], Exit | Waiting | Refusal]
CheckCode = Callable[[Turn, Mapping[str, Any], str, str], Exit | Refusal]
Act = Callable[[Turn, str], Exit | Refusal | None]
Progress = Callable[[Turn, str], Mapping[str, Any]]
See = Callable[[Turn, Mapping[str, Any], str | None], View]


def _check_operation(turn: Turn, operation: str) -> Refusal | None:
    """Whatever kind of operation it is that history shows."""
    if operation.startswith("FL"):
        return float_acts.check(turn, operation)
    topup_acts.check(turn, operation)
    return None


RUN: dict[str, Run] = {
    "secure_topup": topup_acts.secure,
    "start_topup": topup_acts.start,
    "start_another_topup": topup_acts.start_another,
    "request_float": float_acts.request,
    "confirm_float": float_acts.confirm,
    "buy_float": float_acts.buy,
    "set_wallet_mark": settings_acts.set_wallet_mark,
    "set_float_mark": settings_acts.set_float_mark,
    "set_notice": settings_acts.set_notice,
    "set_language": settings_acts.set_language,
    "forget_phone": settings_acts.forget_phone,
    "request_document": document_acts.request,
}
MOVES = frozenset({"start_topup", "start_another_topup", "confirm_float"})  # role asked again
CHECK_CODE: dict[str, CheckCode] = {
    "check_topup_code": topup_acts.check_code,
    "check_float_code": float_acts.check_code,
}
ACT: dict[str, Act] = {
    "check_topup": topup_acts.check,
    "resend_topup_code": topup_acts.resend_code,
    "cancel_topup": topup_acts.cancel,
    "check_float": float_acts.check,
    "check_operation": _check_operation,
    "topup_code_stands": topup_acts.code_stands,
    "float_code_stands": float_acts.code_stands,
    "resend_float_code": float_acts.resend_code,
    "cancel_float": float_acts.cancel,
}
PROGRESS: dict[str, Progress] = {
    "TU": topup_acts.progress,
    "FL": float_acts.progress,
    "ST": document_acts.progress,
}
SEE: dict[str, See] = {
    "balance": views.balance,
    "history": views.operations,
    "operation": views.operation,
    "settings": settings_acts.settings,
    "notices": settings_acts.notices,
    "notice": settings_acts.notice,
    "phones": settings_acts.phones,
}


class TurnHost:
    """``flows.host.Host`` for one event. ``person`` is nobody where the address is not linked.

    ``rows`` are the messages that use cases queued beside the answer.
    """

    def __init__(
        self,
        desk: Desk,
        tx: SqliteTx,
        event: Event,
        person: Person | None,
        *,
        is_admin: bool,
    ) -> None:
        self._desk = desk
        self._tx = tx
        self._event = event
        self._is_admin = is_admin
        self._turn = None if person is None else Turn(desk, tx, event, person)

    @property
    def rows(self) -> Sequence[OutboxRow]:
        return () if self._turn is None else self._turn.rows

    @property
    def language(self) -> str:
        return "en" if self._turn is None else self._turn.person.language

    def facts(self) -> Mapping[str, Any]:
        person = self._known().person
        return {
            "name": person.name.title(),
            "partner": person.partner.code,
            "my_phone": person.phone,
        }

    def may_enter(self) -> Refusal | None:
        if self._turn is not None:
            return None
        if self._is_admin:
            return Refusal("admin_only")
        return Refusal.of("not_linked", address=self._event.address)

    def may_open(self, flow: str, moves_money: bool) -> Refusal | None:
        """Whether this person may enter ``flow`` now."""
        person = self._known().person
        if moves_money and person.role not in MOVES_MONEY:
            return Refusal.of("role", partner=person.partner.code)
        if moves_money and person.partner.suspended:
            return Refusal.of("suspended", partner=person.partner.code)
        if flow == "float":
            return purchases.may_buy(self._tx, self._desk.policy, person)
        return None

    def today(self) -> date:
        return business_day(self._tx.now)

    def limits(self, name: str) -> tuple[Money, Money]:
        if name == "mark":
            return Money(0), MARK_MAX
        least, most = LIMITS[name]
        limits, partner = self._tx.limits, self._known().person.partner.code
        return limits.in_force(least, partner), limits.in_force(most, partner)

    def suggest(self, name: str) -> Sequence[Any]:
        person = self._known().person
        if name == "amounts":
            own = self._tx.topups.recent_amounts(person.id, SUGGESTIONS)
            return sorted(own) or USUAL_AMOUNTS
        if name == "float_amounts":
            own = self._tx.purchases.recent_amounts(person.id, SUGGESTIONS)
            return sorted(own) or USUAL_FLOAT
        if name == "periods":
            today = self.today()
            return [month_so_far(today), month_before(today)]
        assert name == "phones"
        recent = self._tx.topups.recent_phones(person.id, SUGGESTIONS + 1)
        return [phone for phone in recent if phone != person.phone][:SUGGESTIONS]

    def run(
        self, use_case: str, args: Mapping[str, Any], operation: str | None
    ) -> Exit | Waiting | Refusal:
        if use_case in MOVES and (refusal := self.may_open(use_case, moves_money=True)):
            return refusal
        return RUN[use_case](self._known(), args, operation)

    def check_code(
        self, use_case: str, args: Mapping[str, Any], operation: str, code: str
    ) -> Exit | Refusal:
        if refusal := self.may_open(use_case, moves_money=True):
            return refusal
        return CHECK_CODE[use_case](self._known(), args, operation, code)

    def act(self, use_case: str, operation: str) -> Exit | Refusal | None:
        return ACT[use_case](self._known(), operation)

    def progress(self, operation: str) -> Mapping[str, Any]:
        return PROGRESS[operation[:2]](self._known(), operation)

    def look(self, view: str, args: Mapping[str, Any], cursor: str | None) -> View:
        return SEE[view](self._known(), args, cursor)

    def _known(self) -> Turn:
        assert self._turn is not None, "nobody unlinked gets this far"
        return self._turn
