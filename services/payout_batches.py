"""Files of payouts, the people's side: read, approve as one digest, hold the float, stop.

Each function runs inside a transaction and makes no outside calls. Rows are taken up and settled by
``services.payout_batch_rows``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from services import approvals, payout_batch_rows, payout_quotes, spending
from services.approvals import AwaitingApproval
from services.domain.ids import draw_unique, new_reference
from services.domain.ledger import payout_holds
from services.domain.money import Money
from services.domain.partner import Partner, Person
from services.domain.payout import BATCH_CHANNEL, Payout, PayoutState
from services.domain.payout_batch import (
    PREFIX,
    REPEATED,
    SAME_ROWS_WITHIN,
    STOPPED,
    Batch,
    BatchRow,
    BatchState,
    RowFault,
    digest_of,
    doubled_in,
    total_of,
)
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.domain.spending import Shortfall, SpendingState, is_in
from services.otp import NotPassed
from services.policy import Policy
from services.ports import Keys, Random, Tx
from services.spending import CodeSent

_NOT_PAID = ("returned", "cancelled")


@dataclass(frozen=True, slots=True)
class Doubles:
    """What looks like a repetition: rows of an amount and phone that the file had above, or that
    was paid or is under way since a day ago, and a batch of the same rows."""

    in_file: Sequence[BatchRow]
    paid: Sequence[tuple[BatchRow, Payout]]
    same_rows: Batch | None

    @property
    def rows(self) -> int:
        numbers = {row.number for row in self.in_file} | {row.number for row, _ in self.paid}
        return len(numbers)

    def __bool__(self) -> bool:
        return bool(self.in_file or self.paid or self.same_rows)


def check_may_send(tx: Tx, policy: Policy, maker: Person) -> Refusal | None:
    """Whether this person may ask for a batch now.

    Refusals: those of ``payout_quotes.check_may_pay``; ``no_second_for_file`` where nobody may
    agree.
    """
    refusal = payout_quotes.check_may_pay(tx, policy, maker)
    if refusal is not None:
        return refusal
    if not approvals.eligible_approvers(tx, policy, maker):
        return Refusal("no_second_for_file")
    return None


def check_rows(tx: Tx, partner: str, rows: Sequence[BatchRow]) -> list[RowFault]:
    """Rows that M-PESA or the partner's limits do not let through: ``below_minimum``,
    ``above_maximum``, ``recipient_day`` (what the file pays a phone in all, with what it was paid
    today). What a new number may get at first does not hold where two people agreed."""
    least = tx.limits.in_force("payout.min", partner)
    most = tx.limits.in_force("payout.max", partner)
    faults = []
    in_file: Counter[Phone] = Counter()
    for row in rows:
        in_file[row.phone] += row.amount.cents
        if row.amount < least:
            faults.append(_fault(row, "below_minimum", minimum=least))
        elif most < row.amount:
            faults.append(_fault(row, "above_maximum", maximum=most))
        elif refusal := payout_quotes.check_recipient_day(
            tx, partner, row.phone, Money(in_file[row.phone])
        ):
            faults.append(_fault(row, "recipient_day", **refusal.facts))
    return faults


def _fault(row: BatchRow, code: str, **facts: object) -> RowFault:
    return RowFault(row.number, row.line, "amount", code, facts)


def find_doubles(tx: Tx, partner: str, rows: Sequence[BatchRow]) -> Doubles:
    paid = [
        (row, found)
        for row in rows
        if (found := payout_quotes.find_alike(tx, partner, row.phone, row.amount)) is not None
    ]
    since = tx.now - SAME_ROWS_WITHIN
    same = tx.payout_batches.of_same_rows(partner, digest_of(rows), since)
    return Doubles(doubled_in(rows), paid, same)


def request(
    tx: Tx,
    random: Random,
    policy: Policy,
    maker: Person,
    channel: str,
    address: str,
    key: str,
    name: str,
    rows: Sequence[BatchRow],
) -> tuple[Batch, Doubles] | Sequence[RowFault] | Refusal:
    """Store a file that was read; one that nobody confirmed at this address is forgotten.

    Refusals: those of ``check_may_send``, ``pay_day``. Nothing is stored then, nor with faults.
    """
    refusal = check_may_send(tx, policy, maker)
    if refusal is not None:
        return refusal
    partner = maker.partner.code
    if faults := check_rows(tx, partner, rows):
        return faults
    total = total_of(rows)
    if (refusal := payout_quotes.check_day(tx, partner, total.amount)) is not None:
        return refusal
    if (standing := tx.payout_batches.quoted(channel, address)) is not None:
        spending.drop_quote(tx, standing)
    doubles = find_doubles(tx, partner, rows)
    batch = add(tx, random, maker, channel, address, key, name, rows, doubles, accepted=not doubles)
    return batch, doubles


def add(
    tx: Tx,
    random: Random,
    maker: Person,
    channel: str,
    address: str,
    key: str,
    name: str,
    rows: Sequence[BatchRow],
    doubles: Doubles,
    *,
    accepted: bool,
) -> Batch:
    """Store rows that were checked, to be confirmed. ``accepted``: its maker takes the doubles."""
    total = total_of(rows)
    batch = Batch(
        reference="",
        partner=maker.partner.code,
        person_id=maker.id,
        channel=channel,
        address=address,
        language=maker.language,
        quote=total,
        phone=maker.phone,
        name=name,
        rows=len(rows),
        digest=digest_of(rows),
        doubles=doubles.rows,
        accepted=accepted,
        approved_digest=None,
        state=BatchState.QUOTED,
        reason=None,
        created_at=tx.now,
        quoted_at=tx.now,
        authorised_at=None,
        settled_at=None,
        told_at=None,
    )
    batch = draw_unique(
        lambda: replace(batch, reference=new_reference(PREFIX, random)),
        lambda drawn: tx.payout_batches.add(drawn, key),
    )
    tx.payout_batches.add_rows(batch.reference, rows)
    return batch


def accept_doubles(tx: Tx, maker: Person, reference: str) -> Batch | Refusal:
    """Its maker wants the doubled rows all the same. Refusal: ``batch_over``."""
    batch = own_batch(tx, maker, reference)
    if batch is None or batch.state is not BatchState.QUOTED:
        return Refusal("batch_over")
    batch = replace(batch, accepted=True)
    tx.payout_batches.save(batch)
    return batch


def own_batch(tx: Tx, maker: Person, reference: str) -> Batch | None:
    """The batch, if this person sent it."""
    found = spending.own(tx, maker, reference)
    return found if isinstance(found, Batch) else None


def of_partner(tx: Tx, partner: str, reference: str) -> Batch | None:
    found = tx.payout_batches.get(reference)
    return found if found is not None and found.partner == partner else None


def shortfall(tx: Tx, batch: Batch) -> Shortfall | None:
    return payout_quotes.shortfall(tx, batch.partner, batch.quote)


def confirm(
    tx: Tx, keys: Keys, random: Random, policy: Policy, maker: Person, reference: str
) -> CodeSent[Batch] | AwaitingApproval[Batch] | Shortfall | Refusal:
    """Its maker said yes to what was shown: ask a second person, whatever the amount; once one
    agreed, send the code.

    Refusals: those of ``payout_quotes.check_may_pay``, ``approvals.request`` and
    ``approvals.still_awaiting``; ``batch_repeated`` (reference), which ends it, if a row was paid
    otherwise since the file was read; ``batch_over`` if it is past confirmation, or its maker's
    number is another by now; ``batch_doubles`` where repeated rows were not accepted.
    """
    batch = own_batch(tx, maker, reference)
    if batch is None or not is_in(batch, SpendingState.QUOTED, SpendingState.AWAITING_APPROVAL):
        return Refusal("batch_over")
    if batch.phone != maker.phone:
        spending.cancel(tx, maker, reference)
        return Refusal("batch_over")
    refusal = payout_quotes.check_may_pay(tx, policy, maker)
    if refusal is not None:
        return refusal
    if not batch.accepted:
        return Refusal("batch_doubles")
    was_asked = is_in(batch, SpendingState.AWAITING_APPROVAL)
    if was_asked and (still := approvals.still_awaiting(tx, batch)) is not None:
        return still
    if was_asked and (repeated := tx.payout_batches.repeated_since(reference)) is not None:
        spending.end(tx, batch, SpendingState.REFUSED, REPEATED)
        return Refusal.of("batch_repeated", reference=repeated)
    if (short := shortfall(tx, batch)) is not None:
        return short
    if not was_asked:
        return approvals.request(tx, policy, maker, batch)
    return spending.send_code(tx, keys, random, batch, limits=policy.code_limits)


def authorise(
    tx: Tx, keys: Keys, random: Random, policy: Policy, maker: Person, reference: str, code: str
) -> Batch | NotPassed | Refusal:
    """Check the code; if it is right, hold the float of every row and let them run, in one
    transaction.

    Returns the batch in its next state, including ``REFUSED``, ``OTP_LOCKED`` and ``OTP_EXPIRED``;
    ``NotPassed`` while tries are left. Refusal: ``batch_over``.
    """
    batch = own_batch(tx, maker, reference)
    if batch is None:
        return Refusal("batch_over")
    if batch.state is not BatchState.OTP_SENT:
        return batch
    wrong = spending.check_code(tx, keys, batch, code, limits=policy.code_limits)
    if wrong is not None:
        return wrong
    rows = tx.payout_batches.rows(reference)
    refused = _why_not_now(tx, policy, maker, batch, rows)
    if refused is not None:
        return spending.end(tx, batch, SpendingState.REFUSED, refused)
    return _run(tx, random, policy, batch, rows)


def _why_not_now(
    tx: Tx, policy: Policy, maker: Person, batch: Batch, rows: Sequence[BatchRow]
) -> str | None:
    """The reason for which it may not run after all."""
    refusal = payout_quotes.check_may_pay(tx, policy, maker)
    refusal = refusal or payout_quotes.check_day(tx, batch.partner, batch.amount)
    if refusal is not None:
        return refusal.code
    if digest_of(rows) != batch.approved_digest or not approvals.is_approval_valid(tx, batch):
        return "second_left"
    if faults := check_rows(tx, batch.partner, rows):
        by_day = any(fault.code == "recipient_day" for fault in faults)
        return "pay_recipient_day" if by_day else "changed_limits"
    if tx.payout_batches.repeated_since(batch.reference) is not None:
        return REPEATED
    return None if shortfall(tx, batch) is None else "float_short"


def _run(tx: Tx, random: Random, policy: Policy, batch: Batch, rows: Sequence[BatchRow]) -> Batch:
    """Every row becomes a payout with its own hold; none is due before it is taken up."""
    batch = batch.transition_to(BatchState.RUNNING, authorised_at=tx.now)
    tx.payout_batches.save(batch)  # first: its event stands before those of its rows
    for row in rows:
        payout = _payout_of(tx, random, policy, batch, row)
        tx.payout_batches.begun(batch.reference, row.number, payout.reference)
        tx.ledger.book(*payout_holds(payout.reference, payout.partner, payout.quote))
    return batch


def _payout_of(tx: Tx, random: Random, policy: Policy, batch: Batch, row: BatchRow) -> Payout:
    payout = payout_quotes.add(
        tx,
        random,
        policy,
        batch.partner,
        None,
        BATCH_CHANNEL,
        batch.reference,
        f"{batch.reference}:{row.number}",
        row.phone,
        row.quote,
        row.remarks,
        row.reference,
    )
    payout = payout.transition_to(PayoutState.AUTHORISED, authorised_at=tx.now)
    tx.payouts.save(payout)
    return payout


def stop(tx: Tx, partner: Partner, reference: str) -> Batch | Refusal:
    """End the rows that are not on their way; their float is free at once. Rows that M-PESA may
    have go on. Refusal: ``batch_not_running``."""
    batch = of_partner(tx, partner.code, reference)
    if batch is None or batch.state is not BatchState.RUNNING:
        return Refusal("batch_not_running")
    return stop_running(tx, batch)


def stop_running(tx: Tx, batch: Batch) -> Batch:
    """See ``stop``."""
    reference = batch.reference
    for unsent in tx.payout_batches.unsent(reference):
        payout = tx.payouts.get(unsent)
        assert payout is not None, "it was just found"
        tx.payouts.save(payout_batch_rows.cancel(tx, payout))
    batch = batch.transition_to(BatchState.STOPPED, reason=STOPPED, settled_at=tx.now)
    tx.payout_batches.save(batch)
    return batch


def failed_rows(tx: Tx, batch: Batch) -> list[BatchRow]:
    """Rows whose money came back, numbered anew, to be paid again; not those that were paid
    otherwise since, or are under way."""
    assert batch.authorised_at is not None, "what never ran has no failed rows"
    again = [
        result.row
        for result in tx.payout_batches.results(batch.reference)
        if result.status in _NOT_PAID
        and not tx.payouts.similar(
            batch.partner,
            result.row.phone,
            result.row.amount,
            batch.authorised_at,
            but=batch.reference,
        )
    ]
    return [replace(row, number=number) for number, row in enumerate(again, start=1)]
