"""A link opens the dashboard once, in the browser that was shown its button."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.simulation.log_capture import full_log
from tests.kit.dashboard_desk import ADMIN, HERE, OTHER_ADMIN, DashboardDesk, fields

PUBLIC = "https://desk.example"


async def test_the_button_opens_the_desk(desk: DashboardDesk) -> None:
    browser = desk.browser()
    opened = await browser.sign_in(await desk.link())
    assert (opened.status_code, opened.headers["location"]) == (303, "/dashboard")
    page = await browser.get("/dashboard")
    assert page.status_code == 200
    assert "<h1>Desk</h1>" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert [row.actor for row in await desk.audited("dashboard_opened")] == [
        f"admin:terminal:{ADMIN}"
    ]


async def test_fetching_the_link_spends_nothing(desk: DashboardDesk) -> None:
    link = await desk.link()
    for _ in range(5):
        assert (await desk.browser().show(link)).status_code == 200
    assert (await desk.browser().sign_in(link)).status_code == 303


async def test_a_link_is_spent_once(desk: DashboardDesk) -> None:
    link = await desk.link()
    assert (await desk.browser().sign_in(link)).status_code == 303
    again = await desk.browser().sign_in(link)
    assert again.status_code == 403
    assert "does not open" in again.text
    assert len(await desk.audited("dashboard_refused")) == 1


async def test_a_link_lasts_two_minutes(desk: DashboardDesk) -> None:
    link, late = await desk.link(), await desk.link(OTHER_ADMIN)
    await desk.world.advance(119)
    assert (await desk.browser().sign_in(link)).status_code == 303
    await desk.world.advance(1)
    assert (await desk.browser().sign_in(late)).status_code == 403


async def test_a_newer_link_takes_the_place_of_the_older(desk: DashboardDesk) -> None:
    older, newer = await desk.link(), await desk.link()
    assert (await desk.browser().sign_in(older)).status_code == 403
    assert (await desk.browser().sign_in(newer)).status_code == 303


async def test_another_browser_is_refused(desk: DashboardDesk) -> None:
    shown = await desk.browser().show(await desk.link())
    assert (await desk.browser().press(shown)).status_code == 403
    other = desk.browser()
    await other.show(await desk.link(OTHER_ADMIN))  # has a cookie, of another page
    assert (await other.press(shown)).status_code == 403
    assert [row.facts for row in await desk.audited("dashboard_refused")] == [
        '{"address":"127.0.0.1","why":"another browser"}'
    ] * 2


@pytest.mark.parametrize(
    "headers", [{"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}]
)
async def test_another_site_is_refused(desk: DashboardDesk, headers: dict[str, str]) -> None:
    browser = desk.browser()
    shown = await browser.show(await desk.link())
    assert (await browser.press(shown, **headers)).status_code == 403
    assert (await browser.press(shown)).status_code == 303  # nothing was spent


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "desk.example:8080"])
async def test_another_name_is_refused(desk: DashboardDesk, host: str) -> None:
    browser = await desk.signed_in()
    for path in ("/dashboard", await desk.link(OTHER_ADMIN)):
        assert (await browser.get(path, headers={"host": host})).status_code == 421


async def test_on_this_machine_nobody_else_comes_in(desk: DashboardDesk) -> None:
    elsewhere = desk.browser(client=("192.0.2.7", 5))
    assert (await elsewhere.show(await desk.link())).status_code == 421


async def test_a_public_one_is_reached_by_its_name_and_https_alone(tmp_path: Path) -> None:
    desk = await DashboardDesk.open(tmp_path, dashboard_url=PUBLIC)
    try:
        link = await desk.link()
        assert PUBLIC in desk.said(ADMIN)[-2]
        for base in ("http://desk.example", "http://127.0.0.1:8080", "https://other.example"):
            assert (await desk.browser(base).show(link)).status_code == 421
        browser = desk.browser(PUBLIC, client=("192.0.2.7", 5))
        opened = await browser.sign_in(link)
        assert opened.status_code == 303
        (cookie,) = (
            kept for kept in opened.headers.get_list("set-cookie") if "hazina-session" in kept
        )
        assert cookie.startswith("__Host-hazina-session=")
        for words in ("HttpOnly", "Secure", "SameSite=strict", "Path=/", "Max-Age=28800"):
            assert words in cookie
    finally:
        await desk.close()


async def test_too_many_tries_are_turned_away(desk: DashboardDesk) -> None:
    browser = desk.browser()
    shown = await browser.show(await desk.link())
    answers = [
        await browser.post("/dashboard/login", data={**fields(shown), "link": "A" * 43})
        for _ in range(11)
    ]
    assert [answer.status_code for answer in answers] == [403] * 10 + [429]
    assert len(await desk.audited("dashboard_refused")) == 5


async def test_no_link_and_no_session_is_kept_in_clear(desk: DashboardDesk) -> None:
    lines: list[str] = []
    browser = desk.browser()
    with full_log(lines.append):
        link = await desk.link()
        await browser.sign_in(link)
        await browser.get("/dashboard")
        await desk.browser().sign_in(link)  # refused, and logged
    secrets = [link.rpartition("/")[2], *browser.cookies.values()]
    assert all(len(secret) == 43 for secret in secrets)
    stored = b"".join(desk.world.at_rest().values())
    logged = "\n".join(lines)
    assert "dashboard login refused" in logged
    for secret in secrets:
        assert secret.encode() not in stored
        assert secret not in logged
    rows = await desk.world.app.database.read(lambda tx: tx.audit.newest(100))
    assert not any(re.search(r"[\w-]{43}", row.facts + row.about) for row in rows)


async def test_the_answer_to_the_link_loads_nothing_from_elsewhere(desk: DashboardDesk) -> None:
    page = await desk.browser().show(await desk.link())
    assert not re.findall(r'(?:src|href)="(?!/dashboard|#|data:)', page.text)
    for address in re.findall(r'href="(/dashboard/assets/[^"]+)"', page.text):
        asset = await desk.browser().get(address)
        assert asset.status_code == 200
        assert "immutable" in asset.headers["cache-control"]
    assert HERE not in page.text


async def test_the_chat_is_linked_once_its_name_is_known(desk: DashboardDesk) -> None:
    browser = await desk.signed_in()
    assert "https://t.me/" not in (await browser.get("/dashboard")).text
    desk.world.app.bot_identity.bot_name = "hazina_bot"
    assert 'href="https://t.me/hazina_bot"' in (await browser.get("/dashboard")).text
