"""Tokens of banks that processes share, and who is asking for a new one."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from services.domain.bank_token import StoredToken


class BankTokens(Protocol):
    def newest(self, name: str) -> StoredToken: ...

    def begin_renewal(self, name: str, renewer: str, until: datetime) -> bool:
        """``False`` while another is asking: nobody else may before ``until``, or the end of
        it."""
        ...

    def renewed(self, name: str, renewer: str, sealed: str, expires_at: datetime) -> None:
        """Keep the new token, unless another has begun to ask since ``renewer``'s time ran
        out."""
        ...

    def end_renewal(self, name: str, renewer: str) -> None:
        """Without a new token."""
        ...

    def end_renewals_of(self, renewers: Collection[str]) -> None:
        """Let others ask at once for what these were asking for; they are gone."""
        ...
