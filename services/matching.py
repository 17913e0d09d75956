"""Which payment may have paid which top-up, and how receipts that were only inferred move.

By payer, amount and time several payments may have paid several top-ups. A receipt that a top-up
has by these alone is inferred: the payment may as well have paid another one. So a payment that
fits only a top-up with an inferred receipt may be the right one there, if the payment that stands
there can go on to another top-up, and so on, until one has no receipt yet. Such a row of top-ups is
a ``Chain`` (docs/decisions/0017). Runs inside a transaction and calls nobody outside.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from services.domain.partner import Partner
from services.domain.payment import AFTER_PROMPT, BEFORE_PROMPT, Arrived, Payment
from services.domain.topup import CREDITED, TopUp
from services.ports import Tx

# The payment is for the first, whose receipt is for the next, and so on; the last has none.
Chain: TypeAlias = tuple[TopUp, ...]


def chains(tx: Tx, payment: Payment, also: str | None = None) -> Iterator[Chain]:
    """One to each top-up without a receipt that can be reached: the shortest first, and of equals
    that to the newest. ``also`` is a top-up that proves to be paid just now."""
    reached: set[str] = set()
    passed: set[str] = set()
    fresh: deque[tuple[Payment, Chain]] = deque([(payment, ())])
    while fresh:
        payment, chain = fresh.popleft()
        for topup in _fitting(tx, payment):
            waits = topup.state in CREDITED or topup.awaits_evidence or topup.reference == also
            if waits and topup.reference not in reached:
                reached.add(topup.reference)
                yield (*chain, topup)
        for topup in _fitting(tx, payment, inferred=True):
            if topup.reference not in passed:
                passed.add(topup.reference)
                fresh.append((_holder(tx, topup).payment, (*chain, topup)))


def follow(tx: Tx, arrived: Arrived, chain: Sequence[TopUp]) -> tuple[Arrived, Arrived | None]:
    """Give the payment the first top-up, the receipt there to the next, and so on.

    What is for the last one is returned, and whoever calls books it. Where that one has an
    inferred receipt after all, its payment is returned too, and then stands nowhere.
    """
    movers = [arrived, *(_holder(tx, topup) for topup in chain if topup.receipt is not None)]
    for holder in movers[1:]:
        tx.payments.save(replace(holder, partner=None, operation=None))
    for mover, topup in zip(movers, chain, strict=False):
        mine = mover.belongs(mover.state, topup.partner, topup.reference)
        tx.payments.save(replace(mine, inferred=mover.payment.topup != topup.reference))
        if topup.receipt is not None:
            payment = mover.payment
            tx.evidence.add(topup.reference, "receipt", payment.source, payment.receipt)
            tx.topups.save(replace(topup, receipt=payment.receipt))
    return movers[len(chain) - 1], movers[len(chain)] if len(movers) > len(chain) else None


def partner_of(tx: Tx, payment: Payment) -> Partner | None:
    """Whose it is by what it names: the partner of a top-up, or the one of that code."""
    topup = None if payment.topup is None else tx.topups.get(payment.topup)
    code = payment.partner if topup is None else topup.partner
    return None if code is None else tx.people.partner(code)


def _holder(tx: Tx, topup: TopUp) -> Arrived:
    """The payment whose receipt the top-up has."""
    assert topup.receipt is not None
    holder = tx.payments.get(topup.receipt)
    assert holder is not None, "every receipt is that of a payment"
    return holder


def _fitting(tx: Tx, payment: Payment, *, inferred: bool = False) -> list[TopUp]:
    """Top-ups that it may have paid, by amount and payer and time, newest first: those without a
    receipt, or those whose receipt is ``inferred``."""
    if not payment.payer.number:
        return []
    look = tx.topups.with_inferred_receipt if inferred else tx.topups.without_receipt
    found = look(
        payment.amount,
        payment.payer.phone,
        since=payment.paid_at - AFTER_PROMPT,
        until=payment.paid_at + BEFORE_PROMPT,
    )
    partner = partner_of(tx, payment)
    return [
        topup
        for topup in found
        if payment.payer.is_of(topup.phone) and (partner is None or partner.code == topup.partner)
    ]
