"""Several processes on one database: nothing is lost, done twice, or waited for for ever."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import psycopg
import pytest

from services import partners
from services.domain.database import (
    DatabaseFailed,
    DatabaseInUse,
    DatabaseServer,
    DatabaseUnavailable,
    leading,
)
from services.domain.lease import Lease
from services.domain.ledger import Account, AccountKind, Phase, Transfer, TransferCode
from services.domain.money import Money
from services.domain.partner import Partner
from services.domain.session import SessionRow
from storage import invariants
from storage.locks import LockKind
from storage.postgres import membership
from storage.postgres.connection import PostgresConnection
from storage.postgres.database import Database
from storage.postgres.engine import stored_secrets
from storage.postgres.faults import CommitUnknown, ConnectionLost, as_future_error
from storage.postgres.membership import Membership
from storage.postgres.primary import PORT, Primary
from storage.postgres.server import SERVE_ALONE, SERVING, connect, is_true
from storage.postgres.simulated import ServedDatabase
from storage.postgres.statements import as_sent
from storage.stores import claims
from storage.transaction import StoreTx

pytestmark = pytest.mark.postgres

# What a process does that holds a lock.
HOLD = "SELECT pg_advisory_xact_lock(hashtextextended(%s, hashtext(current_schema())))"


def now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def processes(served: ServedDatabase, count: int) -> AsyncIterator[list[Database]]:
    """Each is what a process has: its own connections, threads and caches."""
    opened = [await Database.open(served.address, now, shared=True) for _ in range(count)]
    try:
        yield opened
    finally:
        for database in opened:
            await database.close()


def backends(dsn: str, name: str) -> list[int]:
    """The server's processes of connections with this name."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        rows = conn.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = %s ORDER BY backend_start",
            (f"hazina {name}",),
        )
        return [pid for (pid,) in rows]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not condition():  # noqa: ASYNC110 - it is about what other threads do
            await asyncio.sleep(0.02)


# Locks ---------------------------------------------------------------------------------------


async def test_a_conversation_that_two_processes_write_loses_no_turn(
    served: ServedDatabase,
) -> None:
    def turn(tx: StoreTx) -> None:
        row = tx.sessions.load("telegram", "1")
        number = 0 if row is None else row.turn
        tx.sessions.save("telegram", "1", SessionRow(number + 1, None, None, "{}", None))

    async with processes(served, 2) as both:
        await asyncio.gather(*(database.write(turn) for database in both for _ in range(60)))
        row = await both[0].read(lambda tx: tx.sessions.load("telegram", "1"))
    assert row is not None
    assert row.turn == 120


def spend(code: str, number: str) -> Callable[[StoreTx], bool]:
    """Takes 10 of the wallet unless less is there, as every use case does: it looks, then books."""

    def work(tx: StoreTx) -> bool:
        tx.ledger._locks.take(LockKind.PARTNER, code)
        wallet = Account(code, AccountKind.WALLET)
        if tx.ledger.balance(wallet).available.cents < 10_00:
            return False
        tx.ledger.book(
            Transfer(
                id=number,
                operation=number,
                phase=Phase.SINGLE,
                debit=wallet,
                credit=Account(code, AccountKind.ADJUSTMENT),
                amount=Money(10_00),
                code=TransferCode.ADJUSTMENT,
                pending_id=None,
            )
        )
        return True

    return work


def filled(*codes: str, cents: int) -> Callable[[StoreTx], None]:
    def fill(tx: StoreTx) -> None:
        for code in codes:
            tx.ledger._locks.take(LockKind.PARTNER, code)
            partners.add(tx, Partner(code))
            tx.ledger.book(
                Transfer(
                    id=f"opening-{code}",
                    operation=f"opening-{code}",
                    phase=Phase.SINGLE,
                    debit=Account(code, AccountKind.ADJUSTMENT),
                    credit=Account(code, AccountKind.WALLET),
                    amount=Money(cents),
                    code=TransferCode.OPENING,
                    pending_id=None,
                )
            )

    return fill


