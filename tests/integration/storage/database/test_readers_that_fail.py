"""Reads while some connections cannot begin one."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest

from storage.readers import Readers, WorkEnded
from storage.sql import Connection
from storage.transaction import StoreTx


class Lost(Exception):
    """The connection is gone, and no other can be had."""


class Reader:
    def __init__(self) -> None:
        self._conn = sqlite3.connect(":memory:")
        self._thread = ThreadPoolExecutor(1)

    @property
    def raw(self) -> Connection:
        return self._conn

    def queue(self, function: Callable[[], None], ended: WorkEnded) -> None:
        loop = ended.get_loop()

        def run() -> None:
            function()
            loop.call_soon_threadsafe(ended.set_result, None)

        self._thread.submit(run)

    async def close(self) -> None:
        self._thread.shutdown()
        self._conn.close()


class Desk:
    """Two connections, of which some are lost."""

    def __init__(self) -> None:
        self.ones = [Reader(), Reader()]
        self.lost: set[Connection] = set()
        self.begun: list[Connection] = []
        self.readers = Readers(self._begin, lambda tx: None, lambda error: error)
        for one in self.ones:
            self.readers.add(one)

    def _begin(self, tx: StoreTx) -> None:
        self.begun.append(tx.conn)
        if tx.conn in self.lost:
            raise Lost

    def used(self, tx: StoreTx) -> int:
        """Which of the two serves this read."""
        return [one.raw for one in self.ones].index(tx.conn)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    yield desk
    await desk.readers.close()


@asynccontextmanager
async def one_busy(desk: Desk) -> AsyncIterator[None]:
    """One connection has a read that takes until the block ends."""
    began, may_end = threading.Event(), threading.Event()

    def takes_long(tx: StoreTx) -> None:
        began.set()
        may_end.wait(10)

    reading = asyncio.ensure_future(desk.readers.read(takes_long))
    await asyncio.to_thread(began.wait, 10)
    try:
        yield
    finally:
        may_end.set()
        await reading


@pytest.mark.parametrize("lost", [0, 1])
async def test_a_lost_connection_fails_no_read_while_another_works(desk: Desk, lost: int) -> None:
    desk.lost = {desk.ones[lost].raw}
    assert {await desk.readers.read(desk.used) for _ in range(20)} == {1 - lost}
    assert desk.begun.count(desk.ones[lost].raw) <= 1, "it is tried last"
    together = await asyncio.gather(*(desk.readers.read(desk.used) for _ in range(20)))
    assert set(together) == {1 - lost}


async def test_where_none_can_begin_the_read_fails_and_each_is_tried_again(desk: Desk) -> None:
    desk.lost = {one.raw for one in desk.ones}
    for _ in range(3):
        with pytest.raises(Lost):
            await desk.readers.read(desk.used)
    both = (desk.readers.read(desk.used) for _ in range(2))
    answers = await asyncio.gather(*both, return_exceptions=True)
    assert [type(answer) for answer in answers] == [Lost, Lost]
    desk.lost.clear()
    desk.begun.clear()
    async with one_busy(desk):
        await desk.readers.read(desk.used)
    assert len(set(desk.begun)) == 2, "both serve again"


async def test_a_read_waits_for_the_connection_that_works(desk: Desk) -> None:
    async with one_busy(desk):
        (works,) = desk.begun
        desk.lost = {one.raw for one in desk.ones} - {works}
        waiting = [asyncio.ensure_future(desk.readers.read(lambda tx: tx.conn)) for _ in range(3)]
        await asyncio.sleep(0.1)
        assert not any(one.done() for one in waiting)
        assert len(desk.begun) <= 1 + len(waiting), "the lost one is not tried all the time"
    assert set(await asyncio.gather(*waiting)) == {works}
