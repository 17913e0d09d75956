"""Four workers, each on a host of its own, and what became of their events."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

import psycopg

from tests.failover.client import SCHEMA
from tests.failover.cluster import REPOSITORY, Cluster
from tests.failover.events import Books, Line, applied_twice, lines, lost
from tests.failover.network import Host, LabFailed
from tests.failover.node import Node

BOOKS_S = 30  # in which a database that serves must have been read


class Load:
    """The smallest thing that can be lost or applied twice: an event's row, and a counter."""

    people: Sequence[str] = ()

    def __init__(self, lab: Cluster) -> None:
        self._lab = lab
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._database = self._address(lab.nodes)

    def _address(self, nodes: Sequence[Node]) -> str:
        hosts = ",".join(node.host.address for node in nodes)
        return (
            f"postgresql://hazina:{self._lab.password}@{hosts}/hazina?channel_binding=require"
            "&target_session_attrs=read-write&connect_timeout=2"
        )

    @property
    def names(self) -> list[str]:
        return [worker.name for worker in self._lab.workers]

    def prepare(self) -> None:
        with psycopg.connect(self._database) as conn:
            conn.execute(SCHEMA.encode())

    def lines_of(self, name: str) -> list[Line]:
        return list(lines(self._lab.folder / f"{name}.log"))

    def start(self, workers: Sequence[Host], by_libpq: bool = False) -> None:
        """``by_libpq``: they do not ask Patroni, but take the first host that is read-write. The
        primary of now is the first."""
        database, urls = self._database, ["--urls", *self._lab.urls]
        if by_libpq:
            database, urls = self._address([self._lab.primary(), *self._lab.standbys()]), []
        for worker in workers:
            command = [sys.executable, "-m", "tests.failover.client", worker.name, database]
            log = str(self._lab.folder / f"{worker.name}.log")
            with (self._lab.folder / f"{worker.name}.err").open("ab") as said:
                self._running[worker.name] = subprocess.Popen(
                    worker.command(*command, log, *urls),
                    cwd=REPOSITORY,
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                )

    def kill(self, workers: Sequence[Host]) -> None:
        for worker in workers:
            self._running[worker.name].kill()
            self._running[worker.name].wait()

    def check_that_all_run(self) -> None:
        """Raises ``LabFailed``: a worker only ends when it is killed."""
        for name, process in self._running.items():
            if process.poll() is not None:
                said = (self._lab.folder / f"{name}.err").read_text()
                raise LabFailed(f"worker {name} has ended: {said}")

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
        """Of the primary."""
        ends_at = time.monotonic() + BOOKS_S
        while True:
            try:
                return self._read_books()
            except (psycopg.Error, LabFailed) as error:
                if time.monotonic() > ends_at:
                    raise LabFailed(f"the books cannot be read: {error}") from error
            time.sleep(0.5)

    def _read_books(self) -> Books:
        host = self._lab.primary().host.address
        with psycopg.connect(self._database, host=host, port=5432) as conn:
            conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            events = [row[0] for row in conn.execute("SELECT id FROM lab_events")]
            applied = {
                row[0]: row[1] for row in conn.execute("SELECT id, applied FROM lab_accounts")
            }
        return Books(events, applied)
