"""What a payment names decides whose it is. Only words that exist count, and signed ones come
first; one payment under two numbers is booked once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from services import payment_notifications, payments
from services.domain import payment_purpose
from services.domain.bank import NotPaid, Paid
from services.domain.bank_line import BankLine
from services.domain.ledger import HOUSE, AccountKind
from services.domain.money import Money
from services.domain.payment import (
    BankNotification,
    Payer,
    Payment,
    PaymentState,
    SuspenseReason,
    Verdict,
)
from services.domain.topup import TopUpState
from services.payment_notifications import IntakeResult
from services.reconciliation import intake
from storage.invariants import invariant_violations
from tests.kit.payment_books import PaymentBooks
from tests.kit.plain_store import PHONE, PlainStore

CENTS = 50_000
FIRST, SECOND = "UC2FIRST01", "UC2SECOND2"
NUMBER = "FT26061ABCDE"
OTHER = "254733345678"
OURS = ("774451",)


class NotifiedPayments(PaymentBooks):
    """Receives notifications, by default of one amount."""

    def __init__(self, store: PlainStore) -> None:
        super().__init__(store)
        self.told = 0
        store.person("ACME")

    def is_told(
        self,
        receipt: str,
        account: str = "774451",
        narrative: str = "",
        payer: str = PHONE.msisdn,
        number: str | None = None,
        cents: int = CENTS,
    ) -> IntakeResult:
        """Record a notification whose narrative is not signed."""
        self.told += 1
        payment = Payment(
            receipt=receipt,
            amount=Money(cents),
            paid_at=self.store.now,
            account_reference=f"{account}#{narrative}",
            payer=Payer(payer),
            source="ncba.notification",
            typed=payment_purpose.typed((account, narrative), OURS),
            signed=payment_purpose.typed((account,), OURS),
            bank_reference=number,
        )
        notice = BankNotification(f"digest-{self.told}", Verdict.TAKEN, "{}", receipt, payment)
        return self.store.do(
            lambda tx: payment_notifications.record_notification(tx, self.random, notice)
        )

    def line(self, *words: str) -> None:
        day = self.store.now.date()
        lines = intake.with_peers([BankLine.of(day, Money(CENTS), words, is_credit=True)])
        self.store.do(lambda tx: intake.record_lines(tx, self.random, "file", lines))

    def wallet(self, partner: str = "DEMO") -> int:
        return self.balance(AccountKind.WALLET, partner) // CENTS

    @property
    def suspense(self) -> int:
        return self.balance(AccountKind.SUSPENSE, HOUSE) // CENTS

    def reviews(self, receipt: str) -> list[str]:
        return list(self.store.tx.evidence.open_review_reasons(self.payment(receipt).reference))


@pytest.fixture
def payments_told(fresh_store: PlainStore) -> Iterator[NotifiedPayments]:
    yield NotifiedPayments(fresh_store)
    assert list(invariant_violations(fresh_store.conn)) == []


# Typed words that match nothing of ours --------------------------------------------------------


@pytest.mark.parametrize("became", [None, "expired", "cancelled", "unknown"])
def test_words_that_are_nobodys_are_never_taken_for_a_prompt(
    payments_told: NotifiedPayments, became: str | None
) -> None:
    topup = payments_told.prompt(CENTS)
    match became:
        case "expired" | "cancelled":
            payments_told.worker.queried(topup, NotPaid(became, became == "cancelled", became))
        case "unknown":
            payments_told.store.wait(hours=23)
    payments_told.is_told(FIRST, "DEM")
    arrived = payments_told.payment(FIRST)
    assert (arrived.state, arrived.why) == (PaymentState.IN_SUSPENSE, SuspenseReason.UNMATCHED)
    assert (payments_told.wallet(), payments_told.suspense) == (0, 1)
    # The same holds when the bank says that the prompt was paid: that was another payment.
    payments_told.worker.queried(payments_told.worker.get(topup.reference), Paid("Success"))
    assert payments_told.payment(FIRST).state is PaymentState.IN_SUSPENSE
    assert payments_told.worker.get(topup.reference).receipt is None


def test_words_that_are_nobodys_do_not_lengthen_a_chain(payments_told: NotifiedPayments) -> None:
    first = payments_told.prompt(CENTS)
    payments_told.is_told(FIRST)  # inferred
    payments_told.is_told(SECOND, "school fees")
    assert payments_told.worker.get(first.reference).receipt == FIRST
    assert payments_told.payment(SECOND).why is SuspenseReason.UNMATCHED


@pytest.mark.parametrize("words", [("774451", ""), ("", ""), ("774451#", "774451")])
def test_our_account_alone_is_taken_for_the_prompt_of_that_payer(
    payments_told: NotifiedPayments, words: tuple[str, str]
) -> None:
    topup = payments_told.prompt(CENTS)
    payments_told.is_told(FIRST, *words)
    assert payments_told.worker.get(topup.reference).state is TopUpState.PAID
    assert payments_told.payment(FIRST).inferred


def test_who_says_later_that_other_words_were_typed_is_heard_by_admins(
    payments_told: NotifiedPayments,
) -> None:
    topup = payments_told.prompt(CENTS)
    payments_told.line(FIRST, f"{PHONE.msisdn} ASHA")  # the day's line, without the typed words
    assert payments_told.worker.get(topup.reference).receipt == FIRST
    payments_told.is_told(FIRST, "DEM")
    assert payments_told.reviews(FIRST) == [payments.NAMES_ANOTHER]
    assert payments_told.wallet() == 1


# What either field names -----------------------------------------------------------------------


@pytest.mark.parametrize("swap", [False, True])
def test_either_field_may_name_a_partner(payments_told: NotifiedPayments, swap: bool) -> None:
    words = ("774451", "acme")
    payments_told.is_told(FIRST, *(reversed(words) if swap else words), payer=OTHER)
    assert payments_told.wallet("ACME") == 1


@pytest.mark.parametrize("written", ["{0}", "774451#{0}", "774451{0}", "{0} thanks"])
def test_either_field_may_name_a_top_up(payments_told: NotifiedPayments, written: str) -> None:
    first, second = payments_told.prompt(CENTS), payments_told.prompt(CENTS)
    payments_told.is_told(FIRST, written.format(first.account_reference.lower()), payer=OTHER)
    payments_told.is_told(SECOND, "774451", written.format(second.account_reference), payer=OTHER)
    assert payments_told.worker.get(first.reference).receipt == FIRST
    assert payments_told.worker.get(second.reference).receipt == SECOND
    assert not payments_told.payment(SECOND).inferred


def test_a_partner_beside_its_own_top_up_is_no_contradiction(
    payments_told: NotifiedPayments,
) -> None:
    topup = payments_told.prompt(CENTS)
    payments_told.is_told(FIRST, "DEMO", topup.reference, payer=OTHER)
    assert payments_told.worker.get(topup.reference).receipt == FIRST


@pytest.mark.parametrize(
    "fields", [("DEMO", "ACME"), ("ACME", "{0}"), ("{0}", "ACME"), ("{0}", "{1}")]
)
def test_two_things_of_ours_are_a_contradiction(
    payments_told: NotifiedPayments, fields: tuple[str, str]
) -> None:
    topups = [payments_told.prompt(CENTS).reference, payments_told.prompt(CENTS).reference]
    account, narrative = (one.format(*topups) for one in fields)
    payments_told.is_told(FIRST, account, narrative)
    assert payments_told.payment(FIRST).why is SuspenseReason.AMBIGUOUS
    assert (payments_told.wallet(), payments_told.wallet("ACME"), payments_told.suspense) == (
        0,
        0,
        1,
    )


# Copies with other words -----------------------------------------------------------------------


@pytest.mark.parametrize("narrative", ["", "school fees"])
def test_a_copy_with_another_narrative_changes_nothing(
    payments_told: NotifiedPayments, narrative: str
) -> None:
    topup = payments_told.prompt(CENTS)
    payments_told.worker.queried(topup, NotPaid("cancelled", True, "cancelled"))
    payments_told.is_told(FIRST, "774451", narrative, payer=OTHER)
    assert payments_told.payment(FIRST).state is PaymentState.IN_SUSPENSE
    for forged in (topup.reference, "ACME", "DEMO"):
        assert payments_told.is_told(FIRST, "774451", forged, payer=OTHER).effects == []
    assert payments_told.payment(FIRST).state is PaymentState.IN_SUSPENSE
    assert (payments_told.wallet(), payments_told.wallet("ACME"), payments_told.suspense) == (
        0,
        0,
        1,
    )


def test_a_copy_that_is_signed_may_say_more(payments_told: NotifiedPayments) -> None:
    topup = payments_told.prompt(CENTS)
    payments_told.worker.queried(topup, NotPaid("cancelled", True, "cancelled"))
    payments_told.is_told(FIRST, payer=OTHER)
    payments_told.is_told(FIRST, topup.reference, payer=OTHER)
    assert payments_told.worker.get(topup.reference).receipt == FIRST


def test_the_first_notification_after_a_line_may_say_more_in_its_narrative(
    payments_told: NotifiedPayments,
) -> None:
    topup = payments_told.prompt(CENTS)
    payments_told.line(FIRST, "Paybill payment")
    payments_told.is_told(FIRST, "774451", topup.reference)
    assert payments_told.worker.get(topup.reference).receipt == FIRST


# One payment with two numbers ------------------------------------------------------------------


@pytest.mark.parametrize("receipt_first", [True, False])
def test_the_same_number_of_the_banks_is_the_same_payment(
    payments_told: NotifiedPayments, receipt_first: bool
) -> None:
    for receipt in (FIRST, NUMBER) if receipt_first else (NUMBER, FIRST):
        taken = payments_told.is_told(receipt, "DEMO", number=NUMBER, payer="")
        assert taken.accepted
    assert (payments_told.wallet(), payments_told.suspense) == (1, 0)


@pytest.mark.parametrize("receipt_first", [True, False])
@pytest.mark.parametrize("payer", ["", PHONE.msisdn])
def test_what_may_be_known_by_another_number_is_booked_once_and_looked_at(
    payments_told: NotifiedPayments, receipt_first: bool, payer: str
) -> None:
    by_receipt = {"receipt": FIRST, "number": "FTC260302AAAA", "payer": PHONE.msisdn}
    by_number = {"receipt": NUMBER, "number": NUMBER, "payer": payer}
    order = (by_receipt, by_number) if receipt_first else (by_number, by_receipt)
    first, second = (payments_told.is_told(account="DEMO", **one) for one in order)  # type: ignore[arg-type]
    assert first.accepted
    assert second.accepted  # stored, so sending it again adds nothing
    (spoiled,) = second.effects
    assert isinstance(spoiled, payments.RefusedNotification)
    assert spoiled.notification.verdict is Verdict.MAY_BE_KNOWN
    assert payments_told.store.tx.evidence.open_review_reasons(spoiled.reference) == [
        "may_be_known"
    ]
    assert (payments_told.wallet(), payments_told.suspense) == (1, 0)


@pytest.mark.parametrize("apart", [{"payer": OTHER}, {"cents": CENTS + 100}, {"wait": 49}])
def test_what_is_surely_another_is_booked_beside_it(
    payments_told: NotifiedPayments, apart: dict[str, object]
) -> None:
    payments_told.is_told(FIRST, "DEMO")
    payments_told.store.wait(hours=float(str(apart.pop("wait", 0))))
    payments_told.is_told(NUMBER, "DEMO", number=NUMBER, **apart)  # type: ignore[arg-type]
    assert payments_told.wallet() == 2


def test_a_line_with_a_receipt_for_what_is_known_by_the_banks_number_is_no_second_payment(
    payments_told: NotifiedPayments,
) -> None:
    payments_told.is_told(NUMBER, "DEMO", number=NUMBER)
    payments_told.line(FIRST, "DEMO", f"{PHONE.msisdn} ASHA")
    assert (payments_told.wallet(), payments_told.suspense) == (1, 0)


def test_what_was_kept_before_fields_were_told_apart_is_matched_as_it_was(
    payments_told: NotifiedPayments,
) -> None:
    first, second = payments_told.prompt(CENTS), payments_told.prompt(CENTS)
    payment = Payment(
        FIRST, Money(CENTS), payments_told.store.now, "774451", Payer(PHONE.msisdn), "bank"
    )
    payments_told.store.do(lambda tx: payments.record(tx, payments_told.random, payment))
    assert payments_told.payment(FIRST).why is SuspenseReason.AMBIGUOUS
    assert payments_told.payment(FIRST).payment == replace(payment, typed=None)
    payments_told.worker.queried(first, Paid("Success"))
    assert payments_told.worker.get(first.reference).receipt == FIRST
    assert payments_told.worker.get(second.reference).receipt is None
