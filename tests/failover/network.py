"""A network of its own on this machine: a namespace a host, all on one bridge, whose links can be
cut, slowed and healed. The bridge has an address too, for whoever watches: that is never cut."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

BRIDGE = "hzlab"
PREFIX = "hzlab-"  # of namespaces
OUTSIDE = "hz-"  # of links' ends at the bridge
NET = "10.213.77"
AS_POSTGRES = ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups")
COMMAND_S = 20
END_S = 10  # in which what was killed must be gone


class LabFailed(Exception):
    """The lab itself does not work: nothing is known of what it was to try."""


def run(*command: str, typed: str | None = None, check: bool = True) -> str:
    """Raises ``LabFailed`` with what the command said."""
    try:
        done = subprocess.run(
            command, input=typed, text=True, capture_output=True, check=False, timeout=COMMAND_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabFailed(f"{command[0]}: {error}") from error
    if check and done.returncode:
        raise LabFailed(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


class Host:
    """A namespace with an address. ``number`` is the address's last part."""

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.namespace = f"{PREFIX}{name}"
        self.address = f"{NET}.{number}"
        self._outside = _outside(name)

    def make(self) -> None:
        run("ip", "netns", "add", self.namespace)
        inside = ("type", "veth", "peer", "name", "eth0", "netns", self.namespace)
        run("ip", "link", "add", self._outside, *inside)
        run("ip", "link", "set", self._outside, "master", BRIDGE, "up")
        run("ip", "-n", self.namespace, "link", "set", "lo", "up")
        run("ip", "-n", self.namespace, "addr", "add", f"{self.address}/24", "dev", "eth0")
        run("ip", "-n", self.namespace, "link", "set", "eth0", "up")

    def command(self, *command: str, as_postgres: bool = False) -> list[str]:
        """The command as it runs here."""
        user = AS_POSTGRES if as_postgres else ()
        return ["ip", "netns", "exec", self.namespace, *user, *command]

    def pids(self) -> list[int]:
        return pids_in(self.namespace)

    def kill(self, pids: Iterable[int] | None = None) -> None:
        """SIGKILL, and wait until they are gone."""
        chosen = list(self.pids() if pids is None else pids)
        kill_all(chosen)

    # The link ---------------------------------------------------------------------------------

    def cut_from(self, others: Sequence[Host]) -> None:
        """Nothing comes or goes between this host and the others, and nobody is told."""
        away = ", ".join(other.address for other in others)
        rules = f"""table ip cut {{
            chain incoming {{
                type filter hook input priority 0
                ip saddr {{ {away} }} drop
            }}
            chain outgoing {{
                type filter hook output priority 0
                ip daddr {{ {away} }} drop
            }}
        }}
        """
        self._mend()
        run(*self.command("nft", "-f", "-"), typed=rules)

    def unplug(self) -> None:
        run("ip", "link", "set", self._outside, "down")

    def slow(self, delay_ms: int, kbit: int) -> str:
        """Delay what it sends, or where the kernel cannot do that, give it a narrow line; returns
        which of the two it was."""
        device = ("qdisc", "replace", "dev", "eth0", "root")
        tc = ("tc", "-n", self.namespace)
        with suppress(LabFailed):
            run(*tc, *device, "netem", "delay", f"{delay_ms}ms", f"{delay_ms // 4}ms")
            return f"{delay_ms} ms"
        run(*tc, *device, "tbf", "rate", f"{kbit}kbit", "burst", "4kb", "latency", "2s")
        return f"{kbit} kbit/s"

    def heal(self) -> None:
        self._mend()
        run("ip", "link", "set", self._outside, "up")
        run("tc", "-n", self.namespace, "qdisc", "del", "dev", "eth0", "root", check=False)

    def _mend(self) -> None:
        run(*self.command("nft", "delete", "table", "ip", "cut"), check=False)


def _outside(name: str) -> str:
    """The end of a host's link that is at the bridge."""
    return f"{OUTSIDE}{name}"


def make_network(hosts: Iterable[Host]) -> None:
    """Raises ``LabFailed``, also when this machine has no namespaces."""
    run("ip", "link", "add", BRIDGE, "type", "bridge")
    run("ip", "addr", "add", f"{NET}.254/24", "dev", BRIDGE)
    run("ip", "link", "set", BRIDGE, "up")
    for host in hosts:
        host.make()


def remove_network() -> None:
    """With every process in it; also what a lab that was killed has left."""
    for line in run("ip", "netns", "list").splitlines():
        namespace = line.split()[0]
        if namespace.startswith(PREFIX):
            kill_all(pids_in(namespace))
            run("ip", "netns", "del", namespace)
    # A namespace takes its links along, but not at once.
    for line in run("ip", "-o", "link", "show", "type", "veth").splitlines():
        link = line.split()[1].partition("@")[0]
        if link.startswith(OUTSIDE):
            run("ip", "link", "del", link, check=False)
    run("ip", "link", "del", BRIDGE, check=False)


def pids_in(namespace: str) -> list[int]:
    return [int(pid) for pid in run("ip", "netns", "pids", namespace, check=False).split()]


def kill_all(pids: Sequence[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    ends_at = time.monotonic() + END_S
    while any(is_alive(pid) for pid in pids):
        if time.monotonic() > ends_at:
            raise LabFailed(f"of {pids} some are still there")
        time.sleep(0.05)


def name_of(pid: int) -> str | None:
    """The program's; ``None`` when it has ended."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None


def is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"
