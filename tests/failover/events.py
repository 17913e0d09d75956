"""What a worker writes into its log, and what follows from it and from the database's rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple, cast

ACCOUNTS = 4

Kind = Literal["begun", "failed", "applied"]


@dataclass(frozen=True, slots=True)
class Line:
    kind: Kind
    event: str
    at: float = 0.0  # seconds of the machine's monotonic clock
    said: str = ""

    def written(self, at: float) -> str:
        return f"{at:.3f} {self.kind} {self.event} {self.said}\n"


def lines(log: Path) -> Iterator[Line]:
    """Without a last line that is not finished."""
    if not log.exists():
        return
    for text in log.read_text().splitlines(keepends=True):
        if text.endswith("\n"):
            at, kind, event, said = text.rstrip("\n").split(" ", 3)
            yield Line(cast(Kind, kind), event, float(at), said)


def event_id(worker: str, number: int) -> str:
    return f"{worker}-{number:07}"


def account_of(event: str) -> int:
    return int(event.rpartition("-")[2]) % ACCOUNTS


class Books(NamedTuple):
    """Of the database, at one moment."""

    events: Collection[str]
    applied: Mapping[int, int]  # of each account


def lost(log: Sequence[Line], books: Books) -> list[str]:
    """Events that the worker was told are applied, and that are not there."""
    there = set(books.events)
    return [line.event for line in log if line.kind == "applied" and line.event not in there]


def applied_twice(books: Books) -> int:
    """How often, or, below zero, how many events were not applied although they are there."""
    return sum(books.applied.values()) - len(books.events)


def longest_outage_s(log: Sequence[Line], since: float, until: float) -> float:
    """Between two events that were applied one after the other; the one during which the fault
    began counts whole, and so does one that has not ended."""
    times = [line.at for line in log if line.kind == "applied"]
    before = max((at for at in times if at <= since), default=since)
    within = [at for at in times if since < at <= until]
    marks = [before, *within, until]
    return max(later - earlier for earlier, later in pairwise(marks))


def errors(log: Sequence[Line], since: float) -> dict[str, int]:
    """How often each kind of error came: its class and SQLSTATE."""
    found: dict[str, int] = {}
    for line in log:
        if line.kind == "failed" and line.at >= since:
            name = " ".join(line.said.split(" ")[:2])
            found[name] = found.get(name, 0) + 1
    return found
