"""A buyer of float who types a desk PIN instead of a code."""

from __future__ import annotations

from services import desk_pins, float_by_pin
from services.approvals import AwaitingApproval
from services.domain.desk_pin import digest
from services.domain.float_purchase import Purchase
from services.domain.refusal import Refusal
from services.domain.spending import Shortfall
from services.float_quotes import Requoted
from storage.transaction import StoreTx
from tests.kit.desk_pins import PIN, WRONG
from tests.kit.float_buyer import FloatBuyer

Confirmed = Purchase | AwaitingApproval | Requoted | Shortfall | Refusal


def set_pin(buyer: FloatBuyer, pin: str = PIN) -> None:
    def put(tx: StoreTx) -> None:
        keys, person = buyer.keys, buyer.person.id
        tx.desk_pins.put(person, keys.pepper_id, digest(keys.pepper(keys.pepper_id), person, pin))

    buyer.store.do(put)


def confirm(buyer: FloatBuyer, reference: str) -> Confirmed:
    """The yes to what the quote shows."""
    price = buyer.get(reference).quote
    shown = price.amount, price.fees, price.total
    return buyer.store.do(
        lambda tx: float_by_pin.confirm(tx, buyer.policy, buyer.person, reference, *shown)
    )


def type_pin(
    buyer: FloatBuyer, reference: str, pin: str = PIN
) -> Purchase | desk_pins.NotPassed | Refusal:
    return buyer.store.do(
        lambda tx: float_by_pin.authorise(
            tx, buyer.keys, buyer.policy, buyer.person, reference, pin
        )
    )


def confirmed(buyer: FloatBuyer) -> str:
    """A purchase that only waits for its PIN."""
    set_pin(buyer)
    reference = buyer.quote()
    assert confirm(buyer, reference) == buyer.get(reference)
    return reference


def three_wrong(buyer: FloatBuyer, reference: str) -> None:
    for _ in range(3):
        type_pin(buyer, reference, WRONG)
