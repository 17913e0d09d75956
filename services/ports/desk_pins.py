"""Stored desk PINs, PINs on their way, and what PINs approved."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from services.domain.desk_pin import DeskPin, PinChange
from services.domain.otp import Binding, Purpose


class DeskPins(Protocol):
    def find(self, person_id: int) -> DeskPin | None: ...

    def put(self, person_id: int, pepper_id: str, digest: str) -> None:
        """Set it, in place of an earlier one; it is not locked and has no wrong tries."""
        ...

    def count_attempt(self, person_id: int) -> DeskPin | None:
        """Count a try as wrong, which locks the PIN at the last one; ``None`` if there is no PIN,
        or it is locked."""
        ...

    def clear_attempts(self, person_id: int, pepper_id: str, digest: str) -> None:
        """The try just counted was right; its digest is stored with the newest key."""
        ...

    def forget(self, person_id: int) -> None:
        """Remove a person's PIN, and what they had begun to set."""
        ...

    # On their way --------------------------------------------------------------------------

    def begin_change(self, operation: str, person_id: int) -> None:
        """The code of ``operation`` was right; earlier changes of this person end."""
        ...

    def change(self, operation: str) -> PinChange | None: ...

    def note_first(self, operation: str, pepper_id: str | None, digest: str | None) -> None:
        """The digest of the first typing; ``None`` to have it typed again."""
        ...

    def end_change(self, operation: str) -> None: ...

    def delete_before(self, moment: datetime, limit: int) -> int:
        """Delete changes proved, and questions for a PIN asked, before this and never finished;
        returns how many, at most ``limit`` of each."""
        ...

    # What they approved --------------------------------------------------------------------

    def ask(self, binding: Binding) -> None:
        """A PIN is asked for what has no row of its own yet."""
        ...

    def approve(self, binding: Binding) -> bool:
        """A right PIN approved this; False if it was approved before, or something else was asked
        for."""
        ...

    def asked(self, operation: str, purpose: Purpose) -> Binding | None:
        """What a PIN was asked for, or approved."""
        ...

    def approved(self, operation: str, purpose: Purpose) -> Binding | None:
        """What a right PIN approved."""
        ...

    def partner_of(self, operation: str) -> str | None:
        """The partner of what a PIN was asked for, or approved."""
        ...
