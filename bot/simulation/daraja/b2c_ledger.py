"""The simulated short code's books: its accounts, and every payment that was ordered from it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from bot.simulation.daraja.dated_account import DatedAccount
from bot.simulation.daraja.payees import RESULT_AFTER, Payee, Payees
from bot.simulation.daraja.request_fields import Fields
from bot.simulation.daraja.result_codes import ABOVE_MAXIMUM, BELOW_MINIMUM, UTILITY_SHORT
from bot.simulation.daraja.tariff import MAXIMUM_KES, MINIMUM_KES, charge_kes
from bot.simulation.daraja.wire_ids import WireIds

NEVER = datetime.max.replace(tzinfo=UTC)


class B2cState(StrEnum):
    """In M-PESA's words."""

    UNDER_WAY = "Authorized"
    PAID = "Completed"
    REFUSED = "Declined"


@dataclass(slots=True)
class B2cPayment:
    """It is refused at ``refused_at`` and paid at ``paid_at``: the one, the other, or first the one
    and then the other. A status query finds it from ``known_at``.

    ``reported_at`` is when the product first took a message that says it is paid: from then on it
    knows, unless it died before recording it. ``told_at`` is when such a message first left, taken
    or not, and ``confirmed_at`` when one left that answers a query.
    """

    originator_id: str  # ours
    conversation_id: str
    transaction_id: str  # the receipt, if it is paid
    phone: str
    name: str
    amount_kes: int
    charge_kes: int
    ordered_at: datetime
    known_at: datetime
    refused_at: datetime = NEVER
    paid_at: datetime = NEVER
    reported_at: datetime | None = None
    told_at: datetime | None = None
    confirmed_at: datetime | None = None

    def state(self, now: datetime) -> B2cState:
        if self.paid_at <= now:
            return B2cState.PAID
        return B2cState.REFUSED if self.refused_at <= now else B2cState.UNDER_WAY


class B2cLedger:
    """Accounts are in cents. What payments cost is owed and settled apart, so that account is
    negative (facts: Daraja 5). ``order_counts`` counts the orders that reached it, by our id.
    """

    def __init__(self, ids: WireIds, payees: Payees) -> None:
        self._ids = ids
        self._payees = payees
        self.utility = DatedAccount()
        self.charges_paid = DatedAccount()
        self.order_counts: Counter[str] = Counter()
        self._by_originator: dict[str, B2cPayment] = {}
        self._by_transaction: dict[str, B2cPayment] = {}

    def order(
        self, fields: Fields, now: datetime, *, refusal: str | None, late_by: timedelta
    ) -> tuple[B2cPayment, Payee]:
        """Take an order whose id is new. ``refusal`` is the code of one that does not even reach
        the payee; everything happens ``late_by`` later than it would.
        """
        payment = self._enter(fields, now)
        refusal = refusal or self._refusal(payment.amount_kes, now)
        if refusal is not None:
            does = Payee(fails_with=refusal, paid_after=None)
        else:
            does = self._payees.take(payment.phone)
        begins = now + late_by
        if does.fails_with is not None:
            payment.refused_at = begins + RESULT_AFTER
        if does.paid_after is not None:
            payment.paid_at = begins + does.paid_after
            self.utility.enter(-payment.amount_kes * 100, payment.paid_at)
            self.charges_paid.enter(-payment.charge_kes * 100, payment.paid_at)
        if does.is_hidden:
            payment.known_at = payment.paid_at
        return payment, does

    def by_originator(self, originator_id: str) -> B2cPayment | None:
        return self._by_originator.get(originator_id)

    def find(self, fields: Fields, now: datetime) -> B2cPayment | None:
        """By the ids of a status query, if M-PESA knows the payment by now."""
        payment = self._by_originator.get(fields.get("OriginalConversationID", ""))
        payment = payment or self._by_transaction.get(fields.get("TransactionID", ""))
        return payment if payment is not None and payment.known_at <= now else None

    def payments(self) -> tuple[B2cPayment, ...]:
        """Every one that was ordered, in the order of the orders."""
        return tuple(self._by_originator.values())

    def paid(self, now: datetime) -> tuple[B2cPayment, ...]:
        paid = (one for one in self._by_originator.values() if one.paid_at <= now)
        return tuple(sorted(paid, key=lambda one: one.paid_at))

    def _enter(self, fields: Fields, now: datetime) -> B2cPayment:
        amount = int(fields["Amount"])
        payment = B2cPayment(
            originator_id=fields["OriginatorConversationID"],
            conversation_id=self._ids.conversation(now),
            transaction_id=self._ids.receipt(),
            phone=fields["PartyB"],
            name=self._payees.name(fields["PartyB"]),
            amount_kes=amount,
            charge_kes=charge_kes(min(amount, MAXIMUM_KES)),
            ordered_at=now,
            known_at=now,
        )
        self._by_originator[payment.originator_id] = payment
        self._by_transaction[payment.transaction_id] = payment
        return payment

    def _refusal(self, amount_kes: int, now: datetime) -> str | None:
        if amount_kes < MINIMUM_KES:
            return BELOW_MINIMUM
        if amount_kes > MAXIMUM_KES:
            return ABOVE_MAXIMUM
        return UTILITY_SHORT if self.utility.free(now) < amount_kes * 100 else None
