"""Lines of a statement as banks write them: read by the role of a field, and taken together."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services import payments, reconciliation
from services.domain.bank import Unknown
from services.domain.business_days import start_of_day
from services.domain.float_purchase import PurchaseState
from services.domain.ledger import HOUSE, Account, AccountKind
from services.domain.money import Money
from services.domain.payment import Payer, Payment, PaymentState, SuspenseReason
from services.domain.phone import Phone, phones_in
from services.domain.reconciliation import BankLine, FindingKind, ReconciliationDay
from services.domain.topup import TopUp, TopUpState
from services.topups import ChangeKind, TopUpChange
from tests.kit.float_buyer import NO_READABLE_ANSWER, FloatBuyer
from tests.kit.payment_books import PaymentBooks
from tests.kit.plain_store import PHONE, PlainStore

DAY = date(2026, 3, 2)
NEXT = DAY + timedelta(days=1)
RECEIPT, OTHER = "UF4OR6RP9Q", "UF4OR6RP9R"
CENTS = 150_000


def line(
    *words: str,
    references: Sequence[str] = (),
    credit: bool = True,
    cents: int = CENTS,
    day: date = DAY,
) -> BankLine:
    return BankLine.of(day, Money(cents), words, is_credit=credit, references=references)


class StatementBooks(PaymentBooks):
    def compare(
        self, *lines: BankLine, day: date = DAY, later: Sequence[BankLine] | None = None
    ) -> ReconciliationDay:
        of_day = reconciliation.with_peers([one for one in lines if one.day == day])
        self.store.do(
            lambda tx: reconciliation.record_lines(tx, self.random, "file", of_day, later)
        )
        self.store.do(lambda tx: reconciliation.settle_deferred_debits(tx, self.random, day))
        done, _ = self.store.after(
            day, lambda tx: reconciliation.close_day(tx, self.random, day, "file")
        )
        assert self.store.tx.ledger.violations() == []
        return done

    def findings(self, *lines: BankLine, day: date = DAY) -> list[tuple[FindingKind, str]]:
        return sorted((one.kind, one.about) for one in self.compare(*lines, day=day).findings)

    def is_told(self, receipt: str = RECEIPT, cents: int = CENTS, said: str = "DEMO") -> str:
        return self.notify(receipt, cents, said).reference

    @property
    def wallet(self) -> int:
        return self.balance(AccountKind.WALLET)

    def unknown_purchase(self) -> tuple[FloatBuyer, str]:
        buyer = FloatBuyer(self.store)
        buyer.fund()
        reference = buyer.coded()
        buyer.type(reference)
        buyer.answered(buyer.submitting(reference), NO_READABLE_ANSWER)
        return buyer, reference


@pytest.fixture
def books(fresh_store: PlainStore) -> StatementBooks:
    return StatementBooks(fresh_store)


@pytest.fixture
def served(books: StatementBooks) -> StatementBooks:
    books.store.person()
    return books


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


# One line, told in other words --------------------------------------------------------------------

TOLD = ("Paybill from Amina", "Paybill payment")
OTHERWISE = [
    ("Paybill from Amina",),
    ("PAYBILL FROM AMINA", "PAYBILL PAYMENT"),
    ("Paybill from Amina Otieno", "Paybill payment", "MPESA Transfer Credit"),
    (),
]


@pytest.mark.parametrize("words", OTHERWISE)
@pytest.mark.parametrize("reference", [RECEIPT, "FT26061AAAAA"])
def test_a_line_that_is_told_again_in_other_words_is_one(
    served: StatementBooks, words: tuple[str, ...], reference: str
) -> None:
    first = served.compare(line(*TOLD, references=(reference, "", "DEMO")))
    again = served.compare(line(*words, references=(reference, "", "DEMO")))
    assert (first.lines, again.lines) == (1, 1)
    assert served.wallet == CENTS
    assert again.findings == first.findings


def test_lines_kept_before_fields_were_told_apart_are_the_same_lines(
    served: StatementBooks,
) -> None:
    """Keys were then made of all words."""
    said = f'["{RECEIPT}", "DEMO", "Paybill from Amina"]'
    served.store.do(
        lambda tx: tx.conn.execute(  # type: ignore[attr-defined]
            "INSERT INTO statement_lines VALUES (?, ?, 'credit', ?, 'KES', ?, 'ncba', NULL, 1)",
            ("f" * 64, DAY.isoformat(), CENTS, said),
        )
    )
    done = served.compare(line("PAYBILL FROM AMINA", references=(RECEIPT, "", "DEMO")))
    assert (done.lines, done.matched, served.wallet) == (1, 1, CENTS)


@pytest.mark.parametrize("first", [1, 2])
def test_as_many_copies_as_the_longest_statement_has_are_kept(
    served: StatementBooks, first: int
) -> None:
    one = line(references=(RECEIPT, "", "DEMO"))
    served.compare(*[one] * first)
    done = served.compare(one, one)
    assert (done.lines, served.wallet) == (2, CENTS)
    assert [found.kind for found in done.findings] == [FindingKind.DOUBLED_LINE]


# One line, from two sources -----------------------------------------------------------------------

BANKS = "FT26061ABCDE"
CASH = "CASH DEPOSIT AMINA"


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            line(CASH, references=("", "", "DEMO")),
            line("Deposit, Amina", references=("", "", "DEMO")),
        ),
        (line(CASH, references=("", "", "DEMO")), line("Deposit", references=("", "", "demo"))),
        *(
            (line(CASH, references=(BANKS, "", "DEMO")), other)
            for other in (
                line(CASH, references=(f"{BANKS}\\HQ", "", "DEMO")),
                line(CASH, references=(f"{BANKS}/002", "", "DEMO")),
                line(CASH, references=("", "", "DEMO")),
                line(CASH.lower(), references=("", "DEMO")),
                line(CASH, references=(f'="{BANKS}"', "", "DEMO")),
                line("Deposit", references=("", BANKS, "DEMO")),
                line(f"{CASH} {BANKS}", references=("", "", "DEMO")),
                line(f"{CASH} REF-{BANKS}", references=("", "", "DEMO")),
            )
        ),
        (
            line(f"PAYBILL {RECEIPT}", references=(BANKS, "", "DEMO")),
            line("PAYBILL", references=(RECEIPT, "", "DEMO")),
        ),
        (
            line("PAYBILL", references=(BANKS, "DEMO", RECEIPT)),
            line(f"PAYBILL {RECEIPT}", references=(BANKS, "", "DEMO")),
        ),
        (
            line("PAYBILL", references=(RECEIPT, "", "DEMO")),
            line("PAYBILL", references=(f"MPS-{RECEIPT}", "", "DEMO")),
        ),
    ],
)
def test_a_payment_told_in_two_ways_counts_once(
    served: StatementBooks, one: BankLine, other: BankLine, order: int
) -> None:
    for told in (one, other)[::order]:
        done = served.compare(told)
        assert (done.lines, done.findings, served.wallet) == (1, [], CENTS)
    for told in (one, other):
        assert served.compare(told).lines == 1
    assert served.wallet == CENTS


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (line("INTEREST PAID"), line("INTEREST PAID MARCH")),
        (line("LEDGER FEE", credit=False), line("Fee", credit=False)),
        (
            line(f"REVERSAL OF {RECEIPT}", references=("FT2606100002",), credit=False),
            line("REVERSAL", references=(RECEIPT,), credit=False),
        ),
    ],
)
def test_what_is_no_payment_and_told_in_two_ways_is_one_line_too(
    served: StatementBooks, one: BankLine, other: BankLine
) -> None:
    assert [served.compare(told).lines for told in (one, other, one)] == [1, 1, 1]


def test_a_longer_statement_in_the_same_words_brings_what_is_new(served: StatementBooks) -> None:
    names = ("AMINA", "BRIAN", "CAROL")
    lines = [line(f"CASH DEPOSIT {name}", references=("", "", "DEMO")) for name in names]
    for count in (1, 3, 2, 3):
        served.compare(*lines[:count])
    assert served.wallet == 3 * CENTS


def test_what_a_longer_statement_has_more_in_other_words_is_for_a_person(
    served: StatementBooks,
) -> None:
    served.compare(line("CASH DEPOSIT AMINA", references=("", "", "DEMO")))
    names = ("Amina Otieno", "Brian")
    lines = [line(f"Cash deposit by {name}", references=("", "", "DEMO")) for name in names]
    for _ in range(3):
        assert served.findings(*lines) == [(FindingKind.UNKNOWN_CREDIT, "")]
        assert served.compare(*lines).lines == 2
    assert served.wallet == CENTS


def test_a_number_beside_a_line_that_counted_without_one_is_for_a_person(
    served: StatementBooks,
) -> None:
    first = line(CASH, references=("", "", "DEMO"))
    served.compare(first)
    numbered = line("Deposit", references=(RECEIPT, "", "DEMO"))
    assert served.findings(numbered) == [(FindingKind.UNKNOWN_CREDIT, "")]
    assert served.wallet == CENTS
    assert served.findings(first, numbered) == []  # they are two: one statement has both
    assert served.wallet == 2 * CENTS


def test_lines_of_two_partners_are_two_though_they_have_no_number(served: StatementBooks) -> None:
    served.store.person("SOKO")
    for code in ("DEMO", "SOKO", "DEMO"):
        done = served.compare(line("CASH DEPOSIT", references=("", "", code)))
        assert done.findings == []
    assert done.lines == 2


@pytest.mark.parametrize("references", [("", "", "{}"), ("FT26061ABCDE", "", "{}"), ("{}",)])
def test_lines_of_two_topups_are_two(served: StatementBooks, references: Sequence[str]) -> None:
    for reference in ("TUABCDEF", "TUABCDEG"):
        done = served.compare(line("PAYBILL", references=[r.format(reference) for r in references]))
    assert done.lines == 2


@pytest.mark.parametrize("days", [1, -1, 3])
def test_the_banks_number_again_on_another_day_is_for_a_person(
    served: StatementBooks, days: int
) -> None:
    other = DAY + timedelta(days=days)
    served.compare(line(CASH, references=(BANKS, "", "DEMO")))
    again = line("Deposit", references=("", BANKS, "DEMO"), day=other)
    assert served.findings(again, day=other) == [(FindingKind.UNKNOWN_CREDIT, "")]
    assert served.wallet == CENTS


@pytest.mark.parametrize("cents", [CENTS, CENTS + 50_000])
def test_a_new_receipt_takes_no_known_ones_place_where_that_has_its_line(
    served: StatementBooks, cents: int
) -> None:
    served.is_told()
    lines = (
        line(references=(OTHER, RECEIPT, "DEMO"), cents=cents),
        line(references=(RECEIPT, "", "DEMO")),
    )
    assert served.findings(*lines) == []
    assert served.wallet == CENTS + cents


@pytest.mark.parametrize("word", ["DEMO#SHOP123456", "DEMO#BRANCH0021"])
def test_what_a_payer_typed_is_no_receipt(served: StatementBooks, word: str) -> None:
    for number, day in enumerate((DAY, NEXT)):
        paid = line("PAYBILL", references=(f"FT2606{number}ABCDE", "", word), day=day)
        assert served.findings(paid, day=day) == []
    beside = line("PAYBILL", references=(RECEIPT, "", word), day=NEXT + timedelta(days=1))
    assert served.findings(beside, day=beside.day) == []
    assert served.wallet == 3 * CENTS
    assert served.store.tx.payments.get(RECEIPT) is not None


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


# Float --------------------------------------------------------------------------------------------


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
    lines = reconciliation.with_peers([told])
    effects = books.store.do(
        lambda tx: reconciliation.record_lines(tx, books.random, "file", lines, None),
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


# In any order -------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_whatever_the_words_and_however_often_a_receipt_is_credited_once(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Statements of one day in changing words, with copies and charges: each payment counts once,
    and nothing leaves the wallet but by a reversal that says so."""
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
