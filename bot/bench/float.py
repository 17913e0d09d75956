"""``hazina bench float``: purchases from the amount to the receipt, each with its own code."""

from __future__ import annotations

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import ParamSpec, TypeVar

from bot.app import App
from bot.bench.program import (
    NullChannel,
    Person,
    running_program,
    seed_people,
    simulated_bank,
    temporary_folder,
)
from bot.bench.report import Case, Target, latencies
from bot.bench.scripted_user import ScriptedUser
from bot.outbox.carriers import SMS, SmsChannel
from bot.simulation.inboxes import SmsInboxes
from services import balances, otp
from services.domain.ledger import AccountKind, opening_balance
from services.domain.money import Money
from services.domain.otp import PARTNER_MAX
from services.domain.outbox import OutboxRow
from services.domain.partner import Partner
from services.ports import Tx

AT_ONCE = 64
# Purchases per partner, limited by the codes a partner may have in an hour
EACH = PARTNER_MAX[0][1]
WALLET = Money(1_000_000_00)
AMOUNT = "1000"
LOOK_PAUSE_S = 0.02
TARGETS = (Target("purchases_per_s", at_least=300), Target("unsettled", below=1))
CODE_TARGETS = (Target("p99_ms", below=2),)
BALANCE_TARGETS = (Target("p99_ms", below=5),)
_CODE = re.compile(r"Code ([0-9]{6})")

P = ParamSpec("P")
R = TypeVar("R")


class Deliveries:
    """Texts and receipts as their channels receive them."""

    def __init__(self) -> None:
        self.sms = SmsInboxes()
        self._arrivals: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def delivered(self, row: OutboxRow, message_id: str, edited: bool) -> None:
        if row.kind in ("code", "receipt"):
            self._arrivals[row.address].set()

    async def wait(self, address: str) -> None:
        """Wait for a text to a phone, or a receipt in a chat."""
        await self._arrivals[address].wait()
        self._arrivals[address].clear()

    async def code(self, phone: str) -> str:
        """The next code sent to the phone."""
        await self.wait(phone)
        found = _CODE.search(self.sms.texts[phone][-1])
        assert found is not None
        return found[1]


async def measure(purchases: int, within: Path | None) -> AsyncIterator[Case]:
    partners = -(-purchases // EACH)
    buyers = [Person(10 * n) for n in range(partners)]  # one person per partner
    looker = Person(10 * partners)
    deliveries, bank = Deliveries(), simulated_bank()
    drawn: list[float] = []
    checked: list[float] = []
    reads: list[float] = []
    looks: list[float] = []
    with temporary_folder(within) as folder:
        async with running_program(
            Path(folder) / "float.db",
            NullChannel(),
            bank=bank,
            delivered=deliveries.delivered,
            more={SMS: SmsChannel(deliveries.sms)},
        ) as app:
            await app.database.write(lambda tx: seed_wallets(tx, [*buyers, looker]))
            update_ids = count(1)
            queue = iter(buyers)
            with _timed("generate", drawn), _timed("validate", checked):
                looking = [
                    asyncio.create_task(read_balances(app, looker, reads)),
                    asyncio.create_task(_look(ScriptedUser(app, looker, update_ids), looks)),
                ]
                began = time.perf_counter()
                await asyncio.gather(
                    *(buy_float(app, deliveries, queue, update_ids) for _ in range(AT_ONCE))
                )
                elapsed = time.perf_counter() - began
                for task in looking:
                    task.cancel()
            settled = await app.database.read(_settled)
    made = partners * EACH
    yield Case(
        "float",
        {"purchases": made, "at_once": AT_ONCE, "codes_per_partner": EACH},
        {
            "purchases_per_s": made / elapsed,
            "unsettled": made - settled,
            "requests_to_the_bank": bank.calls("float"),
            "took_s": elapsed,
        },
        TARGETS,
    )
    for name, seconds in (("generate", drawn), ("validate", checked)):
        yield Case(
            f"code: {name}",
            {"inside": "a turn"},
            {**latencies(seconds), "n": len(seconds)},
            CODE_TARGETS,
        )
    yield Case(
        "balance read beside purchases",
        {"pause_s": LOOK_PAUSE_S},
        {**latencies(reads), "n": len(reads)},
        BALANCE_TARGETS,
    )
    # A whole turn includes the queue that the buyers themselves form, so it has no target.
    yield Case(
        "balance screen beside purchases",
        {"pause_s": LOOK_PAUSE_S},
        {**latencies(looks), "n": len(looks)},
    )


def seed_wallets(tx: Tx, people: list[Person]) -> None:
    seed_people(tx, people)
    for person in people:
        tx.ledger.book(opening_balance(person.partner, AccountKind.WALLET, WALLET))


async def buy_float(
    app: App, deliveries: Deliveries, queue: Iterator[Person], update_ids: Iterator[int]
) -> None:
    """Buyers take turns; each purchase starts when the previous one has its receipt."""
    for person in queue:
        walker = ScriptedUser(app, person, update_ids)
        for _ in range(EACH):
            for what in ("/float", AMOUNT, "yes"):
                await walker.perform(what)
            await walker.perform(await deliveries.code(person.phone.msisdn))
            await deliveries.wait(person.address)


async def read_balances(app: App, person: Person, reads: list[float]) -> None:
    """Read a partner's balances on one consistent snapshot, as a query outside the chat does."""
    partner = Partner(person.partner)
    while True:
        began = time.perf_counter()
        await app.database.read(lambda tx: balances.of(tx, partner))
        reads.append(time.perf_counter() - began)
        await asyncio.sleep(LOOK_PAUSE_S)


async def _look(walker: ScriptedUser, looks: list[float]) -> None:
    while True:
        looks.append(await walker.perform("/balance"))
        await asyncio.sleep(LOOK_PAUSE_S)


def _settled(tx: Tx) -> int:
    return len(tx.purchases.bought())


@contextmanager
def _timed(name: str, seconds: list[float]) -> Iterator[None]:
    """Time a function of ``services.otp`` wherever it is called in the meantime."""
    function = getattr(otp, name)
    setattr(otp, name, _stopwatch(function, seconds))
    try:
        yield
    finally:
        setattr(otp, name, function)


def _stopwatch(function: Callable[P, R], seconds: list[float]) -> Callable[P, R]:
    def timed(*args: P.args, **kwargs: P.kwargs) -> R:
        began = time.perf_counter()
        result = function(*args, **kwargs)
        seconds.append(time.perf_counter() - began)
        return result

    return timed
