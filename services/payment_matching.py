"""Which payment may have paid which top-up, and how inferred receipts move.

By payer, amount and time, several payments may fit several top-ups. A receipt matched by these
alone is inferred: the payment may have paid another top-up instead. So a payment that fits only a
top-up with an inferred receipt may be the right one for it, if the payment there can move on to
another top-up, and so on, up to one without a receipt. Such a sequence of top-ups is a ``Chain``
(docs/decisions/0017). Runs inside a transaction and makes no outside calls.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from services.domain.money import Money
from services.domain.partner import Partner
from services.domain.payment import (
    AFTER_PROMPT,
    BEFORE_PROMPT,
    SOME_TIME_OF_A_DAY,
    Payment,
    PaymentState,
    RecordedPayment,
)
from services.domain.phone import Phone
from services.domain.topup import CREDITED, TopUp
from services.ports import Tx

# The payment goes to the first, whose receipt goes to the next, and so on; the last has none.
Chain: TypeAlias = tuple[TopUp, ...]
# Maximum distance of two top-ups that one payment may have paid.
REACH = BEFORE_PROMPT + AFTER_PROMPT + SOME_TIME_OF_A_DAY
LOOKED_AT = 50  # inferred receipts examined, each with the chains leading on from it


def chains(tx: Tx, payment: Payment, within: str | None = None) -> Iterator[Chain]:
    """A chain to each reachable top-up without a receipt: the shortest first, and of equals the one
    to the newest. If ``within`` is given, the first top-up belongs to that partner."""
    reached: set[str] = set()
    queue: deque[tuple[Payment, str | None, Chain]] = deque([(payment, within, ())])
    while queue:
        payment, within, chain = queue.popleft()
        for topup in _fitting(tx, payment, within, tx.topups.without_receipt):
            if topup.takes_payment and topup.reference not in reached:
                reached.add(topup.reference)
                yield (*chain, topup)
        for topup in _fitting(tx, payment, within, tx.topups.with_inferred_receipt):
            if topup.reference not in reached:
                reached.add(topup.reference)
                holder = holder_of(tx, topup)
                queue.append((holder.payment, bound_partner(holder), (*chain, topup)))


def chain_to(
    tx: Tx, topup: TopUp, waiting: Sequence[RecordedPayment]
) -> tuple[RecordedPayment, Chain] | None:
    """The waiting payment with the shortest chain to that top-up."""
    reached = {topup.reference}
    queue: deque[Chain] = deque([(topup,)])
    readings = tx.clock.possible_offsets()
    reach = REACH + max(readings) - min(readings)
    while queue:
        chain = queue.popleft()
        first = chain[0]
        for recorded in waiting:
            if _may_have_paid(tx, recorded.payment, first):
                return recorded, chain
        holders = [
            holder_of(tx, other)
            for other in tx.topups.with_inferred_receipt(
                first.amount, first.phone, first.began_at - reach, first.began_at + reach
            )
        ]
        for holder in (*holders, *tx.payments.inferred_naming(first.reference, first.amount)):
            assert holder.operation is not None, "it stands where it was inferred"
            stays = bound_partner(holder) in (None, first.partner)
            fits = stays and _may_have_paid(tx, holder.payment, first)
            if fits and holder.operation not in reached:
                reached.add(holder.operation)
                other = tx.topups.get(holder.operation)
                assert other is not None, "only receipts of top-ups are inferred"
                queue.append((other, *chain))
    return None


def possible_topups(tx: Tx, payment: Payment) -> Iterator[TopUp]:
    """Top-ups of that amount and time that it may have paid, whoever its payer is: without a
    receipt, or with one that may belong to another. The payment of a credited one is in a wallet
    already.

    Of the latter only the first ``LOOKED_AT`` are examined; any more are assumed to fit.
    """
    window = began_between(tx, payment)
    for topup in tx.topups.without_receipt(payment.amount, None, *window):
        if topup.takes_payment and fits_in_time(tx, payment, topup):
            yield topup
    inferred = [
        topup
        for topup in tx.topups.with_inferred_receipt(payment.amount, None, *window)
        if fits_in_time(tx, payment, topup)
    ]
    for n, topup in enumerate(inferred):
        holder = holder_of(tx, topup)
        moves_to = chains(tx, holder.payment, bound_partner(holder))
        if n >= LOOKED_AT or next(moves_to, None) is not None:
            yield topup


def chain_to_named(tx: Tx, named: TopUp) -> Chain | None:
    """The chain beginning with the named top-up. ``None`` if its receipt must stay: it belongs to a
    payment that names it, or to one that was released from suspense or reversed and fits no other
    top-up."""
    if named.receipt is None:
        return (named,)
    holder = tx.payments.get(named.receipt)
    if holder is None or not holder.inferred:
        return None
    for chain in chains(tx, holder.payment, bound_partner(holder)):
        if chain[-1].state in CREDITED:
            return (named, *chain)
    return (named,) if holder.state is PaymentState.MATCHED else None


def began_between(tx: Tx, payment: Payment) -> tuple[datetime, datetime]:
    """When top-ups began, by our clock, that it may have paid without naming them, allowing for all
    recent changes of that clock. ``fits_in_time`` decides on each of them."""
    since, until = payment.prompted_between
    readings = tx.clock.possible_offsets()
    return since - max(readings), until - min(readings)


def fits_in_time(tx: Tx, payment: Payment, topup: TopUp) -> bool:
    """By any reading of our clock: if none fits, it cannot have been its prompt; a receipt too many
    is corrected when the right payment arrives."""
    since, until = payment.prompted_between
    return any(since <= topup.began_at + off <= until for off in tx.clock.possible_offsets())


def bound_partner(holder: RecordedPayment) -> str | None:
    """The partner a payment must stay with when it moves: it was reversed out of that wallet."""
    return holder.partner if holder.state is PaymentState.REVERSED else None


def apply_chain(
    tx: Tx, recorded: RecordedPayment, chain: Sequence[TopUp]
) -> tuple[RecordedPayment, RecordedPayment | None]:
    """Give the payment the first top-up, the receipt there to the next, and so on.

    Returns the payment for the last one, which the caller books. If that one has an inferred
    receipt after all, its payment is returned too, no longer matched to anything.
    """
    movers = [recorded, *(holder_of(tx, topup) for topup in chain if topup.receipt is not None)]
    for holder in movers[1:]:
        tx.payments.save(replace(holder, partner=None, operation=None))
    for mover, topup in zip(movers, chain, strict=False):
        matched = mover.allocated_to(mover.state, topup.partner, topup.reference)
        tx.payments.save(replace(matched, inferred=topup.reference not in mover.payment.topups))
        if topup.receipt is not None:
            payment = mover.payment
            tx.evidence.add(topup.reference, "receipt", payment.source, payment.receipt)
            tx.topups.save(replace(topup, receipt=payment.receipt))
    return movers[len(chain) - 1], movers[len(chain)] if len(movers) > len(chain) else None


def holder_of(tx: Tx, topup: TopUp) -> RecordedPayment:
    """The payment with the top-up's receipt."""
    assert topup.receipt is not None
    holder = tx.payments.get(topup.receipt)
    assert holder is not None, "every receipt is that of a payment"
    return holder


