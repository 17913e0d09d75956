"""Three nodes and four hosts of workers on this machine, and what can go wrong with them."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

import psycopg

from storage.postgres.primary import find_primary
from tests.failover.network import (
    AS_POSTGRES,
    NET,
    Host,
    LabFailed,
    make_network,
    remove_network,
    run,
)
from tests.failover.node import SCALE, Node, remove_disks

NODES = 3
WORKERS = 4
START_S = 90
HEAL_S = 120
SETTING_S = 20  # two rounds of Patroni, and some seconds
LOOK_S = 2
READ_S = 30  # in which a database that serves must have been read
SYNCHRONOUS = {"sync_standby", "quorum_standby"}  # roles of members
LOCK = Path("/run/lock/hazina-failover")  # namespaces and their addresses are the machine's
REPOSITORY = Path(__file__).parents[2]

T = TypeVar("T")
Frozen = Literal["patroni", "etcd", "leader", "standby", "standby servers"]


class Cluster:
    """Made by ``cluster``."""

    def __init__(self, folder: Path, python: Path) -> None:
        self.folder = folder
        self.nodes = [Node(f"n{number}", number, folder, python) for number in range(1, NODES + 1)]
        self.workers = [Host(f"w{number}", 10 + number) for number in range(1, WORKERS + 1)]
        self.urls = [node.url for node in self.nodes]
        self._passwords = folder / "passwords"
        self._filled: list[Node] = []
        self._is_synchronous = True

    @property
    def password(self) -> str:
        """Of the user ``hazina``."""
        lines = dict(line.split("=", 1) for line in self._passwords.read_text().splitlines())
        return lines["HAZINA_PASSWORD"]

    def start(self, archive: str = "/bin/true") -> None:
        self._passwords.write_text(run(str(SCALE / "set-up-node.sh"), "--new-passwords"))
        self.stop()
        make_network([*(node.host for node in self.nodes), *self.workers])
        addresses = [node.host.address for node in self.nodes]
        for node in self.nodes:
            node.lay_out([*addresses, f"{NET}.0/24"], self._passwords, archive)
        for node in self.nodes:
            node.start_etcd()
        for node in self.nodes:
            node.start_patroni()
        wait_for(self._has_settled, START_S, "the three nodes have not come up")
        self.make_database()

    def stop(self) -> None:
        remove_network()
        remove_disks()

    def make_database(self) -> None:
        primary = self.primary()
        place = f"PGHOST={primary.root}/var/run/postgresql"
        script = str(SCALE / "make-database.sh")
        run(*primary.host.command("env", place, f"PASSWORDS={self._passwords}", script))

    # The database -----------------------------------------------------------------------------

    def address(self, nodes: Sequence[Node]) -> str:
        """Of the database, for whoever takes the first of the nodes that is read-write."""
        hosts = ",".join(node.host.address for node in nodes)
        return (
            f"postgresql://hazina:{self.password}@{hosts}/hazina?channel_binding=require"
            "&target_session_attrs=read-write&connect_timeout=2"
        )

    def address_by_libpq(self) -> str:
        """The primary of now first."""
        return self.address([self.primary(), *self.standbys()])

    def read(self, function: Callable[[psycopg.Connection], T]) -> T:
        """What the primary has, at one moment. Raises ``LabFailed`` when it cannot be read."""
        ends_at = time.monotonic() + READ_S
        while True:
            try:
                host = self.primary().host.address
                with psycopg.connect(self.address(self.nodes), host=host, port=5432) as conn:
                    conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    return function(conn)
            except (psycopg.Error, LabFailed) as error:
                if time.monotonic() > ends_at:
                    raise LabFailed(f"the books cannot be read: {error}") from error
            time.sleep(0.5)

    # Who is what ------------------------------------------------------------------------------

    def primary(self) -> Node:
        """Raises ``LabFailed`` when nobody is."""
        found = find_primary(self.urls)
        if found is None:
            raise LabFailed("no node says that it is the primary")
        return next(node for node in self.nodes if node.host.address == found.host)

    def standbys(self) -> list[Node]:
        primary = self.primary()
        return [node for node in self.nodes if node is not primary]

    def members(self) -> list[dict[str, Any]]:
        """As Patroni of the primary lists them."""
        with urllib.request.urlopen(f"{self.primary().url}/cluster", timeout=LOOK_S) as answer:
            listed: list[dict[str, Any]] = json.load(answer)["members"]
        return listed

    def set_option(self, **options: object) -> None:
        """What `patronictl edit-config` sets; it is in force two rounds of Patroni later."""
        self._is_synchronous = bool(options.get("synchronous_mode", self._is_synchronous))
        primary = self.primary()
        body = json.dumps(options)
        where = f"{primary.url}/config"
        # From the node itself, since others are not allowed to.
        run(*primary.host.command("curl", "-fsS", "-X", "PATCH", "-d", body, where))

    def standbys_count(self) -> bool:
        """Whether the primary waits for a standby before it acknowledges a commit."""
        names = self.read(lambda conn: conn.execute("SHOW synchronous_standby_names").fetchall())
        return names != [("",)]

    def wait_until_standbys_count(self, wanted: bool) -> None:
        otherwise = f"whether standbys count is not yet {wanted}"
        wait_for(lambda: self.standbys_count() is wanted, SETTING_S, otherwise)

    def switch_over(self) -> None:
        """To a standby, by plan, as `patronictl switchover` does."""
        primary, candidate = self.primary(), self.synchronous_standby()
        names = {member["host"]: member["name"] for member in self.members()}
        body = {
            "leader": names[primary.host.address],
            "candidate": names[candidate.host.address],
        }
        where = f"{primary.url}/switchover"
        run(*primary.host.command("curl", "-fsS", "-d", json.dumps(body), where))

    # Faults -----------------------------------------------------------------------------------

    def kill_postmaster(self) -> Node:
        """Only PostgreSQL of the primary; its Patroni lives."""
        node = self.primary()
        node.host.kill([node.postmaster_pid])
        return node

    def kill_leader(self) -> Node:
        """Patroni and PostgreSQL of the primary, at once."""
        node = self.primary()
        node.host.kill([node.patroni_pid, node.postmaster_pid])
        return node

    def kill_standbys(self) -> None:
        """Patroni and PostgreSQL of both."""
        for node in self.standbys():
            node.host.kill([node.patroni_pid, node.postmaster_pid])

    def kill_patroni(self) -> Node:
        """Only Patroni: its PostgreSQL goes on."""
        node = self.primary()
        node.host.kill([node.patroni_pid])
        return node

    def lose_machine(self) -> Node:
        """Everything on the primary's machine, and without a word to anybody."""
        node = self.primary()
        node.host.unplug()
        node.host.kill()
        return node

    def freeze(self, what: Frozen) -> None:
        """``leader`` and ``standby`` are whole machines; the standby is a synchronous one.
        ``standby servers`` are the PostgreSQL of both: nothing can be acknowledged."""
        if what == "etcd":
            for node in self.nodes:
                os.kill(node.etcd_pid, signal.SIGSTOP)
        elif what == "patroni":
            node = self.primary()
            os.kill(node.patroni_pid, signal.SIGSTOP)
        elif what == "leader":
            node = self.primary()
            node.signal_all(signal.SIGSTOP, node.host.pids())
        elif what == "standby servers":
            for node in self.standbys():
                node.signal_all(signal.SIGSTOP, node.postgres_pids())
        else:
            node = self.synchronous_standby()
            node.signal_all(signal.SIGSTOP, node.host.pids())

    def thaw(self) -> None:
        for node in self.nodes:
            node.resume()

    def synchronous_standby(self) -> Node:
        """One of those that the primary waits for."""
        names = {member["host"] for member in self.members() if member["role"] in SYNCHRONOUS}
        return next(node for node in self.nodes if node.host.address in names)

    def cut(self, node: Node, workers: Sequence[Host]) -> None:
        """The node from the other nodes, and from those workers."""
        others = [other.host for other in self.nodes if other is not node]
        node.host.cut_from([*others, *workers])

    def fill_disk(self) -> Node:
        node = self.primary()
        self._filled.append(node)
        node.fill_disk()
        return node

    def heal(self) -> None:
        """Undo every fault, and start again what has ended, until all three are what they should
        be. Raises ``LabFailed`` when that does not happen by itself."""
        self.thaw()
        for node in self._filled:
            node.free_disk()
        self._filled.clear()
        for host in (*(node.host for node in self.nodes), *self.workers):
            host.heal()

        def settled() -> bool:
            for node in self.nodes:
                node.start_missing()
            return self._has_settled()

        wait_for(settled, HEAL_S, "the three nodes have not come back")

    def _has_settled(self) -> bool:
        """A leader, two standbys that stream, and one of them synchronous if any should be."""
        try:
            members = self.members()
        except (LabFailed, OSError, ValueError):
            return False
        roles = [member["role"] for member in members]
        states = [member["state"] for member in members if member["role"] != "leader"]
        return (
            roles.count("leader") == 1
            and states == ["streaming"] * (NODES - 1)
            and (not self._is_synchronous or not SYNCHRONOUS.isdisjoint(roles))
        )