async def test_what_two_processes_find_in_a_wallet_is_spent_once(served: ServedDatabase) -> None:
    async with processes(served, 2) as both:
        await both[0].write(filled("DUKA", cents=500_00))
        spent = await asyncio.gather(
            *(
                database.write(spend("DUKA", f"{n}-{m}"))
                for n, database in enumerate(both)
                for m in range(40)
            )
        )
        balance = await both[1].read(
            lambda tx: tx.ledger.balance(Account("DUKA", AccountKind.WALLET))
        )
    assert spent.count(True) == 50
    assert balance.available.cents == 0


async def test_partners_that_cross_do_not_wait_for_each_other_for_ever(
    served: ServedDatabase,
) -> None:
    codes = [f"P{n}" for n in range(6)]
    async with processes(served, 3) as all_three:
        await all_three[0].write(filled(*codes, cents=10_000_00))
        began = time.monotonic()
        spent = await asyncio.gather(
            *(
                database.write(spend(code, f"{n}-{m}-{code}"))
                for n, database in enumerate(all_three)
                for m in range(15)
                for code in (codes if n % 2 else codes[::-1])
            )
        )
        took = time.monotonic() - began
        wrong = await all_three[0].read(
            lambda tx: [
                words
                for name, words in invariants.violations_by_invariant(tx.conn)
                if name == "ledger"
            ]
        )
    assert all(spent)
    assert wrong == []
    assert took < 20  # a deadlock is noticed after a second, and there would be dozens


async def test_who_writes_what_they_read_without_its_lock_runs_again(
    served: ServedDatabase,
) -> None:
    ran = []

    def careless(tx: StoreTx) -> int:
        ran.append(1)
        balance = tx.ledger.balance(Account("DUKA", AccountKind.WALLET)).available.cents
        tx.ledger.book(
            Transfer(
                id="one",
                operation="one",
                phase=Phase.SINGLE,
                debit=Account("DUKA", AccountKind.WALLET),
                credit=Account("DUKA", AccountKind.ADJUSTMENT),
                amount=Money(10_00),
                code=TransferCode.ADJUSTMENT,
                pending_id=None,
            )
        )
        return balance

    async with processes(served, 1) as (alone,):
        await alone.write(filled("DUKA", cents=500_00))
        assert await alone.write(careless) == 500_00
    assert len(ran) == 2


async def test_one_poisoned_function_takes_nobody_with_it(served: ServedDatabase) -> None:
    def work(number: int, tx: StoreTx) -> int:
        tx.sessions.mark_handled("telegram", f"{number}")
        if number == 30:
            tx.conn.execute("SELECT 1 / 0")
        return number

    async with processes(served, 1) as (alone,):
        found = await asyncio.gather(
            *(alone.write(partial(work, n)) for n in range(60)), return_exceptions=True
        )
        count = await alone.read(
            lambda tx: tx.conn.execute("SELECT count(*) FROM events").fetchone()[0]
        )
    assert [n for n in found if isinstance(n, int)] == [n for n in range(60) if n != 30]
    assert count == 59


async def test_a_repeated_event_at_another_process_is_found_to_be_one(
    served: ServedDatabase,
) -> None:
    async with processes(served, 2) as both:
        first = await asyncio.gather(
            *(
                database.write(lambda tx, n=n: tx.sessions.mark_handled("telegram", f"{n}"))
                for n in range(40)
                for database in both
            )
        )
    assert first.count(True) == 40


# Who is there, and who leads ----------------------------------------------------------------


async def test_an_exclusive_desk_keeps_everybody_out(served: ServedDatabase) -> None:
    alone = await Database.open(served.address, now)
    try:
        with pytest.raises(DatabaseInUse):
            await Database.open(served.address, now, shared=True)
    finally:
        await alone.close()
    async with processes(served, 2):
        with pytest.raises(DatabaseInUse):
            await Database.open(served.address, now)


async def test_a_desk_that_is_started_again_waits_for_the_end_of_the_session_before(
    served: ServedDatabase,
) -> None:
    before = connect(served.address, "before")
    assert is_true(before, SERVE_ALONE, SERVING)
    ending = threading.Timer(0.3, before.close)
    ending.start()
    again = await Database.open(served.address, now)
    await again.close()
    ending.join()


