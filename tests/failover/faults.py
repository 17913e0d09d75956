"""What goes wrong in the lab, one after the other. A fault lasts as long as its function, and is
healed afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tests.failover.cluster import Cluster
from tests.failover.events import Line
from tests.failover.network import Host, LabFailed


class Workers(Protocol):
    """What runs on the workers' hosts, and what becomes of it."""

    @property
    def names(self) -> Sequence[str]:
        """Whose logs there are."""
        ...

    @property
    def people(self) -> Sequence[str]:
        """Those of them who write in chats, wherever these are served."""
        ...

    def prepare(self) -> None:
        """Before the first one starts."""
        ...

    def start(self, workers: Sequence[Host], by_libpq: bool = False) -> None:
        """``by_libpq``: they do not ask Patroni, but take the first host that is read-write. The
        primary of now is the first."""
        ...

    def kill(self, workers: Sequence[Host]) -> None: ...

    def check_that_all_run(self) -> None:
        """Raises ``LabFailed``: a worker only ends when it is killed."""
        ...

    def lines_of(self, name: str) -> Sequence[Line]: ...

    def lost(self, every: Sequence[Line]) -> Sequence[str]:
        """What was acknowledged, and is not there."""
        ...

    def twice(self) -> int:
        """How much was done more than once."""
        ...

    def settle(self) -> Sequence[str]:
        """Let everything end: what does not agree then, in words."""
        ...

    def counted(self) -> str:
        """What there was, in words."""
        ...

    def stop(self) -> None: ...


@dataclass(frozen=True)
class Fault:
    name: str
    # Returns the workers that it cut off.
    happen: Callable[[Cluster, Workers], Sequence[Host] | None]
    by_libpq: bool = False  # workers take any host that is read-write, without asking Patroni


def nothing(lab: Cluster, load: Workers) -> None:
    time.sleep(8)


def switched_over(lab: Cluster, load: Workers) -> None:
    lab.switch_over()
    time.sleep(15)


def postmaster_killed(lab: Cluster, load: Workers) -> None:
    lab.kill_postmaster()
    time.sleep(25)


def leader_killed(lab: Cluster, load: Workers) -> None:
    lab.kill_leader()
    time.sleep(35)


def patroni_killed(lab: Cluster, load: Workers) -> None:
    lab.kill_patroni()
    time.sleep(35)


def machine_lost(lab: Cluster, load: Workers) -> None:
    lab.lose_machine()
    time.sleep(35)


def patroni_frozen(lab: Cluster, load: Workers) -> None:
    lab.freeze("patroni")
    time.sleep(40)


def leader_frozen(lab: Cluster, load: Workers) -> None:
    lab.freeze("leader")
    time.sleep(40)


def etcd_frozen(lab: Cluster, load: Workers) -> None:
    lab.freeze("etcd")
    time.sleep(30)


def etcd_frozen_without_failsafe(lab: Cluster, load: Workers) -> None:
    lab.set_option(failsafe_mode=False)
    time.sleep(11)  # two rounds of Patroni
    try:
        etcd_frozen(lab, load)
        lab.thaw()
        time.sleep(15)
    finally:
        lab.set_option(failsafe_mode=True)


def leader_cut_off(lab: Cluster, load: Workers) -> Sequence[Host]:
    """From the other nodes and from half of the workers; the other half sees all three."""
    away = lab.workers[:2]
    lab.cut(lab.primary(), away)
    time.sleep(40)
    return []


def leader_cut_off_with_workers(lab: Cluster, load: Workers) -> Sequence[Host]:
    """Half of the workers are on the leader's side, and cannot reach the others."""
    leader, (first, second) = lab.primary(), lab.workers[:2]
    others = [node.host for node in lab.nodes if node is not leader]
    lab.cut(leader, lab.workers[2:])
    first.cut_from(others)
    second.cut_from(others)
    time.sleep(40)
    return [first, second]


def standby_frozen(lab: Cluster, load: Workers) -> None:
    lab.freeze("standby")
    time.sleep(25)


def standby_servers_frozen(lab: Cluster, load: Workers) -> None:
    lab.freeze("standby servers")
    time.sleep(20)


def alone(lab: Cluster, load: Workers) -> None:
    """Both standbys are gone, and the primary is told to go on, as docs/scale.md has it."""
    lab.kill_standbys()
    time.sleep(5)
    lab.set_option(synchronous_mode=False, synchronous_mode_strict=False)
    lab.wait_until_standbys_count(False)
    lab.set_option(synchronous_mode="quorum")
    time.sleep(15)
    if lab.standbys_count():
        raise LabFailed("the primary waits for standbys that are not there")
    lab.heal()
    lab.wait_until_standbys_count(True)
    lab.set_option(synchronous_mode_strict=True)
    time.sleep(11)  # two rounds of Patroni


def standby_slow(lab: Cluster, load: Workers) -> None:
    lab.synchronous_standby().host.slow(delay_ms=200, kbit=256)
    time.sleep(20)


def disk_full(lab: Cluster, load: Workers) -> None:
    lab.fill_disk()
    time.sleep(30)


def workers_killed(lab: Cluster, load: Workers) -> None:
    for number in range(8):
        one = [lab.workers[number % len(lab.workers)]]
        load.kill(one)
        time.sleep(1)
        load.start(one)
        time.sleep(2)


FAULTS = (
    Fault("nothing", nothing),
    Fault("switched over by plan", switched_over),
    Fault("postmaster killed, Patroni alive", postmaster_killed),
    Fault("Patroni and postmaster killed", leader_killed),
    Fault("the leader's machine gone", machine_lost),
    Fault("Patroni killed, PostgreSQL alive", patroni_killed),
    Fault("Patroni frozen 40 s", patroni_frozen),
    Fault("Patroni frozen 40 s, libpq chooses", patroni_frozen, by_libpq=True),
    Fault("the leader's machine frozen 40 s", leader_frozen),
    Fault("leader cut off from nodes, half the workers", leader_cut_off),
    Fault("leader and half the workers cut off", leader_cut_off_with_workers),
    Fault("etcd frozen 30 s", etcd_frozen),
    Fault("etcd frozen 30 s, without failsafe", etcd_frozen_without_failsafe),
    Fault("synchronous standby frozen 25 s", standby_frozen),
    Fault("synchronous standby slow 20 s", standby_slow),
    Fault("both standbys' PostgreSQL frozen 20 s", standby_servers_frozen),
    Fault("both standbys gone, told to go on alone", alone),
    Fault("the leader's disk full", disk_full),
    Fault("a worker killed every 3 s", workers_killed),
)
