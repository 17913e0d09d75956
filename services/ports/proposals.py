"""Stored proposals of the admins, and the adjustments that result from them."""

from __future__ import annotations

from typing import Protocol

from services.domain.adjustment import Adjustment
from services.domain.money import Money
from services.domain.proposal import Proposal, ProposalStatus


class Proposals(Protocol):
    def add(self, proposal: Proposal) -> bool:
        """False if its id, or an adjustment's reference, is taken: draw another."""
        ...

    def get(self, proposal_id: str) -> Proposal | None: ...

    def open_about(self, about: str) -> Proposal | None: ...

    def decide(self, proposal_id: str, status: ProposalStatus, by: str | None) -> bool:
        """Close it, once; false if it was closed already."""
        ...

    def supersede(self, about: str) -> None:
        """Void the open proposal about this operation, because evidence has settled it."""
        ...

    def open_page(self, before: str | None, limit: int) -> list[Proposal]:
        """Open proposals, newest first, after the proposal ``before``."""
        ...

    def count_open(self, limit: int, down_to: str | None = None) -> int:
        """The number of open proposals, or of those down to that one in ``open_page``, counted up
        to ``limit``."""
        ...

    def unresolved(self, limit: int) -> list[str]:
        """Operations awaiting evidence without an open proposal; oldest first."""
        ...


class Adjustments(Protocol):
    def add(self, adjustment: Adjustment, proposal: str) -> None: ...

    def add_opening(self, reference: str, partner: str, amount: Money) -> None:
        """What a simulated world's partner has in the wallet from the start. Nobody proposed it,
        and the chat's history does not show it. Added once for a partner."""
        ...

    def get(self, reference: str) -> Adjustment | None: ...
