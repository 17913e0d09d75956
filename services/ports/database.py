"""The database as the program uses it, and the engine that opens one.

``bot.database`` chooses the engine. Whatever an engine's own driver raises reaches callers as
``DatabaseFailed``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol, TypeVar

from services.domain.clock_step import ClockStep
from services.domain.database import DatabaseCondition, OtherProcess, Priority
from services.domain.stored_secret import StoredSecret
from services.ports.audit import Audit
from services.ports.tx import Tx

T = TypeVar("T")
AddressT = TypeVar("AddressT", contravariant=True)  # what an engine's databases are found by


class DatabaseTime(Protocol):
    def now(self) -> datetime:
        """The time the database runs on, UTC (docs/decisions/0019)."""
        ...


class Database(Protocol):
    """An open database. All methods must be called on the event loop's thread."""

    stepped: Callable[[ClockStep], None]
    """Called after the commit that followed a clock step."""

    changed: Callable[[frozenset[str]], None]
    """Called after each commit with the references of the operations that it has changed as their
    partners' systems see them, if there are any."""
    webhooks_queued: Callable[[], None]
    """Called after a commit that queued deliveries of partners' events."""

    @property
    def time(self) -> DatabaseTime: ...

    @property
    def process(self) -> str:
        """The name of this process among all that have ever served this database. Another one
        after each start."""
        ...

    async def write(
        self,
        function: Callable[[Tx], T],
        priority: Priority = Priority.PEOPLE,
        *,
        about: Hashable | None = None,
    ) -> T:
        """Run ``function`` in the next commit; returns after that commit. What it is ``about``,
        such as a chat, only helps to put it beside others that it is not in the way of.

        An exception it raises is re-raised here, and only its own work is rolled back. Raises
        ``DatabaseUnavailable`` when the commit itself failed, so nothing happened.
        """
        ...

    async def read(self, function: Callable[[Tx], T]) -> T:
        """Run ``function`` on one consistent snapshot, concurrently with writes."""
        ...

    is_taken_away: Callable[[], bool]
    """Simulations: whether nobody can reach it, so that every call raises
    ``DatabaseUnavailable``."""

    elsewhere: Callable[[frozenset[str] | None], None]
    """Called when another process has committed something, with the references of the operations
    that have changed as ``changed`` has them; ``None`` every second, in which it may have."""

    leading_changed: Callable[[bool], None]
    """Called when this process begins to lead, or no longer does."""

    gone: Callable[[Collection[str]], None]
    """Called in one of the processes that are left, with the names of those that were not heard of
    for a while: what they held is free. One that was only frozen comes back; the attempt numbers of
    its claims are old by then."""

    @property
    def leads(self) -> bool:
        """Whether this process does what only one may. Where there is only one, it does."""
        ...

    @property
    def follows(self) -> bool:
        """Whether another process is known to lead. While the database cannot be reached, nobody
        leads, and who led last still hears people."""
        ...

    says: Callable[[], str]
    """Called every second where others can serve this database: what they are told of this
    process."""

    @property
    def others(self) -> Sequence[OtherProcess]:
        """The other processes that serve this database."""
        ...

    @property
    def is_shared(self) -> bool:
        """Whether other processes can serve this database, now or later."""
        ...

    async def join(self) -> None:
        """Serve from now on, beside others if there are any. Raises ``DatabaseFailed``."""
        ...

    @property
    def sole_writer(self) -> bool:
        """Whether no other process can write, so that nobody holds what an earlier one held."""
        ...

    async def follow_clock(self) -> None:
        """Follow a clock step even when there is nothing else to write."""
        ...

    async def close(self) -> None:
        """Finish queued writes, accept no more, then close."""
        ...

    def simulate_crash(self) -> None:
        """Simulate a crash: no caller is notified any more, and nothing more is written."""
        ...

    # Whether it is well ----------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """Functions waiting to be written, not counting the current batch."""
        ...

    @property
    def in_flight(self) -> int:
        """Callers that wait for a write or a read."""
        ...

    @property
    def batch_s(self) -> float:
        """How long the current batch has been running; zero when idle."""
        ...

    @property
    def size_bytes(self) -> int: ...

    @property
    def damaged(self) -> str | None:
        """What is known about damage to the stored data, in the engine's words."""
        ...

    def mark_damaged(self, why: str) -> None: ...


class DatabaseEngine(Protocol[AddressT]):
    """What can be done with the database at an address."""

    async def open_database(
        self,
        address: AddressT,
        /,
        now: Callable[[], datetime],
        *,
        monotonic: Callable[[], float] | None = None,
        probe: Callable[[str], None] = ...,
        threads: bool = True,
    ) -> Database:
        """Lock, migrate and open it; of a restored backup, mark as unknown what it cannot know.

        ``now`` is the machine's clock and ``monotonic`` counts elapsed seconds; both are read on
        any thread. ``probe`` is called with "commit" before each commit and "after-commit" after
        it. Without ``threads``, everything runs on the event loop in call order.

        Raises ``DatabaseFault``, ``OSError``.
        """
        ...

    async def migrate(self, address: AddressT, /, now: Callable[[], datetime]) -> Sequence[str]:
        """Apply pending migrations; returns the names of all that it has. Raises as
        ``open_database`` does."""
        ...

    def condition(self, address: AddressT, /) -> DatabaseCondition:
        """Examine it without changing it, even while it is in use.

        Raises ``MigrationError`` if it does not fit this program, ``DatabaseFailed``.
        """
        ...

    def stored_secrets(self, address: AddressT, /) -> Sequence[StoredSecret]:
        """Secrets needed before it is opened, read even while another process has it open.

        Empty if there is no database, or none with secrets yet. Raises ``DatabaseFailed``.
        """
        ...

    def audit_log(self, address: AddressT, /) -> AbstractContextManager[Audit]:
        """Its audit log, to be read as of one moment. Raises ``DatabaseFailed``."""
        ...
