"""Four workers, each on a host of its own, and what became of their events."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import psycopg

from tests.failover.client import SCHEMA
from tests.failover.cluster import REPOSITORY, Cluster
from tests.failover.events import Books, Line, applied_twice, lines, lost
from tests.failover.host_processes import HostProcesses
from tests.failover.network import Host


class Load:
    """The smallest thing that can be lost or applied twice: an event's row, and a counter."""

    people: Sequence[str] = ()

    def __init__(self, lab: Cluster) -> None:
        self._lab = lab
        self._processes = HostProcesses()

    @property
    def names(self) -> list[str]:
        return [worker.name for worker in self._lab.workers]

    def prepare(self) -> None:
        with psycopg.connect(self._lab.address(self._lab.nodes)) as conn:
            conn.execute(SCHEMA.encode())

    def lines_of(self, name: str) -> list[Line]:
        return list(lines(self._lab.folder / f"{name}.log"))

    def start(self, workers: Sequence[Host], by_libpq: bool = False) -> None:
        """``by_libpq``: they do not ask Patroni, but take the first host that is read-write. The
        primary of now is the first."""
        database, urls = self._lab.address(self._lab.nodes), ["--urls", *self._lab.urls]
        if by_libpq:
            database, urls = self._lab.address_by_libpq(), []
        for worker in workers:
            command = [sys.executable, "-m", "tests.failover.client", worker.name, database]
            log = str(self._lab.folder / f"{worker.name}.log")
            said = self._lab.folder / f"{worker.name}.err"
            self._processes.start(worker, [*command, log, *urls], REPOSITORY, said)

    def kill(self, workers: Sequence[Host]) -> None:
        self._processes.kill(workers)

    def check_that_all_run(self) -> None:
        self._processes.check_that_all_run()

    def lost(self, every: Sequence[Line]) -> list[str]:
        return lost(every, self._books())

    def twice(self) -> int:
        return applied_twice(self._books())

    def settle(self) -> list[str]:
        """Nothing is left that could still end."""
        return []

    def counted(self) -> str:
        return f"{len(self._books().events)} events"

    def stop(self) -> None:
        self.kill(self._lab.workers)

    def _books(self) -> Books:
        def read(conn: psycopg.Connection) -> Books:
            events = [row[0] for row in conn.execute("SELECT id FROM lab_events")]
            rows = conn.execute("SELECT id, applied FROM lab_accounts")
            return Books(events, {row[0]: row[1] for row in rows})

        return self._lab.read(read)
