"""``hazina run`` as a separate process, with a bank and a Bot API on real sockets."""

import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing
from pathlib import Path

import httpx
import pytest

from bot.simulation.telegram.server import TOKEN
from storage.sqlite.damage import FileCheck
from tests.kit.real_process import AMINA, PASSWORD, ServedProcess
from tests.kit.real_time import until


@pytest.fixture
async def served_process(tmp_path: Path) -> AsyncIterator[ServedProcess]:
    async with AsyncExitStack() as stack:
        served_process = ServedProcess(tmp_path, stack)
        await served_process.open()
        yield served_process


async def test_killed_after_the_prompt_it_goes_on_and_stops_cleanly(served_process: ServedProcess):
    first = await served_process.start()
    served_process.api.user_types(AMINA, "/topup")
    await served_process.heard("How much")
    served_process.api.user_types(AMINA, "1500")
    await served_process.heard("from which")
    served_process.tap("My number, 0712 345 678")
    await served_process.heard("Send an M-PESA prompt")
    served_process.tap("Yes, send it")
    await served_process.heard("Waiting for your M-PESA PIN")
    first.kill()
    await served_process.ended(first)

    second = await served_process.start()
    served_process.api.user_types(AMINA, "/history")
    await served_process.heard("waiting for the payment")
    second.send_signal(signal.SIGTERM)
    log = await served_process.ended(second)

    assert second.returncode == 0
    assert served_process.bank.calls("initiate") == 1
    assert TOKEN.encode() not in log
    assert PASSWORD.encode() not in log


async def test_a_closed_terminal_is_a_clean_stop_and_under_nohup_nothing(
    served_process: ServedProcess,
):
    served_process.api.user_types(AMINA, "/balance")
    process = await served_process.start()
    await served_process.heard("Wallet")
    process.send_signal(signal.SIGHUP)
    await served_process.ended(process)
    assert process.returncode == 0

    process = await served_process.start("nohup")
    served_process.api.user_types(AMINA, "/topup")
    await served_process.heard("How much")
    process.send_signal(signal.SIGHUP)
    served_process.api.user_types(AMINA, "1500")
    await served_process.heard("from which")
    process.send_signal(signal.SIGTERM)
    await served_process.ended(process)
    assert process.returncode == 0


async def test_it_serves_and_stops_cleanly_with_all_its_streams_closed(
    served_process: ServedProcess,
):
    """Otherwise files that it opens would take the streams' places and receive the log."""
    process = await served_process.start("sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-')
    served_process.api.user_types(AMINA, "/balance")
    await served_process.heard("Wallet")
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
    assert FileCheck(served_process.database).run() is None


async def test_a_port_that_is_taken_ends_the_start_in_one_line(served_process: ServedProcess):
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        served_process.add_settings(HTTP_PORT=str(port))
        process = await served_process.start()
        said = await served_process.ended(process)
    assert process.returncode == 2
    assert said.decode().splitlines() == [
        f"nothing can listen at 127.0.0.1 port {port}: Address already in use:"
        " set HTTP_HOST and HTTP_PORT"
    ]


async def test_the_api_is_served_where_it_is_switched_on(served_process: ServedProcess):
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    statuses = []
    for switch in ("off", "on"):
        served_process.add_settings(HTTP_PORT=str(port), API=switch)
        served_process.port = port
        process = await served_process.start()
        await until(served_process.answers)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
            answers = [await http.get(path) for path in ("/openapi.json", "/v1/balance")]
            statuses.append([answer.status_code for answer in answers])
        process.send_signal(signal.SIGTERM)
        await served_process.ended(process)
    assert statuses == [[404, 404], [200, 401]]
