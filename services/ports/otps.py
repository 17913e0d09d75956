"""Stored one-time codes and the limits counted over them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.domain.otp import ChannelAddress, CodeHolder, CodeIssue, Otp, OtpStatus, Purpose
from services.domain.phone import Phone


class Otps(Protocol):
    """The rows of ``otp_validations`` (facts: one-time codes)."""

    def add(self, otp: Otp) -> None: ...

    def newest(self, operation: str) -> Otp | None: ...

    def of_id(self, otp_id: str) -> Otp | None: ...

    def count_attempt(self, operation: str) -> Otp | None:
        """Count one more check of the live code; ``None`` when there is none to check."""
        ...

    def end(self, otp_id: str, status: OtpStatus) -> None:
        """Take a live code out of ``pending``; messages that still carry it are wiped."""
        ...

    def pending_of(self, partner: str) -> Sequence[Otp]: ...

    def expired(self, limit: int) -> Sequence[Otp]:
        """Pending ones whose time has run out."""
        ...

    def issued_in(self, partner: str, purpose: Purpose, since: datetime) -> Sequence[CodeIssue]:
        """Codes of the partner's people, or of accounts that join it; newest first."""
        ...

    def issued_to_phone(
        self, phone: Phone, purpose: Purpose, since: datetime
    ) -> Sequence[datetime]:
        """When, newest first."""
        ...

    def issued_to(self, destination: str, purpose: Purpose, since: datetime) -> Sequence[datetime]:
        """The same, to a contact that was to prove itself: a number or a mail address."""
        ...

    def issued_for_account(
        self, account: ChannelAddress, purpose: Purpose, since: datetime
    ) -> Sequence[datetime]: ...

    def failed_attempts(self, who: CodeHolder, since: datetime) -> int:
        """Over all codes that lived since then and were drawn since their last unlocking, however
        each ended."""
        ...

    def lock(self, who: CodeHolder) -> None: ...

    def locked_since(self, who: CodeHolder) -> datetime | None: ...

    def unlock(self, who: CodeHolder, by: str) -> bool: ...

    def accounts_of(self, phone: Phone) -> Sequence[ChannelAddress]:
        """Those of the people whose number it is, and those that want to join with it."""
        ...

    def delete_before(self, moment: datetime, limit: int) -> int:
        """Delete ended codes that were drawn before this; returns how many went."""
        ...
