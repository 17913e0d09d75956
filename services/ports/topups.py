"""Stored top-ups."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.domain.money import Money
from services.domain.phone import Phone
from services.domain.topup import CreditedTopUp, TopUp


class TopUps(Protocol):
    """The top-ups among ``wallet_transactions``, with one ``ncb_stk_push_logs`` row each."""

    def add(self, topup: TopUp, key: str) -> bool:
        """False if the reference is taken: draw another."""
        ...

    def get(self, reference: str) -> TopUp | None: ...

    def find_open(
        self, partner: str, phone: Phone, amount: Money, since: datetime
    ) -> TopUp | None: ...

    def nth_prompt(self, n: int, phone: Phone, since: datetime, *, own: bool) -> datetime | None:
        """When the ``n``-th newest prompt to this number after ``since`` was started, across
        partners: by people registered with the number and by the systems of their partner
        (``own``), or by all others. ``None`` if there were fewer."""
        ...

    def save(self, topup: TopUp) -> None:
        """Write the mutable fields: state, reason, times, bank id, receipt, due time, slow."""
        ...

    def begin(self, topup: TopUp) -> None:
        """Save one whose code was right: it counts as begun from ``created_at`` on."""
        ...

    def put_off(self, reference: str, due_at: datetime | None) -> None:
        """Query it again then, or never; nothing else changes."""
        ...

    def without_receipt(
        self, amount: Money, phone: Phone | None, since: datetime, until: datetime
    ) -> Sequence[TopUp]:
        """Top-ups of any partner without a receipt that began or were prompted in that time, from
        one phone or from any."""
        ...

    def with_inferred_receipt(
        self, amount: Money, phone: Phone | None, since: datetime, until: datetime
    ) -> Sequence[TopUp]:
        """The same, with a receipt that was matched by payer and time only."""
        ...

    def of_bank_id(self, bank_id: str) -> Sequence[TopUp]:
        """Top-ups to which the bank gave this id, whether or not they are still queried by it."""
        ...

    def share_id(self, reference: str, bank_id: str) -> None:
        """Record that another prompt has this id too; ``bank_id`` is cleared by saving the
        top-up."""
        ...

    def log_push(self, reference: str, status: str, description: str) -> None:
        """Record the bank's words in the push's own row; ``status`` is asked, accepted, …"""
        ...

    def begun_since(self, moment: datetime, partner: str) -> Money:
        """Total of the partner's top-ups begun since then, except those known to be unpaid."""
        ...

    def recent_amounts(self, person_id: int, limit: int) -> list[Money]:
        """Amounts of the person's latest paid top-ups, each once, newest first."""
        ...

    def recent_phones(self, person_id: int, limit: int) -> list[Phone]:
        """Numbers of the person's latest paid top-ups, each once, newest first, without forgotten
        ones."""
        ...

    # Over all partners and the whole table: for the simulator and for checks.

    def newest(self) -> TopUp | None: ...

    def every(self) -> list[TopUp]: ...

    def credited(self) -> list[CreditedTopUp]: ...

    def prompted(self) -> list[str]:
        """References of those whose prompt was requested, or was about to be."""
        ...
