"""`make failover`: faults of three nodes under load. Is anything lost, or applied twice?"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from pathlib import Path
from typing import NamedTuple

from tests.failover.cluster import Cluster, cluster
from tests.failover.desks import Desks
from tests.failover.events import errors, longest_outage_s
from tests.failover.faults import FAULTS, Fault, Workers
from tests.failover.load import Load
from tests.failover.network import LabFailed

ENVIRONMENT = Path(__file__).parents[2] / ".venv-failover"
CALM_S = 5  # before each fault, and after it is healed
SETTINGS_S = 12  # until changed ones are in force
STARTED_S = 15  # until all serve
BACK_S = 60  # within which every worker must go on, once all is healed
HEADS = (
    f"{'fault':<45}{'outage s':>9}{'chats s':>9}{'cut off s':>10}{'applied':>9}{'lost':>6}"
    f"{'twice':>6}  errors"
)


class Outcome(NamedTuple):
    outage_s: float  # the longest that a worker which could reach a primary waited
    chats_s: float | None  # the longest that people waited for an answer
    cut_off_s: float | None  # the same of those that could not
    applied: int
    lost: int
    twice: int
    errors: dict[str, int]

    @property
    def is_good(self) -> bool:
        return self.lost == self.twice == 0

    def line(self, name: str) -> str:
        chats, cut_off = ("" if s is None else f"{s:.1f}" for s in (self.chats_s, self.cut_off_s))
        said = ", ".join(f"{number} {kind}" for kind, number in sorted(self.errors.items()))
        numbers = (
            f"{self.outage_s:>9.1f}{chats:>9}{cut_off:>10}{self.applied:>9}{self.lost:>6}"
            f"{self.twice:>6}"
        )
        return f"{name:<45}{numbers}  {said}"


def try_fault(lab: Cluster, load: Workers, fault: Fault) -> Outcome:
    if fault.by_libpq:
        load.kill(lab.workers)
        load.start(lab.workers, by_libpq=True)
    time.sleep(CALM_S)
    since = time.monotonic()
    cut_off = fault.happen(lab, load) or []
    lab.heal()
    _wait_until_all_go_on(lab, load)
    if fault.by_libpq:
        load.kill(lab.workers)
        load.start(lab.workers)
    time.sleep(CALM_S)
    load.check_that_all_run()
    until = time.monotonic()
    logs = {name: load.lines_of(name) for name in load.names}
    every = [line for log in logs.values() for line in log]
    waits = {name: longest_outage_s(log, since, until) for name, log in logs.items()}
    away = {worker.name for worker in cut_off}
    return Outcome(
        max(wait for name, wait in waits.items() if name not in {*away, *load.people}),
        max((waits[name] for name in load.people), default=None),
        max((waits[name] for name in away), default=None),
        sum(1 for line in every if line.kind == "applied" and line.at >= since),
        len(load.lost(every)),
        load.twice(),
        errors(every, since),
    )


def _wait_until_all_go_on(lab: Cluster, load: Workers) -> None:
    healed_at = time.monotonic()
    while True:
        logs = [load.lines_of(name) for name in load.names]
        if all(any(ln.kind == "applied" and ln.at > healed_at for ln in log) for log in logs):
            return
        if time.monotonic() > healed_at + BACK_S:
            raise LabFailed(f"not every worker has gone on within {BACK_S} s")
        time.sleep(0.5)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make failover")
    parser.add_argument("--only", action="append", help="faults whose name has these words")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=JSON", help="of Patroni's settings"
    )
    parser.add_argument(
        "--plain", action="store_true", help="workers without a desk: a row and a counter"
    )
    parser.add_argument("--keep", action="store_true", help="keep the folder with every log")
    given = parser.parse_args()
    chosen = [
        fault
        for fault in FAULTS
        if given.only is None or any(words in fault.name for words in given.only)
    ]
    failures = 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # and tidies up
    with cluster(ENVIRONMENT, given.keep) as lab:
        print(f"three nodes and four workers, in {lab.folder}", flush=True)
        if given.set:
            options = dict(option.split("=", 1) for option in given.set)
            lab.set_option(**{name: json.loads(value) for name, value in options.items()})
            time.sleep(SETTINGS_S)
            lab.heal()
            print(f"with {options}", flush=True)
        load: Workers = Load(lab) if given.plain else Desks(lab)
        load.prepare()
        load.start(lab.workers)
        try:
            time.sleep(STARTED_S)
            load.check_that_all_run()
            print(HEADS, flush=True)
            for fault in chosen:
                outcome = try_fault(lab, load, fault)
                print(outcome.line(fault.name), flush=True)
                failures += not outcome.is_good
            wrong = load.settle()
            for what in wrong:
                print(what, flush=True)
            print(f"{load.counted()}; {len(wrong)} do not agree in the end", flush=True)
            failures += len(wrong)
        finally:
            load.stop()
    return 1 if failures or not chosen else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabFailed as problem:
        sys.exit(f"the lab failed: {problem}")
