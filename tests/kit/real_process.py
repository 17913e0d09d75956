"""``hazina run`` as a separate process, with a simulated bank and Bot API on loopback."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from bot.clock import SystemClock
from bot.maintenance.people import add_person
from bot.simulation.ncba.bank import SimulatedBank
from bot.simulation.telegram.server import TOKEN, TelegramApi
from tests.kit.real_time import until

AMINA = 77
PASSWORD = "only-for-this-test"
STOP_MAX_S = 60.0  # for a process that was asked to stop


def _hear_hangups() -> None:
    """Undo an ignored SIGHUP, which tests run under ``nohup`` would pass on to the process."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


async def _kill(process: asyncio.subprocess.Process) -> None:
    """Leave no process behind, even when a test fails halfway."""
    if process.returncode is None:
        process.kill()
        await process.communicate()


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


class ServedProcess:
    """The simulated services on loopback, and the process that is started to use them."""

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
        """Whether something listens on ``port``."""
        with closing(socket.socket()) as door:
            return door.connect_ex(("127.0.0.1", self.port)) == 0

    async def start(self, *before: str) -> asyncio.subprocess.Process:
        """Start the process as a terminal would; it is killed when the test ends.

        ``before`` is a command that runs the process, such as a tracer.
        """
        process = await asyncio.create_subprocess_exec(
            *before,
            Path(sys.executable).with_name("hazina"),
            "run",
            cwd=self._folder,
            env=self._env,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            preexec_fn=_hear_hangups,
        )
        self._stack.push_async_callback(_kill, process)
        return process

    async def ended(self, process: asyncio.subprocess.Process) -> bytes:
        """Return the standard error of the process. Raises ``TimeoutError`` if it does not end."""
        _, log = await asyncio.wait_for(process.communicate(), STOP_MAX_S)
        return log

    async def heard(self, part: str) -> None:
        await until(lambda: any(part in m.text for m in self.api.chat(AMINA).from_bot))

    def tap(self, label: str) -> None:
        newest = self.api.chat(AMINA).from_bot[-1]
        self.api.user_taps(AMINA, newest.message_id, newest.data_of(label))
