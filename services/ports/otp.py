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
        """Count one more check of the live code; ``None`` if there is none."""
        ...

    def verify(self, otp_id: str) -> None:
        """A pending code was found right, and is not used yet."""
        ...

    def expired_of(self, partner: str, limit: int) -> Sequence[Otp]:
        """The partner's pending codes past their expiry, but those that prove a contact."""
        ...

    def end(self, otp_id: str, status: OtpStatus) -> None:
        """End a pending code; messages that still carry it are wiped."""
        ...

    def pending_of(self, partner: str) -> Sequence[Otp]: ...

    def expired(self, limit: int) -> Sequence[Otp]:
        """Pending codes past their expiry."""
        ...

    def issued_in(self, partner: str, purpose: Purpose, since: datetime) -> Sequence[CodeIssue]:
        """Codes of the partner's people, and of accounts joining it; newest first."""
        ...

    def issued_to_phone(
        self, phone: Phone, purpose: Purpose, since: datetime
    ) -> Sequence[datetime]:
        """Times of issue, newest first."""
        ...

    def issued_to(self, destination: str, purpose: Purpose, since: datetime) -> Sequence[datetime]:
        """The same, for a contact being verified: a phone number or a mail address."""
        ...

    def issued_for_account(
        self, account: ChannelAddress, purpose: Purpose, since: datetime
    ) -> Sequence[datetime]: ...

    def failed_attempts(self, who: CodeHolder, since: datetime) -> int:
        """Over all codes alive since then and drawn since the last unlock, however each ended."""
        ...

    def lock(self, who: CodeHolder) -> None: ...

    def locked_since(self, who: CodeHolder) -> datetime | None: ...

    def unlock(self, who: CodeHolder, by: str) -> bool: ...

    def accounts_of(self, phone: Phone) -> Sequence[ChannelAddress]:
        """Accounts of the people registered with this number, and accounts joining with it."""
        ...

    def delete_before(self, moment: datetime, limit: int) -> int:
        """Delete ended codes drawn before this; returns the number deleted."""
        ...

    def of_phone(self, phone: Phone, limit: int) -> list[Otp]:
        """The codes sent to the phone, newest first."""
        ...

    def of_operation(self, operation: str) -> list[Otp]:
        """All codes of the operation, newest first."""
        ...

    def next_expiry(self) -> datetime | None: ...
