"""Partners and single operations: what is shown, that each view is audited, and that nothing typed
becomes markup."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx
import pytest

from bot.simulation.ncba.handsets import Handset
from bot.simulation.opening_balances import add_partner
from services.domain.money import Money
from services.domain.partner import Partner, Role
from storage.transaction import StoreTx
from tests.kit.dashboard_desk import ADMIN, Browser, DashboardDesk
from tests.kit.plain_store import OTHER_PHONE, PHONE

EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
async def browser(desk: DashboardDesk) -> AsyncIterator[Browser]:
    await desk.add_partner()
    browser = await desk.signed_in()
    yield browser
    await browser.aclose()


def words(page: httpx.Response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


async def test_an_operation_is_told_from_beginning_to_end(
    desk: DashboardDesk, browser: Browser
) -> None:
    reference = await desk.top_up(1_500, Handset.PAYS)
    page = await browser.get(f"/dashboard/operations/{reference}")
    told = words(page)
    assert "FINSAFE: top-up of KES 1,500" in told
    steps = (
        "started by amina of FINSAFE, terminal",
        "sending the prompt: accepted",
        "now: received",
    )
    places = [told.index(step) for step in steps]
    assert places == sorted(places)
    assert "collection → wallet" in told
    assert PHONE.msisdn not in page.text
    assert PHONE.masked in told
    assert re.search(r'title="[0-9-]+ [0-9:]+ UTC"', page.text)


async def test_what_to_type_stands_beside_it(desk: DashboardDesk, browser: Browser) -> None:
    stuck = await desk.top_up(1_777, fault="timeout-before")
    assert f"/resolve {stuck}" in words(await browser.get(f"/dashboard/operations/{stuck}"))
    paid = await desk.top_up(300, Handset.PAYS)
    told = words(await browser.get(f"/dashboard/operations/{paid}"))
    assert f"/find {paid}" in told
    assert "/resolve" not in told


async def test_each_view_is_audited_before_it_is_shown(
    desk: DashboardDesk, browser: Browser
) -> None:
    reference = await desk.top_up(300, Handset.PAYS)
    await browser.get(f"/dashboard/operations/{reference}")
    await browser.get(f"/dashboard/operations/{reference}")
    await browser.get("/dashboard/partners/FINSAFE")
    rows = await desk.audited("dashboard_viewed")
    assert [(row.partner, row.actor, row.about) for row in rows[::-1]] == [
        ("FINSAFE", f"admin:terminal:{ADMIN}", f"seen:{reference}"),
        ("FINSAFE", f"admin:terminal:{ADMIN}", f"seen:{reference}"),
        ("FINSAFE", f"admin:terminal:{ADMIN}", "seen:FINSAFE"),
    ]
    await desk.say("/audit", ADMIN)
    assert f"admin {ADMIN}: seen on the dashboard, FINSAFE" in desk.said(ADMIN)[-1]
    told = words(await browser.get(f"/dashboard/operations/{reference}"))
    assert "seen on the dashboard" not in told  # views would push acts out of the timeline


async def test_what_is_not_there_is_not_audited(desk: DashboardDesk, browser: Browser) -> None:
    for path in ("operations/TU-NOTHER", "operations/x", "partners/NOBODY"):
        page = await browser.get(f"/dashboard/{path}")
        assert page.status_code == 404
        assert "Nothing here is called" in page.text
    assert await desk.audited("dashboard_viewed") == []


async def test_nobody_sees_it_without_a_session(desk: DashboardDesk, browser: Browser) -> None:
    reference = await desk.top_up(300, Handset.PAYS)
    for path in (f"operations/{reference}", "partners/FINSAFE", "partners", "find?what=x"):
        page = await desk.browser().get(f"/dashboard/{path}")
        assert page.status_code == 401
        assert "FINSAFE" not in page.text


async def test_it_is_found_by_reference_and_receipt(desk: DashboardDesk, browser: Browser) -> None:
    reference = await desk.top_up(300, Handset.PAYS)
    await desk.is_paid(300, reference)

    def receipt(tx: StoreTx) -> str:
        topup = tx.topups.get(reference)
        assert topup is not None
        assert topup.receipt is not None
        return topup.receipt

    of_bank = await desk.world.app.database.read(receipt)  # type: ignore[arg-type]
    for what in (reference, reference.lower().replace("-", ""), of_bank):
        found = await browser.get("/dashboard/find", params={"what": what})
        assert found.status_code == 303
        assert found.headers["location"] == f"/dashboard/operations/{reference}"
    assert (await browser.get("/dashboard/find", params={"what": "TU-NOTHER"})).status_code == 404


@pytest.mark.parametrize("number", [PHONE.msisdn, "0712 345 678", "5678"])
async def test_numbers_are_not_looked_up_here(browser: Browser, number: str) -> None:
    page = await browser.get("/dashboard/find", params={"what": number})
    assert page.status_code == 400
    assert "/find" in page.text
    assert number not in page.text


async def test_partners_are_listed_in_pages_and_searched(
    desk: DashboardDesk, browser: Browser
) -> None:
    def add(tx: StoreTx) -> None:
        for n in range(30):
            add_partner(tx, Partner(f"P{n:02}"), Money(n * 100), Money(0))
        tx.people.add_partner(Partner("P07", suspended=True))

    await desk.world.app.database.write(add)
    first = await browser.get("/dashboard/partners")
    assert "FINSAFE" in first.text
    assert ">P23</a>" in first.text
    assert ">P24</a>" not in first.text
    more = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert more is not None
    second = await browser.get(more[1].replace("&amp;", "&"))
    assert [f">P{n}</a>" in second.text for n in (23, 24, 29)] == [False, True, True]
    assert 'rel="next"' not in second.text
    found = words(await browser.get("/dashboard/partners", params={"q": "p07"}))
    assert "P07 ✗ suspended" in found
    assert "P08" not in found
    for literal in ("%", "_", "!"):
        page = await browser.get("/dashboard/partners", params={"q": literal})
        assert "No partner has such a code" in page.text


async def test_a_partner_is_shown_with_its_people_and_terms(
    desk: DashboardDesk, browser: Browser
) -> None:
    reference = await desk.top_up(300, Handset.PAYS)
    page = await browser.get("/dashboard/partners/FINSAFE")
    shown = words(page)
    assert "Wallet, KES 500.00 Available 500.00" in shown
    assert f"amina owner {PHONE.masked} linked" in shown
    assert PHONE.msisdn not in page.text
    assert reference in shown
    assert "Top-up maximum KES 250,000.00" in shown
    assert "/suspend FINSAFE" in shown


async def test_what_people_typed_is_never_markup(desk: DashboardDesk, browser: Browser) -> None:
    def add(tx: StoreTx) -> None:
        add_partner(tx, Partner(EVIL), Money(100), Money(0))
        tx.people.add_person(EVIL, EVIL, Role.OWNER, OTHER_PHONE, None, "en")
        tx.evidence.open_review("PB-NOTHER", EVIL)
        tx.evidence.add("PB-NOTHER", EVIL, EVIL, EVIL)

    await desk.world.app.database.write(add)
    await desk.is_paid(50, EVIL)  # what a payer types
    (payment,) = await desk.world.app.database.read(lambda tx: tx.payments.every())
    await desk.world.advance(3)
    pages = [
        await browser.get(path)
        for path in (
            "/dashboard",
            f"/dashboard/partners?q={quote('<img')}",
            f"/dashboard/partners/{quote(EVIL)}",
            f"/dashboard/operations/{payment.reference}",
            f"/dashboard/operations/{quote(EVIL)}",
            f"/dashboard/find?what={quote(EVIL)}",
            "/dashboard/changes",
        )
    ]
    assert [page.status_code for page in pages] == [200, 200, 200, 200, 404, 404, 200]
    for page in pages:
        assert "<img" not in page.text
    assert "&lt;img src=x onerror=alert(1)&gt;" in pages[2].text
    assert "&lt;img src=x onerror=alert(1)&gt;" in pages[3].text
