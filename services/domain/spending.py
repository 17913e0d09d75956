"""What float purchases and payouts have in common: a person approves with a code that money leaves
one of the partner's balances."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias, TypeVar

from services.domain.float_purchase import Purchase
from services.domain.money import Money
from services.domain.otp import Binding, Purpose
from services.domain.payout import Payout

Spending: TypeAlias = Purchase | Payout
S = TypeVar("S", bound="Purchase | Payout")


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
    """The states that both have, under these names, up to the one in which the money is held."""

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
    return spending.short_code


def binding(spending: Spending) -> Binding:
    """What its code approves: the total that leaves the balance, and where it goes."""
    assert spending.person_id is not None
    is_payout = isinstance(spending, Payout)
    return Binding(
        purpose=Purpose.DISBURSEMENT if is_payout else Purpose.FLOAT_PURCHASE,
        operation=spending.reference,
        partner=spending.partner,
        person_id=spending.person_id,
        amount=spending.quote.total,
        destination=destination(spending),
    )
