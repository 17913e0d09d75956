"""Statements imported into a plain store that notifications and purchases have booked in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from services.domain.bank_line import BankLine
from services.domain.ledger import AccountKind
from services.domain.money import Money
from services.domain.reconciliation import FindingKind, ReconciliationDay
from services.reconciliation import closing, intake
from tests.kit.float_buyer import NO_READABLE_ANSWER, FloatBuyer
from tests.kit.payment_books import PaymentBooks

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
        of_day = intake.with_peers([one for one in lines if one.day == day])
        self.store.do(lambda tx: intake.record_lines(tx, self.random, "file", of_day, later))
        self.store.do(lambda tx: intake.settle_deferred_debits(tx, self.random, day))
        done, _ = self.store.after(day, lambda tx: closing.close_day(tx, self.random, day, "file"))
        assert self.store.tx.invariants.violations() == []
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
