"""What float purchases and payouts have in common: a person approves with a code that money leaves
one of the partner's balances."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias, TypeVar

from services.domain.float_purchase import Purchase
from services.domain.otp import Binding, Purpose
from services.domain.payout import Payout

Spending: TypeAlias = Purchase | Payout
S = TypeVar("S", bound="Purchase | Payout")


class SpendingState(StrEnum):
    """The states that both have, under these names, until the money is held."""

    QUOTED = "QUOTED"
    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    OTP_SENT = "OTP_SENT"
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
