"""Close each day against the bank: its statement, line by line, against payments and purchases.

Each function runs inside a transaction and calls nobody outside; together they may be repeated
with the same statement, or a longer one, as often as one likes. A line is evidence like any other:
it settles what was unknown, and brings payments that nobody had told of. What is left over on
either side keeps the day open until admins have looked into it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from services import float_settlement, payment_matching, payments, reversals, topup_settlement
from services.domain.business_days import business_day, start_of_day
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.ids import new_reference
from services.domain.money import Money
from services.domain.partner import Partner
from services.domain.payment import (
    STATEMENT,
    Payer,
    Payment,
    PaymentState,
    RecordedPayment,
    stand_in_receipt,
)
from services.domain.reconciliation import BankLine, Finding, FindingKind, ReconciliationDay
from services.domain.refusal import Refusal
from services.domain.statement_repeats import LineKey, is_copy, is_same_movement, match_stored
from services.domain.topup import CREDITED, TopUp
from services.float_settlement import PurchaseChange
from services.ports import Random, Tx
from services.reversals import Reversed

BOOKED_AFTER = timedelta(days=3)  # that a line's day may be after its payment's: a long weekend
GIVEN_BACK_WITHIN = timedelta(days=7)  # of a debit: then the bank may have taken it back
CURRENCY = "KES"  # of the account that payments come to
REFERENCE_DRAWS = 16  # a clash has a chance of one in thousands, at a million findings

LineEffect = payments.PaymentEffect | PurchaseChange | Reversed


class LineWithPeers(NamedTuple):
    """A line, the lines of its statement that have its day, side and amount, and its place there:
    which of them are kept already is told by all together."""

    line: BankLine
    peers: Sequence[BankLine]
    place: int


def with_peers(lines: Iterable[BankLine]) -> list[LineWithPeers]:
    """Each line among its like. Credits come first, because a debit may take one of them back, or
    be given back by one; of these, a line that may be of several payments after the others."""
    peers: dict[tuple[date, bool, Money], list[BankLine]] = {}
    found = []
    for line in sorted(lines, key=_reading_order):
        like = peers.setdefault((line.day, line.is_credit, line.amount), [])
        found.append(LineWithPeers(line, like, len(like)))
        like.append(line)
    return found


def _reading_order(line: BankLine) -> tuple[bool, bool, bool]:
    return not line.is_credit, line.may_be_reversal, len(line.named_receipts) > 1


def record_lines(
    tx: Tx,
    random: Random,
    source: str,
    lines: Sequence[LineWithPeers],
    later: Sequence[BankLine] | None = None,
) -> list[LineEffect]:
    """Read some lines of a statement, and book what they are evidence of.

    ``later`` are the lines of the days behind them as far as they are known, ``None`` where no
    such day was read: a debit may be given back there.
    """
    effects: list[LineEffect] = []
    kept = _KeptLines(tx)
    for one in lines:
        line = one.line
        key, is_doubted = kept.told(one)
        if tx.reconciliations.matched(key) is not None or tx.reconciliations.is_dismissed(
            key, line
        ):
            continue
        tx.reconciliations.add_line(key, line, source)
        if line.amount.currency != CURRENCY:
            continue  # what it says of ours cannot be right: it stays a finding
        if line.is_credit:
            effects += _credit(tx, random, key, line, is_doubted=is_doubted)
        else:
            effects += _debit(tx, random, key, line, later)
    return effects


class _KeptLines:
    """Under which key a line is kept already, told by whomever and in whatever words."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._told: dict[tuple[date, bool, Money], Sequence[LineKey]] = {}

    def told(self, one: LineWithPeers) -> LineKey:
        of = (one.line.day, one.line.is_credit, one.line.amount)
        if of not in self._told:
            self._told[of] = match_stored(
                one.peers, self._tx.reconciliations.similar_lines(one.line)
            )
        return self._told[of][one.place]


