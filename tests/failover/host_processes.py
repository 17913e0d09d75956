"""A process on each worker's host, which only ends when it is killed."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.failover.network import Host, LabFailed

SHOWN = 2_000  # characters of the end of a log


class HostProcesses:
    def __init__(self) -> None:
        self._running: dict[str, tuple[subprocess.Popen[bytes], Path]] = {}

    def start(
        self,
        host: Host,
        command: Sequence[str],
        folder: Path,
        log: Path,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """``settings``: the whole environment; ``None``: the lab's own."""
        with log.open("ab") as said:
            process = subprocess.Popen(
                host.command(*command),
                cwd=folder,
                env=settings,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
        self._running[host.name] = process, log

    def kill(self, hosts: Sequence[Host]) -> None:
        for host in hosts:
            process, _ = self._running[host.name]
            process.kill()
            process.wait()

    def check_that_all_run(self) -> None:
        """Raises ``LabFailed``."""
        for name, (process, log) in self._running.items():
            if process.poll() is not None:
                raise LabFailed(f"what ran on {name} has ended: {log.read_text()[-SHOWN:]}")
