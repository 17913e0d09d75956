"""Operations begun today, by kind and state: how many succeed, and how long that takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from bot.http.dashboard.charts import Part
from bot.http.dashboard.desk import Desk
from bot.http.dashboard.tiles.tile import Facts, Tile
from services.domain.business_days import business_day, start_of_day_at
from services.domain.operation import OperationType
from services.domain.overview import StateCount
from services.ports import Tx

MEDIAN_OF = 101  # the newest that succeeded
ASKED = {  # those that the bank carries out; payouts have a tile of their own
    OperationType.TOPUP: "Top-ups",
    OperationType.FLOAT: "Float purchases",
}
BOOKED = {  # those that are over as soon as they exist
    OperationType.PAYMENT: "Paid to the paybill by itself",
    OperationType.ADJUSTMENT: "Corrections and opening balances",
    OperationType.REVERSAL: "Taken back by the bank",
}
# How a standing (table operation_states) is called and coloured, in the order of the bar.
STANDINGS = {
    "succeeded": ("succeeded", "good"),
    "ready": ("under way", "info"),
    "sending": ("under way", "info"),
    "accepted": ("under way", "info"),
    "waiting": ("waiting for a person", "warn"),
    "unknown": ("unknown", "bad"),
    "ended": ("ended without money", "quiet"),
}
_ORDER = list(STANDINGS)


@dataclass(frozen=True, slots=True)
class Kind:
    """``decided`` are over, of which ``done`` succeeded; ``median_s`` is from begun to done."""

    name: str
    states: Sequence[StateCount]
    begun: int
    decided: int
    done: int
    median_s: float | None

    @property
    def parts(self) -> list[Part]:
        numbers: Counter[tuple[str, str]] = Counter()
        for state in self.states:
            numbers[STANDINGS[state.standing]] += state.number
        return [Part(name, number, colour) for (name, colour), number in numbers.items()]


def _read(tx: Tx, desk: Desk) -> Facts:
    since = start_of_day_at(tx.now)
    states = tx.overview.states(since)
    return {
        "day": business_day(tx.now),
        "standings": STANDINGS,
        "kinds": [kind_of_today(tx, kind, name, states, since) for kind, name in ASKED.items()],
        "booked": [(BOOKED[of], state) for state in states if (of := _type(state)) in BOOKED],
    }


def kind_of_today(
    tx: Tx, kind: OperationType, name: str, found: Sequence[StateCount], since: datetime
) -> Kind:
    """``found`` are the states of all kinds since then."""
    states = sorted(
        (state for state in found if state.kind == kind),
        key=lambda state: _ORDER.index(state.standing),
    )
    succeeded = [state for state in states if state.standing == "succeeded"]
    taken = [
        seconds
        for state in succeeded
        for seconds in tx.overview.seconds_taken(kind, state.state, since, MEDIAN_OF)
    ]
    return Kind(
        name,
        states,
        begun=sum(state.number for state in states),
        decided=sum(s.number for s in states if s.standing in ("succeeded", "ended")),
        done=sum(state.number for state in succeeded),
        median_s=median(taken) if taken else None,
    )


def _type(state: StateCount) -> OperationType:
    return OperationType(state.kind)


TODAY = Tile("today", "Today", _read)