def settle_deferred_debits(tx: Tx, random: Random, day: date) -> list[LineEffect]:
    """Book the debits of the days before that waited for the lines of this one."""
    effects: list[LineEffect] = []
    for back in range(GIVEN_BACK_WITHIN.days, 0, -1):
        for key, line in tx.reconciliations.unmatched(day - timedelta(days=back)):
            if not line.is_credit and not tx.reconciliations.is_dismissed(key, line):
                effects += _debit(tx, random, key, line, None)
    return effects


def close_day(tx: Tx, random: Random, day: date, source: str) -> tuple[ReconciliationDay, bool]:
    """Find what is left over of a day, and close the day if it has ended and there is nothing.

    The flag says whether there is something new to tell: other findings than before, or an end.
    """
    before = tx.reconciliations.day(day)
    left = {one.key: one for one in _left_over(tx, day)}
    known = tx.reconciliations.findings(day)
    for key, found in known.items():
        if found.is_open and key not in left:  # its counterpart has come meanwhile
            tx.evidence.close_reviews(found.id)
            tx.proposals.supersede(found.id)
    new = [one for key, one in left.items() if key not in known]
    for one in new:
        _store(tx, random, one)
    closed = (one for key, one in known.items() if key in left and not one.is_open)
    back = [one for one in closed if not one.is_dismissed]  # its counterpart has gone elsewhere
    for found in back:
        tx.evidence.reopen_review(found.id, found.kind)
    has_ended = day < business_day(tx.now)
    after = tx.reconciliations.save_day(day, source, has_ended=has_ended)
    was_open = before is not None and before.closed_at is None
    return after, bool(new or back) or (was_open and after.closed_at is not None)


# A line ------------------------------------------------------------------------------------------


def _credit(
    tx: Tx, random: Random, key: str, line: BankLine, *, is_doubted: bool
) -> list[LineEffect]:
    if line.may_be_reversal:
        return []  # of a debit, or of what took a payment back: a person has to look
    own = [one for one in line.receipts if tx.people.partner(one) is None]
    known = _known(tx, line.numbers)
    waiting = [arrived for arrived in known if not _has_line(tx, arrived)]
    fresh = [one for one in own if tx.payments.get(one) is None]
    if not waiting and len(fresh) == 1:
        return [] if is_doubted else _book(tx, random, key, line, fresh[0])
    if known or fresh:
        return [] if len(fresh) > 1 else _bring(tx, random, key, line, waiting)
    if mentioned := _mentioned(tx, line):
        return _bring(tx, random, key, line, mentioned)
    topup = _topup(tx, line)
    if topup is None:
        return [] if is_doubted else _of_partner(tx, random, key, line)
    if topup.amount != line.amount:
        return []
    if topup.receipt is not None:
        paid_by = tx.payments.get(topup.receipt)
        if paid_by is not None and not paid_by.inferred:
            tx.reconciliations.match(key, paid_by.reference)
        return []
    change = None
    if topup.state not in CREDITED:
        if is_doubted or _is_known_otherwise(tx, line, tx.people.partner(topup.partner)):
            return []
        change = topup_settlement.settle_without_receipt(tx, topup, line.said, STATEMENT)
    tx.reconciliations.match(key, topup.reference)
    return [] if change is None else [change]


def _bring(
    tx: Tx, random: Random, key: str, line: BankLine, known: Sequence[RecordedPayment]
) -> list[LineEffect]:
    """The line of a payment that somebody has told of."""
    if not known or known[0].amount != line.amount:
        return []
    if not tx.reconciliations.match(key, known[0].reference):
        return []
    return list(payments.record(tx, random, _payment(tx, line, known[0].payment.receipt)))


def _book(tx: Tx, random: Random, key: str, line: BankLine, receipt: str) -> list[LineEffect]:
    """A payment that nobody had told of, unless a line of another day may have."""
    if _is_of_other_day(tx, line):
        return []
    payment = _payment(tx, line, receipt)
    named = None if payment.topup is None else tx.topups.get(payment.topup)
    if named is not None:
        if named.receipt is not None and _waits_for_line(tx, named.receipt):
            return []  # it has one receipt, and this may be the bank's own number for it
    elif _is_known_otherwise(tx, line, payment_matching.partner_of(tx, payment)):
        return []
    effects = payments.record(tx, random, payment)
    arrived = tx.payments.get(receipt)
    assert arrived is not None, "it has just been recorded"
    tx.reconciliations.match(key, arrived.reference)
    return list(effects)