def wait_for(condition: Callable[[], bool], limit_s: float, otherwise: str) -> None:
    ends_at = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > ends_at:
            raise LabFailed(otherwise)
        time.sleep(0.3)


@contextmanager
def cluster(environment: Path, keeps: bool = False) -> Iterator[Cluster]:
    """In a temporary folder, which stays when something fails, or when ``keeps``. ``environment``
    is the virtual one with Patroni; it is copied, so that the user postgres can read it."""
    with LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LabFailed("there is one on this machine already") from None
        folder = Path(tempfile.mkdtemp(prefix="hazina-failover-"))
        folder.chmod(0o755)
        lab = Cluster(folder, _patroni_for_postgres(environment, folder))
        try:
            lab.start()
            yield lab
        finally:
            lab.stop()
        if not keeps:
            shutil.rmtree(folder)


def _patroni_for_postgres(environment: Path, folder: Path) -> Path:
    copied = folder / "patroni"
    shutil.copytree(environment, copied, symlinks=True)
    python = copied / "bin" / "python"
    tried = subprocess.run(
        [*AS_POSTGRES, str(python), "-c", "import patroni, psycopg"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    if tried.returncode:
        raise LabFailed(
            f"the user postgres cannot run {python.resolve()}: {tried.stderr.strip()};"
            " `make setup PYTHON=/usr/bin/python3` chooses one that everybody can"
        )
    return python
