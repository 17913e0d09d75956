"""What M-PESA last said that its accounts of the short code have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from services.domain.money import Money
from services.domain.mpesa_balance import MpesaBalance


class MpesaBalances(Protocol):
    def note(self, account: str, amount: Money) -> None: ...

    def get(self, account: str) -> MpesaBalance | None: ...

    def every(self) -> Sequence[MpesaBalance]: ...

    def alerted(self, account: str, *, still: bool) -> None:
        """Note that admins are told that it is short, once; or that it has enough again."""
        ...
