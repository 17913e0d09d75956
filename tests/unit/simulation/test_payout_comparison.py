"""Our payouts and M-PESA's books agree as far as both have settled, or it is said where not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.simulation.daraja.b2c_ledger import NEVER, B2cPayment
from bot.simulation.payout_comparison import MpesaBooks, payout_mismatches, utility_mismatches
from services.domain.money import Money
from services.domain.phone import Phone

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BEFORE, EARLIER, LATER = (NOW + timedelta(minutes=minutes) for minutes in (-2, -1, 1))
PHONE = Phone("254722000111")
ID, RECEIPT = "HZPO7K3QF9", "SG632NMUAB"
OPENING, AMOUNT, NOTHING = Money(10_000_00), Money(1_500_00), Money(0)
SETTLED = ("PAID", "PAID_AFTER_RETURN")
NOT_SETTLED = ("SUBMITTING", "ACCEPTED", "UNKNOWN")
NEVER_ORDERED = ("QUOTED", "OTP_SENT", "AUTHORISED", "CANCELLED", "REFUSED")


@dataclass(frozen=True, slots=True)
class Row:
    """A payout of ours: 1,500 shillings to ``PHONE``."""

    state: str
    reference: str = "PO-7K3QF9"
    recipient: Phone = PHONE
    amount: Money = AMOUNT
    originator_id: str = ID
    receipt: str | None = None


@dataclass
class Mpesa:
    """Each order is paid a minute before now, unless it is said otherwise."""

    payments: list[B2cPayment] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    utility: Money = OPENING
    last_crash: datetime | None = None

    def order(
        self,
        originator_id: str = ID,
        *,
        phone: str = PHONE.msisdn,
        kes: int = 1_500,
        paid_at: datetime = EARLIER,
        refused_at: datetime = NEVER,
        reported_at: datetime | None = None,
    ) -> None:
        self.payments.append(
            B2cPayment(
                originator_id=originator_id,
                conversation_id="AG_1",
                transaction_id=RECEIPT,
                phone=phone,
                name="ASHA EXAMPLE",
                amount_kes=kes,
                charge_kes=5,
                ordered_at=BEFORE,
                known_at=BEFORE,
                refused_at=refused_at,
                paid_at=paid_at,
                reported_at=reported_at,
            )
        )
        self.counts[originator_id] = 1
        if paid_at <= NOW:
            self.utility -= Money(kes * 100)

    @property
    def books(self) -> MpesaBooks:
        return MpesaBooks(NOW, self.payments, self.counts, self.utility, self.last_crash)


@pytest.fixture
def mpesa() -> Mpesa:
    return Mpesa()


def compared(mpesa: Mpesa, *rows: Row) -> list[str]:
    return list(payout_mismatches(rows, mpesa.books))


@pytest.mark.parametrize("state", SETTLED)
def test_what_is_paid_here_is_paid_there(mpesa: Mpesa, state: str) -> None:
    (words,) = compared(mpesa, Row(state))
    assert words == f"PO-7K3QF9 is {state}, but M-PESA has paid no such payout"
    mpesa.order(reported_at=EARLIER)
    assert compared(mpesa, Row(state), Row("QUOTED", "PO-222222", originator_id="HZ2")) == []


def test_what_was_ordered_and_is_not_paid_yet_is_not_paid(mpesa: Mpesa) -> None:
    mpesa.order(paid_at=LATER)
    assert compared(mpesa, Row("ACCEPTED")) == []
    (words,) = compared(mpesa, Row("PAID"))
    assert "has paid no such payout" in words


def test_a_payment_that_was_refused_is_none(mpesa: Mpesa) -> None:
    mpesa.order(paid_at=NEVER, refused_at=EARLIER)
    assert compared(mpesa, Row("RETURNED")) == []
    (words,) = compared(mpesa, Row("PAID"))
    assert "has paid no such payout" in words


def test_the_receipt_is_that_of_the_payment(mpesa: Mpesa) -> None:
    mpesa.order()
    assert compared(mpesa, Row("PAID", receipt=RECEIPT)) == []
    (words,) = compared(mpesa, Row("PAID", receipt="SG6OTHER00"))
    assert words == f"PO-7K3QF9 has the receipt SG6OTHER00, and M-PESA's is {RECEIPT}"


@pytest.mark.parametrize("state", [*SETTLED, *NOT_SETTLED])
def test_amount_and_phone_are_those_of_the_payout(mpesa: Mpesa, state: str) -> None:
    mpesa.order(kes=1_501)
    (words,) = compared(mpesa, Row(state))
    assert words == "M-PESA was ordered to pay KES 1,501 to 0722 000 111 for PO-7K3QF9"
    other = Mpesa()
    other.order(phone="254722000112")
    (words,) = compared(other, Row(state))
    assert words == "M-PESA was ordered to pay KES 1,500 to 0722 000 112 for PO-7K3QF9"


def test_each_payout_is_ordered_once(mpesa: Mpesa) -> None:
    mpesa.order()
    mpesa.counts[ID] = 2
    assert compared(mpesa, Row("PAID")) == [f"M-PESA was ordered 2 times to pay {ID}"]


@pytest.mark.parametrize("paid_at", [EARLIER, LATER, NEVER])
def test_what_is_ordered_there_is_a_payout_of_ours(mpesa: Mpesa, paid_at: datetime) -> None:
    mpesa.order("HZPO222222", paid_at=paid_at)
    (words,) = compared(mpesa, Row("QUOTED"))
    assert words == "M-PESA was ordered to pay HZPO222222, which is no payout of ours"


@pytest.mark.parametrize("state", NOT_SETTLED)
def test_what_is_not_settled_here_may_be_paid_there(mpesa: Mpesa, state: str) -> None:
    mpesa.order(reported_at=EARLIER)
    assert compared(mpesa, Row(state)) == []


@pytest.mark.parametrize("state", NEVER_ORDERED)
def test_what_was_not_ordered_is_not_paid(mpesa: Mpesa, state: str) -> None:
    mpesa.order()
    assert compared(mpesa, Row(state)) == [f"M-PESA has paid PO-7K3QF9, which is {state}"]


@pytest.mark.parametrize(
    ("reported_at", "last_crash", "holds"),
    [
        (None, None, True),
        (None, EARLIER, True),
        (EARLIER, None, False),
        (EARLIER, BEFORE, False),
        (BEFORE, BEFORE, True),
        (BEFORE, EARLIER, True),
    ],
)
def test_what_is_returned_is_not_paid_unless_that_was_not_told(
    mpesa: Mpesa, reported_at: datetime | None, last_crash: datetime | None, holds: bool
) -> None:
    mpesa.last_crash = last_crash
    mpesa.order(reported_at=reported_at, refused_at=BEFORE)
    words = "M-PESA has paid PO-7K3QF9, which is RETURNED"
    assert compared(mpesa, Row("RETURNED")) == ([] if holds else [words])


def left(mpesa: Mpesa, ours: Money, *rows: Row, not_bought: Money = NOTHING) -> list[str]:
    return list(utility_mismatches(rows, mpesa.books, ours, not_bought))


@pytest.mark.parametrize("state", SETTLED)
def test_a_payout_that_is_paid_has_left_both_books(mpesa: Mpesa, state: str) -> None:
    mpesa.order()
    assert left(mpesa, OPENING - AMOUNT, Row(state)) == []
    assert left(mpesa, OPENING, Row(state)) == [
        "the utility account should have KES 10,000, and M-PESA has KES 8,500 in it"
    ]


@pytest.mark.parametrize("state", [*NOT_SETTLED, "RETURNED"])
def test_a_payout_that_is_not_settled_here_may_have_left_there(mpesa: Mpesa, state: str) -> None:
    assert left(mpesa, OPENING, Row(state)) == []
    mpesa.order()
    assert left(mpesa, OPENING, Row(state)) == []
    assert left(mpesa, OPENING - AMOUNT, Row(state)) != []


def test_float_that_we_do_not_know_to_be_bought_is_there(mpesa: Mpesa) -> None:
    mpesa.utility += Money(300_00)
    assert left(mpesa, OPENING) != []
    assert left(mpesa, OPENING, not_bought=Money(300_00)) == []


def test_a_cent_is_enough(mpesa: Mpesa) -> None:
    assert left(mpesa, OPENING) == []
    assert left(replace(mpesa, utility=OPENING - Money(1)), OPENING) != []
