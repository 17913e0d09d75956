"""Where a partner's events are sent, what came of a try, and when the next one is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from services.domain.ids import RandomSource, draw_text
from services.domain.partner_event import TEST, PartnerEvent

PREFIX = "we_"
ID_LENGTH = 10
ENDPOINTS_MAX = 10  # of one partner
DESCRIPTION_MAX = 100  # characters

# Before each try but the first, counted from the end of the try before (facts: HTTP API 7).
WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
TRIES_MAX = len(WAITS) + 1
TEST_TRIES_MAX = 1
SPREAD = 0.1  # each wait is longer or shorter by up to this share
RETRY_AFTER_MAX = timedelta(hours=24)

GONE = 410
# Their Retry-After is followed; after any other failure our own schedule is.
_BUSY = frozenset({429, 502, 503, 504})

SWITCHED_OFF_GONE = "gone"  # it answered 410
SWITCHED_OFF_FAILING = "failing"  # an event failed at its last try


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """``types`` are those that it wants, all if ``None``; ``secret`` is sealed."""

    id: str
    partner: str
    url: str
    types: tuple[str, ...] | None
    description: str | None
    secret: str = field(repr=False)
    created_by: str
    created_at: datetime
    disabled_at: datetime | None = None
    disabled_why: str | None = None  # SWITCHED_OFF_…
    last_success_at: datetime | None = None
    last_error: str | None = None  # of the newest try, if it failed

    @property
    def is_on(self) -> bool:
        return self.disabled_at is None

    def wants(self, type_: str) -> bool:
        return self.types is None or type_ in self.types


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one endpoint, claimed to be sent now.

    ``attempt`` is the fencing number of this claim, ``tries_left`` how many tries may follow it,
    and ``secret`` is sealed.
    """

    endpoint: str
    url: str
    secret: str = field(repr=False)
    event: PartnerEvent
    attempt: int
    tries_left: int

    @property
    def is_test(self) -> bool:
        return self.event.type == TEST


@dataclass(frozen=True, slots=True)
class WaitingEndpoint:
    """An endpoint that something is queued for; ``due_at`` is when the first of it is due."""

    endpoint: str
    is_on: bool
    due_at: datetime


# What the receiver said -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Taken:
    status: int


@dataclass(frozen=True, slots=True)
class Gone:
    """The receiver wants no more of these events, ever."""


@dataclass(frozen=True, slots=True)
class NotTaken:
    """``why`` is plain words without anything of the answer's body; ``status`` is ``None`` where
    there was no answer. ``retry_after`` is how long the receiver asked us to wait at least."""

    status: int | None
    why: str
    retry_after: timedelta | None = None


WebhookAnswer: TypeAlias = Taken | Gone | NotTaken


def read_answer(status: int, retry_after: timedelta | None = None) -> WebhookAnswer:
    """Only 2xx counts as taken: a redirect is a failure, and is not followed."""
    if status // 100 == 2:
        return Taken(status)
    if status == GONE:
        return Gone()
    asked = retry_after if status in _BUSY else None
    return NotTaken(status, f"HTTP {status}", asked)


# What follows ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Delivered:
    """It counts as taken."""


@dataclass(frozen=True, slots=True)
class TryAgain:
    at: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """``switch_off`` is why the endpoint is switched off with it, if it is."""

    switch_off: str | None


NextStep: TypeAlias = Delivered | TryAgain | GiveUp


def next_step(
    answer: WebhookAnswer, *, tries_left: int, is_test: bool, now: datetime, spread: float
) -> NextStep:
    """``spread`` is drawn between -``SPREAD`` and ``SPREAD``. A test is tried once, and switches
    nothing off."""
    match answer:
        case Taken():
            return Delivered()
        case Gone():
            return GiveUp(None if is_test else SWITCHED_OFF_GONE)
        case NotTaken():
            if is_test:
                return GiveUp(None)
            if tries_left <= 0:
                return GiveUp(SWITCHED_OFF_FAILING)
            return TryAgain(now + _wait(tries_left, spread, answer.retry_after))


def _wait(tries_left: int, spread: float, asked: timedelta | None) -> timedelta:
    wait = WAITS[max(len(WAITS) - tries_left, 0)] * (1 + spread)
    return wait if asked is None else max(wait, min(asked, RETRY_AFTER_MAX))


# Endpoints ------------------------------------------------------------------------------------


def new_endpoint_id(random: RandomSource) -> str:
    return PREFIX + draw_text(random, ID_LENGTH)


def tidy_types(types: Sequence[str] | None) -> tuple[str, ...] | None:
    """In the order given, each once; none named means all."""
    return tuple(dict.fromkeys(types)) if types else None
