"""The stories that the page tells by itself."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.demo_page import DemoPage
from tests.browser.world_process import WorldProcess


def test_every_story_plays_to_its_end(
    page: Page, world: WorldProcess, subtests: pytest.Subtests
) -> None:
    stories = DemoPage.opened(page, world.url).stories()
    assert stories
    for story in stories:
        with subtests.test(story):
            page.goto("about:blank")
            world.end()
            world.start()
            DemoPage.opened(page, world.url).plays(story)
            assert world.books_hold()