async def test_one_leads_and_another_takes_over_when_it_stops(served: ServedDatabase) -> None:
    async with processes(served, 1) as (second,):
        first = await Database.open(served.address, now, shared=True)
        heard: list[bool] = []
        second.leading_changed = heard.append
        await first.join()
        await until(lambda: first.leads)
        await second.join()
        assert not second.leads
        assert len(second.others) == 1
        assert not second.sole_writer
        await first.close()
        await until(lambda: second.leads)
        await until(lambda: heard == [True])  # its thread tells the event loop afterwards
        await until(lambda: len(second.others) == 0)


def kill(database: Database) -> None:
    """It says nothing more, and yet has not left."""
    member = database._membership
    assert member is not None
    member._ending.set()
    member._leave = lambda: None  # type: ignore[method-assign]
    member._thread.join()


def cut_off(member: Membership, served: ServedDatabase) -> None:
    """It reaches the server no more; others are cut off for a moment, too."""

    def away() -> Any:
        raise psycopg.OperationalError("away")

    member._connection = away
    with psycopg.connect(served.address.dsn, autocommit=True) as conn:
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'hazina member'"
        )


async def test_who_was_silent_is_gone_and_who_leaves_is_not(
    served: ServedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership, "GONE_AFTER_S", 2.0)
    leaves = await Database.open(served.address, now, shared=True)
    async with processes(served, 3) as (first, second, killed):
        gone: list[str] = []
        for database in (first, second, killed, leaves):
            database.gone = gone.extend
            await database.join()
        await until(lambda: len(first.others) == 3)
        kill(killed)
        await leaves.close()
        await until(lambda: bool(gone))
        await until(lambda: [len(one.others) for one in (first, second)] == [1, 1])
        assert gone == [killed.process]


