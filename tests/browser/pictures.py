"""Pictures of the demo page for the documents, as PNG. Run by `make pictures`."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, ViewportSize, expect, sync_playwright

from tests.browser.chromium import launch
from tests.browser.demo_page import RIGHT_PIN, SEEN_AFTER_A_TOPUP, DemoPage, DrawerTab
from tests.browser.world_process import PROJECT, WorldProcess, running_world

PATIENCE_MS = 15_000
WIDE = ViewportSize(width=1280, height=800)
NARROW = ViewportSize(width=360, height=740)
FOLDER = PROJECT / "docs" / "pictures"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright, launch(playwright) as browser:
        _take_picture(browser, "demo-wide", WIDE, "light", "Money")
        _take_picture(browser, "demo-narrow", NARROW, "dark", None)
        _take_dashboard(browser)


def _take_picture(
    browser: Browser,
    name: str,
    size: ViewportSize,
    scheme: Literal["light", "dark"],
    drawer: DrawerTab | None,
) -> None:
    """After a paid top-up, in a world of its own."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_world(Path(folder)) as world,
        browser.new_context(viewport=size, color_scheme=scheme) as context,
    ):
        demo = DemoPage.opened(context.new_page(), world.url)
        demo.phone.asks_for_a_topup()
        demo.phone.enters(RIGHT_PIN)
        world.advance(30)
        expect(demo.phone.reads("Received KES 1,500.")).to_be_in_viewport()
        if drawer is not None:
            expect(demo.drawer(drawer)).to_contain_text(SEEN_AFTER_A_TOPUP[drawer])
        demo.page.screenshot(path=FOLDER / f"{name}.png", animations="disabled")


def _take_dashboard(browser: Browser) -> None:
    """With a day's business: payments, a purchase of float, payouts, and a prompt whose answer was
    lost."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_world(Path(folder), DASHBOARD="on") as world,
        browser.new_context(viewport=WIDE, color_scheme="light") as context,
    ):
        for amount in (1500, 2500, 800):
            world.post("/sim/handset", {"phone": "254712345678", "does": "pays"})
            _tops_up(world, amount)
            world.advance(60)
        _approves(world, "/float 20000")
        for phone, amount in (("0722000111", 1500), ("0722000112", 3200)):
            _approves(world, f"/pay {phone} {amount}")
            world.advance(10)
        world.post("/sim/bank", {"call": "initiate", "fault": "timeout-after"})
        _tops_up(world, 1777)
        world.advance(60)
        world.post("/sim/notify", {"phone": "0733999888", "amount": "1250", "ref": "nobody"})
        link = world.post("/sim/say", {"person": "musa", "text": "/dashboard"})
        page = context.new_page()
        page.goto(link["messages"][-2]["text"].split()[0])
        page.get_by_role("button").click()
        expect(page.get_by_role("heading", name="Stuck money")).to_be_visible()
        page.screenshot(path=FOLDER / "dashboard.png", animations="disabled")


def _approves(world: WorldProcess, command: str) -> None:
    """What a command quotes, with the code that comes by SMS."""
    world.post("/sim/say", {"person": "wanjiru", "text": command})
    world.post("/sim/say", {"person": "wanjiru", "tap": "yes"})
    (*_, sms) = world.get("/sim/sms?phone=254712345678")["unread"]
    found = re.search(r"Code ([0-9]{6})", sms)
    assert found is not None
    world.post("/sim/say", {"person": "wanjiru", "text": found[1]})
    world.advance(10)


def _tops_up(world: WorldProcess, amount: int) -> None:
    world.post("/sim/say", {"person": "wanjiru", "text": f"/topup {amount}"})
    for option in ("mine", "yes"):
        world.post("/sim/say", {"person": "wanjiru", "tap": option})


if __name__ == "__main__":
    main()
