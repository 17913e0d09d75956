"""Which days are compared with the bank's statement, which are compared again, and what admins are
told when no statement can be had."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from bot.jobs.reconciliation import OPEN_DAYS_MAX, RECENT_DAYS
from bot.simulation.ncba.statements import StatementDefect
from bot.simulation.opening_balances import add_partner
from bot.simulation.world import World
from services import payments
from services.domain.bank import NoAnswer
from services.domain.bank_line import BankLine
from services.domain.business_days import business_day
from services.domain.ledger import Account, AccountKind
from services.domain.money import Money
from services.domain.partner import Partner, Role
from services.domain.payment import Payer, Payment
from services.domain.phone import Phone
from services.domain.reconciliation import FindingKind, ReconciliationDay
from storage.transaction import StoreTx

AMOUNT = Money(50_000)
RECEIPT = "UC2FIRST01"
PAYER = "254733345678"
DAY_S = 86_400


class Statements:
    """``services.ports.BankStatements`` that holds the lines a test sets; other days have none."""

    def __init__(self) -> None:
        self.by_day: dict[date, Sequence[BankLine] | NoAnswer] = {}

    async def lines(self, day: date) -> Sequence[BankLine] | NoAnswer:
        return self.by_day.get(day, ())


class ReconciliationRun:
    def __init__(self, world: World) -> None:
        self.world = world
        self.bank = world.app.reconciliation.bank = Statements()
        self.today = business_day(world.clock.now())

    async def mornings(self, count: int) -> None:
        for _ in range(count):
            await self.world.advance(DAY_S)
            await self.world.run_job("reconciliation")

    def has_line(self, day: date) -> None:
        words = (RECEIPT, "FINSAFE", f"{PAYER} ASHA")
        self.bank.by_day[day] = [BankLine.of(day, AMOUNT, words, is_credit=True)]

    async def is_told(self, days_ago: int) -> None:
        """Record a payment made ``days_ago`` days ago, known from a notification."""
        paid_at = self.world.clock.now() - timedelta(days=days_ago)
        paid = Payment(RECEIPT, AMOUNT, paid_at, "FINSAFE", Payer(PAYER), "ncba.notification")
        await self.world.app.database.write(lambda tx: payments.record(tx, self.world.random, paid))

    async def day(self, day: date) -> ReconciliationDay | None:
        return await self.world.app.database.read(lambda tx: tx.reconciliations.day(day))

    async def wallet(self) -> Money:
        account = Account("FINSAFE", AccountKind.WALLET)
        balance = await self.world.app.database.read(lambda tx: tx.ledger.balance(account))
        return balance.posted

    async def notices(self) -> list[str]:
        """Return the notices to admins about statements that could not be had."""

        def look(tx: StoreTx) -> list[str]:
            rows = tx.conn.execute("SELECT text FROM outbox WHERE kind = 'notice' ORDER BY id")
            return [text for (text,) in rows if "no statement" in text]

        return await self.world.app.database.read(look)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path, threads=False)
    admins = {"admin_ids": frozenset({"900"})}
    world.settings = world.settings.model_copy(update=admins)
    await world.open()
    finsafe = Partner("FINSAFE")
    await world.app.database.write(lambda tx: add_partner(tx, finsafe, Money(0), Money(0)))
    yield world
    await world.close()


@pytest.fixture
def run(world: World) -> ReconciliationRun:
    return ReconciliationRun(world)


@pytest.mark.parametrize("days", [RECENT_DAYS + 1, OPEN_DAYS_MAX])
async def test_a_line_that_comes_after_weeks_closes_its_day(world: World, days: int) -> None:
    day = business_day(world.clock.now())
    world.bank.statements.defects.append(StatementDefect.MISSING)
    world.notify(world.bank.paybill.notify(PAYER, Money(250_000), "FINSAFE"))
    await world.advance(DAY_S)
    left = await _standing(world, day)
    assert left is not None
    assert left.closed_at is None
    await world.advance((days - 1) * DAY_S)
    world.bank.statements.defects.clear()
    found = await _standing(world, day)
    assert found is not None
    assert found.closed_at is not None


async def _standing(world: World, day: date) -> ReconciliationDay | None:
    await world.run_job("reconciliation")
    return await world.app.database.read(lambda tx: tx.reconciliations.day(day))


async def test_a_line_that_the_bank_posts_late_is_read_though_its_day_was_closed(
    run: ReconciliationRun,
) -> None:
    await run.mornings(1)
    closed = await run.day(run.today)
    assert closed is not None
    assert closed.closed_at is not None
    run.has_line(run.today)
    await run.mornings(1)
    assert await run.wallet() == AMOUNT


async def test_a_payment_that_is_told_for_a_closed_day_opens_it_again(
    run: ReconciliationRun,
) -> None:
    await run.mornings(1)
    await run.is_told(days_ago=1)
    await run.mornings(1)
    opened = await run.day(run.today)
    assert opened is not None
    assert opened.closed_at is None
    assert [found.kind for found in opened.findings] == [FindingKind.NOT_ON_STATEMENT]


async def test_a_day_that_was_opened_again_is_looked_at_whenever_that_is(
    run: ReconciliationRun,
) -> None:
    await run.mornings(6)
    await run.is_told(days_ago=6)
    await run.world.advance(RECENT_DAYS * DAY_S)  # the reconciliation job does not run meanwhile
    await run.mornings(1)
    opened = await run.day(run.today)
    assert opened is not None
    assert [found.kind for found in opened.findings] == [FindingKind.NOT_ON_STATEMENT]


async def test_today_is_not_closed_by_a_statement_of_its_morning(run: ReconciliationRun) -> None:
    compared = await run.world.app.reconciliation.day(run.today, "file", [])
    assert compared.closed_at is None
    run.has_line(run.today)
    await run.mornings(1)
    closed = await run.day(run.today)
    assert closed is not None
    assert closed.closed_at is not None
    assert await run.wallet() == AMOUNT


async def test_a_day_without_a_readable_statement_holds_up_no_other(run: ReconciliationRun) -> None:
    run.bank.by_day[run.today] = NoAnswer("line 3 of 9")
    run.has_line(run.today + timedelta(days=1))
    await run.mornings(2)
    assert await run.wallet() == AMOUNT
    left = await run.day(run.today)
    assert left is not None
    assert left.closed_at is None


async def test_admins_hear_once_a_day_of_days_without_a_statement(run: ReconciliationRun) -> None:
    run.bank.by_day[run.today] = NoAnswer("line 3 of 9")
    await run.mornings(1)
    told = await run.notices()
    assert told
    assert all("2 Mar 2026" in text for text in told)
    await run.world.run_job("reconciliation")
    assert await run.notices() == told
    await run.mornings(1)
    assert len(await run.notices()) == 2 * len(told)


async def test_without_open_banking_nobody_is_asked_and_a_file_closes_the_day(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, threads=False)
    changed = {"openbanking_base_url": None, "admin_ids": frozenset({"900"})}
    world.settings = world.settings.model_copy(update=changed)
    await world.open()
    try:
        day = business_day(world.clock.now())
        await world.advance(2 * DAY_S)
        assert await world.app.database.read(lambda tx: tx.reconciliations.newest(1)) == []
        assert (await world.app.reconciliation.day(day, "file", [])).closed_at is not None
        assert "reconciliation" not in world.app.jobs.names
    finally:
        await world.close()


async def test_no_day_of_a_long_outage_is_forgotten(run: ReconciliationRun) -> None:
    for days in range(-10, 12):
        run.bank.by_day[run.today + timedelta(days=days)] = NoAnswer("HTTP 503")
    await run.mornings(10)
    run.bank.by_day.clear()
    run.has_line(run.today)
    await run.mornings(1)
    assert await run.wallet() == AMOUNT


async def test_days_through_which_the_desk_itself_stood_still_are_made_up_for(
    run: ReconciliationRun,
) -> None:
    await run.mornings(1)
    missed = run.today + timedelta(days=1)
    run.has_line(missed)
    await run.world.advance(RECENT_DAYS * DAY_S)  # the reconciliation job does not run meanwhile
    assert await run.day(missed) is None
    await run.mornings(1)
    assert await run.day(missed) is not None
    assert await run.wallet() == AMOUNT


# Messages about a payment known only from the statement


async def _heard(run: ReconciliationRun) -> list[tuple[str, str]]:
    """Return address and text of each message about a payment on yesterday's statement."""
    run.has_line(run.today)
    await run.mornings(1)

    def look(tx: StoreTx) -> list[tuple[str, str]]:
        return tx.conn.execute(
            "SELECT address, text FROM outbox WHERE text LIKE '%has come to FINSAFE%' ORDER BY id"
        ).fetchall()

    return await run.world.app.database.read(look)


async def _has(run: ReconciliationRun, role: Role, address: str | None) -> None:
    def add(tx: StoreTx) -> None:
        phone = Phone(f"25471000000{len(tx.people.of('FINSAFE'))}")
        person = tx.people.add_person("FINSAFE", role, role, phone, None, "en")
        if address is not None:
            tx.people.link("terminal", address, person)

    await run.world.app.database.write(add)


async def test_owners_hear_of_the_day_and_of_no_moment_that_nobody_knows(
    run: ReconciliationRun,
) -> None:
    await _has(run, Role.OWNER, "1")
    await _has(run, Role.OPERATOR, "2")
    ((address, text),) = await _heard(run)
    assert address == "1"
    assert "2 Mar 2026." in text


async def test_others_of_the_partner_hear_where_no_owner_has_an_account(
    run: ReconciliationRun,
) -> None:
    await _has(run, Role.OWNER, None)
    await _has(run, Role.OPERATOR, "2")
    assert [address for address, _ in await _heard(run)] == ["2"]


async def test_admins_hear_where_nobody_of_the_partner_has_an_account(
    run: ReconciliationRun,
) -> None:
    assert [address for address, _ in await _heard(run)] == ["900"]
