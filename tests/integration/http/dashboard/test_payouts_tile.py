"""What the dashboard shows of payouts: states, what was paid and charged, how long floats last."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from bot.simulation.faults import parse_fault
from tests.integration.http.dashboard.test_tiles import see, tile
from tests.kit.dashboard_desk import Browser, DashboardDesk
from tests.kit.measured_desk import get

DAY_S = 24 * 3600


@pytest.fixture
async def browser(desk: DashboardDesk) -> AsyncIterator[Browser]:
    await desk.add_partner()
    await desk.has_float(20_000)
    browser = await desk.signed_in()
    yield browser
    await browser.aclose()


async def partner_page(browser: Browser) -> str:
    page = await browser.get("/dashboard/partners/FINSAFE")
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


async def test_a_desk_without_payouts_has_no_rate(desk: DashboardDesk, browser: Browser) -> None:
    payouts = await see(desk, browser, "payouts")
    assert "Paid out, KES 0.00 M-PESA's charges, KES 0.00" in payouts
    assert "Float available, KES 20,000.00 Float lasts no payouts in 7 days" in payouts
    assert "None yet today." in payouts
    assert "Float lasts no payouts in 7 days" in await partner_page(browser)


async def test_payouts_are_counted_by_state_with_words_of_their_own(
    desk: DashboardDesk, browser: Browser
) -> None:
    await desk.pay(1_000)
    await desk.pay(2_000)
    await desk.pay(300, "fails 2040")
    payouts = await see(desk, browser, "payouts")
    assert "Begun 3 Paid 2 Success 66.7 % Median time 3 s" in payouts
    assert "paid succeeded 2" in payouts
    assert "not paid ended without money 1" in payouts
    assert "Paid out, KES 3,000.00 M-PESA's charges, KES 14.00" in payouts
    page = await browser.get("/dashboard")
    assert "M-PESA, for charges 14.00 0.00" in tile(page, "balances").replace("&#39;", "'")


async def test_a_float_lasts_as_long_as_the_week_says(
    desk: DashboardDesk, browser: Browser
) -> None:
    await desk.pay(5_000)  # 5,009 with its charge
    payouts = await see(desk, browser, "payouts")
    assert "Float available, KES 14,991.00 Float lasts 21 days" in payouts
    assert "Float lasts 21 days" in await partner_page(browser)
    await desk.world.advance(DAY_S)
    payouts = await see(desk, browser := await desk.signed_in(), "payouts")
    assert "Paid out, KES 0.00 M-PESA's charges, KES 0.00" in payouts
    assert "Float lasts 21 days" in payouts
    assert "Paid out today 0.00 M-PESA's charges 0.00" in await partner_page(browser)
    await desk.world.advance(7 * DAY_S)
    payouts = await see(desk, browser := await desk.signed_in(), "payouts")
    assert "Float lasts no payouts in 7 days" in payouts
    assert "Float lasts no payouts in 7 days" in await partner_page(browser)


async def test_what_is_held_for_a_payout_does_not_count_as_available(
    desk: DashboardDesk, browser: Browser
) -> None:
    await desk.pay(1_000, "silent")
    payouts = await see(desk, browser, "payouts")
    assert "Float available, KES 18,995.00" in payouts
    told = await partner_page(browser)
    assert "Float 20,000.00 Float available 18,995.00" in told
    assert re.search(r"PO-\w{6} [^<]* 1,000.00 with M-PESA", told), told


async def test_a_pause_of_all_payouts_stands_first(desk: DashboardDesk, browser: Browser) -> None:
    await desk.pay(1_000, "fails 1")
    payouts = await see(desk, browser, "payouts")
    assert re.search(
        r"! all paused since .* the short code's account", payouts.replace("&#39;", "'")
    )
    assert "/payouts" in payouts


async def test_payouts_are_measured_by_their_kind(desk: DashboardDesk, browser: Browser) -> None:
    await desk.pay(1_000)
    await desk.pay(700, "fails 2040")
    desk.world.daraja.arm(parse_fault("garbage"), "payout")
    desk.world.daraja.arm(parse_fault("garbage"), "payout-status", 9)
    await desk.pay(800, "silent")
    measured = (await get(desk.world, "/metrics")).text
    for state in ("PAID", "RETURNED", "UNKNOWN"):
        assert f'hazina_outcomes_total{{kind="disbursement",state="{state}"}} 1.0' in measured
    assert 'hazina_operations_open{kind="disbursement",state="UNKNOWN"} 1.0' in measured
    assert "not known yet 1 under a minute" in await see(desk, browser, "queues")
