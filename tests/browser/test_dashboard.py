"""The admins' dashboard: opened by its link, read by everybody, and by the keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import grave_violations
from tests.browser.world_process import WorldProcess

TILES = (
    "Stuck money",
    "Today",
    "Safety",
    "Payouts",
    "Float and utility balances",
    "Channels",
    "Queues",
    "Where people leave",
)


@pytest.fixture
def settings() -> Mapping[str, str]:
    return {"DASHBOARD": "on"}


def _link(world: WorldProcess) -> str:
    answer = world.post("/sim/say", {"person": "musa", "text": "/dashboard"})
    found = re.search(r"http://\S+", answer["messages"][0]["text"])
    assert found is not None
    return found[0]


@pytest.fixture
def dashboard(page: Page, world: WorldProcess) -> Page:
    """As an admin sees it once a payment that is nobody's has come."""
    world.post("/sim/notify", {"phone": "0733999888", "amount": "700", "ref": "nobody"})
    page.goto(_link(world))
    page.get_by_role("button").press("Enter")
    expect(page.get_by_role("heading", name="Stuck money")).to_be_visible()
    return page


def test_every_tile_is_there_and_the_stuck_payment_is_first(dashboard: Page) -> None:
    for tile in TILES:
        expect(dashboard.get_by_role("region", name=tile, exact=True)).to_be_visible()
    stuck = dashboard.get_by_role("region", name="Stuck money", exact=True)
    expect(stuck).to_contain_text("700.00")
    expect(stuck).to_contain_text(re.compile("/resolve PB-"))


def test_a_tile_changes_by_itself(dashboard: Page, world: WorldProcess) -> None:
    world.post("/sim/notify", {"phone": "0733999888", "amount": "900", "ref": "nobody"})
    stuck = dashboard.get_by_role("region", name="Stuck money", exact=True)
    expect(stuck).to_contain_text("900.00")


def test_a_link_opens_it_once(page: Page, world: WorldProcess) -> None:
    link = _link(world)
    page.goto(link)
    page.get_by_role("button").click()
    expect(page.get_by_role("heading", name="Stuck money")).to_be_visible()
    answer = page.goto(link)
    assert answer is not None
    assert answer.status == 200, "looking at it changes nothing"


def test_an_operation_is_reached_by_the_keyboard(dashboard: Page) -> None:
    reference = dashboard.get_by_role("link", name=re.compile("^PB-")).first
    for _ in range(60):
        dashboard.keyboard.press("Tab")
        if reference.evaluate("one => one === document.activeElement"):
            break
    dashboard.keyboard.press("Enter")
    expect(dashboard.get_by_role("heading", name="Timeline")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_can_be_read_by_everybody(dashboard: Page, width: int, scheme: str) -> None:
    dashboard.set_viewport_size({"width": width, "height": 740})
    dashboard.emulate_media(
        color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce"
    )
    assert grave_violations(dashboard) == []
    widths = dashboard.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1]
    for leads_to, heading in (("Partners", "Partners"), (re.compile("^PB-"), "Timeline")):
        dashboard.get_by_role("link", name=leads_to).first.click()
        expect(dashboard.get_by_role("heading", name=heading)).to_be_visible()
        assert grave_violations(dashboard) == []
        dashboard.go_back()
