"""Close a business day against the bank: anything unmatched on either side keeps it open.

Each function runs inside a transaction and makes no outside calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.domain.bank_line import BankLine
from services.domain.business_days import business_day, start_of_day
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.ids import draw_unique, new_reference
from services.domain.money import Money
from services.domain.payment import PaymentState, RecordedPayment
from services.domain.reconciliation import Finding, FindingKind, ReconciliationDay
from services.domain.topup import CREDITED, TopUp
from services.ports import Random, Tx
from services.reconciliation.matches import mentioned_payments, named_purchase, named_topup


def close_day(tx: Tx, random: Random, day: date, source: str) -> tuple[ReconciliationDay, bool]:
    """Find what is unmatched on a day, and close the day if it has ended and nothing is.

    The flag says whether there is news to report: different findings than before, or the closing.
    """
    before = tx.reconciliations.day(day)
    left = {finding.key: finding for finding in _left_over(tx, day)}
    known = tx.reconciliations.findings(day)
    for key, found in known.items():
        if found.is_open and key not in left:  # its counterpart has arrived meanwhile
            tx.evidence.close_reviews(found.id)
            tx.proposals.supersede(found.id)
    new = [finding for key, finding in left.items() if key not in known]
    for finding in new:
        _store(tx, random, finding)
    closed = (found for key, found in known.items() if key in left and not found.is_open)
    # Their counterparts have moved elsewhere.
    reopened = [found for found in closed if not found.is_dismissed]
    for found in reopened:
        tx.evidence.reopen_review(found.id, found.kind)
    has_ended = day < business_day(tx.now)
    after = tx.reconciliations.save_day(day, source, has_ended=has_ended)
    was_open = before is not None and before.closed_at is None
    return after, bool(new or reopened) or (was_open and after.closed_at is not None)


def _left_over(tx: Tx, day: date) -> list[_NewFinding]:
    findings = [_of_line(tx, key, line) for key, line in tx.reconciliations.unmatched(day)]
    for recorded in tx.reconciliations.matched_payments(day):
        if recorded.payment.day != day:
            findings.append(_NewFinding.of(day, FindingKind.OTHER_DAY, recorded))
    start, end = start_of_day(day), start_of_day(day + timedelta(days=1))
    named = {one.about for one in findings}
    return findings + [one for one in _missing(tx, day, start, end) if one.about not in named]


def _missing(tx: Tx, day: date, start: datetime, end: datetime) -> list[_NewFinding]:
    """Records of ours that no line confirms."""
    findings = []
    for recorded in tx.reconciliations.payments_without_line(start, end):
        findings.append(_NewFinding.of(day, FindingKind.NOT_ON_STATEMENT, recorded))
    for topup in tx.reconciliations.topups_without_line(start, end):
        findings.append(
            _NewFinding(
                day,
                FindingKind.NOT_ON_STATEMENT,
                topup.reference,
                topup.amount,
                f"top-up of {topup.amount}",
                topup.partner,
            )
        )
    for purchase in tx.reconciliations.purchases_without_line(start, end):
        findings.append(
            _NewFinding(
                day,
                FindingKind.NOT_ON_STATEMENT,
                purchase.reference,
                purchase.amount,
                f"float of {purchase.amount}",
                purchase.partner,
            )
        )
    return findings


def _of_line(tx: Tx, key: str, line: BankLine) -> _NewFinding:
    """Why a line has no counterpart."""
    kind, about, partner = _reason(tx, line)
    return _NewFinding(line.day, kind, about, line.amount, line.said, partner, key)


def _reason(tx: Tx, line: BankLine) -> tuple[FindingKind, str, str | None]:
    unknown = FindingKind.UNKNOWN_CREDIT if line.is_credit else FindingKind.UNKNOWN_DEBIT
    known = mentioned_payments(tx, line)
    topup, purchase = named_topup(tx, line), named_purchase(tx, line)
    operation = topup or purchase if line.is_credit else purchase or topup
    if known:
        about, partner, amount = known[0].reference, known[0].partner, known[0].amount
    elif operation is not None:
        about, partner, amount = operation.reference, operation.partner, operation.amount
    else:
        return unknown, "", None
    if not known and line.is_credit is isinstance(operation, Purchase):
        return unknown, about, partner  # money back for a purchase, or a debit that names a top-up
    if amount != line.amount:
        return FindingKind.AMOUNT_DIFFERS, about, partner
    if known:
        is_reversed = known[0].state is PaymentState.REVERSED
        is_again = not line.may_be_reversal if line.is_credit else is_reversed
        return FindingKind.DOUBLED_LINE if is_again else unknown, about, partner
    if isinstance(operation, Purchase) and operation.state is not PurchaseState.SUCCEEDED:
        return FindingKind.DEBITED_UNBOUGHT, about, partner
    if isinstance(operation, TopUp) and operation.state not in CREDITED:
        return unknown, about, partner
    return FindingKind.DOUBLED_LINE, about, partner


@dataclass(frozen=True, slots=True)
class _NewFinding:
    """Something unmatched, before it has its own reference; ``line`` is the line's key."""

    day: date
    kind: FindingKind
    about: str
    amount: Money
    said: str
    partner: str | None = None
    line: str = ""

    @classmethod
    def of(cls, day: date, kind: FindingKind, recorded: RecordedPayment) -> _NewFinding:
        payment = recorded.payment
        detail = f"M-PESA receipt {payment.receipt}, {payment.amount}"
        return cls(day, kind, recorded.reference, payment.amount, detail, recorded.partner)

    @property
    def key(self) -> str:
        """Stable across repeated comparisons."""
        return f"{self.day.isoformat()}:{self.kind}:{self.line or self.about}"


def _store(tx: Tx, random: Random, new: _NewFinding) -> None:
    found = draw_unique(
        lambda: Finding(
            id=new_reference("RC", random),
            day=new.day,
            kind=new.kind,
            about=new.about,
            amount=new.amount,
            said=new.said,
            partner=new.partner,
        ),
        lambda drawn: tx.reconciliations.add_finding(drawn, new.key),
    )
    tx.evidence.open_review(found.id, new.kind)
