"""A business day of payouts against the short code's own statement (facts: Daraja 9).

Each function runs inside a transaction and makes no outside calls. It may be repeated with the same
statement, or a longer one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from services import payout_settlement
from services.domain.business_days import start_of_day
from services.domain.fees import NOTHING
from services.domain.ids import draw_unique, new_reference
from services.domain.payout import Payout, PayoutState
from services.domain.payout_answers import PaidOut
from services.domain.short_code_line import PayoutDay, PayoutFinding, ShortCodeLine
from services.payout_settlement import PayoutChange
from services.ports import Random, Tx

SOURCE = "mpesa.statement"  # of evidence
NOT_ON_STATEMENT, DIFFERS, UNKNOWN_DEBIT = "not_on_statement", "amount_differs", "unknown_debit"
_PREFIX = "RC"  # as other findings: admins look into it, and close it with /resolve
_MAY_BE_PAID = frozenset(
    {PayoutState.UNKNOWN, PayoutState.ACCEPTED, PayoutState.RETURNED, PayoutState.PAID}
)


def compare_day(
    tx: Tx, random: Random, day: date, lines: Sequence[ShortCodeLine]
) -> tuple[PayoutDay, list[PayoutChange]]:
    """Compare our payouts of that day with the statement's. A line settles the one payout without
    a receipt whose phone it names and that no other line can be: what M-PESA lists as completed
    was paid."""
    changes: list[PayoutChange] = []
    findings: list[PayoutFinding] = []
    matched: list[Payout] = []
    payouts = _payouts_of(tx, lines)
    for line in lines:
        payout = payouts.get(line.receipt)
        if payout is not None and payout.receipt is None:
            change = payout_settlement.settle_paid(tx, payout, PaidOut(line.receipt, None), SOURCE)
            changes += [] if change is None else [change]
        tx.short_code_lines.add(line, None if payout is None else payout.reference)
        if payout is None:
            findings.append(_unknown_debit(tx, random, line))
            continue
        matched.append(payout)
        _found(tx, line)
        tx.evidence.close_reviews(payout.reference, NOT_ON_STATEMENT)
        if payout.amount != line.amount or not line.may_have_gone_to(payout.recipient):
            findings.append(_differs(tx, payout, line))
    ours = tx.payouts.settled_between(start_of_day(day), start_of_day(day + timedelta(days=1)))
    findings += [
        _missing(tx, payout)
        for payout in ours
        if not tx.short_code_lines.is_listed(payout.reference)
    ]
    compared = PayoutDay(
        day=day,
        lines=len(lines),
        matched=len(matched),
        withdrawn=sum((line.amount for line in lines), NOTHING),
        tariff=sum((payout.quote.fees for payout in matched), NOTHING),
        settled=[change.payout.reference for change in changes],
        findings=findings,
    )
    return compared, changes


def _payouts_of(tx: Tx, lines: Sequence[ShortCodeLine]) -> Mapping[str, Payout]:
    """The payouts of lines, by receipt: known by it, or, of those without, where exactly one line
    and exactly one payout fit each other."""
    known: dict[str, Payout] = {}
    possible: dict[str, Sequence[Payout]] = {}
    for line in lines:
        payout = tx.payouts.of_receipt(line.receipt)
        if payout is None:
            possible[line.receipt] = _possible(tx, line)
        else:
            known[line.receipt] = payout
    claims = Counter(payout.reference for payouts in possible.values() for payout in payouts)
    for receipt, payouts in possible.items():
        if len(payouts) == 1 and claims[payouts[0].reference] == 1:
            known[receipt] = payouts[0]
    return known


def _possible(tx: Tx, line: ShortCodeLine) -> Sequence[Payout]:
    since = start_of_day(line.day) - timedelta(days=1)
    until = start_of_day(line.day) + timedelta(days=1)
    return [
        payout
        for payout in tx.payouts.without_receipt(line.amount, since, until)
        if payout.state in _MAY_BE_PAID and line.names(payout.recipient)
    ]


def _found(tx: Tx, line: ShortCodeLine) -> None:
    """It was none of ours until its payout was known: then there is nothing to look into."""
    finding = tx.short_code_lines.finding(line.receipt)
    if finding is not None:
        tx.evidence.close_reviews(finding)
        tx.proposals.supersede(finding)


def _unknown_debit(tx: Tx, random: Random, line: ShortCodeLine) -> PayoutFinding:
    """Money left for no payout of ours: somebody else pays from the account."""
    finding = tx.short_code_lines.finding(line.receipt) or draw_unique(
        lambda: new_reference(_PREFIX, random),
        lambda drawn: tx.short_code_lines.name_finding(line.receipt, drawn),
    )
    tx.evidence.open_review(finding, UNKNOWN_DEBIT)
    return PayoutFinding(finding, UNKNOWN_DEBIT, line.amount, _said(line))


def _differs(tx: Tx, payout: Payout, line: ShortCodeLine) -> PayoutFinding:
    tx.evidence.open_review(payout.reference, DIFFERS)
    return PayoutFinding(payout.reference, DIFFERS, line.amount, _said(line))


def _missing(tx: Tx, payout: Payout) -> PayoutFinding:
    tx.evidence.open_review(payout.reference, NOT_ON_STATEMENT)
    said = f"M-PESA receipt {payout.receipt or '-'}, {payout.amount}"
    return PayoutFinding(payout.reference, NOT_ON_STATEMENT, payout.amount, said)


def _said(line: ShortCodeLine) -> str:
    return f"M-PESA receipt {line.receipt}, {line.amount}, {line.party or 'nobody named'}"
