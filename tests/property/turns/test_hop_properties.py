"""Hops of USSD keep their rules whatever a gateway sends, and in whatever order.

The same text is answered with the same bytes; only what goes on from the text before acts; at most
one page is answered unseen, and never one that decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from flows.engine.nodes import Code, Confirm, Node
from services.domain.desk_pin import digest
from services.domain.money import Money
from services.domain.ussd import SESSION_LIFE, Page
from services.policy import NO_CODES
from storage.transaction import StoreTx
from tests.kit.hop_desk import TABLES, HopDesk, Rows
from tests.kit.plain_store import PHONE, PlainStore
from tests.kit.turns_on_database import KEYS as KEYRING
from tests.kit.turns_on_database import seed

UNSEEN_MAX = 1
ASKS_PIN = replace(NO_CODES, topup_code_above=Money(1_000_00))
DECIDED = slice(TABLES.index("wallet_transactions"), None)  # operations, and tries of PINs
THIEF = "254733999888"
PIN = "730519"
KEYS = (
    *("1", "2", "3", "4", "0", "00", "98", "1500", "0722000111", "9", "menu", "topup 700", ""),
    *(PIN, "4821", "12"),
)
keys = st.sampled_from(KEYS)
typed = st.lists(keys, min_size=1, max_size=4)


@dataclass(slots=True)
class Known:
    """What a gateway knows of a session. ``node`` is where its newest page was drawn."""

    session: str
    text: str
    page: Page
    begun_at: datetime
    node: Node | None
    earlier: list[str] = field(default_factory=list)


class Gateway:
    """Sends hops, and compares each answer with what the rules say of it."""

    def __init__(self, store: PlainStore, *, asks_pin: bool) -> None:
        self.desk = HopDesk(store, ASKS_PIN if asks_pin else NO_CODES)
        self.known: list[Known] = []

    async def dial(self, tail: Sequence[str]) -> None:
        session, text = f"session-{len(self.known)}", "*".join(tail)
        page = await self.desk.hop(session, text)
        after_the_dial = self.desk.steps.taken[1:]
        assert not [node for node in after_the_dial if decides(node)]
        now, node = self.desk.store.now, self.desk.node()
        self.known.append(Known(session, text, page, now, node))

    async def press(self, which: int, pressed: Sequence[str], copies: int = 1) -> None:
        known = self.known[which % len(self.known)]
        more = "*".join(pressed)
        text = f"{known.text}*{more}" if known.text else more
        if text == known.text or (not more and not known.text):
            return
        before = self.desk.rows()
        pages = await asyncio.gather(*(self.desk.hop(known.session, text) for _ in range(copies)))
        assert len(set(pages)) == 1
        if not known.page.goes_on:
            assert pages[0] == known.page
            assert self.desk.rows() == before
            return
        if copies == 1:
            self._check_steps(known, pressed, before)
        known.earlier.append(known.text)
        known.text, known.page, known.node = text, pages[0], self.desk.node()

    def _check_steps(self, known: Known, pressed: Sequence[str], before: Rows) -> None:
        taken = self.desk.steps.taken
        if self.desk.store.now >= known.begun_at + SESSION_LIFE:
            assert taken == []
            return
        assert len(taken) <= min(1 + UNSEEN_MAX, len("*".join(pressed).split("*")))
        assert not [node for node in taken[1:] if decides(node)]
        if taken and decides(taken[0]) and taken[0] != known.node:
            # Another session stands there: this one may be shown the page, and decides nothing.
            assert self.desk.rows()[DECIDED] == before[DECIDED]

    async def redraw(self, which: int, text: str | None, phone: str | None = None) -> None:
        """A text that does not go on from the newest one; the newest one itself is ``None``."""
        known = self.known[which % len(self.known)]
        text = known.text if text is None else text
        if text != known.text and (text.startswith(f"{known.text}*") or not known.text):
            return
        before = self.desk.rows()
        assert await self.desk.hop(known.session, text) == known.page
        assert self.desk.steps.taken == []
        assert self.desk.rows() == before

    async def go_back(self, which: int, place: int) -> None:
        """An earlier text of the session once more."""
        known = self.known[which % len(self.known)]
        if known.earlier:
            await self.redraw(which, known.earlier[place % len(known.earlier)])

    async def steal(self, which: int) -> None:
        known = self.known[which % len(self.known)]
        conversation = self.desk.rows()[1:]
        page = await self.desk.hop(known.session, f"{known.text}*1", THIEF)
        assert not page.goes_on
        assert self.desk.steps.taken == []
        assert self.desk.rows()[1:] == conversation
        await self.redraw(which, None)


def decides(node: Node | None) -> bool:
    return isinstance(node, Confirm | Code)


which = st.integers(0, 5)
acts = st.one_of(
    st.tuples(st.just("dial"), st.lists(keys.filter(bool), max_size=5)),
    st.tuples(st.just("press"), which, typed),
    st.tuples(st.just("newest"), typed),
    st.tuples(st.just("newest"), typed),
    st.tuples(st.just("double"), typed),
    st.tuples(st.just("redraw"), which, st.none() | typed.map("*".join)),
    st.tuples(st.just("back"), which, st.integers(0, 9)),
    st.tuples(st.just("steal"), which),
    st.tuples(st.just("wait"), st.integers(1, 200)),
)
# What is rarely drawn: a top-up to its end, a hop that was lost before it, and a hop of a session
# that its owner has left, while another stands at the Confirm.
TOPUP = [("newest", [key]) for key in ("1", "1500", "1", "1")]
LOST = [("newest", ["1"]), ("newest", ["1500", "1", "1", "1"]), ("newest", ["1"])]
AND_AGAIN = [*TOPUP, ("wait", 60), ("dial", []), ("newest", ["1"]), ("newest", ["1"])]
TAIL = [("dial", ["1", "1500", "1", "1", "1"]), ("double", ["1"]), ("redraw", 1, None)]
LATE_AT_A_PIN = [
    ("dial", ["1"]),
    ("dial", ["1", "1500", "1"]),
    ("newest", ["1"]),
    ("press", 1, ["4821"]),
]
LATE = [("dial", ["1"]), ("dial", ["1", "1500", "1"]), ("press", 1, ["1"]), ("press", 0, ["1"])]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(happened=st.lists(acts, max_size=16), asks_pin=st.booleans())
@example(asks_pin=False, happened=TOPUP)
@example(
    asks_pin=False,
    happened=[*TOPUP, ("wait", 60), ("dial", []), ("newest", ["1"]), ("newest", ["1"])],
)
@example(asks_pin=False, happened=LOST)
@example(asks_pin=False, happened=LATE)
@example(asks_pin=True, happened=[*TOPUP, ("newest", [PIN])])
@example(asks_pin=True, happened=LATE_AT_A_PIN)
@example(
    asks_pin=False,
    happened=[("dial", ["1", "1500", "1", "1", "1"]), ("double", ["1"]), ("redraw", 1, None)],
)
def test_hops_keep_their_rules(
    store: PlainStore, happened: list[tuple[object, ...]], asks_pin: bool
) -> None:
    """With a PIN that a top-up asks for, and without."""
    store.undo()
    store.do(seed)
    store.do(_set_pin)
    asyncio.run(_play(Gateway(store, asks_pin=asks_pin), happened))


def _set_pin(tx: StoreTx) -> None:
    (person,) = tx.people.linked_with(PHONE)
    digested = digest(KEYRING.pepper(KEYRING.pepper_id), person.id, PIN)
    tx.desk_pins.put(person.id, KEYRING.pepper_id, digested)


async def _play(gateway: Gateway, happened: Sequence[tuple[object, ...]]) -> None:
    await gateway.dial([])
    for act in happened:
        match act:
            case ("dial", list(tail)):
                await gateway.dial(tail)
            case ("press", int(one), list(pressed)):
                await gateway.press(one, pressed)
            case ("newest", list(pressed)):
                await gateway.press(len(gateway.known) - 1, pressed)
            case ("double", list(pressed)):
                await gateway.press(len(gateway.known) - 1, pressed, copies=2)
            case ("redraw", int(one), None | str() as text):
                await gateway.redraw(one, text)
            case ("back", int(one), int(place)):
                await gateway.go_back(one, place)
            case ("steal", int(one)):
                await gateway.steal(one)
            case ("wait", int(seconds)):
                gateway.desk.store.wait(seconds=seconds)
            case _:
                raise AssertionError(act)
