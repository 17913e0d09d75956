"""What float purchases, payouts and batches of payouts have in common: a person approves with a
code that money leaves one of the partner's balances."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias, TypeVar

from services.domain.float_purchase import Purchase
from services.domain.money import Money
from services.domain.otp import Binding, Purpose
from services.domain.payout import Payout
from services.domain.payout_batch import Batch

Spending: TypeAlias = Purchase | Payout | Batch
S = TypeVar("S", bound="Purchase | Payout | Batch")


@dataclass(frozen=True, slots=True)
class Shortfall:
    """The balance that would pay for it has less than ``total``. ``missing`` is what to add: in
    whole shillings, and no less than can be added at once."""

    total: Money
    available: Money
    missing: Money

    @staticmethod
    def of(total: Money, available: Money, least: Money | None = None) -> Shortfall | None:
        """``None`` if there is enough. ``least`` is the least that can be added at once."""
        if total <= available:
            return None
        missing = total - available
        shillings = Money(-(-missing.cents // 100) * 100, missing.currency)
        return Shortfall(total, available, shillings if least is None else max(shillings, least))


class SpendingState(StrEnum):
    """The states that all have, under these names, up to the one in which the money is held: for
    a batch that is ``RUNNING``."""

    QUOTED = "QUOTED"
    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    OTP_SENT = "OTP_SENT"
    AUTHORISED = "AUTHORISED"
    OTP_EXPIRED = "OTP_EXPIRED"
    OTP_LOCKED = "OTP_LOCKED"
    CANCELLED = "CANCELLED"
    REFUSED = "REFUSED"


CONFIRMABLE = frozenset({SpendingState.QUOTED, SpendingState.AWAITING_APPROVAL})
CANCELLABLE = CONFIRMABLE | {SpendingState.OTP_SENT}


def is_in(spending: Spending, *states: SpendingState) -> bool:
    return spending.state.value in {state.value for state in states}


def destination(spending: Spending) -> str:
    """Where the money goes, as its code is bound to it."""
    if isinstance(spending, Payout):
        return spending.recipient.msisdn
    if isinstance(spending, Batch):
        return spending.digest
    return spending.short_code


_PURPOSES = {
    Purchase: Purpose.FLOAT_PURCHASE,
    Payout: Purpose.DISBURSEMENT,
    Batch: Purpose.PAYOUT_BATCH,
}


def binding(spending: Spending) -> Binding:
    """What its code approves: the total that leaves the balance, and where it goes."""
    assert spending.person_id is not None
    return Binding(
        purpose=_PURPOSES[type(spending)],
        operation=spending.reference,
        partner=spending.partner,
        person_id=spending.person_id,
        amount=spending.quote.total,
        destination=destination(spending),
    )
