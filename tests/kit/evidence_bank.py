"""A bank that reports payments by notification, query and statement, in any order."""

from __future__ import annotations

from datetime import date, datetime

from services import proposal_decisions, proposals
from services.domain.bank import NotPaid, Paid
from services.domain.bank_line import BankLine
from services.domain.ledger import AccountKind
from services.domain.money import Money
from services.domain.payment import (
    RecordedPayment,
)
from services.domain.proposal import Proposal
from services.domain.reconciliation import ReconciliationDay
from services.domain.refusal import Refusal
from services.domain.topup import TopUp
from services.proposal_decisions import Approved
from services.reconciliation import closing, intake
from tests.kit.payment_books import PaymentBooks
from tests.kit.plain_store import PHONE

CENTS = 50_000
DAY = date(2026, 3, 2)
FIRST, SECOND, THIRD = "UC2FIRST01", "UC2SECOND2", "UC2THIRD03"
UNNAMED = "774451"


class Bank(PaymentBooks):
    """Reports payments of one fixed amount by notification, query or statement."""

    def is_asked(self, topup: TopUp, *, paid: bool) -> None:
        answer = Paid("Success") if paid else NotPaid("cancelled", True, "no")
        self.worker.queried(self.worker.get(topup.reference), answer)

    def tells(
        self, receipt: str, at: datetime, words: str = UNNAMED, payer: str = PHONE.msisdn
    ) -> RecordedPayment:
        """Report a payment by notification."""
        return self.notify(receipt, CENTS, words, at, payer)

    def has(self, *words: str, day: date = DAY, took_back: bool = False) -> ReconciliationDay:
        """Report a payment by a statement of one line."""
        line = BankLine.of(day, Money(CENTS), words, is_credit=not took_back)
        numbered = intake.with_peers([line])
        self.store.do(lambda tx: intake.record_lines(tx, self.random, "file", numbered))
        return self.store.after(day, lambda tx: closing.close_day(tx, self.random, day, "file"))[0]

    def takes_back(self, receipt: str) -> None:
        self.has(f"REVERSAL {receipt}", took_back=True)

    @property
    def collected(self) -> int:
        """The number of payments in our books."""
        return self.store.tx.payments.collected().cents // CENTS

    @property
    def wallet(self) -> int:
        """The number of payments credited to the partner."""
        return self.balance(AccountKind.WALLET) // CENTS


def assigned(bank: Bank, receipt: str) -> Proposal | Refusal:
    """Two admins assign a payment in suspense to the partner."""
    about = bank.payment(receipt).reference
    proposed = bank.store.do(
        lambda tx: proposals.propose_assignment(
            tx, bank.random, "admin:1", about, "DEMO", "the payer called us"
        )
    )
    if isinstance(proposed, Proposal):
        bank.store.do(
            lambda tx: proposal_decisions.approve(tx, "admin:2", "terminal", "2", proposed.id)
        )
    return proposed


def approved(bank: Bank, proposed: Proposal) -> Approved | Refusal:
    return bank.store.do(
        lambda tx: proposal_decisions.approve(tx, "admin:2", "terminal", "2", proposed.id)
    )
