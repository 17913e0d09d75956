"""What goes wrong in the lab, one after the other. A fault lasts as long as its function, and is
healed afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.failover.cluster import Cluster
from tests.failover.load import Load
from tests.failover.network import Host


@dataclass(frozen=True)
class Fault:
    name: str
    happen: Callable[[Cluster, Load], Sequence[Host] | None]  # returns the workers that it cut off
    by_libpq: bool = False  # workers take any host that is read-write, without asking Patroni


def nothing(lab: Cluster, load: Load) -> None:
    time.sleep(8)


def switched_over(lab: Cluster, load: Load) -> None:
    lab.switch_over()
    time.sleep(15)


def postmaster_killed(lab: Cluster, load: Load) -> None:
    lab.kill_postmaster()
    time.sleep(25)


def leader_killed(lab: Cluster, load: Load) -> None:
    lab.kill_leader()
    time.sleep(35)


def patroni_killed(lab: Cluster, load: Load) -> None:
    lab.kill_patroni()
    time.sleep(35)


def machine_lost(lab: Cluster, load: Load) -> None:
    lab.lose_machine()
    time.sleep(35)


def patroni_frozen(lab: Cluster, load: Load) -> None:
    lab.freeze("patroni")
    time.sleep(40)


def leader_frozen(lab: Cluster, load: Load) -> None:
    lab.freeze("leader")
    time.sleep(40)


def etcd_frozen(lab: Cluster, load: Load) -> None:
    lab.freeze("etcd")
    time.sleep(30)


def etcd_frozen_without_failsafe(lab: Cluster, load: Load) -> None:
    lab.set_option(failsafe_mode=False)
    time.sleep(11)  # two rounds of Patroni
    try:
        etcd_frozen(lab, load)
        lab.thaw()
        time.sleep(15)
    finally:
        lab.set_option(failsafe_mode=True)


def leader_cut_off(lab: Cluster, load: Load) -> Sequence[Host]:
    """From the other nodes and from half of the workers; the other half sees all three."""
    away = lab.workers[:2]
    lab.cut(lab.primary(), away)
    time.sleep(40)
    return []


def leader_cut_off_with_workers(lab: Cluster, load: Load) -> Sequence[Host]:
    """Half of the workers are on the leader's side, and cannot reach the others."""
    leader, (first, second) = lab.primary(), lab.workers[:2]
    others = [node.host for node in lab.nodes if node is not leader]
    lab.cut(leader, lab.workers[2:])
    first.cut_from(others)
    second.cut_from(others)
    time.sleep(40)
    return [first, second]


def standby_frozen(lab: Cluster, load: Load) -> None:
    lab.freeze("standby")
    time.sleep(25)


def standby_slow(lab: Cluster, load: Load) -> None:
    lab.synchronous_standby().host.slow(delay_ms=200, kbit=256)
    time.sleep(20)


def disk_full(lab: Cluster, load: Load) -> None:
    lab.fill_disk()
    time.sleep(30)


def workers_killed(lab: Cluster, load: Load) -> None:
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
    Fault("the leader's disk full", disk_full),
    Fault("a worker killed every 3 s", workers_killed),
)