def _of_partner(tx: Tx, random: Random, key: str, line: BankLine) -> list[LineEffect]:
    """A payment without M-PESA's code, whose payer named a partner: the line itself proves it. One
    more that says the very same may be the bank's mistake."""
    if line.is_of_the_bank or is_copy(key) or not _names_partner(tx, line):
        return []
    return _book(tx, random, key, line, stand_in_receipt(key))


def _names_partner(tx: Tx, line: BankLine) -> bool:
    """In a field of references, as a whole: free text may hold any word."""
    said = (Payment("", line.amount, tx.now, one, Payer(""), STATEMENT) for one in line.references)
    return any(payment_matching.partner_of(tx, one) is not None for one in said)


def _debit(
    tx: Tx, random: Random, key: str, line: BankLine, later: Sequence[BankLine] | None
) -> list[LineEffect]:
    purchase = _purchase(tx, line)
    if purchase is not None:
        return _bought(tx, key, line, purchase, later)
    if not line.is_reversal:
        return []  # what a payment cost, or where it was swept to, takes nothing from its partner
    arrived = _taken_back(tx, line)
    if arrived is None or arrived.amount != line.amount:
        return []
    if arrived.state is PaymentState.REVERSED:
        return []
    if (doubled := _doubled_credit(tx, line, arrived)) is not None:
        tx.reconciliations.match(doubled, f"{arrived.reference}:doubled:{key}")
        tx.reconciliations.match(key, f"{arrived.reference}:undoubled:{key}")
        return []
    if _may_yet_settle(tx, arrived):
        return []  # from whom it is taken back, evidence will tell; the line is read again
    reversal = reversals.reverse(tx, random, arrived, STATEMENT, line.said)
    tx.reconciliations.match(key, f"{arrived.reference}:reversed")
    return [reversal]


def _bought(
    tx: Tx, key: str, line: BankLine, purchase: Purchase, later: Sequence[BankLine] | None
) -> list[LineEffect]:
    """Evidence that float was bought, unless the bank has given the money back, or may have: what
    bounces comes back on the same day or on the next."""
    if purchase.amount != line.amount or line.did_not_complete or _is_given_back(tx, line, later):
        return []
    if purchase.state is PurchaseState.SUCCEEDED:
        tx.reconciliations.match(key, purchase.reference)
        return []
    if purchase.state not in (PurchaseState.SUBMITTING, PurchaseState.UNKNOWN):
        return []
    if later is None and not tx.reconciliations.has_lines_after(line.day):
        return []
    settled = float_settlement.settle_bought(tx, purchase, line.said, STATEMENT)
    tx.reconciliations.match(key, purchase.reference)
    return [settled]


def _is_given_back(tx: Tx, debit: BankLine, later: Sequence[BankLine] | None) -> bool:
    """Whether credits that name such debits leave less than one of them with the bank: a bounce may
    come in parts, or less a charge."""
    names = {form for one in debit.ours for form in (one, one.replace("-", ""))}
    until = debit.day + GIVEN_BACK_WITHIN
    naming = tx.reconciliations.lines_naming
    debits = [one for one in naming(debit.day, until, names) if not one.is_credit]
    for one in (*debits, debit):
        names.update(number for number in one.given_back_by if tx.people.partner(number) is None)
    kept = naming(debit.day, until, names)
    known = {line.identity for line in kept}
    more = [line for line in later or () if line.identity not in known and line.says_any(names)]
    back = sum(line.amount.cents for line in (*kept, *more) if line.is_credit)
    taken = sum(line.amount.cents for line in debits)
    return back > 0 and taken - back < debit.amount.cents


