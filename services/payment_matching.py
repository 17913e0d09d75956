"""Which payment may have paid which top-up, and how receipts that were only inferred move.

By payer, amount and time several payments may have paid several top-ups. A receipt that a top-up
has by these alone is inferred: the payment may as well have paid another one. So a payment that
fits only a top-up with an inferred receipt may be the right one there, if the payment that stands
there can go on to another top-up, and so on, until one has no receipt yet. Such a row of top-ups is
a ``Chain`` (docs/decisions/0017). Runs inside a transaction and calls nobody outside.
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

# The payment is for the first, whose receipt is for the next, and so on; the last has none.
Chain: TypeAlias = tuple[TopUp, ...]
# Between two top-ups that one payment may have paid.
REACH = BEFORE_PROMPT + AFTER_PROMPT + SOME_TIME_OF_A_DAY
LOOKED_AT = 50  # receipts that were inferred, each with the chains that lead on from it


def chains(tx: Tx, payment: Payment, within: str | None = None) -> Iterator[Chain]:
    """One to each top-up without a receipt that can be reached: the shortest first, and of equals
    that to the newest. The first top-up is one of the partner ``within``, if that is given."""
    reached: set[str] = set()
    fresh: deque[tuple[Payment, str | None, Chain]] = deque([(payment, within, ())])
    while fresh:
        payment, within, chain = fresh.popleft()
        for topup in _fitting(tx, payment, within, tx.topups.without_receipt):
            if topup.takes_payment and topup.reference not in reached:
                reached.add(topup.reference)
                yield (*chain, topup)
        for topup in _fitting(tx, payment, within, tx.topups.with_inferred_receipt):
            if topup.reference not in reached:
                reached.add(topup.reference)
                holder = holder_of(tx, topup)
                fresh.append((holder.payment, bound_partner(holder), (*chain, topup)))


def chain_to(
    tx: Tx, topup: TopUp, waiting: Sequence[RecordedPayment]
) -> tuple[RecordedPayment, Chain] | None:
    """The payment among those waiting from which the shortest chain leads to that top-up."""
    reached = {topup.reference}
    fresh: deque[Chain] = deque([(topup,)])
    readings = tx.clock.possible_offsets()
    reach = REACH + max(readings) - min(readings)
    while fresh:
        chain = fresh.popleft()
        first = chain[0]
        for arrived in waiting:
            if _may_have_paid(tx, arrived.payment, first):
                return arrived, chain
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
                fresh.append((other, *chain))
    return None


def possible_topups(tx: Tx, payment: Payment) -> Iterator[TopUp]:
    """Top-ups of that amount and time that it may have paid, whoever its payer is: they have no
    receipt, or one that may as well be another's. What paid a credited one is in a wallet.

    Of the latter the first ``LOOKED_AT`` are looked into: that others are there is enough.
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
    """Nothing where it has another receipt that it has to keep: that of a payment that names it; or
    of one that came out of suspense, or was taken back, and fits no other top-up."""
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
    """When a top-up began, by our clock, that it may have paid without naming it: however that
    clock was set meanwhile. All that did begin then ``fits_in_time`` tells apart."""
    since, until = payment.prompted_between
    readings = tx.clock.possible_offsets()
    return since - max(readings), until - min(readings)


def fits_in_time(tx: Tx, payment: Payment, topup: TopUp) -> bool:
    """By any reading of our clock: who is refused by all of them cannot have been its prompt, and
    one receipt too many is put right by the payment that comes for it."""
    since, until = payment.prompted_between
    return any(since <= topup.began_at + off <= until for off in tx.clock.possible_offsets())


def bound_partner(holder: RecordedPayment) -> str | None:
    """The partner with whom a payment has to stay when it moves on: it was taken back from that
    one's wallet."""
    return holder.partner if holder.state is PaymentState.REVERSED else None


def apply_chain(
    tx: Tx, arrived: RecordedPayment, chain: Sequence[TopUp]
) -> tuple[RecordedPayment, RecordedPayment | None]:
    """Give the payment the first top-up, the receipt there to the next, and so on.

    What is for the last one is returned, and whoever calls books it. Where that one has an
    inferred receipt after all, its payment is returned too, and then stands nowhere.
    """
    movers = [arrived, *(holder_of(tx, topup) for topup in chain if topup.receipt is not None)]
    for holder in movers[1:]:
        tx.payments.save(replace(holder, partner=None, operation=None))
    for mover, topup in zip(movers, chain, strict=False):
        mine = mover.allocated_to(mover.state, topup.partner, topup.reference)
        tx.payments.save(replace(mine, inferred=topup.reference not in mover.payment.topups))
        if topup.receipt is not None:
            payment = mover.payment
            tx.evidence.add(topup.reference, "receipt", payment.source, payment.receipt)
            tx.topups.save(replace(topup, receipt=payment.receipt))
    return movers[len(chain) - 1], movers[len(chain)] if len(movers) > len(chain) else None


def holder_of(tx: Tx, topup: TopUp) -> RecordedPayment:
    """The payment whose receipt the top-up has."""
    assert topup.receipt is not None
    holder = tx.payments.get(topup.receipt)
    assert holder is not None, "every receipt is that of a payment"
    return holder


@dataclass(frozen=True, slots=True)
class NamedTargets:
    """What of ours a payment names. ``names_nothing_of_ours``: its payer typed words that name
    nothing of ours. No prompt of ours carries such words, so payer, amount and time give it to
    nobody."""

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
        """Whose it is: the partner of a top-up, or the one of that code."""
        return None if self.contradicts else next(iter(self.partners), None)


def named_by(tx: Tx, payment: Payment) -> NamedTargets:
    found = [topup for one in payment.topups if (topup := tx.topups.get(one)) is not None]
    codes = {topup.partner for topup in found}
    codes |= {code for code in payment.partners if tx.people.partner(code) is not None}
    return NamedTargets(found, frozenset(codes), bool(payment.typed) and not codes)


def partner_of(tx: Tx, payment: Payment) -> Partner | None:
    """Whose it is by what it names."""
    code = named_by(tx, payment).partner
    return None if code is None else tx.people.partner(code)


def _fitting(
    tx: Tx,
    payment: Payment,
    within: str | None,
    look: Callable[[Money, Phone | None, datetime, datetime], Sequence[TopUp]],
) -> list[TopUp]:
    """Those of the top-ups that it may have paid, newest first, and the one that it names."""
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
    """It names the top-up; or payer and time are right, and it names nobody else."""
    if payment.amount != topup.amount:
        return False
    if topup.reference in payment.topups:
        return True
    if not payment.payer.matches(topup.phone) or not fits_in_time(tx, payment, topup):
        return False
    named = named_by(tx, payment)
    return not named.names_nothing_of_ours and named.partners <= {topup.partner}
