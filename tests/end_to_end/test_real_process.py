"""``hazina run`` as a process of its own, between a bank and a Bot API on real sockets."""

import asyncio
import os
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path

import pytest
import uvicorn
from starlette.types import ASGIApp

from bot.clock import SystemClock
from bot.maintenance.people import add_person
from bot.simulation.ncba.bank import SimulatedBank
from bot.simulation.telegram.server import TOKEN, TelegramApi
from storage.sqlite.damage import FileCheck

AMINA = 77
PASSWORD = "only-for-this-test"


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, lifespan="off", ws="none", log_level="warning"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


async def until(happened: Callable[[], bool]) -> None:
    for _ in range(4000):
        if happened():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not happen")


class Desk:
    """The outside on loopback, and the process that is started on it."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self.api = TelegramApi(SystemClock())
        self.bank = SimulatedBank(SystemClock(), random.Random(1), password=PASSWORD)
        self.database = folder / "hazina.db"
        self._folder = folder
        self._stack = stack
        self._env: dict[str, str] = {}
        self.port = 0

    async def open(self) -> None:
        api = await self._stack.enter_async_context(served(self.api.app))
        self._stack.callback(self.api.close)
        bank = await self._stack.enter_async_context(served(self.bank))
        self._env = {
            "PATH": os.environ["PATH"],
            "DATABASE": str(self.database),
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_BASE_URL": f"{api}/bot",
            "NCBA_BASE_URL": bank,
            "NCBA_USERNAME": "hazina",
            "NCBA_PASSWORD": PASSWORD,
            "NCBA_ACCOUNT_NUMBER": "774451",
            "HTTP_PORT": "0",
        }
        await add_person(
            self.database,
            partner="FINSAFE",
            new_partner=True,
            name="Amina",
            role="owner",
            phone="0712345678",
            telegram=str(AMINA),
            email=None,
        )
        self.api.open_chat(AMINA)

    def add_settings(self, **settings: str) -> None:
        self._env |= settings

    def answers(self) -> bool:
        """Whether something listens at ``port``."""
        with closing(socket.socket()) as door:
            return door.connect_ex(("127.0.0.1", self.port)) == 0

    async def start(self, *before: str) -> asyncio.subprocess.Process:
        """``before`` is a command that runs the process, such as a tracer."""
        return await asyncio.create_subprocess_exec(
            *before,
            Path(sys.executable).with_name("hazina"),
            "run",
            cwd=self._folder,
            env=self._env,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )

    async def heard(self, part: str) -> None:
        await until(lambda: any(part in m.text for m in self.api.chat(AMINA).from_bot))

    def tap(self, label: str) -> None:
        newest = self.api.chat(AMINA).from_bot[-1]
        self.api.user_taps(AMINA, newest.message_id, newest.data_of(label))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with AsyncExitStack() as stack:
        desk = Desk(tmp_path, stack)
        await desk.open()
        yield desk


async def test_killed_after_the_prompt_it_goes_on_and_stops_cleanly(desk: Desk):
    first = await desk.start()
    desk.api.user_types(AMINA, "/topup")
    await desk.heard("How much")
    desk.api.user_types(AMINA, "1500")
    await desk.heard("from which")
    desk.tap("My number, 0712 345 678")
    await desk.heard("Send an M-PESA prompt")
    desk.tap("Yes, send it")
    await desk.heard("Waiting for your M-PESA PIN")
    first.kill()
    await first.communicate()

    second = await desk.start()
    desk.api.user_types(AMINA, "/history")
    await desk.heard("waiting for the payment")
    second.send_signal(signal.SIGTERM)
    _, log = await second.communicate()

    assert second.returncode == 0
    assert desk.bank.calls("initiate") == 1
    assert TOKEN.encode() not in log
    assert PASSWORD.encode() not in log


async def test_a_closed_terminal_is_a_clean_stop_and_under_nohup_nothing(desk: Desk):
    desk.api.user_types(AMINA, "/balance")
    process = await desk.start()
    await desk.heard("Wallet")
    process.send_signal(signal.SIGHUP)
    await process.communicate()
    assert process.returncode == 0

    process = await desk.start("nohup")
    desk.api.user_types(AMINA, "/topup")
    await desk.heard("How much")
    process.send_signal(signal.SIGHUP)
    desk.api.user_types(AMINA, "1500")
    await desk.heard("from which")
    process.send_signal(signal.SIGTERM)
    await process.communicate()
    assert process.returncode == 0


async def test_it_serves_and_stops_cleanly_with_all_its_streams_closed(desk: Desk):
    """The files that it opens would be those streams, and the log be written into them."""
    process = await desk.start("sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-')
    desk.api.user_types(AMINA, "/balance")
    await desk.heard("Wallet")
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
    assert FileCheck(desk.database).run() is None


async def test_a_port_that_is_taken_ends_the_start_in_one_line(desk: Desk):
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        desk.add_settings(HTTP_PORT=str(port))
        process = await desk.start()
        _, said = await process.communicate()
    assert process.returncode == 2
    assert said.decode().splitlines() == [
        f"nothing can listen at 127.0.0.1 port {port}: Address already in use:"
        " set HTTP_HOST and HTTP_PORT"
    ]
