"""One of the three nodes: etcd, Patroni and PostgreSQL in a namespace, laid out below a folder as
docs/scale/set-up-node.sh lays them out on a machine."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from tests.failover.network import Host, LabFailed, is_alive, name_of, run

SCALE = Path(__file__).parents[2] / "docs" / "scale"
DATA_MB = 700  # of the disk that a node's database and its log are on
DISK = "hzlab"  # as it is called among what is mounted
BINARIES = Path("/usr/lib/postgresql/15/bin")


class Node:
    def __init__(self, name: str, number: int, folder: Path, python: Path) -> None:
        self.host = Host(name, number)
        self.root = folder / name
        self.disk = self.root / "var/lib/postgresql/15"
        self.data = self.disk / "hazina"
        self.url = f"http://{self.host.address}:8008"
        self._python = python
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    def lay_out(self, addresses: Sequence[str], passwords: Path, archive: str) -> None:
        """The folders and the files, the latter by the script that makes real nodes."""
        for folder in ("etc/default", "var/lib/etcd", "var/run/postgresql", "var/log/pgbackrest"):
            (self.root / folder).mkdir(parents=True)
        self.disk.mkdir(parents=True)
        run("mount", "-t", "tmpfs", "-o", f"size={DATA_MB}m,mode=700", DISK, str(self.disk))
        settings = {
            "ROOT": str(self.root),
            "PASSWORDS": str(passwords),
            "SHARED_BUFFERS": "64MB",
            "MAX_WAL_SIZE": "128MB",
            "ARCHIVE_COMMAND": archive,
            "WATCHDOG": "off",  # one for each machine, and this is one
        }
        wanted = ("env", *(f"{name}={value}" for name, value in settings.items()))
        run(*self.host.command(*wanted, str(SCALE / "set-up-node.sh"), "--files", *addresses))
        run("chown", "-R", "postgres:postgres", str(self.root))

    # Starting ---------------------------------------------------------------------------------

    def start_etcd(self) -> None:
        lines = (self.root / "etc/default/etcd").read_text().splitlines()
        settings = [line for line in lines if line and not line.startswith("#")]
        self._start("etcd", ["env", *settings, "etcd"])

    def start_patroni(self) -> None:
        config = self.root / "etc/patroni/patroni.yml"
        self._start("patroni", [str(self._python), "-m", "patroni", str(config)])

    def _start(self, name: str, command: list[str]) -> None:
        log = (self.root / f"{name}.log").open("ab")
        env = {"PATH": f"{BINARIES}:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
        with log:
            self._started[name] = subprocess.Popen(
                self.host.command(*command, as_postgres=True),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=env,
                cwd=self.root,
                start_new_session=True,
            )

    def start_missing(self) -> None:
        """What has ended or was killed, as systemd would."""
        starts: dict[str, Callable[[], None]] = {
            "etcd": self.start_etcd,
            "patroni": self.start_patroni,
        }
        for name, start in starts.items():
            if self._started[name].poll() is not None:
                start()

    # Processes --------------------------------------------------------------------------------

    @property
    def etcd_pid(self) -> int:
        return self._started["etcd"].pid

    @property
    def patroni_pid(self) -> int:
        return self._started["patroni"].pid

    @property
    def postmaster_pid(self) -> int:
        """Raises ``LabFailed`` when there is none."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError) as error:
            raise LabFailed(f"{self.host.name} has no postmaster") from error
        if not is_alive(pid):
            raise LabFailed(f"{self.host.name}'s postmaster is gone")
        return pid

    def postgres_pids(self) -> list[int]:
        """The postmaster's and all that it has started."""
        return [pid for pid in self.host.pids() if name_of(pid) == "postgres"]

    def signal_all(self, number: signal.Signals, pids: Sequence[int]) -> None:
        """Those that are still there: PostgreSQL's processes come and go with connections."""
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def resume(self) -> None:
        """Whatever was stopped here goes on."""
        self.signal_all(signal.SIGCONT, self.host.pids())

    # The disk ---------------------------------------------------------------------------------

    def fill_disk(self) -> None:
        """Not a byte is left on the disk of the database."""
        with (self.disk / "filling").open("wb") as filling:
            try:
                while True:
                    filling.write(b"\0" * 65_536)
                    filling.flush()
            except OSError:
                pass

    def free_disk(self) -> None:
        (self.disk / "filling").unlink(missing_ok=True)


def remove_disks() -> None:
    """Also those that a lab which was killed has left."""
    for line in Path("/proc/mounts").read_text().splitlines():
        source, place, _ = line.split(" ", 2)
        if source == DISK:
            run("umount", place)
