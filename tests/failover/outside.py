"""Everything around the desks of the lab: the bank, M-PESA and Telegram, served at the bridge, and
who uses the desks: people in chats, and a partner's system at each desk that pays customers."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import httpx
import uvicorn
from starlette.types import ASGIApp

from bot.clock import SystemClock
from bot.simulation.credentials import (
    ACCOUNT_NUMBER,
    FLOAT_KEY,
    FLOAT_PASSWORD,
    NCBA_PASSWORD,
)
from bot.simulation.daraja.daraja import SimulatedDaraja
from bot.simulation.daraja.result_sender import ResultSender
from bot.simulation.ncba.bank import SimulatedBank
from bot.simulation.ncba.handsets import Handset
from bot.simulation.telegram.chats import Message
from bot.simulation.telegram.server import TelegramApi
from services.domain.phone import Phone
from tests.failover.events import Line, event_id
from tests.failover.network import NET, Host, LabFailed

ADDRESS = f"{NET}.254"  # of the bridge, which is never cut
BANK_PORT, DARAJA_PORT, TELEGRAM_PORT = 8101, 8102, 8103
DESK_PORT = 8080
START_S = 20.0
CALL_S = 15.0  # longer than a desk that cannot write takes to say so
ANSWER_S = 10.0  # then people write again
GLANCE_S = 3.0  # those who only look
RECEIPT_S = 120.0  # then they begin anew
PAUSE_S = 0.5  # between payouts of one system, and between looks at a balance
RETRY_S = 0.2
FLOAT_CENTS = 9_000_000_00


class Person(NamedTuple):
    """Someone of a partner, in a chat. Those who look ask for the balance, the others top up."""

    name: str
    account: int
    phone: Phone
    looks: bool


class Outside:
    """``keys`` are those of the systems, by the name of the host whose desk they call."""

    def __init__(self, workers: Sequence[Host], people: Sequence[Person], folder: Path) -> None:
        clock = SystemClock()
        self.telegram = TelegramApi(clock)
        self.bank = SimulatedBank(
            clock,
            random.Random(1),
            password=NCBA_PASSWORD,
            subscription_key=FLOAT_KEY,
            float_password=FLOAT_PASSWORD,
            debit_account=ACCOUNT_NUMBER,
        )
        self.daraja = SimulatedDaraja(
            clock, random.Random(2), ResultSender(self._later, self._start)
        )
        self.daraja.opening(FLOAT_CENTS)
        self.wrong: list[str] = []  # answers that no fault of the database explains
        self._workers = workers
        self._people = people
        self._folder = folder
        self._keys: Mapping[str, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._users: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end = asyncio.Event()
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def start(self) -> None:
        """Raises ``LabFailed``."""
        self._thread.start()
        if not self._started.wait(START_S):
            raise LabFailed(f"nothing can be served at {ADDRESS}")

    def use(self, keys: Mapping[str, str]) -> None:
        """From now on everybody does."""
        self._keys = keys
        self._call(self._begin)

    def rest(self) -> None:
        """Nobody begins anything more."""
        self._call(lambda: [user.cancel() for user in self._users])

    def stop(self) -> None:
        self._call(self._end.set)
        self._thread.join()

    def _call(self, function: Callable[[], object]) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(function)

    # On its thread ----------------------------------------------------------------------------

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with AsyncExitStack() as stack:
            for app, port in (
                (self.bank, BANK_PORT),
                (self.daraja, DARAJA_PORT),
                (self.telegram.app, TELEGRAM_PORT),
            ):
                await stack.enter_async_context(_served(app, port))
            stack.callback(self.telegram.close)
            self.daraja.results.open(_ToDesks(self._workers))
            self._started.set()
            await self._end.wait()

    def _begin(self) -> None:
        work = [self._person(person) for person in self._people]
        work += [self._system(worker) for worker in self._workers]
        self._users = [asyncio.create_task(self._watched(one)) for one in work]

    async def _watched(self, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - told by the lab
            self.wrong.append(f"{type(error).__name__}: {error}")

    def _later(self, after: timedelta, leave: Callable[[], None]) -> None:
        assert self._loop is not None
        self._loop.call_later(after.total_seconds(), leave)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # Who uses the desks -----------------------------------------------------------------------

    async def _system(self, worker: Host) -> None:
        """Pays one customer after the other, and sends each request until it is taken."""
        number = 0
        headers = {"Authorization": f"Bearer {self._keys[worker.name]}"}
        place = f"http://{worker.address}:{DESK_PORT}"
        with (self._folder / f"{worker.name}.log").open("a", buffering=1) as log:
            async with httpx.AsyncClient(
                base_url=place, headers=headers, timeout=CALL_S, trust_env=False
            ) as http:
                while True:
                    number += 1
                    event = event_id(worker.name, number)
                    log.write(Line("begun", event).written(time.monotonic()))
                    while (refused := await self._pay(http, event, number)) is not None:
                        log.write(Line("failed", event, said=refused).written(time.monotonic()))
                        await asyncio.sleep(RETRY_S)
                    log.write(Line("applied", event).written(time.monotonic()))
                    await asyncio.sleep(PAUSE_S)

    async def _pay(self, http: httpx.AsyncClient, event: str, number: int) -> str | None:
        """Why it was not taken."""
        body = {
            "amount": "10",
            "phone_number": f"2547{number % 100_000_000:08d}",
            "client_reference": event,
            "again": True,
        }
        try:
            answer = await http.post(
                "/v1/payouts", json=body, headers={"Idempotency-Key": f"failover-{event}"}
            )
        except httpx.HTTPError as error:
            return f"{type(error).__name__} -"
        if answer.status_code == 202:
            return None
        if answer.status_code != 503:
            self.wrong.append(f"{event}: {answer.status_code} {answer.text}")
        return f"HTTP {answer.status_code}"

    async def _person(self, person: Person) -> None:
        self.telegram.open_chat(person.account)
        with (self._folder / f"{person.name}.log").open("a", buffering=1) as log:
            number = 0
            while True:
                number += 1
                event = event_id(person.name, number)
                done = await (self._looks(person) if person.looks else self._tops_up(person))
                kind = "applied" if done else "failed"
                log.write(
                    Line(kind, event, said="" if done else "no answer").written(time.monotonic())
                )
                await asyncio.sleep(PAUSE_S)

    async def _looks(self, person: Person) -> bool:
        return await self._heard(person, "/balance", "Wallet", GLANCE_S) is not None

    async def _tops_up(self, person: Person) -> bool:
        self.bank.set_handset(person.phone.msisdn, Handset.PAYS)
        screen = await self._heard(person, "/topup 100", "from which", ANSWER_S)
        for label, next_words, wait_s in (
            ("My number", "Send an M-PESA prompt", ANSWER_S),
            ("Yes, send it", "Received KES 100", RECEIPT_S),
        ):
            if screen is None:
                return False
            screen = await self._heard(person, (screen, label), next_words, wait_s)
        return screen is not None

    async def _heard(
        self, person: Person, says: str | tuple[Message, str], words: str, wait_s: float
    ) -> Message | None:
        """What answers a text, or a tap on a message; ``None``: nothing in time."""
        chat = self.telegram.chat(person.account)
        known = {message.message_id: len(message.edits) for message in chat.from_bot}
        if isinstance(says, str):
            self.telegram.user_types(person.account, says)
        else:
            message, label = says
            data = next(
                data for row in message.buttons for shown, data in row if shown.startswith(label)
            )
            self.telegram.user_taps(person.account, message.message_id, data)
        ends_at = time.monotonic() + wait_s
        while time.monotonic() < ends_at:
            for message in reversed(chat.from_bot):
                is_news = known.get(message.message_id, -1) < len(message.edits)
                if is_news and words in message.text:
                    return message
            await asyncio.sleep(0.05)
        return None


class _ToDesks(httpx.AsyncBaseTransport):
    """M-PESA posts Results to one address; behind it is any desk that takes connections."""

    def __init__(self, workers: Sequence[Host]) -> None:
        self._workers = workers
        self._http = httpx.AsyncHTTPTransport(local_address=ADDRESS)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        refused: httpx.HTTPError | None = None
        for worker in random.sample(self._workers, len(self._workers)):
            url = request.url.copy_with(scheme="http", host=worker.address, port=DESK_PORT)
            try:
                return await self._http.handle_async_request(
                    httpx.Request(
                        request.method,
                        url,
                        headers=request.headers,
                        content=await request.aread(),
                        extensions=request.extensions,
                    )
                )
            except httpx.ConnectError as error:
                refused = error
        raise httpx.ConnectError("no desk is there") from refused


@asynccontextmanager
async def _served(app: ASGIApp, port: int) -> AsyncIterator[None]:
    config = uvicorn.Config(
        app, host=ADDRESS, port=port, lifespan="off", ws="none", log_level="warning"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - it has no event
        await asyncio.sleep(0.02)
    try:
        yield
    finally:
        server.should_exit = True
        await serving
