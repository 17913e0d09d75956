"""How the whole desk stands, in reads that an index or a limit bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from services.domain.ledger import AccountKind, Balance
from services.domain.money import Money
from services.domain.overview import (
    Imbalance,
    LatePayment,
    QueuedMessages,
    StateCount,
    StuckItem,
    UnhappyEndpoint,
)
from services.domain.runway import PaidOut


class Overview(Protocol):
    """Over all partners. Nothing here reads a whole table of operations, transfers or messages."""

    def stuck(self, limit: int) -> Sequence[StuckItem]:
        """What admins must look at, oldest first."""
        ...

    def paid_late(self, since: datetime, limit: int) -> Sequence[LatePayment]:
        """Newest first."""
        ...

    def states(self, since: datetime) -> Sequence[StateCount]:
        """Operations begun since then, by kind and state, but for mere quotes."""
        ...

    def seconds_taken(self, kind: str, state: str, since: datetime, limit: int) -> Sequence[float]:
        """From begun to settled, of the newest operations in that state begun since then."""
        ...

    def balances(self, currency: str = "KES") -> Mapping[AccountKind, Balance]:
        """All accounts of each kind together; reads every account."""
        ...

    def imbalances(self) -> Sequence[Imbalance]:
        """By currency; reads every account."""
        ...

    def spent(self, kind: AccountKind, since: datetime, currency: str = "KES") -> Money:
        """What left all accounts of this kind since then."""
        ...

    def paid_out(self, since: datetime, currency: str = "KES") -> PaidOut:
        """What has left all floats for customers since then."""
        ...

    def partners(self, part: str, after: str, limit: int) -> Sequence[str]:
        """Codes with this part, in any case of letters, that come after that one."""
        ...

    def open_days(self, before: date, limit: int) -> Sequence[date]:
        """Days before that one that were compared with the bank's statement and are not closed,
        oldest first."""
        ...

    def last_closed_day(self) -> date | None: ...

    def queued_messages(self, limit: int) -> Sequence[QueuedMessages]:
        """By channel, among the first ``limit`` to be sent."""
        ...

    def dead_messages(self, since: datetime, limit: int) -> Sequence[tuple[str, int]]:
        """How many will never arrive, by channel, among the newest ``limit`` queued since then."""
        ...

    def deliveries_due(self, limit: int) -> int:
        """Events of partners that should have been sent by now, counted up to ``limit``."""
        ...

    def unhappy_endpoints(self, limit: int) -> Sequence[UnhappyEndpoint]:
        """By partner."""
        ...
