"""``hazina run`` as a process of its own, between a bank and a Bot API on real sockets."""

import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest

from bot.simulation.telegram.server import TOKEN
from storage.sqlite.damage import FileCheck
from tests.kit.real_process import AMINA, PASSWORD, Desk


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
