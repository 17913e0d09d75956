"""The list of a partner's operations of all types."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.domain.operation import FoundOperation, Operation, StateBacklog


class Operations(Protocol):
    """All listed operations of a partner, whatever their type."""

    def partner_of(self, reference: str) -> str | None:
        """Whose the operation is; ``None`` if there is none."""
        ...

    def page(
        self, partner: str, size: int, *, before: str | None = None, after: str | None = None
    ) -> Sequence[Operation]:
        """Newest first; the page older than the reference ``before``, or the one just newer than
        ``after``."""
        ...

    def of_reference(self, reference: str) -> FoundOperation | None: ...

    def of_bank_id(self, bank_id: str, limit: int) -> list[FoundOperation]:
        """Operations by the bank's id: a prompt, or a float purchase."""
        ...

    def of_receipt(self, receipt: str, limit: int) -> list[FoundOperation]: ...

    def of_phone(self, last_four: str, msisdn: str | None, limit: int) -> list[FoundOperation]:
        """The newest operations of every number with these last digits, or of the number
        ``msisdn``."""
        ...

    def pending(self, after: str | None, limit: int) -> list[FoundOperation]:
        """Open or unknown operations that are not on the admins' list, over all partners; oldest
        first, starting after the operation ``after``."""
        ...

    def count_pending(self, limit: int, up_to: str | None = None) -> int:
        """The number of those that ``pending`` lists, or of those up to that one, counted up to
        ``limit``."""
        ...

    def pending_by_state(self, limit: int) -> list[tuple[str, int]]:
        """How many are open or unknown in each state, among the oldest ``limit``."""
        ...

    def waiting(self, limit: int) -> list[StateBacklog]:
        """Open or unknown operations by kind and state, among the oldest ``limit``, with their
        age."""
        ...

    def newest_state(self, kind: str) -> str | None:
        """Of the newest operation of that kind, as it is stored, over all partners. It may read the
        whole table: for the simulator."""
        ...

    def open_since(self, partner: str, since: datetime) -> int:
        """How many operations begun since then are open or unknown."""
        ...

    def under_way(self, partner: str, person_id: int, channel: str, address: str) -> str | None:
        """The newest operation that the person began on this account and that is not decided: a
        prompt, a purchase that is with the bank, or one that waits for a colleague."""
        ...
