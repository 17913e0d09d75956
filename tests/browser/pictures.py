"""Pictures of the demo page for the documents, as PNG. Run by `make pictures`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, ViewportSize, expect, sync_playwright

from tests.browser.chromium import launch
from tests.browser.demo_page import RIGHT_PIN, SEEN_AFTER_A_TOPUP, DemoPage, DrawerTab
from tests.browser.world_process import PROJECT, running_world

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


if __name__ == "__main__":
    main()
