"""Batches that a partner's system asks for: it sends the rows, people approve them in the chat.

Each function runs inside a transaction and makes no outside calls.
"""

from __future__ import annotations

from collections.abc import Sequence

from services import approvals, otp, payout_batches, payout_quotes, spending
from services.approvals import AwaitingApproval
from services.domain.api_key import ApiKey
from services.domain.approval import Decision
from services.domain.audit import person_of
from services.domain.partner import MOVES_MONEY, Partner, Person
from services.domain.payout_batch import STOPPED, Batch, BatchRow, BatchState, total_of
from services.domain.refusal import Refusal
from services.domain.spending import CANCELLABLE, Shortfall, SpendingState, is_in
from services.payout_batches import Doubles
from services.policy import Policy
from services.ports import Random, Tx


def maker_for(tx: Tx, api_key: ApiKey, partner: Partner) -> Person | None:
    """Who answers for a batch of this key, and types its code: whoever made the key, if that is
    somebody of the partner who may move money; else the partner's only owner."""
    made_by = person_of(api_key.created_by)
    person = None if made_by is None else tx.people.of_id(made_by)
    if person is not None and person.partner.code == partner.code and _may(tx, person):
        return person
    owners = [owner for owner in tx.people.owners(partner.code) if _may(tx, owner)]
    return owners[0] if len(owners) == 1 else None


def _may(tx: Tx, person: Person) -> bool:
    """Only who has joined can be told of it, and type a code."""
    return person.role in MOVES_MONEY and bool(tx.people.addresses(person.id))


def ask_for_approval(
    tx: Tx,
    random: Random,
    policy: Policy,
    maker: Person,
    channel: str,
    address: str,
    key: str,
    rows: Sequence[BatchRow],
    *,
    accept_doubles: bool,
) -> AwaitingApproval[Batch] | Doubles | Shortfall | Refusal:
    """Store rows that were checked, and ask a second person; with any other answer nothing is
    stored. ``Doubles`` unless those are accepted.

    Refusals: those of ``payout_batches.check_may_send``, ``pay_day``.
    """
    refusal = payout_batches.check_may_send(tx, policy, maker)
    total, partner = total_of(rows), maker.partner.code
    refusal = refusal or payout_quotes.check_day(tx, partner, total.amount)
    if refusal is not None:
        return refusal
    doubles = payout_batches.find_doubles(tx, partner, rows)
    if doubles and not accept_doubles:
        return doubles
    if (short := payout_quotes.shortfall(tx, partner, total)) is not None:
        return short
    batch = payout_batches.add(
        tx, random, maker, channel, address, key, "", rows, doubles, accepted=True
    )
    return approvals.request(tx, policy, maker, batch)


def stop(tx: Tx, batch: Batch) -> Batch | None:
    """Stop it wherever it stands; one that does not run yet never will. ``None`` if it is over."""
    if batch.state is BatchState.RUNNING:
        return payout_batches.stop_running(tx, batch)
    if not is_in(batch, *CANCELLABLE):
        return None
    otp.revoke(tx, batch.reference)
    tx.approvals.decide(batch.reference, Decision.WITHDRAWN, None)
    return spending.end(tx, batch, SpendingState.CANCELLED, STOPPED)
