"""Four workers, each on a host of its own, and what became of their events."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from services.domain.database import DatabaseServer
from storage.postgres.engine import migrate
from tests.failover.client import SCHEMA
from tests.failover.cluster import REPOSITORY, Cluster
from tests.failover.events import Books, Line, lines
from tests.failover.network import Host, LabFailed
from tests.failover.node import Node

BOOKS_S = 30  # in which a database that serves must have been read


class Load:
    def __init__(self, lab: Cluster, by_desk: bool) -> None:
        """``by_desk``: the workers use the desk's own storage."""
        self._by_desk = by_desk
        self._lab = lab
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._database = self._address(lab.nodes)

    def _address(self, nodes: Sequence[Node]) -> str:
        hosts = ",".join(node.host.address for node in nodes)
        return (
            f"postgresql://hazina:{self._lab.password}@{hosts}/hazina?channel_binding=require"
            "&target_session_attrs=read-write&connect_timeout=2"
        )

    def make_tables(self) -> None:
        if self._by_desk:
            address = DatabaseServer(self._database, patroni=tuple(self._lab.urls))
            asyncio.run(migrate(address, lambda: datetime.now(UTC)))
        with psycopg.connect(self._database) as conn:
            conn.execute(SCHEMA.encode())

    def log_of(self, worker: Host) -> Path:
        return self._lab.folder / f"{worker.name}.log"

    def lines_of(self, worker: Host) -> list[Line]:
        return list(lines(self.log_of(worker)))

    def start(self, workers: Sequence[Host], by_libpq: bool = False) -> None:
        """``by_libpq``: they do not ask Patroni, but take the first host that is read-write. The
        primary of now is the first."""
        database, urls = self._database, ["--urls", *self._lab.urls]
        if by_libpq:
            database, urls = self._address([self._lab.primary(), *self._lab.standbys()]), []
        for worker in workers:
            command = [sys.executable, "-m", "tests.failover.client", worker.name, database]
            options = [*urls, "--desk"] if self._by_desk else urls
            with (self._lab.folder / f"{worker.name}.err").open("ab") as said:
                self._running[worker.name] = subprocess.Popen(
                    worker.command(*command, str(self.log_of(worker)), *options),
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

    def books(self) -> Books:
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
