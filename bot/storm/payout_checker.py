"""What must hold of payouts, by M-PESA's own books and by what it told, whatever ours say.

That each was ordered at most once, and as it stands in our books, is in
``bot.simulation.payout_comparison``.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.simulation.daraja.b2c_ledger import NEVER, B2cPayment, B2cState
from bot.simulation.daraja.result_sender import ResultDelivery
from bot.simulation.world import World
from bot.storm.broken_invariant import BrokenInvariant
from services.domain.ledger import Account, AccountKind
from services.domain.limits import LimitName
from services.domain.money import Money
from services.domain.payout import HOLDS, Payout, PayoutState
from services.domain.payout_batch import BatchState
from services.ports import Tx

ENDED_PAID = frozenset({PayoutState.PAID, PayoutState.PAID_AFTER_RETURN})
ENDED_RETURNED = frozenset({PayoutState.RETURNED, PayoutState.PAID_AFTER_RETURN})
NEW_FOR = timedelta(hours=24)  # how long a recipient is new


@dataclass(frozen=True, slots=True)
class _HeldBack:
    """Since when payouts of a partner, or of everybody, are held back."""

    frozen: Mapping[str, datetime]
    paused: datetime | None

    def still(self, partner: str, before: _HeldBack) -> bool:
        """Whether they were all the time since then."""
        since = self.frozen.get(partner)
        is_frozen = since is not None and since == before.frozen.get(partner)
        return is_frozen or (self.paused is not None and self.paused == before.paused)

    def since(self, partner: str) -> datetime:
        """The first moment, by the machine's clock, after which nothing may be sent."""
        return min(self.frozen.get(partner, NEVER), self.paused or NEVER)


@dataclass
class PayoutChecker:
    """Remembers what stood at the step before."""

    world: World
    _seen: dict[str, Payout] = field(default_factory=dict)
    _held_back: _HeldBack = field(default_factory=lambda: _HeldBack({}, None))
    _most_new: dict[str, Money] = field(default_factory=dict)  # by partner, at the step before
    _told: set[str] = field(default_factory=set)  # by M-PESA's messages, beyond doubt; our ids
    _under_way: list[ResultDelivery] = field(default_factory=list)
    _read: int = 0  # deliveries looked at
    _authorised_at: dict[str, datetime] = field(default_factory=dict)  # true time, by reference
    _clock_was_wrong: bool = False

    def step(self, tx: Tx) -> Iterator[BrokenInvariant]:
        payouts, clock = tx.payouts.every(), self.world.clock
        self._clock_was_wrong |= clock.now() != clock.true_now()
        ledger = {payment.originator_id: payment for payment in self.world.daraja.payments()}
        self._read_deliveries(ledger)
        for payout in payouts:
            yield from self._by_their_books(payout, ledger.get(payout.originator_id))
        yield from _holds(tx, payouts)
        yield from self._sent(tx, payouts)
        yield from self._new_recipients(tx, payouts)
        self._seen = {payout.reference: payout for payout in payouts}

    def end(self, tx: Tx) -> Iterator[BrokenInvariant]:
        """All that M-PESA has paid is booked, but for what was told to nobody after its return: our
        utility accounts then hold what M-PESA's does (``utility_mismatches``)."""
        for payment in self.world.daraja.paid():
            payout = self._of(payment.originator_id)
            if payout is None or payout.state in ENDED_PAID:
                continue
            if payout.state is not PayoutState.RETURNED or payment.reported_at is not None:
                words = f"M-PESA has paid {payout.reference}, which is {payout.state} in the end"
                yield BrokenInvariant("bank", words)

    def is_frozen(self, reference: str) -> bool:
        """Whether it waits for an owner, as it was at the last step."""
        payout = self._seen.get(reference)
        return payout is not None and payout.partner in self._held_back.frozen

    def _of(self, originator_id: str) -> Payout | None:
        ours = (one for one in self._seen.values() if one.originator_id == originator_id)
        return next(ours, None)

    # M-PESA's books --------------------------------------------------------------------------

    def _by_their_books(
        self, payout: Payout, payment: B2cPayment | None
    ) -> Iterator[BrokenInvariant]:
        """Returned only if M-PESA refused it or never had it; paid by its word only if it gave
        that without doubt, and above the limit in answer to a query; and paid once that was
        taken."""
        now, reference = self.world.clock.true_now(), payout.reference
        if payout.state in ENDED_RETURNED and payment is not None and payment.refused_at > now:
            words = f"{reference} is {payout.state}, and M-PESA has not refused it"
            yield BrokenInvariant("returned", words)
        if payout.receipt is not None and (payment is None or payment.told_at is None):
            words = f"{reference} has a receipt, and M-PESA has not told of it clearly"
            yield BrokenInvariant("told by M-PESA", words)
        above = Money(self.world.settings.payout_confirm_above * 100)
        is_confirmed = payment is not None and payment.confirmed_at is not None
        is_by_receipt = payout.state is PayoutState.PAID and payout.receipt is not None
        if is_by_receipt and above < payout.amount and not is_confirmed:
            words = f"{reference} of {payout.amount} was paid without being confirmed"
            yield BrokenInvariant("confirmed", words)
        is_known = payout.state in ENDED_PAID or payout.claimed_paid_at is not None
        if payout.originator_id in self._told and not is_known:
            words = f"M-PESA told clearly of {reference}, which is {payout.state}"
            yield BrokenInvariant("told by M-PESA", words)

    def _read_deliveries(self, ledger: Mapping[str, B2cPayment]) -> None:
        deliveries = self.world.daraja.results.deliveries
        waiting = [*self._under_way, *deliveries[self._read :]]
        self._read = len(deliveries)
        self._under_way = [one for one in waiting if not one.over.is_set()]
        for delivery in waiting:
            if delivery.is_taken and (told := _plainly_told(delivery, ledger)) is not None:
                self._told.add(told)

    # Ours ------------------------------------------------------------------------------------

    def _sent(self, tx: Tx, payouts: Sequence[Payout]) -> Iterator[BrokenInvariant]:
        """Nothing leaves while payouts are held back, as far as the machine's clock tells."""
        before, self._held_back = self._held_back, _held_back(tx, payouts)
        stopped = {
            batch.reference: batch.settled_at
            for batch in tx.payout_batches.every()
            if batch.state is BatchState.STOPPED and batch.settled_at is not None
        }
        for payout in payouts:
            seen = self._seen.get(payout.reference)
            was_sent = seen is not None and seen.submitted_at is not None
            if was_sent or payout.submitted_at is None:
                continue
            stopped_at = stopped.get(payout.batch or "")
            if stopped_at is not None and stopped_at < payout.submitted_at:
                words = f"{payout.reference} was sent after {payout.batch} was stopped"
                yield BrokenInvariant("held back", words)
            is_after = payout.submitted_at > self._held_back.since(payout.partner)
            is_known = is_after and not self._clock_was_wrong
            if is_known or self._held_back.still(payout.partner, before):
                words = f"{payout.reference} was sent while payouts were held back"
                yield BrokenInvariant("held back", words)

    def _new_recipients(self, tx: Tx, payouts: Sequence[Payout]) -> Iterator[BrokenInvariant]:
        """In its first day a recipient gets no more than the limit; not looked at once the
        machine's clock was wrong, which decides what the first day is."""
        now, paid = self.world.clock.true_now(), defaultdict[tuple[str, str], list[Payout]](list)
        limits = {
            partner: tx.limits.in_force(LimitName.PAYOUT_RECIPIENT_NEW, partner)
            for partner in {payout.partner for payout in payouts}
        }
        before, self._most_new = self._most_new, limits
        fresh = set()
        for payout in payouts:
            if payout.state is PayoutState.RETURNED:
                self._authorised_at.setdefault(payout.reference, now)  # it may be paid after all
            if payout.state not in HOLDS | ENDED_PAID:
                continue
            if payout.batch is not None:  # two people agreed to it
                continue
            if payout.reference not in self._authorised_at:
                self._authorised_at[payout.reference] = now
                fresh.add((payout.partner, payout.recipient.msisdn))
            paid[payout.partner, payout.recipient.msisdn].append(payout)
        for partner, recipient in () if self._clock_was_wrong else sorted(fresh):
            theirs = paid[partner, recipient]
            first = min(self._authorised_at[one.reference] for one in theirs)
            total = Money(sum(one.amount.cents for one in theirs))
            most = max(limits[partner], before.get(partner, limits[partner]))
            if now < first + NEW_FOR and most < total:
                words = f"{partner} pays {total} to a recipient who is new"
                yield BrokenInvariant("new recipient", words)


