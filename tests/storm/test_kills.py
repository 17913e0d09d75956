"""Kill real processes: what was acknowledged is on disk, and the rest is sent again.

``KILLS`` is the number of kills (default 300). The bank sends each notification until it is
answered, as NCBA does; Telegram keeps each update until it is acknowledged.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing
from pathlib import Path

import httpx
import pytest

from bot.simulation.ncba.bank import NOTIFY
from bot.simulation.ncba.paybill import BankNotification
from services.domain.money import Money
from storage.invariants import invariant_violations
from tests.kit.real_process import AMINA, ServedProcess
from tests.kit.real_time import until

pytestmark = pytest.mark.long

KILLS = int(os.environ.get("KILLS", "300"))
BANKERS = 8  # notifications in flight at once
SECRET = "only-for-this-test-0001"
SYNCED = 40  # notifications sent one after another


class Bank:
    """Sends each notification to the process repeatedly until it is answered."""

    def __init__(self, served_process: ServedProcess, port: int) -> None:
        self.acknowledged: set[str] = set()
        self._desk = served_process
        self._url = f"http://127.0.0.1:{port}/ncba/notify/{SECRET}"
        self._unanswered: list[BankNotification] = []

    def send(self) -> None:
        notice = self._desk.bank.paybill.notify("254733000001", Money(10_000), "FINSAFE")
        self._unanswered.append(notice)

    async def work(self, client: httpx.AsyncClient, over: asyncio.Event) -> None:
        while not over.is_set():
            if not self._unanswered:
                self.send()
            notice = self._unanswered.pop()
            if not await self.post(client, notice):
                self._unanswered.append(notice)
                await asyncio.sleep(0.02)

    async def rest(self, client: httpx.AsyncClient) -> None:
        """Send every unanswered notification once more."""
        for notice in list(self._unanswered):
            assert await self.post(client, notice)
            self._unanswered.remove(notice)

    async def post(self, client: httpx.AsyncClient, notice: BankNotification) -> bool:
        try:
            answer = await client.post(self._url, content=notice.body)
        except httpx.HTTPError:
            return False
        if answer.status_code != 200:
            return False
        assert answer.json()["ResultCode"] == "0"
        assert notice.payment is not None
        self.acknowledged.add(notice.payment.receipt)
        return True


def _read(database: Path, sql: str) -> list[object]:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as conn:
        return [value for (value,) in conn.execute(sql)]


@pytest.fixture
async def served_process(tmp_path: Path) -> AsyncIterator[ServedProcess]:
    async with AsyncExitStack() as stack:
        served_process = ServedProcess(tmp_path, stack)
        await served_process.open()
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        served_process.add_settings(
            HTTP_PORT=str(port),
            NCBA_NOTIFY_SECRET=SECRET,
            NCBA_NOTIFY_USERNAME=NOTIFY.username,
            NCBA_NOTIFY_PASSWORD=NOTIFY.password,
            NCBA_NOTIFY_KEY=NOTIFY.secret_key,
            FLOOD_TURNS="1000000",
        )
        served_process.port = port
        yield served_process


async def test_nothing_that_was_acknowledged_is_lost(served_process: ServedProcess) -> None:
    dice = random.Random(11)
    bank, typed = Bank(served_process, served_process.port), 0
    async with httpx.AsyncClient(timeout=10) as client:
        for _ in range(KILLS):
            process = await served_process.start()
            before = len(bank.acknowledged)
            over = asyncio.Event()
            load = [asyncio.create_task(bank.work(client, over)) for _ in range(BANKERS)]
            await until(lambda before=before: len(bank.acknowledged) > before)
            for _ in range(dice.randint(1, 5)):
                served_process.api.user_types(AMINA, "/balance")
                typed += 1
            await asyncio.sleep(dice.uniform(0, 0.25))
            process.kill()
            await served_process.ended(process)
            over.set()
            await asyncio.gather(*load)
            kept = _read(served_process.database, "SELECT receipt FROM external_payments")
            assert bank.acknowledged <= set(kept)

        last = await served_process.start()
        await until(lambda: served_process.answers())
        await bank.rest(client)
        decided = "SELECT count(*) FROM events WHERE channel = 'telegram'"
        await until(lambda: _read(served_process.database, decided) == [typed])
        last.send_signal(signal.SIGTERM)
        await served_process.ended(last)
    with closing(sqlite3.connect(served_process.database)) as conn:
        assert list(invariant_violations(conn)) == []
        booked = conn.execute("SELECT count(*) FROM transfers WHERE code = 'payment'").fetchone()
    assert booked == (len(served_process.bank.paybill.payments()),)


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace counts the calls")
async def test_every_acknowledged_commit_reaches_the_disk(
    served_process: ServedProcess, tmp_path: Path
) -> None:
    """kill -9 alone would pass without a single sync: the kernel keeps written data."""
    trace = tmp_path / "calls"
    process = await served_process.start(
        "strace", "-f", "-e", "trace=fsync,fdatasync", "-o", str(trace)
    )
    bank = Bank(served_process, served_process.port)
    async with httpx.AsyncClient(timeout=30) as client:
        await until(lambda: served_process.answers())
        begun = len(_syncs(trace))
        for _ in range(SYNCED):  # one at a time, so that no two share a commit
            notice = served_process.bank.paybill.notify("254733000001", Money(10_000), "FINSAFE")
            assert await bank.post(client, notice)
        synced = len(_syncs(trace)) - begun
    os.kill(_child_of(process.pid), signal.SIGTERM)  # stopping strace may leave it running
    await served_process.ended(process)
    assert synced >= SYNCED


def _child_of(pid: int) -> int:
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)


def _syncs(trace: Path) -> list[str]:
    lines = trace.read_text(errors="replace").splitlines()
    return [line for line in lines if re.search(r"\b(fsync|fdatasync)\(", line)]
