"""Stored payouts, what M-PESA posted about them, and what holds all of them back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.domain.money import Money
from services.domain.payout import Payout
from services.domain.payout_pause import PayoutPause
from services.domain.phone import Phone


class Payouts(Protocol):
    """The payouts among ``wallet_transactions``, with one ``payouts`` row each."""

    def add(self, payout: Payout, key: str) -> bool:
        """False if the reference is taken: draw another."""
        ...

    def get(self, reference: str) -> Payout | None: ...

    def of_conversation(self, conversation_id: str) -> Payout | None:
        """The payout whose order has this id at M-PESA; ``None`` also where several have."""
        ...

    def save(self, payout: Payout) -> None:
        """Write the mutable fields; amount, recipient and quote only while ``QUOTED``, remarks and
        the partner's own reference until it is authorised."""
        ...

    def quoted(self, channel: str, address: str) -> Payout | None:
        """The one open quote shown at this address, if any."""
        ...

    def awaiting(
        self, person_id: int, channel: str, address: str, amount: Money, recipient: Phone
    ) -> Payout | None:
        """The person's newest payout of this amount to this phone that awaits a second person's
        approval, or was approved and not continued."""
        ...

    def without_code(self, person_id: int) -> Sequence[Payout]:
        """Payouts the person has begun for which no code has been drawn yet."""
        ...

    def stale_quotes(self, before: datetime, limit: int) -> Sequence[Payout]:
        """Unconfirmed quotes made before this."""
        ...

    def similar(
        self, partner: str, recipient: Phone, amount: Money, since: datetime, but: str = ""
    ) -> Payout | None:
        """The newest payout of the same amount to the same phone that is under way, or was paid
        since then; never ``but``, which may be a batch with all its rows."""
        ...

    def has_row_since(self, payout: Payout) -> bool:
        """Whether a file has begun to pay the same amount to the same phone since this was
        quoted."""
        ...

    def paid_since(
        self, partner: str, moment: datetime, recipient: Phone | None = None, key: str | None = None
    ) -> Money:
        """Total authorised since then and not returned, without charges: to all or to one
        recipient, by all or by one key of the partner's systems."""
        ...

    def first_paid_at(self, partner: str, recipient: Phone) -> datetime | None:
        """When the partner's first payout to this phone was authorised that was not returned."""
        ...

    def last_paid(self, partner: str, recipient: Phone) -> Payout | None:
        """The partner's newest payout to this phone that M-PESA paid."""
        ...

    def recent_recipients(self, partner: str, limit: int) -> Sequence[Phone]:
        """Whom the partner paid last, each once, newest first."""
        ...

    def recent_amounts(self, partner: str, recipient: Phone, limit: int) -> Sequence[Money]:
        """What the partner paid them last, each amount once, newest first."""
        ...

    def of_receipt(self, receipt: str) -> Payout | None: ...

    def without_receipt(self, amount: Money, since: datetime, until: datetime) -> Sequence[Payout]:
        """Those of any partner's of this amount that were sent in that time, and that M-PESA has
        given no code for."""
        ...

    def settled_between(self, since: datetime, until: datetime) -> Sequence[Payout]:
        """Those of any partner's that became known as paid in that time."""
        ...

    def has_receipt(self, receipt: str) -> bool:
        """Whether an operation of any kind has this M-PESA code already."""
        ...

    def thaw(self, partner: str | None = None) -> int:
        """Let the partner's held-back payouts, or everybody's, go on from now; returns how many."""
        ...

    def query_all(self) -> int:
        """Make the next query due at once, for each that M-PESA is still asked about."""
        ...

    def held_back(self, partner: str) -> int:
        """How many authorised payouts of the partner are not on their way."""
        ...

    def on_their_way(self) -> Money:
        """Total over all partners, without charges, of what M-PESA may or may not have paid."""
        ...

    def submitted_since(self, moment: datetime) -> bool:
        """Whether any partner's payout has been sent since then."""
        ...

    # Over all partners and the whole table: for the simulator and for checks.

    def every(self) -> Sequence[Payout]: ...


class PayoutMessages(Protocol):
    """What M-PESA posted, to the letter."""

    def repeated(self, kind: str, body: bytes) -> bool:
        """Whether these bytes came before; then they are counted once more."""
        ...

    def add(self, kind: str, body: bytes, operation: str | None, concluded: str) -> None: ...

    def note_query(self, conversation_id: str, operation: str) -> None:
        """M-PESA's id of a question about a payout."""
        ...

    def asked_about(self, conversation_id: str) -> str | None:
        """The payout that this question was about."""
        ...

    def delete_before(self, moment: datetime, limit: int) -> int:
        """Delete messages about nothing of ours, and ids of questions, from before then."""
        ...


class PayoutPauses(Protocol):
    def standing(self) -> PayoutPause | None: ...

    def begin(self, why: str, operation: str | None) -> bool:
        """False if payouts are paused already."""
        ...

    def end(self, by: str) -> bool:
        """Let all payouts go on; false if they were not paused."""
        ...