def named_late(served: ServedDatabase, monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """The nodes name a primary once so many questions have had no answer."""
    here = psycopg.conninfo.conninfo_to_dict(served.address.dsn)["host"]
    unanswered: list[None] = [None, None]

    def primary(urls: Sequence[str], port: int = PORT) -> Primary | None:
        return unanswered.pop() if unanswered else Primary(str(here), PORT)

    monkeypatch.setattr("storage.postgres.primary.find_primary", primary)
    monkeypatch.setattr("storage.postgres.primary.PAUSE_S", 0.05)
    return unanswered


async def test_a_start_in_a_failover_waits_for_the_new_primary(
    served: ServedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    unanswered = named_late(served, monkeypatch)
    address = DatabaseServer(served.address.dsn, ("http://10.0.0.11:8008",))
    database = await Database.open(address, now, shared=True)
    await database.close()
    assert unanswered == []
    unanswered += [None] * 100
    monkeypatch.setattr("storage.postgres.database.START_MAX_S", 0.2)
    with pytest.raises(DatabaseFailed, match="no node says that it is the primary"):
        await Database.open(address, now, shared=True)


def test_a_start_in_a_failover_waits_before_it_reads_the_secrets(
    served: ServedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    unanswered = named_late(served, monkeypatch)
    address = DatabaseServer(served.address.dsn, ("http://10.0.0.12:8008",))
    assert stored_secrets(address) == []
    assert unanswered == []
    unanswered += [None] * 100
    monkeypatch.setattr("storage.postgres.server.START_MAX_S", 0.2)
    with pytest.raises(DatabaseFailed, match="no node says that it is the primary"):
        stored_secrets(address)


async def test_nobody_is_gone_because_the_server_was_away(
    served: ServedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership, "GONE_AFTER_S", 3.0)
    monkeypatch.setattr(membership, "HEARD_AGAIN_S", 2.0)
    async with processes(served, 2) as (first, second):
        gone: list[str] = []
        first.gone = gone.extend
        await first.join()
        await second.join()
        await until(lambda: first.leads and len(first.others) == 1)
        kill(second)
        member = first._membership
        assert member is not None
        connects = member._connection
        cut_off(member, served)
        await until(lambda: not first.leads)
        await asyncio.sleep(3)
        member._connection = connects
        await until(lambda: first.leads)
        assert [one.id for one in first.others] == [second.process]
        assert gone == []
        await until(lambda: gone == [second.process])


async def test_a_leader_that_was_frozen_writes_nothing_more_as_one(
    served: ServedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership, "LEADS_FOR_S", 1.0)
    async with processes(served, 2) as (first, second):
        await first.join()
        await until(lambda: first.leads)
        token = leading.set(True)
        try:
            assert await first.write(lambda tx: 1) == 1
            frozen = first._membership
            assert frozen is not None
            epoch = frozen.epoch
            kill(first)
            await second.join()
            await until(lambda: second.leads)
            frozen.epoch, frozen._leads_until = epoch, time.monotonic() + 60  # as it believes
            with pytest.raises(DatabaseUnavailable, match="another process leads"):
                await first.write(lambda tx: 2)
            assert await second.write(lambda tx: 3) == 3
        finally:
            leading.reset(token)
        assert await first.write(lambda tx: 4) == 4  # what anybody may write


async def test_what_one_commits_the_other_is_notified_of(served: ServedDatabase) -> None:
    heard: list[frozenset[str] | None] = []
    async with processes(served, 2) as (first, second):
        second.elsewhere = heard.append
        for database in (first, second):
            await database.join()
        await until(lambda: len(first.others) == 1 and None in heard)  # it listens
        await first.write(lambda tx: tx.sessions.mark_handled("telegram", "1"))
        looks = heard.count(None)
        await until(lambda: frozenset() in heard)
        # At once: it has looked once meanwhile, if at all.
        assert heard[: heard.index(frozenset())].count(None) <= looks + 1


# Commits that nobody answered -----------------------------------------------------------------


class Cut:
    """Cuts the connection at a commit: before the server has it, or before its answer arrives."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, committed: bool) -> None:
        self.times = 0
        commit = PostgresConnection.commit

        def cut(conn: PostgresConnection) -> None:
            if self.times or not conn.has_changes:
                commit(conn)
                return
            self.times += 1
            if committed:
                commit(conn)
            else:
                conn.rollback()
            conn.close()
            raise CommitUnknown("cut")

        monkeypatch.setattr(PostgresConnection, "commit", cut)


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("shared", [True, False])
async def test_a_commit_without_an_answer_is_found_out_about(
    served: ServedDatabase, monkeypatch: pytest.MonkeyPatch, committed: bool, shared: bool
) -> None:
    ran: list[int] = []

    def work(number: int, tx: StoreTx) -> int:
        ran.append(number)
        assert tx.sessions.mark_handled("telegram", f"{number}")
        return number

    database = await Database.open(served.address, now, shared=shared)
    try:
        cut = Cut(monkeypatch, committed=committed)
        found = await asyncio.gather(*(database.write(partial(work, n)) for n in range(5)))
        assert cut.times == 1
        assert found == [0, 1, 2, 3, 4]  # told as if nothing had been
        assert (len(ran) == 5) == committed
        count = await database.read(
            lambda tx: tx.conn.execute("SELECT count(*) FROM events").fetchone()[0]
        )
        assert count == 5
    finally:
        await database.close()


async def test_a_connection_that_breaks_before_the_commit_loses_nothing(
    served: ServedDatabase,
) -> None:
    database = await Database.open(served.address, now)
    try:

        def broken(tx: StoreTx) -> None:
            tx.sessions.mark_handled("telegram", "1")
            pid = tx.conn.execute("SELECT pg_backend_pid()").fetchone()[0]
            with psycopg.connect(served.address.dsn, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s)", (pid,))
            tx.conn.execute("SELECT 1")

        with pytest.raises(DatabaseUnavailable):
            await database.write(broken)
        assert await database.write(lambda tx: tx.sessions.mark_handled("telegram", "1"))
    finally:
        await database.close()


async def test_readers_connect_again(served: ServedDatabase) -> None:
    async with processes(served, 1) as (database,):

        def count(tx: StoreTx) -> Any:
            return tx.conn.execute("SELECT count(*) FROM partners").fetchone()[0]

        assert await database.read(count) == 1
        with psycopg.connect(served.address.dsn, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name LIKE 'hazina reader%' AND datname = current_database()"
            )
        failed = 0
        for _ in range(4):  # each of the two finds out once
            try:
                await database.read(count)
            except DatabaseUnavailable:  # nothing else: people are then told to try again
                failed += 1
        assert failed <= 2
        assert await database.read(count) == 1


@pytest.mark.parametrize("lost", ["member", "writer"])
async def test_when_a_connection_was_lost_nobody_reads_on_another_from_before(
    lost: str, served: ServedDatabase
) -> None:
    """A leader that was replaced without noticing goes on answering those who only read."""

    def pid(tx: StoreTx) -> int:
        return int(tx.conn.execute("SELECT pg_backend_pid()").fetchone()[0])

    dsn = served.address.dsn
    async with processes(served, 1) as (database,):
        ticked = asyncio.Event()

        def says() -> str:
            ticked.set()
            return ""

        database.says = says
        await database.join()
        await ticked.wait()  # the connection of the start is closed
        before = {*backends(dsn, "reader 0"), *backends(dsn, "reader 1")}
        assert await database.read(pid) in before
        (broken,) = backends(dsn, lost)
        with psycopg.connect(dsn, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", (broken,))
        for _ in range(2):  # the first may find out, and the second connects
            with suppress(DatabaseUnavailable):
                await database.write(lambda tx: tx.people.partner("NOBODY"))
        await until(lambda: backends(dsn, lost) not in ([], [broken]))
        both = await asyncio.gather(database.read(pid), database.read(pid))
        assert before.isdisjoint(both)


async def test_a_read_without_a_server_can_be_tried_again(
    served: ServedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise psycopg.OperationalError("connection refused")

    def lost(tx: StoreTx) -> None:
        assert isinstance(tx.conn, PostgresConnection)
        tx.conn.close()
        tx.conn.execute("SELECT 1")

    async with processes(served, 1) as (database,):
        monkeypatch.setattr("storage.postgres.connection.PostgresConnection.connect", refused)
        with pytest.raises(DatabaseUnavailable, match="no connection"):
            await database.read(lost)
        with pytest.raises(DatabaseUnavailable, match="no connection"):
            await database.read(lost)  # on the other connection
        with pytest.raises(DatabaseUnavailable, match="refused"):
            await database.read(lost)
        monkeypatch.undo()
        assert await database.read(lambda tx: tx.people.partner("NOBODY")) is None


def test_what_may_have_been_committed_is_not_said_to_be_undone() -> None:
    assert not isinstance(as_future_error(CommitUnknown("no answer")), DatabaseUnavailable)


def test_a_lost_connection_is_told_from_a_refusal() -> None:
    assert not issubclass(ConnectionLost, psycopg.IntegrityError)


async def test_who_led_last_still_hears_people_while_the_server_is_away(
    served: ServedDatabase,
) -> None:
    async with processes(served, 2) as (first, second):
        await first.join()
        await until(lambda: first.leads)
        await second.join()
        await until(lambda: len(second.others) == 1)
        assert (first.follows, second.follows) == (False, True)
        assert first._membership is not None
        cut_off(first._membership, served)
        await until(lambda: not first.leads)
        assert not first.follows
        await until(lambda: second.leads)  # which was cut off only for a moment


async def test_a_process_that_is_alone_looks_at_what_others_may_have_left(
    served: ServedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.postgres.database.ALONE_EVERY", 2)
    looked: list[frozenset[str] | None] = []
    async with processes(served, 1) as (alone,):
        alone.elsewhere = looked.append
        await alone.join()
        await until(lambda: looked == [None])


# Claims --------------------------------------------------------------------------------------


def test_what_claims_read_skips_what_others_hold() -> None:
    assert as_sent(claims.TO_SEND).endswith("LIMIT $3 FOR UPDATE SKIP LOCKED")
    assert as_sent("SELECT 1") == "SELECT 1"


async def test_what_is_due_is_claimed_by_one_process(served: ServedDatabase) -> None:
    def begin(tx: StoreTx) -> None:
        tx.ledger._locks.take(LockKind.PARTNER, "DUKA")
        partners.add(tx, Partner("DUKA"))
        for number in range(30):
            tx.conn.execute(
                "INSERT INTO wallet_transactions (reference, partner, channel, address, language,"
                " type, state, standing, amount_cents, currency, phone, idempotency_key,"
                " created_at, due_at) VALUES (?, 'DUKA', 'telegram', '1', 'en', 'topup', 'CREATED',"
                " 'ready', 100, 'KES', '254712345678', ?, ?, ?)",
                (f"TU-{number}", f"key-{number}", tx.now_ms, tx.now_ms),
            )

    def claim(owner: str, tx: StoreTx) -> list[str]:
        return tx.claims.take("topup", Lease(owner, timedelta(seconds=60)), 7, 0)

    async with processes(served, 3) as all_three:
        await all_three[0].write(begin)
        found = await asyncio.gather(
            *(
                database.write(partial(claim, f"owner-{n}"))
                for _ in range(4)
                for n, database in enumerate(all_three)
            )
        )
    claimed = [reference for references in found for reference in references]
    assert len(claimed) == len(set(claimed)) == 30


# What must not be told wrongly ----------------------------------------------------------------


async def test_what_was_committed_is_told_though_the_others_cannot_be_notified(
    served: ServedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(conn: PostgresConnection, references: str) -> None:
        conn.close()
        raise ConnectionLost("cut")

    async with processes(served, 2) as both:
        for database in both:
            await database.join()
        await until(lambda: len(both[0].others) == 1)
        monkeypatch.setattr("storage.postgres.database._notify", fails)
        assert await both[0].write(lambda tx: tx.sessions.mark_handled("telegram", "1"))
        monkeypatch.undo()
        handled = await both[1].read(lambda tx: tx.sessions.is_handled("telegram", "1"))
        assert handled
        assert await both[0].write(lambda tx: 2) == 2  # it connects again


async def test_a_lock_that_is_held_for_long_holds_up_nobody_else(served: ServedDatabase) -> None:
    def at(code: str, tx: StoreTx) -> str:
        tx.ledger._locks.take(LockKind.PARTNER, code)
        return code

    async with processes(served, 1) as (database,):
        with psycopg.connect(served.address.dsn) as frozen:
            frozen.execute(HOLD, ("partner FROZEN",))
            stuck = asyncio.ensure_future(database.write(partial(at, "FROZEN")))
            await asyncio.sleep(0.3)
            others = [database.write(partial(at, f"P{n}")) for n in range(5)]
            async with asyncio.timeout(12):
                assert await asyncio.gather(*others) == [f"P{n}" for n in range(5)]
            assert not stuck.done()
        async with asyncio.timeout(12):
            assert await stuck == "FROZEN"


async def test_who_waits_at_a_leader_that_was_replaced_goes_to_the_new_one(
    served: ServedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    # By default, silence is looked into just when the wait for a lock ends: either may be first.
    monkeypatch.setattr("storage.postgres.connection.LOOK_EVERY_S", 30.0)

    def at(tx: StoreTx) -> int:
        tx.ledger._locks.take(LockKind.PARTNER, "FROZEN")
        return 1

    async with processes(served, 1) as (database,):
        raw = database._writer.raw
        raw._is_primary = lambda driver: False
        with psycopg.connect(served.address.dsn) as frozen:
            frozen.execute(HOLD, ("partner FROZEN",))
            async with asyncio.timeout(12):
                with pytest.raises(DatabaseUnavailable, match="another node"):
                    await database.write(at)
        raw._is_primary = lambda driver: True
        assert await database.write(at) == 1


async def test_who_is_not_answered_says_that_it_is_there_by_another_connection(
    served: ServedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine that was frozen, whose kernel keeps its connections."""
    monkeypatch.setattr("storage.postgres.database.SAID_WITHIN_S", 1.0)
    async with processes(served, 2) as (first, second):
        await first.join()
        await second.join()
        await until(lambda: first.leads and second.follows)
        await asyncio.sleep(0.5)  # each has the connection that it keeps
        frozen, _ = backends(served.address.dsn, "member")
        os.kill(frozen, signal.SIGSTOP)
        try:
            await until(lambda: len(backends(served.address.dsn, "member")) == 3)
            await until(lambda: (first.leads or second.leads) and len(second.others) == 1)
        finally:
            os.kill(frozen, signal.SIGCONT)