def _holds(tx: Tx, payouts: Sequence[Payout]) -> Iterator[BrokenInvariant]:
    """Of each float exactly what open payouts cost is held."""
    held: defaultdict[str, int] = defaultdict(int)
    for payout in payouts:
        held[payout.partner] += payout.quote.total.cents if payout.state in HOLDS else 0
    for partner, cents in held.items():
        balance = tx.ledger.balance(Account(partner, AccountKind.FLOAT))
        if balance.posted - balance.available != Money(cents):
            words = f"{balance} of {partner}'s float, and its open payouts cost {Money(cents)}"
            yield BrokenInvariant("float held", words)


def _held_back(tx: Tx, payouts: Sequence[Payout]) -> _HeldBack:
    frozen = {}
    for code in {payout.partner for payout in payouts}:
        partner = tx.people.partner(code)
        if partner is not None and partner.payouts_frozen_at is not None:
            frozen[code] = partner.payouts_frozen_at
    pause = tx.payout_pauses.standing()
    return _HeldBack(frozen, None if pause is None else pause.began_at)


def _plainly_told(delivery: ResultDelivery, ledger: Mapping[str, B2cPayment]) -> str | None:
    """Our id of the payment of which this Result tells, if it leaves nothing to ask: every id,
    amount, phone and receipt is there, and the right one."""
    result: dict[str, Any] = json.loads(delivery.body).get("Result", {})
    parameters = result.get("ResultParameters", {}).get("ResultParameter")
    payment = ledger.get(str(result.get("OriginatorConversationID")))
    if payment is None or not isinstance(parameters, list):
        return None
    said = {one["Key"]: str(one.get("Value")) for one in parameters}
    is_plain = (
        payment.state(payment.paid_at) is B2cState.PAID
        and (str(result["ResultType"]), str(result["ResultCode"])) == ("0", "0")
        and "successfully" in result["ResultDesc"]
        and result["ConversationID"] == payment.conversation_id
        and result["TransactionID"] == payment.transaction_id
        and said.get("TransactionAmount") == str(payment.amount_kes)
        and said.get("TransactionReceipt") == payment.transaction_id
        and said.get("ReceiverPartyPublicName", "").startswith(payment.phone)
    )
    return payment.originator_id if is_plain else None