def _taken_back(tx: Tx, line: BankLine) -> RecordedPayment | None:
    """The one payment that a debit may take back: that of which it says so, else the only one that
    it names at all. Where it names several, known or not, a person has to look."""
    said = line.reversed_numbers
    known = _known(tx, said) if said else _mentioned(tx, line)
    if len(known) != 1:
        return None
    named = {one for one in said or line.mixed_mentions if tx.people.partner(one) is None}
    return None if named - {known[0].payment.receipt} else known[0]


def _doubled_credit(tx: Tx, line: BankLine, arrived: RecordedPayment) -> str | None:
    """A second line of that payment, which this one takes back: the bank has it in once again."""
    since = arrived.payment.day - BOOKED_AFTER
    for key, known, is_matched in tx.reconciliations.lines_between(since, line.day, line.amount):
        mentions = arrived.payment.receipt in known.mentions
        if known.is_credit and not is_matched and mentions and not known.may_be_reversal:
            return key
    return None


def _known(tx: Tx, numbers: Sequence[str]) -> list[RecordedPayment]:
    """Payments that are known by M-PESA's code, or by the bank's own number."""
    found = (tx.payments.get(one) or tx.payments.of_bank(one, has_receipt=True) for one in numbers)
    return list({one.reference: one for one in found if one is not None}.values())


def _mentioned(tx: Tx, line: BankLine) -> list[RecordedPayment]:
    return _known(tx, [*line.numbers, *line.mentions])


def _has_line(tx: Tx, arrived: RecordedPayment) -> bool:
    return tx.reconciliations.has_line(arrived.reference) or (
        arrived.operation is not None and tx.reconciliations.has_line(arrived.operation)
    )


def _waits_for_line(tx: Tx, receipt: str) -> bool:
    """Whether a payment surely stands where it does, and no line has brought it yet."""
    holder = tx.payments.get(receipt)
    if holder is None or holder.inferred:
        return False
    start = start_of_day(holder.payment.day)
    return holder in tx.reconciliations.payments_without_line(start, start + timedelta(days=1))


def _is_known_otherwise(tx: Tx, line: BankLine, partner: Partner | None) -> bool:
    """Whether the bank may have told of it by another number: which word of a line is M-PESA's
    receipt is not known (facts: NCBA 5), and its day may be a later one. Then a person has to
    look."""
    start = start_of_day(line.day - BOOKED_AFTER)
    end = start_of_day(line.day + timedelta(days=1))
    return any(
        known.amount == line.amount and (partner is None or known.partner in (None, partner.code))
        for known in tx.reconciliations.payments_without_line(start, end)
    )


def _is_of_other_day(tx: Tx, line: BankLine) -> bool:
    """Whether a line that has counted on another day, before or behind, has a number of it."""
    first, last = line.day - BOOKED_AFTER, line.day + BOOKED_AFTER
    return any(
        known.day != line.day and known.is_credit and is_matched and is_same_movement(known, line)
        for _, known, is_matched in tx.reconciliations.lines_between(first, last, line.amount)
    )


def _may_yet_settle(tx: Tx, arrived: RecordedPayment) -> bool:
    """It is in suspense, and may prove to be what paid a top-up: by the evidence about that one, or
    by what admins say where nobody knows the payer."""
    if arrived.state is not PaymentState.IN_SUSPENSE:
        return False
    if isinstance(payments.find_in_suspense(tx, arrived.reference), Refusal):
        return True
    payment = arrived.payment
    return not payment.payer.number and any(True for _ in payments.possible_topups(tx, payment))


def _payment(tx: Tx, line: BankLine, receipt: str) -> Payment:
    """What a line says of a payment. It names a day, not a moment: the day's last one, so that
    every prompt of that day can be what it paid."""
    paid_at = start_of_day(line.day + timedelta(days=1)) - timedelta(seconds=1)
    said = (Payment(receipt, line.amount, paid_at, one, Payer(""), STATEMENT) for one in line.words)
    named = (one.account_reference for one in said if payment_matching.named_by(tx, one).partners)
    account = next(named, line.said)
    return Payment(receipt, line.amount, paid_at, account, Payer(line.payer), STATEMENT)