@dataclass(frozen=True, slots=True)
class NamedTargets:
    """Which of our records a payment names. ``names_nothing_of_ours``: the payer typed words that
    name none. No prompt of ours carries such words, so it is not matched by payer, amount and
    time."""

    topups: Sequence[TopUp]
    partners: frozenset[str]
    names_nothing_of_ours: bool

    @property
    def contradicts(self) -> bool:
        return len(self.topups) > 1 or len(self.partners) > 1

    @property
    def topup(self) -> TopUp | None:
        return self.topups[0] if self.topups and not self.contradicts else None

    @property
    def partner(self) -> str | None:
        """The owner: the partner of the named top-up, or the partner named by its code."""
        return None if self.contradicts else next(iter(self.partners), None)


def named_by(tx: Tx, payment: Payment) -> NamedTargets:
    found = [topup for one in payment.topups if (topup := tx.topups.get(one)) is not None]
    codes = {topup.partner for topup in found}
    codes |= {code for code in payment.partners if tx.people.partner(code) is not None}
    return NamedTargets(found, frozenset(codes), bool(payment.typed) and not codes)


def partner_of(tx: Tx, payment: Payment) -> Partner | None:
    """The owner by what it names."""
    code = named_by(tx, payment).partner
    return None if code is None else tx.people.partner(code)


def _fitting(
    tx: Tx,
    payment: Payment,
    within: str | None,
    look: Callable[[Money, Phone | None, datetime, datetime], Sequence[TopUp]],
) -> list[TopUp]:
    """The top-ups it may have paid, newest first, and the one it names."""
    found: list[TopUp] = []
    if payment.payer.number:
        found += look(payment.amount, payment.payer.phone, *began_between(tx, payment))
    for named in named_by(tx, payment).topups:
        near = look(named.amount, named.phone, named.began_at, named.began_at)
        found += [topup for topup in near if topup.reference == named.reference]
    return [
        topup
        for topup in found
        if within in (None, topup.partner) and _may_have_paid(tx, payment, topup)
    ]


def _may_have_paid(tx: Tx, payment: Payment, topup: TopUp) -> bool:
    """It names the top-up; or payer and time fit, and it names no other."""
    if payment.amount != topup.amount:
        return False
    if topup.reference in payment.topups:
        return True
    if not payment.payer.matches(topup.phone) or not fits_in_time(tx, payment, topup):
        return False
    named = named_by(tx, payment)
    return not named.names_nothing_of_ours and named.partners <= {topup.partner}
