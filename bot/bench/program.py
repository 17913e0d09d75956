"""The program under test: the real one on a file database, with nothing slow around it."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr
from starlette.routing import Router

from bot.app import App
from bot.bench.transport import AsgiTransport
from bot.bootstrap import Dependencies, open_app
from bot.channels.telegram.capabilities import CAPABILITIES
from bot.channels.telegram.wire import CHANNEL
from bot.clock import SystemClock
from bot.database import simulated_databases
from bot.http.routes import inbound_routes
from bot.outbox.attempt import OnDelivered
from bot.outbox.channel import Channel, MessageContent
from bot.outbox.pacing import MessageRates
from bot.runtime import interpreter
from bot.simulation.credentials import DARAJA_HOST, KEYS, settings_with_credentials
from bot.simulation.daraja.daraja import SimulatedDaraja
from bot.simulation.daraja.result_sender import CALLS_FROM, ResultSender
from bot.simulation.ncba.bank import SimulatedBank
from bot.simulation.ncba.openbanking_api import PREFIX
from bot.simulation.settings import SimulatedSettings
from flows.engine.capabilities import ChannelCapabilities
from services import partners
from services.domain.database import DatabaseAddress, DatabaseServer
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from services.ports import Tx, WebhookTransport
from services.ports.simulated_databases import SimulatedDatabase

USERNAME, PASSWORD = "hazina", "simulated"
FLOAT_USER, FLOAT_KEY = "hazina-float", "simulated-key"
ACCOUNT_NUMBER = "774451"
FIRST_USER = 700_000_001  # invented Telegram user ids
PEOPLE_EACH = 10  # per partner
FLOOD_TURNS = 1_000_000  # per window: people here write faster than anybody can
API_CALLS = 1_000_000  # of a partner a minute
STOP_S = 2.0  # grace period for bank calls in flight


class NullChannel(Channel):
    """Accepts every message at once and shows it to nobody."""

    def __init__(self) -> None:
        self.sent = 0

    @property
    def name(self) -> str:
        return CHANNEL

    @property
    def capabilities(self) -> ChannelCapabilities:
        return CAPABILITIES

    async def send(self, address: str, content: MessageContent) -> str:
        self.sent += 1
        return str(self.sent)

    async def send_document(
        self, address: str, name: str, content: bytes, caption: MessageContent
    ) -> str:
        return await self.send(address, caption)

    async def edit(self, address: str, message_id: str, content: MessageContent) -> None:
        self.sent += 1

    async def answer_tap(self, tap_id: str, text: str | None) -> None:
        pass

    async def delete(self, address: str, message_id: str) -> None:
        pass


class Person:
    """Person number ``n``: their Telegram account, partner and phone."""

    __slots__ = ("n",)

    def __init__(self, n: int) -> None:
        self.n = n

    @property
    def user_id(self) -> int:
        return FIRST_USER + self.n

    @property
    def address(self) -> str:
        return str(self.user_id)

    @property
    def partner(self) -> str:
        return f"P{self.n // PEOPLE_EACH:05d}"

    @property
    def phone(self) -> Phone:
        return Phone(f"2547{self.n:08d}")


def seed_people(tx: Tx, people: Sequence[Person]) -> None:
    """Add people with their partners, wallets and accounts, as ``hazina person add`` would."""
    for partner in sorted({person.partner for person in people}):
        partners.add(tx, Partner(partner, low_balance_cents=10_000_00))
    for person in people:
        who = tx.people.add_person(
            person.partner, f"person {person.n}", Role.OWNER, person.phone, None, "en"
        )
        tx.people.link(CHANNEL, person.address, who)


def simulated_bank() -> SimulatedBank:
    """Uses a cheap random source for ids, because the bank is not what is measured."""
    return SimulatedBank(
        SystemClock(),
        random.Random(),
        username=USERNAME,
        password=PASSWORD,
        subscription_key=FLOAT_KEY,
        float_user_id=FLOAT_USER,
        float_password=PASSWORD,
        debit_account=ACCOUNT_NUMBER,
    )


@asynccontextmanager
async def running_program(
    database: DatabaseAddress | SimulatedDatabase,
    channel: Channel,
    *,
    bank: SimulatedBank | None = None,
    daraja: SimulatedDaraja | None = None,
    delivered: OnDelivered | None = None,
    more: Mapping[str, Channel] | None = None,
    webhooks: WebhookTransport | None = None,
) -> AsyncIterator[App]:
    """The program on ``database`` in real time, with a simulated bank, and Daraja if payouts are
    measured, in the same process."""
    simulated, address = None, database
    if not isinstance(database, Path | DatabaseServer):
        simulated, address = database, Path("elsewhere")
    settings = SimulatedSettings(
        database=address,
        hazina_keys=None if isinstance(database, Path) else SecretStr(KEYS),
        ncba_base_url="http://bank.simulated",
        ncba_username=USERNAME,
        ncba_password=SecretStr(PASSWORD),
        ncba_account_number=ACCOUNT_NUMBER,
        openbanking_base_url=f"http://bank.simulated{PREFIX}",
        openbanking_subscription_key=SecretStr(FLOAT_KEY),
        openbanking_user_id=FLOAT_USER,
        openbanking_password=SecretStr(PASSWORD),
        b2c_short_code="400187",
        flood_turns=FLOOD_TURNS,
        prompts_per_phone_hour=FLOOD_TURNS,
        api_reads_per_minute=API_CALLS,
        api_waits_per_partner=API_CALLS,
        api_moves_per_minute=API_CALLS,
    )
    if daraja is not None:
        settings = settings.model_copy(update=_payout_settings())
    transport = AsgiTransport(simulated_bank() if bank is None else bank)
    mounts = {} if daraja is None else {f"http://{DARAJA_HOST}": AsgiTransport(daraja)}
    dependencies = Dependencies(
        bank=httpx.AsyncClient(transport=transport, mounts=mounts),
        channels={CHANNEL: channel, **(more or {})},
        pace=MessageRates(per_chat=None, overall=None),
        delivered=delivered,
        webhooks=webhooks,
        simulated=simulated,
    )
    async with AsyncExitStack() as stack:
        app = await open_app(settings, dependencies, stack)
        await app.start()
        if daraja is not None:
            product = Router(inbound_routes(app, settings))
            daraja.results.open(httpx.ASGITransport(product, client=(CALLS_FROM, 443)))
        interpreter.tune(gc_freeze=settings.gc_freeze, switch_interval_s=settings.switch_interval_s)
        try:
            yield app
        finally:
            await app.stop(STOP_S)


def simulated_daraja() -> SimulatedDaraja:
    """Tells of each payment as soon as it can."""
    loop, tasks = asyncio.get_running_loop(), set[asyncio.Task[None]]()

    def start(delivery: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(delivery)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    results = ResultSender(lambda after, leave: loop.call_soon(leave), start)
    return SimulatedDaraja(SystemClock(), random.Random(), results)


def _payout_settings() -> dict[str, Any]:
    simulated = settings_with_credentials(Path("any"))
    names = [name for name in SimulatedSettings.model_fields if name.startswith("daraja_")]
    return {name: getattr(simulated, name) for name in names} | {
        "phone_freeze_hours": 0,
        "daraja_calls_per_second": 1_000,
    }


def temporary_folder(within: Path | None) -> tempfile.TemporaryDirectory[str]:
    """A folder for one case's database, on the disk named by ``within`` or TMPDIR."""
    return tempfile.TemporaryDirectory(prefix="hazina-bench-", dir=within)


@contextmanager
def temporary_database(
    within: Path | DatabaseServer | None,
) -> Iterator[Path | SimulatedDatabase]:
    """One that is gone when the block ends: a file in a folder, or a schema on a server."""
    if isinstance(within, DatabaseServer):
        with closing(simulated_databases.on_server(within)) as database:
            yield database
        return
    with temporary_folder(within) as folder:
        yield Path(folder) / "bench.db"
