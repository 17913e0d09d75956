"""Stored top-ups."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from services.domain.money import Money
from services.domain.phone import Phone
from services.domain.topup import TopUp


class TopUps(Protocol):
    """The top-ups among ``wallet_transactions``, with one ``ncb_stk_push_logs`` row each."""

    def add(self, topup: TopUp, key: str) -> bool:
        """False when the reference is taken: draw another."""
        ...

    def get(self, reference: str) -> TopUp | None: ...

    def find_open(
        self, partner: str, phone: Phone, amount: Money, since: datetime
    ) -> TopUp | None: ...

    def nth_prompt(self, n: int, phone: Phone, since: datetime, *, own: bool) -> datetime | None:
        """When the ``n``-th newest prompt to it after ``since`` was begun, of any partner: by those
        whose registered number it is, or by all others. ``None`` where there were fewer."""
        ...

    def claim(self, lease: timedelta, sends: int, queries: int) -> Sequence[TopUp]:
        """Take what is due, not yet accepted by the bank (``sends``) and already (``queries``).

        Each is due again when ``lease`` ends, with its attempt number grown by one.
        """
        ...

    def save(self, topup: TopUp) -> None:
        """Write what may change: state, reason, times, bank id, receipt, due moment, slow."""
        ...

    def put_off(self, reference: str, due_at: datetime | None) -> None:
        """Ask again then, or never; all else stays as it was."""
        ...

    def without_receipt(
        self, amount: Money, phone: Phone | None, since: datetime, until: datetime
    ) -> Sequence[TopUp]:
        """Begun or prompted in that time and without a receipt, of any partner: of one phone, or
        of any."""
        ...

    def with_inferred_receipt(
        self, amount: Money, phone: Phone | None, since: datetime, until: datetime
    ) -> Sequence[TopUp]:
        """The same, of those whose receipt was matched by payer and time only."""
        ...

    def of_bank_id(self, bank_id: str) -> Sequence[TopUp]:
        """Those that the bank gave this id, whether or not it is asked about."""
        ...

    def share_id(self, reference: str, bank_id: str) -> None:
        """Note that another prompt has this id too; who saves the top-up leaves ``bank_id`` out."""
        ...

    def log_push(self, reference: str, status: str, description: str) -> None:
        """Note the bank's words on the push's own row; ``status`` asked, accepted, …"""
        ...

    def begun_since(self, moment: datetime, partner: str) -> Money:
        """What the partner asked for since, less what surely was not paid."""
        ...
