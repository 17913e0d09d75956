"""A session lasts while its admin is one, uses it, and has opened no other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.simulation.opening_balances import add_partner
from services.domain.database import DatabaseUnavailable
from services.domain.money import Money
from services.domain.partner import Partner, Role
from storage.transaction import StoreTx
from tests.kit.dashboard_desk import ADMIN, OTHER_ADMIN, Browser, DashboardDesk
from tests.kit.plain_store import PHONE

REFRESH = {"hx-request": "true"}


async def is_open(browser: Browser) -> bool:
    return (await browser.get("/dashboard")).status_code == 200


async def test_without_a_session_the_page_says_where_links_come_from(desk: DashboardDesk) -> None:
    page = await desk.browser().get("/dashboard")
    assert page.status_code == 401
    assert "<code>/dashboard</code> in the chat" in page.text


async def test_it_ends_with_the_admins_right(desk: DashboardDesk) -> None:
    browser, other = await desk.signed_in(), await desk.signed_in(OTHER_ADMIN)
    context = desk.world.app.context
    left = tuple(admin for admin in context.admins if admin[1] != ADMIN)
    desk.world.app.context = replace(context, admins=left)
    assert not await is_open(browser)
    assert await is_open(other)
    desk.world.app.context = context
    assert not await is_open(browser), "it stays over when the right comes back"


async def test_a_link_made_before_the_right_went_opens_nothing(desk: DashboardDesk) -> None:
    link = await desk.link()
    desk.world.app.context = replace(desk.world.app.context, admins=())
    assert (await desk.browser().sign_in(link)).status_code == 403


async def test_it_ends_after_half_an_hour_without_a_page(desk: DashboardDesk) -> None:
    browser = await desk.signed_in()
    await desk.world.advance(29 * 60)
    assert await is_open(browser)
    await desk.world.advance(29 * 60)
    assert await is_open(browser)
    await desk.world.advance(30 * 60)
    assert not await is_open(browser)


async def test_what_refreshes_by_itself_does_not_prolong_it(desk: DashboardDesk) -> None:
    browser = await desk.signed_in()
    for _ in range(2):
        await desk.world.advance(14 * 60)
        answer = await browser.get("/dashboard/changes", headers=REFRESH)
        assert answer.status_code in (200, 204)
    await desk.world.advance(3 * 60)
    over = await browser.get("/dashboard/changes", headers=REFRESH)
    assert over.headers["hx-refresh"] == "true"
    assert not await is_open(browser)


async def test_it_ends_after_eight_hours(desk: DashboardDesk) -> None:
    browser = await desk.signed_in()
    for _ in range(23):
        await desk.world.advance(20 * 60)
        assert await is_open(browser)
    await desk.world.advance(20 * 60)
    assert not await is_open(browser)


async def test_a_new_one_ends_the_one_before(desk: DashboardDesk) -> None:
    first, other = await desk.signed_in(), await desk.signed_in(OTHER_ADMIN)
    second = await desk.signed_in()
    assert [await is_open(browser) for browser in (first, second, other)] == [False, True, True]


async def test_it_outlives_a_restart_of_the_desk(desk: DashboardDesk) -> None:
    browser = await desk.signed_in()
    await desk.world.restart()
    assert await is_open(browser)


async def test_signing_out_ends_it(desk: DashboardDesk) -> None:
    browser = await desk.signed_in()
    kept = dict(browser.cookies)
    page = await browser.get("/dashboard")
    foreign = await browser.post("/dashboard/logout", data={"form_token": "f" * 64})
    assert foreign.status_code == 403
    assert await is_open(browser)
    assert "is closed" in (await browser.press(page)).text
    thief = desk.browser()
    thief.cookies.update(kept)
    assert not await is_open(thief)
    assert len(await desk.audited("dashboard_closed")) == 1


async def test_a_database_that_fails_is_said(
    desk: DashboardDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = await desk.signed_in()

    async def fails(function: object) -> None:
        raise DatabaseUnavailable("the database is closed")

    monkeypatch.setattr(desk.world.app.database, "read", fails)
    page = await browser.get("/dashboard")
    assert (page.status_code, page.text) == (503, "The database does not answer.\n")


async def test_too_many_requests_are_turned_away(desk: DashboardDesk) -> None:
    browser = await desk.signed_in()
    answers = [(await browser.get("/dashboard/find?what=x")).status_code for _ in range(600)]
    assert set(answers) == {404, 429}
    await desk.world.advance(60)
    assert await is_open(browser)


async def test_nothing_is_there_where_it_is_off(desk: DashboardDesk) -> None:
    desk.world.settings = desk.world.settings.model_copy(update={"dashboard": False})
    await desk.world.restart()
    assert (await desk.browser().get("/dashboard")).status_code == 404


async def test_the_link_comes_in_kiswahili_to_who_reads_it(desk: DashboardDesk) -> None:
    def seed(tx: StoreTx) -> None:
        add_partner(tx, Partner("FINSAFE"), Money(100), Money(0))
        person = tx.people.add_person("FINSAFE", "amina", Role.OWNER, PHONE, None, "sw")
        tx.people.link("terminal", ADMIN, person)

    await desk.world.app.database.write(seed)
    await desk.link()
    link, answer = desk.said(ADMIN)[-2:]
    assert "Kiungo hiki kinafungua dashibodi mara moja tu, ndani ya dakika 2." in link
    assert answer.startswith("Kiungo kiko kwenye ujumbe ulio hapo juu.")