def _topup(tx: Tx, line: BankLine) -> TopUp | None:
    found = (tx.topups.get(one) for one in line.ours)
    return next((topup for topup in found if topup is not None), None)


def _purchase(tx: Tx, line: BankLine) -> Purchase | None:
    found = (tx.purchases.get(one) for one in line.ours)
    return next((purchase for purchase in found if purchase is not None), None)


# What is left over -------------------------------------------------------------------------------


def _left_over(tx: Tx, day: date) -> list[_NewFinding]:
    left = [_of_line(tx, key, line) for key, line in tx.reconciliations.unmatched(day)]
    for arrived in tx.reconciliations.matched_payments(day):
        if arrived.payment.day != day:
            left.append(_NewFinding.of(day, FindingKind.OTHER_DAY, arrived))
    start, end = start_of_day(day), start_of_day(day + timedelta(days=1))
    named = {one.about for one in left}
    return left + [one for one in _missing(tx, day, start, end) if one.about not in named]


def _missing(tx: Tx, day: date, start: datetime, end: datetime) -> list[_NewFinding]:
    """What we have, and no line has."""
    left = []
    for arrived in tx.reconciliations.payments_without_line(start, end):
        left.append(_NewFinding.of(day, FindingKind.NOT_ON_STATEMENT, arrived))
    for topup in tx.reconciliations.topups_without_line(start, end):
        left.append(
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
        left.append(
            _NewFinding(
                day,
                FindingKind.NOT_ON_STATEMENT,
                purchase.reference,
                purchase.amount,
                f"float of {purchase.amount}",
                purchase.partner,
            )
        )
    return left


def _of_line(tx: Tx, key: str, line: BankLine) -> _NewFinding:
    """Why a line is nobody's."""
    kind, about, partner = _reason(tx, line)
    return _NewFinding(line.day, kind, about, line.amount, line.said, partner, key)


def _reason(tx: Tx, line: BankLine) -> tuple[FindingKind, str, str | None]:
    unknown = FindingKind.UNKNOWN_CREDIT if line.is_credit else FindingKind.UNKNOWN_DEBIT
    known = _mentioned(tx, line)
    topup, purchase = _topup(tx, line), _purchase(tx, line)
    operation = topup or purchase if line.is_credit else purchase or topup
    if known:
        about, partner, amount = known[0].reference, known[0].partner, known[0].amount
    elif operation is not None:
        about, partner, amount = operation.reference, operation.partner, operation.amount
    else:
        return unknown, "", None
    if not known and line.is_credit is isinstance(operation, Purchase):
        return unknown, about, partner  # money back for a purchase, or out by a top-up
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
    """Something left over, before it has a reference of its own; ``line`` is the line's key."""

    day: date
    kind: FindingKind
    about: str
    amount: Money
    said: str
    partner: str | None = None
    line: str = ""

    @classmethod
    def of(cls, day: date, kind: FindingKind, arrived: RecordedPayment) -> _NewFinding:
        payment = arrived.payment
        said = f"M-PESA receipt {payment.receipt}, {payment.amount}"
        return cls(day, kind, arrived.reference, payment.amount, said, arrived.partner)

    @property
    def key(self) -> str:
        """The same whenever it is found again."""
        return f"{self.day.isoformat()}:{self.kind}:{self.line or self.about}"


def _store(tx: Tx, random: Random, left: _NewFinding) -> None:
    for _ in range(REFERENCE_DRAWS):
        found = Finding(
            id=new_reference("RC", random),
            day=left.day,
            kind=left.kind,
            about=left.about,
            amount=left.amount,
            said=left.said,
            partner=left.partner,
        )
        if tx.reconciliations.add_finding(found, left.key):
            tx.evidence.open_review(found.id, left.kind)
            return
    raise RuntimeError("no free reference found")
