"""Stored files of payouts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from services.domain.payout_batch import ROWS_MAX, Batch, BatchCounts, BatchResult, BatchRow


class PayoutBatches(Protocol):
    """The batches among ``wallet_transactions``, with one ``payout_batches`` row each."""

    def add(self, batch: Batch, key: str) -> bool:
        """False if the reference is taken: draw another."""
        ...

    def add_rows(self, reference: str, rows: Iterable[BatchRow]) -> None: ...

    def forget_rows(self, reference: str) -> None:
        """Of one that was cancelled before anybody confirmed it."""
        ...

    def get(self, reference: str) -> Batch | None: ...

    def save(self, batch: Batch) -> None:
        """Write the mutable fields; what was read from the file stays."""
        ...

    def rows(self, reference: str) -> Sequence[BatchRow]: ...

    def largest(self, reference: str, limit: int) -> Sequence[BatchRow]:
        """Those that pay most, the largest first."""
        ...

    def begun(self, reference: str, number: int, payout: str) -> None:
        """This row has become that payout; the database refuses a second one."""
        ...

    def row_of(self, payout: str) -> BatchRow | None: ...

    def counts(self, reference: str) -> BatchCounts:
        """Of the rows that are payouts."""
        ...

    def has_rows_to_go(self, reference: str) -> bool:
        """Whether a row waits or is on its way; not one that is unknown."""
        ...

    def repeated_since(self, reference: str) -> str | None:
        """A payout, of another file or of none, of a row's amount to its phone that was begun after
        the file was read, or paid after its return since: nobody was asked about it."""
        ...

    def has_open_rows(self, reference: str) -> bool:
        """Whether any row's payout has not ended."""
        ...

    def unsent(self, reference: str) -> Sequence[str]:
        """Payouts of the batch that are not on their way."""
        ...

    def running(self) -> Sequence[tuple[str, str]]:
        """(partner, reference) of running batches with rows that nobody has taken up, of any
        partner; first whose turn was longest ago."""
        ...

    def release(self, reference: str, limit: int) -> int:
        """Make the next rows' payouts due, and tried for a minute from now; returns how many."""
        ...

    def results(
        self, reference: str, after: int = 0, limit: int = ROWS_MAX
    ) -> Sequence[BatchResult]:
        """Rows behind row ``after``, with what became of them."""
        ...

    def quoted(self, channel: str, address: str) -> Batch | None:
        """The one unconfirmed file shown at this address, if any."""
        ...

    def stale_quotes(self, before: datetime, limit: int) -> Sequence[Batch]:
        """Files read before this that nobody confirmed."""
        ...

    def without_code(self, person_id: int) -> Sequence[Batch]:
        """Batches the person has begun for which no code has been drawn yet."""
        ...

    def of_same_rows(self, partner: str, digest: str, since: datetime) -> Batch | None:
        """The newest of the partner's with the same rows, read since then, that was paid or still
        may be."""
        ...

    def page(self, partner: str, before: str | None, limit: int) -> Sequence[Batch]:
        """The partner's confirmed batches, newest first, behind ``before``."""
        ...

    # Over all partners and the whole table: for the simulator and for checks.

    def newest(self) -> str | None:
        """The newest one that was not only quoted."""
        ...

    def every(self) -> Sequence[Batch]: ...
