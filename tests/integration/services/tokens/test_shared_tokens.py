"""Tokens that processes share: one asks the bank, and the others find what it got."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.clock import DatabaseClock
from bot.security.keyring import Keyring
from bot.simulation.clock import VirtualClock
from services.domain.bank import NotSent
from services.domain.database import DatabaseUnavailable
from services.gateways.shared_tokens import RENEWAL_MAX, WAIT_MAX_S, SharedTokens
from services.gateways.tokens import Token, TokenCache
from storage.raw import connection
from storage.sqlite.database import Database
from storage.transaction import StoreTx
from tests.kit.blank_file import blank_file
from tests.kit.token_bank import LIFE_S, REFRESH_BEFORE, TokenBank
from tests.kit.virtual_time import advance, run, settle

KEYS = {"1": bytes(32)}


class Desk:
    """Processes of a desk: they have a database and a bank in common."""

    def __init__(self, database: Database, clock: VirtualClock) -> None:
        self.database = database
        self.virtual = clock
        self.clock = DatabaseClock(clock, database.time)
        self.bank = TokenBank()

    def keeper(
        self, process: str, *, name: str = "bank 1", keys: dict[str, bytes] = KEYS
    ) -> SharedTokens:
        return SharedTokens(self.database, self.clock, Keyring(keys), name, process)

    def process(
        self, process: str, *, name: str = "bank 1", keys: dict[str, bytes] = KEYS
    ) -> TokenCache:
        return self.bank.holder(self.clock, self.keeper(process, name=name, keys=keys))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    clock = VirtualClock()
    database = await Database.open(
        blank_file(tmp_path / "hazina.db"), clock.now, monotonic=clock.monotonic, threads=False
    )
    yield Desk(database, clock)
    await database.close()


async def test_what_one_gets_the_others_use(desk: Desk) -> None:
    first, second = desk.process("a"), desk.process("b")
    assert await desk.bank.call(first)
    assert await desk.bank.call(second)
    assert desk.bank.given == 1


async def test_who_needs_one_at_the_same_time_waits_for_the_one_who_asks(desk: Desk) -> None:
    desk.bank.slow = asyncio.Event()
    processes = [desk.process(name) for name in "abcd"]
    calls = [asyncio.create_task(desk.bank.call(process)) for process in processes]
    await settle()
    assert desk.bank.asking == 1
    desk.bank.slow.set()
    await advance(desk.virtual, 1)
    assert [await call for call in calls] == [True] * 4
    assert desk.bank.given == 1


async def test_a_refused_token_is_replaced_once_for_all(desk: Desk) -> None:
    processes = [desk.process(name) for name in "abcd"]
    for process in processes:
        assert await desk.bank.call(process)
    desk.bank.revoke()
    calls = asyncio.gather(*(desk.bank.call(process) for process in processes))
    await advance(desk.virtual, 1)
    assert await calls == [True] * 4
    assert desk.bank.given == 2


async def test_a_token_that_another_renewed_is_found_before_one_is_asked_for(desk: Desk) -> None:
    first, second = desk.process("a"), desk.process("b")
    assert await desk.bank.call(second)
    fresh = await first.fresh()  # before money moves
    assert fresh == Token("token-2", LIFE_S)
    assert await second.replacement_for("token-1") == fresh
    assert await second.cached() == fresh
    assert desk.bank.given == 2


async def test_a_fresh_one_is_never_the_old_one(desk: Desk) -> None:
    first, second = desk.process("a"), desk.process("b")
    for process, number in ((first, 1), (second, 2), (second, 3), (first, 4)):
        assert await process.fresh() == Token(f"token-{number}", LIFE_S)


async def test_one_that_expires_soon_is_renewed(desk: Desk) -> None:
    first, second = desk.process("a"), desk.process("b")
    assert await desk.bank.call(first)
    await advance(desk.virtual, LIFE_S - REFRESH_BEFORE.total_seconds() - 1)
    assert await second.cached() == Token("token-1", int(REFRESH_BEFORE.total_seconds()) + 1)
    await advance(desk.virtual, 1)
    assert await second.cached() == Token("token-2", LIFE_S)
    assert await desk.bank.call(first)
    assert desk.bank.given == 2


async def test_whose_process_ended_asks_no_longer_after_a_while(desk: Desk) -> None:
    desk.bank.slow = asyncio.Event()  # as if it had died on the way
    dead = asyncio.create_task(desk.process("dead").cached())
    await settle()
    desk.bank.slow = None
    living = desk.process("living")
    waited = await run(desk.virtual, living.cached())
    assert waited == NotSent("another process has been asking for a token for too long")
    assert desk.bank.given == 0
    await advance(desk.virtual, RENEWAL_MAX.total_seconds() - WAIT_MAX_S)
    assert await living.cached() == Token("token-1", LIFE_S)
    dead.cancel()


async def test_who_was_taken_for_dead_keeps_nothing_over_a_newer_one(desk: Desk) -> None:
    desk.bank.slow = held = asyncio.Event()
    late = asyncio.create_task(desk.process("late").cached())
    await settle()
    desk.bank.slow = None
    await advance(desk.virtual, RENEWAL_MAX.total_seconds() + 1)
    other = desk.process("other")
    assert await other.cached() == Token("token-1", LIFE_S)
    held.set()
    assert await late == Token("token-2", LIFE_S)
    stored = await desk.keeper("x").newest()
    assert stored == Token("token-1", LIFE_S)
    assert await desk.bank.call(other)  # refused, so it asks for another


async def test_after_a_bank_that_gives_none_the_next_may_ask_at_once(desk: Desk) -> None:
    desk.bank.gives = False
    assert await desk.process("a").cached() == NotSent("the bank gives none")
    desk.bank.gives = True
    assert await desk.process("b").cached() == Token("token-1", LIFE_S)


async def test_tokens_of_other_credentials_are_apart(desk: Desk) -> None:
    assert await desk.process("a").cached() == Token("token-1", LIFE_S)
    other = desk.process("b", name="bank 2")
    assert await other.cached() == Token("token-2", LIFE_S)


async def test_it_is_stored_sealed_and_one_that_no_key_opens_is_none(desk: Desk) -> None:
    assert await desk.bank.call(desk.process("a"))

    def raw(tx: StoreTx) -> str:
        return str(connection(tx).execute("SELECT * FROM bank_tokens").fetchall())

    assert "token-1" not in await desk.database.read(raw)
    assert await desk.keeper("b").newest() is not None
    assert await desk.keeper("b", keys={"2": bytes([7] * 32)}).newest() is None


async def test_without_the_database_nobody_is_asked(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("the database is away")

    monkeypatch.setattr(desk.database, "read", away)
    monkeypatch.setattr(desk.database, "write", away)
    answer = await desk.process("a").cached()
    assert answer == NotSent("no token without the database: the database is away")
    assert desk.bank.given == 0


async def test_a_token_that_cannot_be_kept_is_used_all_the_same(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.bank.slow = asyncio.Event()
    asked = asyncio.create_task(desk.process("a").cached())
    await settle()

    async def away(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("the database is away")

    monkeypatch.setattr(desk.database, "write", away)
    desk.bank.slow.set()
    assert await asked == Token("token-1", LIFE_S)
