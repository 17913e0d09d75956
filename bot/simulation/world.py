"""The whole product on one machine, with everything around it simulated.

The outside (bank, phones, chats, inboxes, clock) lives as long as the world. The product can be
restarted, or killed at a named point, any number of times.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

import httpx
from pydantic import SecretStr
from starlette.routing import Router

from bot.app import App
from bot.bootstrap import Dependencies, open_app
from bot.channels.terminal import TerminalChannel
from bot.database import simulated_databases
from bot.outbox.carriers import MAIL, SMS, MailChannel, SmsChannel
from bot.outbox.channel import Channel
from bot.outbox.pacing import MessageRates
from bot.simulation.alarm import VirtualAlarm
from bot.simulation.clock import VirtualClock
from bot.simulation.crashes import ArmedCrash, CrashPointName
from bot.simulation.credentials import (
    ACCOUNT_NUMBER,
    DARAJA_HOST,
    FLOAT_KEY,
    FLOAT_PASSWORD,
    NCBA_PASSWORD,
    SHORT_CODE,
    settings_with_credentials,
)
from bot.simulation.daraja import faults as daraja_faults
from bot.simulation.daraja.daraja import SimulatedDaraja
from bot.simulation.daraja.result_sender import CALLS_FROM, ResultSender
from bot.simulation.event_loop import SimulatedLoop
from bot.simulation.inboxes import MailInboxes, SmsInboxes
from bot.simulation.ncba.bank import SimulatedBank
from bot.simulation.ncba.float_ledger import FloatBooking
from bot.simulation.ncba.paybill import BankNotification
from bot.simulation.notification_sender import NotificationDelivery, NotificationSender
from bot.simulation.product_door import ProductDoor
from bot.simulation.product_routes import product_routes
from bot.simulation.receivers import SimulatedReceivers, check_simulated_url
from bot.simulation.simulated_api import SimulatedApi
from bot.simulation.simulated_client import SimulatedClient
from bot.simulation.webhook_receiver import WebhookReceiver
from flows.engine.capabilities import ChannelCapabilities
from flows.engine.event import Event
from services.domain.database import DatabaseUnavailable, SimulatedCrash
from services.domain.outbox import OutboxRow
from services.ports import Random, WebhookTransport
from services.ports.simulated_databases import SimulatedDatabase

if TYPE_CHECKING:  # skipping Telegram halves the start time of worlds without it
    from types import ModuleType

    from bot.simulation.telegram.connection import TelegramConnection
    from bot.simulation.telegram.server import TelegramApi

# httpx tries to import this on every call into an ASGI app; mark it as missing once.
sys.modules.setdefault("sniffio", cast("ModuleType", None))

Home: TypeAlias = Path | SimulatedDatabase

TURNS_TIMED = 100  # newest turns of the terminal whose duration is known
AGAIN_S = 1.0  # from an event that was not taken to its next delivery
THREAD_PAUSE_S = 0.0002  # real seconds between checks on a busy thread


class World:
    """``delivered`` is called for each message a channel accepted, ``alerted`` for each tap's
    alert.

    Terminal and SMS are always available, Telegram if requested. ``home`` belongs to the world: a
    folder, or a database in memory or on a server, which has no log to search for secrets. One in
    memory has no ``threads``.
    Webhooks reach ``receivers``, or else ``receiver``: from each address that may be stored if
    ``receives_everywhere``. A ``door`` may outlive the world, and lead into the next.
    Without threads a seed always produces the same run.
    """

    def __init__(
        self,
        home: Home,
        *,
        seed: int = 1,
        telegram: bool = False,
        delivered: Callable[[OutboxRow, str, bool], None] | None = None,
        alerted: Callable[[str, str], None] | None = None,
        start: datetime | None = None,
        threads: bool = True,
        request_channels: Mapping[str, ChannelCapabilities] | None = None,
        receives_everywhere: bool = False,
        receivers: WebhookTransport | None = None,
        door: ProductDoor | None = None,
    ) -> None:
        self._simulated = None if isinstance(home, Path) else home
        self._folder = home if isinstance(home, Path) else Path("elsewhere")
        self._file = self._folder / "hazina.db"
        self.clock = VirtualClock() if start is None else VirtualClock(start)
        self.random = cast("Random", random.Random(seed))
        self.bank = SimulatedBank(
            self.clock.true,
            random.Random(seed + 1),
            password=NCBA_PASSWORD,
            subscription_key=FLOAT_KEY,
            float_password=FLOAT_PASSWORD,
            debit_account=ACCOUNT_NUMBER,
        )
        self.bank.probe = self._bank_probe
        self.daraja = SimulatedDaraja(
            self.clock.true,
            random.Random(seed + 2),
            ResultSender(
                lambda after, leave: self.clock.call_at(self.clock.true_now() + after, leave),
                self._start,
            ),
        )
        self.daraja.probe = self._bank_probe
        self.bank.floats.sold = self._raise_utility
        self.sms = SmsInboxes()
        self.mail = MailInboxes()
        self.receiver = WebhookReceiver(self.clock.true_now)
        self.door = door or ProductDoor()
        self.terminal = TerminalChannel()
        self.telegram: TelegramApi | None = None
        self.settings = settings_with_credentials(self._file)
        if telegram:
            from bot.simulation.telegram.connection import POLL_S
            from bot.simulation.telegram.server import TOKEN, TelegramApi

            self.telegram = TelegramApi(self.clock.true, held_max_s=POLL_S)
            token = {"telegram_bot_token": SecretStr(TOKEN)}
            self.settings = self.settings.model_copy(update=token)
        self.armed_crashes: list[ArmedCrash] = []
        self.last_crash: datetime | None = None
        self._threads = threads
        self._request_channels = request_channels or {}
        self._webhooks: WebhookTransport = receivers or SimulatedReceivers(
            self.receiver, everywhere=receives_everywhere
        )
        self._delivered = delivered
        self._alerted = alerted
        self._killed = False
        self._away_until = 0.0  # by the clock's monotonic time: the database cannot be reached
        self.turns_took: deque[tuple[str, float]] = deque(maxlen=TURNS_TIMED)  # by whom, seconds
        self.crash_count = 0  # how many times the product crashed
        self._app: App | None = None
        self._stack = AsyncExitStack()
        self._loop: SimulatedLoop | None = None  # set when the world runs in one
        self._connection: TelegramConnection | None = None
        self._events: dict[str, Event] = {}  # terminal events not yet acknowledged
        self._deciding: dict[asyncio.Task[None], None] = {}  # in order
        self._notifications = NotificationSender(self.clock, self._start)

    @property
    def app(self) -> App:
        assert self._app is not None, "the product is not running"
        return self._app

    @property
    def apis(self) -> tuple[SimulatedApi, ...]:
        return self.bank, self.daraja

    def faults_left(self) -> dict[str, int]:
        """How many of each call's next ones are to meet a fault, of all APIs."""
        return {call: left for api in self.apis for call, left in api.faults_left().items()}

    def api_of(self, call: str) -> SimulatedApi:
        """Daraja for the calls of payouts, and the bank for any other."""
        return self.daraja if call in daraja_faults.CALLS else self.bank

    # Start, stop and crash -----------------------------------------------------------------

    async def open(self) -> None:
        """Start the product on the world's database and deliver everything unacknowledged."""
        try:
            await self._open()
        except asyncio.CancelledError:
            if not self._killed:
                raise
            await self.crash()  # an armed crash fired during startup

    async def _open(self) -> None:
        loop = self._running_loop = asyncio.get_running_loop()
        self._loop = loop if isinstance(loop, SimulatedLoop) and not self._threads else None
        stack = self._stack = AsyncExitStack()
        channels: dict[str, Channel] = {
            "terminal": self.terminal,
            SMS: SmsChannel(self.sms),
            MAIL: MailChannel(self.mail),
        }
        outside = Dependencies(
            clock=self.clock,
            random=self.random,
            alarm=VirtualAlarm(self.clock),
            bank=SimulatedClient(self.bank, {DARAJA_HOST: self.daraja}),
            webhooks=self._webhooks,
            check_webhook_url=check_simulated_url,
            channels=channels,
            request_channels=self._request_channels,
            pace=MessageRates(per_chat=None, overall=None),
            delivered=self._delivered,
            probe=self._database_probe,
            threads=self._threads,
            simulated=self._simulated,
            clock_check_every_s=None,  # a periodic check would move time; ``set_clock`` triggers it
            checks_database_file=False,  # likewise
        )
        if self._simulated is None and not self._file.exists():
            simulated_databases.create_blank(self._file)
        if self.telegram is not None:
            from bot.simulation.telegram.connection import TelegramConnection

            self._connection = TelegramConnection(self.telegram, self.clock)
            channels["telegram"] = await self._connection.open(stack)
        app = self._app = await open_app(self.settings, outside, stack)
        app.database.is_taken_away = lambda: self.clock.monotonic() < self._away_until
        await app.start()
        product = Router(product_routes(app, self.settings), redirect_slashes=False)
        if self._connection is not None:
            self._connection.start(app)
        for event in list(self._events.values()):
            self.submit(event)
        self._notifications.open(httpx.ASGITransport(product))
        self.daraja.results.open(httpx.ASGITransport(product, client=(CALLS_FROM, 443)))
        self.door.open(product)

    async def close(self) -> None:
        """Stop the product cleanly; a bank call in flight becomes unknown."""
        if self._app is None:
            return
        if self._connection is not None:
            await self._connection.stop()
        await self.finish_requests()
        await asyncio.gather(*self._deciding, return_exceptions=True)
        try:
            await self._app.stop(grace_s=0)
        except asyncio.CancelledError:
            if not self._killed:
                raise
            await self.crash()  # an armed crash fired during shutdown: stop the restarted product
            await self.close()
            return
        self._app = None
        self.daraja.results.close()
        await self._stack.aclose()

    async def finish_requests(self) -> None:
        """Let nobody in any more, and have those answered that are inside."""
        if self._app is not None:  # it may be restarting already
            self._app.waits.close()
        await self.door.finish()

    def take_database_away(self, seconds: float) -> None:
        """As when no node of a cluster is the primary."""
        self._away_until = self.clock.monotonic() + seconds

    async def restart(self) -> None:
        await self.settle()
        await self.close()
        await self.open()

    async def crash(self) -> None:
        """Kill the product: its memory is lost, its files stay as they are. Then start it again."""
        self.crash_count += 1
        old, new = self._file, self._left_behind()
        self.app.abort()
        leftovers = [] if self._connection is None else self._connection.abort()
        leftovers += self._deciding
        for task in leftovers:
            task.cancel()
        leftovers += self.door.abort()
        self._app = None
        await asyncio.gather(*leftovers, return_exceptions=True)
        await self._stack.aclose()
        if new != old:
            simulated_databases.delete(old)
            self._file = new
            self.settings = self.settings.model_copy(update={"database": new})
        self.last_crash = self.clock.true_now()
        self._killed = False
        await self.open()

    def _left_behind(self) -> Path:
        """Copy the database files as they are now to a new name; any other database stays in
        place.
        """
        old = self._file
        if self._simulated is not None:
            return old
        new = self._folder / f"hazina-{self.crash_count}.db"
        simulated_databases.copy_as_killed(old, new)
        return new

    def at_rest(self) -> dict[str, bytes]:
        """What is stored between two turns, by file name."""
        if self._simulated is not None:
            return {"the database": self._simulated.content()}
        return {file.name: file.read_bytes() for file in sorted(self._folder.iterdir())}

    def arm_crash(self, point: CrashPointName, call: str | None, nth: int) -> ArmedCrash:
        armed = ArmedCrash(point, call, nth)
        self.armed_crashes.append(armed)
        return armed

    @contextmanager
    def crashes_held_back(self) -> Iterator[None]:
        """What is done here passes no armed point: it belongs to the outside."""
        armed, self.armed_crashes = self.armed_crashes, []
        try:
            yield
        finally:
            self.armed_crashes = armed

    def _passes(self, point: str, call: str | None) -> bool:
        """Whether the process dies at this point."""
        if not self._killed and any(armed.passes(point, call) for armed in self.armed_crashes):
            self._killed = True
            # Nobody may enter a dead process.
            if self._threads:  # the point may be on the database's own
                self._running_loop.call_soon_threadsafe(self.door.abort)
            else:
                self.door.abort()
            if self._loop is not None:
                # Let the killed process's pending work be cancelled.
                self._loop.release_idle_waiter()
        return self._killed

    def _database_probe(self, point: str) -> None:
        if self._passes(point, None):
            raise SimulatedCrash(point)

    async def _bank_probe(self, moment: Literal["before", "after"], call: str) -> None:
        if self._passes(f"{moment}-call", call):
            await asyncio.Event().wait()  # the caller is dead and will be cancelled

    def _raise_utility(self, sale: FloatBooking) -> None:
        """Float that is bought at the bank stands in the short code's utility account."""
        if sale.short_code == SHORT_CODE:
            self.daraja.raise_utility(sale.amount.cents, sale.booked_at)

    async def run_job(self, name: str) -> None:
        """Run a job now; a crash in the middle of it is not an error."""
        running = asyncio.create_task(self.app.jobs.run_now(name))
        await self.settle()
        (result,) = await asyncio.gather(running, return_exceptions=True)
        if isinstance(result, Exception):
            raise result

    # Time ----------------------------------------------------------------------------------

    async def settle(self) -> None:
        """Do all work due now; the clock stands still."""
        await self._quiet()
        while self._killed:
            await self.crash()
            await self._quiet()
        if self.telegram is not None and self._alerted is not None:
            for answer in self.telegram.answers:
                if answer.text is not None:
                    self._alerted(str(answer.user_id), answer.text)
            self.telegram.answers.clear()

    async def advance(self, seconds: float) -> None:
        """Move time forward from one timer to the next, up to and including the end."""
        end = self.clock.true_now() + timedelta(seconds=seconds)
        await self.settle()
        while (due := self.clock.next_due()) is not None and due <= end:
            self.clock.jump(due)
            await self.settle()
        self.clock.jump(end)
        await self.settle()

    async def set_clock(self, seconds: float) -> None:
        """Change the machine's clock and let the product notice."""
        self.clock.step(seconds)
        looking = asyncio.create_task(self.app.database.follow_clock())
        await self.settle()
        await asyncio.gather(looking, return_exceptions=True)

    async def _quiet(self) -> None:
        """Return when nothing can run without time passing, a thread or a person."""
        ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
        while not self._killed:
            if self._loop is not None:
                await self._loop.wait_until_idle()
            else:
                await asyncio.sleep(0)
            if ready:
                continue
            if self._app is None or self._app.in_flight == 0:
                return
            await asyncio.sleep(THREAD_PAUSE_S)

    def notify(self, notice: BankNotification, late_s: float = 0) -> NotificationDelivery:
        """Send a notification after ``late_s`` seconds, repeated until it is answered."""
        return self._notifications.send(notice, late_s)

    # Inbound events ------------------------------------------------------------------------

    def submit(self, event: Event) -> None:
        """Deliver a terminal event, repeated after crashes until it is acknowledged."""
        self._events[event.event_id] = event
        self._start(self._decide(event))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._deciding[task] = None
        task.add_done_callback(self._deciding.pop)

    async def _decide(self, event: Event) -> None:
        began = time.perf_counter()
        while True:
            try:
                decided = await self.app.handle(event)
            except DatabaseUnavailable:  # it was not taken, so it comes again
                await self.clock.sleep(AGAIN_S)
            else:
                break
        self.turns_took.append((event.address, time.perf_counter() - began))
        self._events.pop(event.event_id, None)
        if decided.alert is not None and self._alerted is not None:
            self._alerted(event.address, decided.alert)
