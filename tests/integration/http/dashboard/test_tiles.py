"""What each tile shows of a desk, and that only what has changed is sent again."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bot.http.dashboard.tiles.table import TILES
from bot.simulation.ncba.handsets import Handset
from services.domain.ledger import Account, Phase, Transfer, TransferCode
from services.domain.ledger import AccountKind as Kind
from services.domain.money import Money
from storage.transaction import StoreTx
from tests.kit.dashboard_desk import Browser, DashboardDesk

NAMES = [tile.name for tile in TILES]


@pytest.fixture
async def browser(desk: DashboardDesk) -> AsyncIterator[Browser]:
    await desk.add_partner()
    browser = await desk.signed_in()
    yield browser
    await browser.aclose()


def tile(page: httpx.Response, name: str) -> str:
    """Its text, without marks and with single blanks."""
    found = re.search(rf'<section class="tile" id="tile-{name}".*?</section>', page.text, re.DOTALL)
    assert found is not None, name
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0]))


async def see(desk: DashboardDesk, browser: Browser, name: str) -> str:
    await desk.world.advance(3)  # older than what all share
    return tile(await browser.get("/dashboard"), name)


async def test_every_tile_has_a_heading_that_names_it(browser: Browser) -> None:
    page = (await browser.get("/dashboard")).text
    for name in NAMES:
        assert f'aria-labelledby="tile-{name}-title"' in page
        assert f'<h2 id="tile-{name}-title">' in page
    assert page.count("<table") == page.count("<caption")


async def test_nothing_is_stuck_at_first(desk: DashboardDesk, browser: Browser) -> None:
    assert "No operation, payment or day waits for an admin" in await see(desk, browser, "stuck")


async def test_what_nobody_knows_the_end_of_stands_first(
    desk: DashboardDesk, browser: Browser
) -> None:
    reference = await desk.top_up(1_777, fault="timeout-before")
    await desk.world.advance(300)
    stuck = await see(desk, browser, "stuck")
    assert "! 1 to look at" in stuck
    assert "it may or may not have been sent 1 1,777.00 5 min" in stuck
    assert f"{reference} FINSAFE 1,777.00 not known yet" in stuck
    assert f"/resolve {reference}" in stuck
    page = await browser.get("/dashboard")
    assert page.text.index("tile-stuck") < page.text.index("tile-today")
    assert f'href="/dashboard/operations/{reference}"' in page.text


async def test_a_late_payment_is_named(desk: DashboardDesk, browser: Browser) -> None:
    reference = await desk.top_up(600, Handset.CANCELS)
    await desk.is_paid(600, reference)
    stuck = await see(desk, browser, "stuck")
    assert re.search(rf"Paid after it had been called not paid.*{reference} FINSAFE 600.00", stuck)


async def test_a_payment_of_nobody_is_named(desk: DashboardDesk, browser: Browser) -> None:
    await desk.is_paid(1_250, "WHO KNOWS")
    stuck = await see(desk, browser, "stuck")
    assert "unmatched payment 1 1,250.00" in stuck
    assert re.search(r"/resolve PB-\w{6}", stuck)


async def test_today_is_counted_by_kind_and_state(desk: DashboardDesk, browser: Browser) -> None:
    await desk.top_up(1_000, Handset.PAYS)
    await desk.top_up(2_000, Handset.PAYS)
    await desk.top_up(500, Handset.CANCELS)
    await desk.top_up(700)
    today = await see(desk, browser, "today")
    assert "Begun 4 Succeeded 2 Success 66.7 %" in today
    assert "received succeeded 2 " in today
    assert "not paid ended without money 1 " in today
    page = (await browser.get("/dashboard")).text
    drawn = "Top-ups: 2 succeeded, 1 under way, 1 ended without money"
    assert f'role="img" aria-label="{drawn}"' in page
    await desk.world.advance(24 * 3600)
    assert "Top-ups None yet." in await see(desk, await desk.signed_in(), "today")


async def test_the_books_and_the_audit_log_are_examined(
    desk: DashboardDesk, browser: Browser
) -> None:
    await desk.top_up(1_000, Handset.PAYS)
    safety = await see(desk, browser, "safety")
    assert "Books ✓ balanced" in safety
    assert "Audit log ✓ whole" in safety
    (head,) = await desk.world.app.database.read(lambda tx: tx.audit.newest(1))
    assert head.hash in safety

    def tamper(tx: StoreTx) -> None:
        tx.conn.execute("DROP TRIGGER audit_log_no_update")
        tx.conn.execute("DROP TRIGGER accounts_move_by_transfer")
        tx.conn.execute("UPDATE audit_log SET about = 'nobody'")
        tx.conn.execute("UPDATE accounts SET credits_posted = credits_posted + 5")

    await desk.world.app.database.write(tamper)
    safety = await see(desk, browser, "safety")
    assert "Books ✗ OUT OF BALANCE" in safety
    assert "Audit log ✗ BROKEN" in safety


async def test_backups_and_their_drill_are_dated(tmp_path: Path) -> None:
    desk = await DashboardDesk.open(tmp_path, backups_kept=2)
    try:
        for job in ("backup", "drill"):
            await desk.world.run_job(job)
        browser = await desk.signed_in()
        safety = await see(desk, browser, "safety")
        assert "Last backup ✓ under a minute ago" in safety
        assert "Last restore drill ✓ Mon 2 Mar 2026" in safety
    finally:
        await desk.close()


async def test_what_is_held_is_compared_with_what_is_owed(
    desk: DashboardDesk, browser: Browser
) -> None:
    await desk.is_paid(1_250, "WHO KNOWS")
    balances = await see(desk, browser, "balances")
    assert "Collection account 1,450.00 1,450.00 0.00 ✓ yes 0.00 nothing was spent" in balances
    assert "Wallets 200.00 0.00" in balances
    assert "Suspense: nobody's yet 1,250.00 0.00" in balances.replace("&#39;", "'")

    def spend(tx: StoreTx) -> None:
        for debit, credit in ((Kind.WALLET, Kind.FLOAT), (Kind.B2C_UTILITY, Kind.COLLECTION)):
            accounts = Account("FINSAFE", debit), Account("FINSAFE", credit)
            leg = f"FL-1:{credit}"
            tx.ledger.book(
                Transfer(leg, "FL-1", Phase.SINGLE, *accounts, Money(50_00), TransferCode.FLOAT)
            )

    await desk.world.app.database.write(spend)
    balances = await see(desk, browser, "balances")
    assert "Collection account 1,400.00 1,400.00 0.00 ✓ yes 50.00 28 d 0 h" in balances
    assert "B2C utility account 50.00 50.00 0.00 ✓ yes 0.00 nothing was spent" in balances


async def test_channels_tell_of_delays_and_refusals(desk: DashboardDesk, browser: Browser) -> None:
    desk.world.terminal.fail_next("429:5")
    await desk.say("/balance", "1")
    channels = await see(desk, browser, "channels")
    assert re.search(r"terminal 1, first for under a minute \d+ 1 0 0 0", channels)
    await desk.top_up(500, Handset.PAYS)
    channels = await see(desk, browser, "channels")
    assert re.search(r"terminal none \d+ 1 0 0 0", channels)
    assert "sending the prompt: accepted 1" in channels
    assert "✓ none failed" in channels
    desk.world.terminal.fail_next("403")
    await desk.say("/balance", "1")
    assert re.search(r"terminal none \d+ 1 1 0 1", await see(desk, browser, "channels"))


async def test_queues_tell_what_waits_and_what_fails(desk: DashboardDesk, browser: Browser) -> None:
    await desk.top_up(500)
    queues = await see(desk, browser, "queues")
    assert "✓ nothing is stuck" in queues
    assert "waiting for the payment 1 under a minute" in queues
    assert "Background jobs (19)" in queues
    desk.world.app.jobs.states["backup"].failures = 3
    desk.world.app.jobs.states["backup"].error = "OSError"
    queues = await see(desk, browser, "queues")
    assert "1 failing" in queues
    assert "3 (OSError)" in queues


async def test_screens_tell_where_people_leave(desk: DashboardDesk, browser: Browser) -> None:
    await desk.top_up(500, Handset.PAYS)
    for line in ("/topup", "700"):
        await desk.say(line, "1")
    await desk.world.advance(300)
    await see(desk, browser, "dropoff")  # has them counted
    await desk.world.settle()
    left = await see(desk, browser, "dropoff")
    assert "Top up amount 2 100.0 % which phone 2 100.0 % confirmation 1 50.0 %" in re.sub(
        r" Screen .*? As a bar", "", left
    )


async def test_only_what_has_changed_is_sent_again(desk: DashboardDesk, browser: Browser) -> None:
    page = await browser.get("/dashboard")
    seen = re.findall(r'name="seen" value="([^"]+)"', page.text)
    assert [one.partition(":")[0] for one in seen] == NAMES
    same = await browser.get("/dashboard/changes", params={"seen": seen})
    assert (same.status_code, same.text) == (204, "")
    await desk.top_up(1_777, fault="timeout-before")
    changed = await browser.get("/dashboard/changes", params={"seen": seen})
    swapped = re.findall(r'id="tile-(\w+)" [^>]*hx-swap-oob="true"', changed.text)
    assert {"stuck", "today"} <= {*swapped}
    assert "safety" not in swapped


async def test_many_who_look_are_one_reading(desk: DashboardDesk, browser: Browser) -> None:
    reads = 0
    first, read = TILES[0], TILES[0].read

    def counted(*given: object) -> object:
        nonlocal reads
        reads += 1
        return read(*given)  # type: ignore[arg-type]

    object.__setattr__(first, "read", counted)
    try:
        for _ in range(20):
            await browser.get("/dashboard")
    finally:
        object.__setattr__(first, "read", read)
    assert reads == 1


async def test_a_page_held_still_fetches_nothing(browser: Browser) -> None:
    assert "hx-get" in (await browser.get("/dashboard")).text
    still = (await browser.get("/dashboard?still=1")).text
    assert "hx-get" not in still
    assert "<script" not in still
