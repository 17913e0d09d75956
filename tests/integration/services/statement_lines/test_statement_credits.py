"""Receipts and payers on a statement are identified by the role of their fields."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import payments
from services.domain.bank import Unknown
from services.domain.business_days import start_of_day
from services.domain.ledger import HOUSE, Account, AccountKind
from services.domain.money import Money
from services.domain.payment import Payer, Payment, PaymentState, SuspenseReason
from services.domain.phone import Phone, phones_in
from services.domain.reconciliation import FindingKind
from services.domain.topup import TopUp, TopUpState
from services.reconciliation import intake
from services.topup_settlement import ChangeKind, TopUpChange
from tests.kit.plain_store import PHONE
from tests.kit.statement_books import CENTS, NEXT, OTHER, RECEIPT, StatementBooks, line

# Receipts -----------------------------------------------------------------------------------------

TEN_LETTERS = ("SETTLEMENT", "COLLECTION", "COMMISSION", "WITHDRAWAL")


@pytest.mark.parametrize("word", TEN_LETTERS)
def test_a_word_of_ten_letters_is_no_receipt(served: StatementBooks, word: str) -> None:
    assert served.findings(line("INTEREST PAID", references=(word,), cents=5_000)) == [
        (FindingKind.UNKNOWN_CREDIT, "")
    ]
    paid = line(f"{word} PAYBILL CAROL", references=(OTHER, "", "DEMO"), day=NEXT)
    assert served.findings(paid, day=NEXT) == []
    assert served.wallet == CENTS


@pytest.mark.parametrize("word", TEN_LETTERS)
def test_two_payers_without_a_receipt_are_two(served: StatementBooks, word: str) -> None:
    lines = [
        line(f"PAYBILL FROM {name}", references=(word, "", "DEMO")) for name in ("AMINA", "BRIAN")
    ]
    assert served.findings(*lines) == []
    assert served.findings(*lines) == []
    assert served.wallet == 2 * CENTS
    charge = line(f"{word} FEE MARCH", credit=False, day=NEXT)
    assert served.findings(charge, day=NEXT) == [(FindingKind.UNKNOWN_DEBIT, "")]
    assert served.wallet == 2 * CENTS


def test_its_receipt_that_comes_later_is_for_a_person_to_look_at(served: StatementBooks) -> None:
    served.compare(line("PAYBILL FROM AMINA", references=("COLLECTION", "", "DEMO")))
    served.is_told()
    arrived = served.store.tx.payments.get(RECEIPT)
    assert arrived is not None
    assert (arrived.state, arrived.why) == (PaymentState.IN_SUSPENSE, SuspenseReason.AMBIGUOUS)
    assert served.wallet == CENTS
    served.is_told(OTHER, cents=CENTS + 100)
    assert served.wallet == 2 * CENTS + 100


def test_a_line_without_a_receipt_may_be_that_of_the_days_last_second(
    served: StatementBooks,
) -> None:
    served.compare(line("PAYBILL FROM AMINA", references=("COLLECTION", "", "DEMO")))
    served.store.now = start_of_day(NEXT) - timedelta(seconds=1)
    served.is_told()
    assert served.wallet == CENTS


def test_the_very_same_line_twice_is_credited_once(served: StatementBooks) -> None:
    one = line("PAYBILL FROM AMINA", references=("COLLECTION", "", "DEMO"))
    assert [kind for kind, _ in served.findings(one, one)] == [FindingKind.UNKNOWN_CREDIT]
    assert served.wallet == CENTS


@pytest.mark.parametrize(
    "words", [("INTEREST PAID",), ("CHARGE REFUND",), ("SETTLEMENT FROM POOL",)]
)
def test_what_is_the_banks_own_is_no_payment_though_it_names_a_partner(
    served: StatementBooks, words: tuple[str, ...]
) -> None:
    served.compare(line(*words, references=("", "", "DEMO")))
    assert served.wallet == 0


def test_a_partner_in_free_text_is_not_named(served: StatementBooks) -> None:
    served.compare(line("PAYBILL DEMO", references=("COLLECTION",)))
    assert served.wallet == 0


def test_a_new_receipt_in_its_field_is_booked_though_the_text_has_a_known_one(
    served: StatementBooks,
) -> None:
    first = served.is_told()
    lines = (
        line(references=(RECEIPT, "", "DEMO")),
        line(f"AFTER {RECEIPT}", references=(OTHER, "", "DEMO")),
    )
    assert served.findings(*lines) == []
    assert served.wallet == 2 * CENTS
    assert first != served.store.tx.payments.get(OTHER)


def test_a_receipt_in_free_text_is_no_new_payment(served: StatementBooks) -> None:
    assert served.findings(line(f"PAYBILL {RECEIPT} DEMO")) == [(FindingKind.UNKNOWN_CREDIT, "")]
    assert served.wallet == 0


def test_a_known_receipt_is_found_in_free_text_and_without_a_digit(served: StatementBooks) -> None:
    served.is_told("UFFORABCDE")
    assert served.findings(line("PAYBILL UFFORABCDE FROM AMINA", references=("774451",))) == []
    assert served.wallet == CENTS


def test_the_banks_own_number_beside_a_known_receipt_is_no_second_payment(
    served: StatementBooks,
) -> None:
    served.is_told()
    assert served.findings(line(references=("S260610001", RECEIPT, "DEMO"))) == []
    assert served.wallet == CENTS


@pytest.mark.parametrize("number", ["FTC26061NYHH", "S12345"])
def test_a_payment_is_known_by_the_banks_own_number_too(
    served: StatementBooks, number: str
) -> None:
    paid = Payment(
        RECEIPT,
        Money(CENTS),
        served.store.now,
        "DEMO",
        Payer(PHONE.msisdn),
        "ncba.notification",
        bank_reference=number,
    )
    served.store.do(lambda tx: payments.record(tx, served.random, paid))
    assert served.findings(line("PAYBILL", references=(number, "", "DEMO"))) == []
    assert served.wallet == CENTS


# The payer ----------------------------------------------------------------------------------------

WRITTEN = [
    "PAYBILL 254712345678 AMINA",
    "PAYBILL 254712345678/AMINA OTIENO",
    "PAYBILL 254712345678-AMINA",
    "MPS:254712345678 AMINA",
    "MPS254712345678AMINA",
    "PAYBILL +254712345678 AMINA",
    "PAYBILL +254 712 345 678 AMINA",
    "PAYBILL 0712345678 AMINA",
    "PAYBILL 0712-345-678",
    "PAYBILL (254712345678) AMINA",
    "00254712345678",
    "PAYBILL 2547*****678 AMINA",
    "PAYBILL 0712XXX678 AMINA",
    "PAYBILL 254712***678",
    "PAYBILL 0712.345.678",
    "PAYBILL +254(0)712345678",
    "PAYBILL +254 (0) 712 345 678",
]


@pytest.mark.parametrize("said", WRITTEN)
def test_a_payer_is_read_in_every_form(books: StatementBooks, said: str) -> None:
    reference = books.worker.start()
    books.worker.sent(reference, Unknown("read timeout"))
    books.compare(line(said, references=(RECEIPT, "", "774451")))
    assert books.worker.get(reference).state is TopUpState.PAID


def test_a_line_that_names_a_topup_tells_its_person(books: StatementBooks) -> None:
    reference = books.worker.start()
    books.worker.sent(reference, Unknown("read timeout"))
    told = line("PAYBILL", references=("", "", reference.replace("-", "")))
    lines = intake.with_peers([told])
    effects = books.store.do(
        lambda tx: intake.record_lines(tx, books.random, "file", lines, None),
    )
    assert effects == [TopUpChange(books.worker.get(reference), ChangeKind.OUTCOME)]


@pytest.mark.parametrize(
    "field",
    ["0712345678", "+254712345678", "254712345678/AMINA", "774451#0712345678", "2547*****678"],
)
@pytest.mark.parametrize("said", ["PAYBILL AMINA", "PAYBILL 2547*****678"])
def test_a_payer_is_read_in_a_field_of_references_too(
    books: StatementBooks, field: str, said: str
) -> None:
    reference = books.worker.start()
    books.worker.sent(reference, Unknown("read timeout"))
    books.compare(line(said, references=(RECEIPT, "", field)))
    assert books.worker.get(reference).state is TopUpState.PAID


@pytest.mark.parametrize(
    "said",
    [
        "PAYBILL 254733345678 AMINA",
        "PAYBILL 2547*****679",
        "PAYBILL 712345678",
        "ACC 10712345678",
        "254712345678 AND 254733345678",
        "PAYBILL 07******78",
    ],
)
def test_another_number_or_none_settles_nothing_by_itself(books: StatementBooks, said: str) -> None:
    reference = books.worker.start()
    books.worker.sent(reference, Unknown("read timeout"))
    books.compare(line(said, references=(RECEIPT, "", "774451")))
    assert books.worker.get(reference).state is TopUpState.SEND_UNKNOWN
    suspense = books.store.tx.ledger.balance(Account(HOUSE, AccountKind.SUSPENSE)).posted
    assert suspense.cents == CENTS


def test_a_masked_number_that_may_be_two_payers_is_nobodys(books: StatementBooks) -> None:
    twin = Phone("254798765678")
    assert twin.msisdn[-3:] == PHONE.msisdn[-3:]
    for phone in (PHONE, twin):
        topup = books.worker.ask(phone=phone)
        assert isinstance(topup, TopUp)
        books.worker.sent(topup.reference, Unknown("read timeout"))
    books.compare(line("PAYBILL 2547*****678", references=(RECEIPT, "", "774451")))
    suspense = books.store.tx.ledger.balance(Account(HOUSE, AccountKind.SUSPENSE)).posted
    assert suspense.cents == CENTS


@given(
    st.sampled_from(["254", "+254", "0"]),
    st.from_regex(r"[17][0-9]{8}", fullmatch=True),
    st.sampled_from(["", " ", "/", "-", ":", "(", "A", "Z9 "]),
    st.sampled_from(["", " ", "/", ")", "A", ". "]),
)
def test_every_kenyan_number_is_found_whatever_stands_around_it(
    prefix: str, subscriber: str, before: str, behind: str
) -> None:
    assert phones_in(f"{before}{prefix}{subscriber}{behind}") == [f"254{subscriber}"]
