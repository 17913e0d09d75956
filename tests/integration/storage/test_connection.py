"""Functions on aiosqlite's thread."""

import sqlite3
import threading

import aiosqlite
import pytest

from storage.sqlite.connection import ThreadConnection, connect_in_thread


async def test_functions_run_on_one_other_thread_in_order() -> None:
    ran: list[tuple[int, int]] = []
    connection = await connect_in_thread(lambda: sqlite3.connect(":memory:"))
    for number in range(3):
        connection.queue(lambda number=number: ran.append((number, threading.get_ident())), None)
    ours = await connection.run(lambda: connection.raw.execute("SELECT 1").fetchone())
    await connection.close()
    assert ours == (1,)
    assert [number for number, _ in ran] == [0, 1, 2]
    assert {thread for _, thread in ran} - {threading.get_ident()} == {ran[0][1]}


async def test_what_a_function_raises_is_raised_to_its_caller() -> None:
    connection = await connect_in_thread(lambda: sqlite3.connect(":memory:"))
    with pytest.raises(ZeroDivisionError):
        await connection.run(lambda: 1 // 0)
    await connection.close()


def test_an_aiosqlite_without_its_queue_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aiosqlite.Connection, "__init__", lambda *args, **kwargs: None)
    monkeypatch.setattr(aiosqlite.Connection, "_connection", None, raising=False)
    with pytest.raises(RuntimeError, match="has no queue"):
        ThreadConnection(lambda: sqlite3.connect(":memory:"))
