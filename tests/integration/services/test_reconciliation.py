"""Comparing a day with the bank's statement: what is settled, what is left over, when it closes."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from services import proposal_decisions, proposals
from services.domain.bank import Accepted, Paid, Unknown
from services.domain.bank_line import BankLine
from services.domain.business_days import start_of_day
from services.domain.ledger import HOUSE, Account, AccountKind, Phase, Transfer, TransferCode
from services.domain.money import Money
from services.domain.payment import PaymentState
from services.domain.proposal import Proposal
from services.domain.reconciliation import FindingKind, ReconciliationDay
from services.domain.topup import TopUpState
from services.reconciliation import closing, intake
from tests.kit.payment_books import PaymentBooks
from tests.kit.plain_store import PHONE, PlainStore

TODAY = date(2026, 3, 2)
RECEIPT = "UF4OR6RP9Q"
OTHER = "UF4OR6RP9R"


def credit(
    receipt: str = RECEIPT, cents: int = 150_000, day: date = TODAY, account: str = "DEMO"
) -> BankLine:
    words = (receipt, account, f"PAYBILL {PHONE.msisdn} ASHA", "Paybill payment")
    return BankLine.of(day, Money(cents), words, is_credit=True)


def debit(text: str, cents: int = 150_000, day: date = TODAY) -> BankLine:
    return BankLine.of(day, Money(cents), (text,), is_credit=False)


class StatementBooks(PaymentBooks):
    def pays(self, receipt: str = RECEIPT, cents: int = 150_000, said: str = "DEMO") -> None:
        self.notify(receipt, cents, said)

    def compare(self, *lines: BankLine, day: date = TODAY) -> tuple[ReconciliationDay, bool]:
        numbered = intake.with_peers(lines)
        self.effects = self.store.do(
            lambda tx: intake.record_lines(tx, self.random, "file", numbered)
        )
        done = self.store.after(day, lambda tx: closing.close_day(tx, self.random, day, "file"))
        assert self.store.tx.invariants.violations() == []
        return done

    def kinds(self, *lines: BankLine, day: date = TODAY) -> list[FindingKind]:
        return sorted(found.kind for found in self.compare(*lines, day=day)[0].findings)


@pytest.fixture
def books(fresh_store: PlainStore) -> StatementBooks:
    return StatementBooks(fresh_store)


def test_a_day_without_anything_closes(books: StatementBooks) -> None:
    day, is_news = books.compare()
    assert day.closed_at is not None
    assert not is_news


def test_what_is_on_both_sides_closes_the_day(books: StatementBooks) -> None:
    books.pays()
    day, is_news = books.compare(credit())
    assert (day.lines, day.matched, day.findings) == (1, 1, [])
    assert day.closed_at is not None
    assert not is_news


@pytest.mark.parametrize(
    ("lines", "kinds"),
    [
        ([], [FindingKind.NOT_ON_STATEMENT]),
        ([credit(), credit()], [FindingKind.DOUBLED_LINE]),
        ([credit(cents=150_100)], [FindingKind.AMOUNT_DIFFERS]),
        ([credit(), debit("bank charges")], [FindingKind.UNKNOWN_DEBIT]),
        (
            [credit(), BankLine.of(TODAY, Money(5), ("CASH DEPOSIT",), is_credit=True)],
            [FindingKind.UNKNOWN_CREDIT],
        ),
        ([credit(), debit(f"REVERSAL {RECEIPT}", 140_000)], [FindingKind.AMOUNT_DIFFERS]),
    ],
)
def test_what_has_no_counterpart_is_left_over(
    books: StatementBooks, lines: list[BankLine], kinds: list[FindingKind]
) -> None:
    books.pays()
    assert books.kinds(*lines) == kinds
    assert books.balance(AccountKind.WALLET) == 150_000


def test_a_line_on_another_day_keeps_both_open(books: StatementBooks) -> None:
    books.pays()
    tomorrow = TODAY + timedelta(days=1)
    assert books.kinds() == [FindingKind.NOT_ON_STATEMENT]
    assert books.kinds(credit(day=tomorrow), day=tomorrow) == [FindingKind.OTHER_DAY]
    assert books.kinds() == []  # its line exists, though on another day


def test_midnight_is_of_the_day_that_begins(books: StatementBooks) -> None:
    tomorrow = TODAY + timedelta(days=1)
    books.store.now = start_of_day(tomorrow)
    books.pays()
    assert books.kinds() == []
    assert books.kinds(day=tomorrow) == [FindingKind.NOT_ON_STATEMENT]


def test_again_is_harmless_and_says_nothing_new(books: StatementBooks) -> None:
    books.pays()
    first, news = books.compare(debit("charges"))
    again, no_news = books.compare(debit("charges"))
    assert (news, no_news) == (True, False)
    assert [one.id for one in again.findings] == [one.id for one in first.findings]
    assert again.lines == 1


def test_a_longer_statement_settles_what_was_missing(books: StatementBooks) -> None:
    books.pays()
    assert books.kinds() == [FindingKind.NOT_ON_STATEMENT]
    day, is_news = books.compare(credit())
    assert (day.findings, is_news) == ([], True)
    assert day.closed_at is not None


def test_a_shorter_statement_takes_nothing_back(books: StatementBooks) -> None:
    books.pays()
    books.compare(credit())
    assert books.compare()[0].closed_at is not None


def test_a_payment_that_nobody_told_of_is_credited_by_its_line(books: StatementBooks) -> None:
    day, _ = books.compare(credit())
    assert (day.matched, books.balance(AccountKind.WALLET)) == (1, 150_000)
    books.pays()  # its notification arrives late
    assert books.compare(credit())[0].closed_at is not None
    assert books.balance(AccountKind.WALLET) == 150_000


def test_a_payment_of_nobody_goes_to_suspense(books: StatementBooks) -> None:
    books.compare(credit(account="SOMETHING"))
    assert books.balance(AccountKind.SUSPENSE, HOUSE) == 150_000


@pytest.mark.parametrize("named", [True, False])
def test_an_unknown_prompt_is_settled_by_its_line(books: StatementBooks, named: bool) -> None:
    reference = books.worker.start()
    books.worker.sent(reference, Unknown("read timeout"))
    account = f"774451#{reference.replace('-', '')}" if named else "774451"
    books.compare(credit(account=account))
    topup = books.worker.get(reference)
    assert (topup.state, topup.receipt) == (TopUpState.PAID, RECEIPT)


def test_a_line_without_a_receipt_settles_what_it_names(books: StatementBooks) -> None:
    reference = books.worker.start()
    books.worker.sent(reference, Unknown("read timeout"))
    line = BankLine.of(TODAY, Money(150_000), (f"PAID {reference}",), is_credit=True)
    assert books.compare(line, line)[0].matched == 1
    assert books.worker.get(reference).state is TopUpState.PAID
    assert books.balance(AccountKind.WALLET) == 150_000


def test_a_credit_on_the_querys_word_must_be_on_the_statement(books: StatementBooks) -> None:
    reference = books.worker.start()
    books.worker.sent(reference, Accepted("b1", None, "ok"))
    books.worker.asked(reference, Paid("Success"))
    assert books.kinds() == [FindingKind.NOT_ON_STATEMENT]
    assert books.kinds(credit(account=reference)) == []
    assert books.worker.get(reference).receipt == RECEIPT


def test_a_payment_taken_back_leaves_the_wallet(books: StatementBooks) -> None:
    books.pays()
    lines = (credit(), debit(f"REVERSAL {RECEIPT}"))
    day, _ = books.compare(*lines)
    assert day.closed_at is not None
    assert books.balance(AccountKind.WALLET) == 0
    assert books.balance(AccountKind.COLLECTION) == 0
    books.compare(*lines)
    assert books.balance(AccountKind.RECEIVABLE) == 0
    known = books.store.tx.payments.get(RECEIPT)
    assert known is not None
    assert known.state is PaymentState.REVERSED


def test_what_is_spent_is_owed(books: StatementBooks) -> None:
    books.pays()
    books.pays(OTHER, 50_000)
    wallet, bank = (Account("DEMO", kind) for kind in (AccountKind.WALLET, AccountKind.COLLECTION))
    spent = Money(120_000)
    books.store.book(
        Transfer("spent", "spent", Phase.SINGLE, wallet, bank, spent, TransferCode.OPENING)
    )
    books.compare(credit(), credit(OTHER, 50_000), debit(f"REVERSAL {RECEIPT}"))
    assert books.balance(AccountKind.WALLET) == 0
    assert books.balance(AccountKind.RECEIVABLE) == 70_000
    assert books.balance(AccountKind.COLLECTION) == 50_000 - 120_000


def test_what_is_nobodys_and_taken_back_leaves_suspense(books: StatementBooks) -> None:
    books.pays(said="SOMETHING")
    assert books.kinds(credit(account="SOMETHING"), debit(f"REVERSAL {RECEIPT}")) == []
    assert books.balance(AccountKind.SUSPENSE, HOUSE) == 0
    assert books.balance(AccountKind.COLLECTION, HOUSE) == 0


def test_two_admins_close_what_was_looked_into(books: StatementBooks) -> None:
    books.pays()
    (found,) = books.compare()[0].findings
    proposal = books.store.do(
        lambda tx: proposals.propose_dismissal(
            tx, books.random, "admin:1", found.id, "the bank has confirmed it"
        )
    )
    assert isinstance(proposal, Proposal)
    one = proposal.id
    books.store.do(lambda tx: proposal_decisions.approve(tx, "admin:2", "terminal", "2", one))
    day, is_news = books.compare()
    assert (day.findings, is_news) == ([], True)
    assert day.closed_at is not None


def test_a_finding_that_settles_itself_takes_its_proposal_along(books: StatementBooks) -> None:
    books.pays()
    (found,) = books.compare()[0].findings
    books.store.do(
        lambda tx: proposals.propose_dismissal(
            tx, books.random, "admin:1", found.id, "the bank has confirmed it"
        )
    )
    books.compare(credit())
    assert books.store.tx.proposals.open_about(found.id) is None


@pytest.mark.parametrize(
    ("words", "receipts", "mentions"),
    [
        (("UF4OR6RP9Q",), ["UF4OR6RP9Q"], ["UF4OR6RP9Q"]),
        (("PAID BY UF4OR6RP9Q.",), [], ["UF4OR6RP9Q"]),
        (("ABCDEFGHIJ",), [], ["ABCDEFGHIJ"]),
        (("FROM STATEMENTS",), [], ["STATEMENTS"]),
        (("1F4OR6RP9Q", "UF4OR6RP9", "UF4OR6RP9QX"), [], []),
        ((), [], []),
    ],
)
def test_a_receipt_has_a_digit_and_a_field_of_its_own(
    words: tuple[str, ...], receipts: list[str], mentions: list[str]
) -> None:
    line = BankLine.of(TODAY, Money(1), words, is_credit=True)
    assert (line.receipts, line.mentions) == (receipts, mentions)


@pytest.mark.parametrize(
    ("fields", "number"),
    [
        (("S12345", "FT260611"), "S12345"),
        (("S1234", "FT260611"), "FT260611"),  # the second is recognised by its form
        (("", "FT26061"), ""),
        (("", "26061234"), ""),
        (("", "", "FT260611"), ""),  # typed by the payer
    ],
)
def test_the_banks_own_number_is_told_by_its_field_or_by_its_form(
    fields: tuple[str, ...], number: str
) -> None:
    line = BankLine.of(TODAY, Money(1), ("PAYBILL",), is_credit=True, references=fields)
    assert line.bank_number == number


def test_what_is_left_over_again_is_open_again_until_it_is_dismissed(books: StatementBooks) -> None:
    books.pays()
    found = books.compare()[0].findings[0]
    books.store.do(lambda tx: tx.evidence.close_reviews(found.id))  # as if it had been matched
    day, is_news = books.compare()
    assert [one.id for one in day.findings] == [found.id]
    assert is_news
    proposed = books.store.do(
        lambda tx: proposals.propose_dismissal(tx, books.random, "admin:1", found.id, "a mistake")
    )
    assert isinstance(proposed, Proposal)
    books.store.do(
        lambda tx: proposal_decisions.approve(tx, "admin:2", "terminal", "2", proposed.id)
    )
    assert books.compare()[0].closed_at is not None
