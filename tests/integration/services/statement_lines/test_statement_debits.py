"""Debits on a statement: reversals, charges and float purchases."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.domain.bank import Unknown
from services.domain.bank_line import BankLine
from services.domain.float_purchase import PurchaseState
from services.domain.ledger import AccountKind
from services.domain.payment import PaymentState
from services.domain.reconciliation import FindingKind
from tests.kit.plain_store import PlainStore
from tests.kit.statement_books import CENTS, DAY, NEXT, OTHER, RECEIPT, StatementBooks, line

# Debits -------------------------------------------------------------------------------------------

NO_REVERSAL = [
    f"PAYBILL CHARGE {RECEIPT}",
    f"SETTLEMENT OF {RECEIPT} TO ACC 774451",
    f"COMMISSION ON {RECEIPT}",
    f"SWEEP {RECEIPT}",
    f"{RECEIPT} FROM REV JOHN KAMAU",
    f"REVERSAL CHARGE {RECEIPT}",
    f"EXCISE DUTY {RECEIPT}",
    RECEIPT,
    f"{RECEIPT} NOT REVERSED",
    f"{RECEIPT} WASN'T REVERSED",
    f"REVERSAL REQUEST REJECTED {RECEIPT}",
    f"REVERSAL REQUESTED {RECEIPT}",
    f"FAILED REVERSAL OF {RECEIPT}",
    f"REVERSAL CHG {RECEIPT}",
    f"REVERSAL OF {RECEIPT} CHRG",
    f"RETURNED CHEQUE {RECEIPT}",
    f"WITHDRAWAL BY RECALL LTD {RECEIPT}",
    f"WITHDRAWAL BY RECALL {RECEIPT}",
    f"REFUND ENTERPRISES {RECEIPT}",
    f"REVERSAL {RECEIPT} AND {OTHER}",
    f"REVERSAL OF {RECEIPT} AND REVERSAL OF {OTHER}",
    f"REVERSAL OF {RECEIPT} AND {OTHER}",
    f"REVERSAL OF {RECEIPT}, {OTHER}",
    f"{RECEIPT} REVERSAL OF FT26061ABCDE",
    f"{RECEIPT} REFUND OF PAYMENT FT26061ABCDE\\HQ",
]
REVERSAL = [
    f"REVERSAL {RECEIPT}",
    f"REV {RECEIPT}",
    f"Reversed: {RECEIPT}",
    f"RVSL-{RECEIPT}",
    f"REFUND OF {RECEIPT} TO PAYER",
    f"CHARGEBACK {RECEIPT}",
    f"REVERSAL OF PAYMENT {RECEIPT}",
    f"REVERSAL OF KES 1500 {RECEIPT}",
    f"REVERSAL OF {RECEIPT} FT26061ABCDE",
    f"REVERSAL OF {RECEIPT} PAID AGAIN AS {OTHER}",
    f"{OTHER} REFUND TO AMINA OF {RECEIPT}",
    f"RECALL OF {RECEIPT}",
]


@pytest.mark.parametrize("said", NO_REVERSAL)
def test_a_debit_that_does_not_say_so_takes_nothing_back(served: StatementBooks, said: str) -> None:
    about = served.is_told()
    lines = (line(references=(RECEIPT, "", "DEMO")), line(said, credit=False))
    assert served.findings(*lines) == [(FindingKind.UNKNOWN_DEBIT, about)]
    assert served.wallet == CENTS


@pytest.mark.parametrize("said", REVERSAL)
def test_a_debit_that_says_so_takes_back_what_it_names(served: StatementBooks, said: str) -> None:
    served.is_told()
    lines = (line(references=(RECEIPT, "", "DEMO")), line(said, credit=False))
    assert served.findings(*lines) == []
    assert served.wallet == 0


@pytest.mark.parametrize("is_known", [True, False])
def test_what_a_debit_is_a_reversal_of_wins_over_its_own_number(
    served: StatementBooks, is_known: bool
) -> None:
    served.is_told(OTHER)
    lines = [line(references=(OTHER, "", "DEMO"))]
    if is_known:
        served.is_told()
        lines.append(line(references=(RECEIPT, "", "DEMO")))
    back = line(f"B2C REFUND OF {RECEIPT}", references=(OTHER,), credit=False)
    assert len(served.findings(*lines, back)) == (not is_known)
    states = {one.payment.receipt: one.state for one in served.store.tx.payments.every()}
    assert states.pop(OTHER) is PaymentState.CREDITED
    assert states == ({RECEIPT: PaymentState.REVERSED} if is_known else {})


def test_a_reversal_that_may_be_of_two_is_for_a_person(served: StatementBooks) -> None:
    about = served.is_told()
    back = line("REVERSAL", references=(OTHER, RECEIPT), credit=False)
    assert served.findings(line(references=(RECEIPT, "", "DEMO")), back) == [
        (FindingKind.UNKNOWN_DEBIT, about)
    ]
    assert served.wallet == CENTS


def test_a_reversal_of_nothing_that_is_known_takes_nothing(served: StatementBooks) -> None:
    served.is_told()
    lines = (line(references=(RECEIPT, "", "DEMO")), line("REVERSAL PAYBILL", credit=False))
    assert served.findings(*lines) == [(FindingKind.UNKNOWN_DEBIT, "")]
    assert served.wallet == CENTS


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_payment_in_twice_and_out_once_stands(
    served: StatementBooks, order: tuple[int, ...]
) -> None:
    served.is_told()
    lines = [
        line(references=(RECEIPT, "", "DEMO")),
        line("again", references=(RECEIPT, "", "DEMO")),
        line(f"REV {RECEIPT}", credit=False),
    ]
    assert served.findings(*(lines[n] for n in order)) == []
    assert served.findings(*lines) == []
    assert served.wallet == CENTS
    arrived = served.store.tx.payments.get(RECEIPT)
    assert arrived is not None
    assert arrived.state is PaymentState.CREDITED


def test_a_credit_that_says_it_takes_back_is_no_payment(served: StatementBooks) -> None:
    back = line(f"REVERSAL {OTHER}", references=(OTHER, "", "DEMO"))
    assert [kind for kind, _ in served.findings(back)] == [FindingKind.UNKNOWN_CREDIT]
    assert served.wallet == 0


# Float purchases ----------------------------------------------------------------------------------


def taken(reference: str, day: date = DAY) -> BankLine:
    plain = reference.replace("-", "")
    references = ("FT26061AAAAA", "", plain)
    return line("B2C FLOAT PURCHASE", references=references, credit=False, cents=1_000_000, day=day)


def given_back(reference: str, day: date, own: str = "FT26061AAAAB") -> BankLine:
    references = (own, "", reference.replace("-", ""))
    return line("REVERSAL B2C FLOAT PURCHASE", references=references, cents=1_000_000, day=day)


@pytest.mark.parametrize("day", [DAY, NEXT])
@pytest.mark.parametrize("own", ["FT26061AAAAB", "S260610002"])
def test_a_debit_that_is_given_back_is_no_purchase(
    books: StatementBooks, day: date, own: str
) -> None:
    buyer, reference = books.unknown_purchase()
    lines = (taken(reference), given_back(reference, day, own))
    for one in dict.fromkeys((DAY, day)):
        done = books.compare(*lines, day=one)
        assert done.closed_at is None
        assert {found.about for found in done.findings} == {reference}
    assert buyer.get(reference).state is PurchaseState.UNKNOWN
    assert buyer.posted(AccountKind.FLOAT) == 0


def test_a_debit_given_back_by_its_number_alone_is_no_purchase(books: StatementBooks) -> None:
    buyer, reference = books.unknown_purchase()
    back = line("REVERSAL OF FT26061AAAAA", references=("FT26061ZZZZZ",), cents=1_000_000)
    books.compare(taken(reference), back, later=[])
    assert buyer.get(reference).state is PurchaseState.UNKNOWN


NUMBER = "FT26061AAAAA"
NAMES_IT = [
    ("FT26062AAAAB", f"REV-{NUMBER}"),
    ("FT26062AAAAB", f"RVS {NUMBER}"),
    ("FT26062AAAAB", f"RTN/{NUMBER}"),
    ("FT26062AAAAB", f"RETURN {NUMBER}\\HQ"),
    ("FT26062AAAAB", f"FAILED B2C {NUMBER}"),
    ("FT26062AAAAB", f"CREDIT BACK{NUMBER}"),
    (NUMBER, "B2C FLOAT"),
    (f"{NUMBER}\\HQ", "B2C FLOAT"),
    ("FT26062AAAAB", "B2C{} REVERSAL"),
]


@pytest.mark.parametrize("day", [DAY, NEXT])
@pytest.mark.parametrize(("own", "said"), NAMES_IT)
@pytest.mark.parametrize("place", [0, 1])
def test_money_back_that_names_the_debit_in_any_way_leaves_the_purchase_waiting(
    books: StatementBooks, day: date, own: str, said: str, place: int
) -> None:
    buyer, reference = books.unknown_purchase()
    ours = reference.replace("-", "")
    debit = line(
        "B2C FLOAT",
        references=((f"{NUMBER}\\HQ", "", ours), ("", NUMBER, ours))[place],
        credit=False,
        cents=1_000_000,
    )
    back = line(said.format(ours), references=(own,), cents=1_000_000, day=day)
    for one in dict.fromkeys((DAY, day)):
        assert books.compare(debit, back, day=one).closed_at is None
    books.compare(line(references=(RECEIPT,), day=NEXT), day=NEXT)
    assert buyer.get(reference).state is PurchaseState.UNKNOWN


@pytest.mark.parametrize("parts", [(995_000,), (500_000, 500_000), (1,)])
def test_money_back_in_parts_leaves_the_purchase_waiting(
    books: StatementBooks, parts: Sequence[int]
) -> None:
    buyer, reference = books.unknown_purchase()
    back = [
        line("REVERSAL", references=(f"FT26062AAA{n}B", "", reference), cents=cents)
        for n, cents in enumerate(parts)
    ]
    books.compare(taken(reference), *back, later=[])
    assert buyer.get(reference).state is PurchaseState.UNKNOWN


@pytest.mark.parametrize("said", ["FAILED B2C FLOAT", "B2C FLOAT REJECTED", "RTN B2C FLOAT"])
def test_a_debit_that_says_that_it_failed_is_no_purchase(books: StatementBooks, said: str) -> None:
    buyer, reference = books.unknown_purchase()
    debit = line(said, references=(NUMBER, "", reference), credit=False, cents=1_000_000)
    assert books.compare(debit, later=[]).closed_at is None
    assert buyer.get(reference).state is PurchaseState.UNKNOWN


def test_a_debit_counts_when_the_next_day_does_not_give_it_back(books: StatementBooks) -> None:
    buyer, reference = books.unknown_purchase()
    books.compare(taken(reference))
    assert buyer.get(reference).state is PurchaseState.UNKNOWN
    books.compare(line(references=(RECEIPT,), day=NEXT), day=NEXT)
    assert buyer.get(reference).state is PurchaseState.SUCCEEDED
    assert books.compare().closed_at is not None


def test_a_debit_counts_at_once_where_the_days_behind_it_are_known(books: StatementBooks) -> None:
    buyer, reference = books.unknown_purchase()
    assert books.compare(taken(reference), later=[]).closed_at is not None
    assert buyer.get(reference).state is PurchaseState.SUCCEEDED


def test_a_payment_of_the_same_amount_gives_nothing_back(books: StatementBooks) -> None:
    buyer, reference = books.unknown_purchase()
    paid = line("PAYBILL", references=(RECEIPT, "774451", ""), cents=1_000_000)
    books.compare(taken(reference), paid, later=[])
    assert buyer.get(reference).state is PurchaseState.SUCCEEDED


def test_taken_twice_and_given_back_once_was_bought(books: StatementBooks) -> None:
    buyer, reference = books.unknown_purchase()
    lines = (taken(reference), taken(reference), given_back(reference, DAY))
    books.compare(*lines, later=[])
    assert buyer.get(reference).state is PurchaseState.SUCCEEDED
    assert buyer.posted(AccountKind.FLOAT) == 1_000_000


def test_money_back_for_what_was_bought_keeps_the_day_open_and_names_it(
    books: StatementBooks,
) -> None:
    _, reference = books.unknown_purchase()
    books.compare(taken(reference), later=[])
    done = books.compare(given_back(reference, NEXT), day=NEXT)
    assert done.closed_at is None
    assert [(found.kind, found.about) for found in done.findings] == [
        (FindingKind.UNKNOWN_CREDIT, reference)
    ]


def test_a_debit_that_names_a_topup_is_left_over_under_its_name(books: StatementBooks) -> None:
    reference = books.worker.start()
    books.worker.sent(reference, Unknown("read timeout"))
    said = line(f"CHARGE {reference}", credit=False)
    assert books.findings(said) == [(FindingKind.UNKNOWN_DEBIT, reference)]


# In any order -------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_whatever_the_words_and_however_often_a_receipt_is_credited_once(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Statements of one day vary in wording and contain copies and charges. Each payment counts
    once, and only an explicit reversal takes money out of the wallet."""
    store = PlainStore(tmp_path_factory.mktemp("lines") / "hazina.db")
    try:
        books = StatementBooks(store)
        store.person()
        receipts = [f"UF4OR6RP{n}Q" for n in range(data.draw(st.integers(1, 4)))]
        words = st.lists(
            st.sampled_from(["PAYBILL", "paybill amina", "COLLECTION", "254712345678", "FEE"]),
            max_size=3,
        )
        for _ in range(data.draw(st.integers(1, 3))):
            lines = [
                line(*data.draw(words), references=(receipt, "", "DEMO")) for receipt in receipts
            ]
            charges = [
                line(f"{said} {receipt}", credit=False)
                for receipt in receipts
                for said in data.draw(st.lists(st.sampled_from(["CHARGE", "SWEEP OF", ""])))
            ]
            books.compare(*data.draw(st.permutations(lines + charges)))
        assert books.wallet == CENTS * len(receipts)
        assert len(store.tx.payments.every()) == len(receipts)
    finally:
        store.close()
