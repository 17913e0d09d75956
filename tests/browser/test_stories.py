"""The stories that the page tells by itself."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.demo_page import DemoPage
from tests.browser.world_process import WorldProcess, running_world

AT_ONCE = 5  # a story goes at the pace of people who read it, so most of its time is a pause


def test_every_story_plays_to_its_end(
    page: Page,
    world: WorldProcess,
    context: BrowserContext,
    tmp_path: Path,
    subtests: pytest.Subtests,
) -> None:
    stories = DemoPage.opened(page, world.url).stories()
    assert stories
    for first in range(0, len(stories), AT_ONCE):
        with ExitStack() as stages:
            begun = {}
            for story in stories[first : first + AT_ONCE]:
                folder = tmp_path / story
                folder.mkdir()
                its_world = stages.enter_context(running_world(folder))
                its_page = stages.enter_context(context.new_page())
                demo = DemoPage.opened(its_page, its_world.url)
                demo.begins(story)
                begun[story] = demo, its_world
            for story, (demo, its_world) in begun.items():
                with subtests.test(story):
                    demo.plays_to_its_end()
                    assert its_world.books_hold()


def test_the_keyboard_passes_over_stories_to_the_one_that_is_meant(demo: DemoPage) -> None:
    box = demo.page.get_by_role("combobox", name="Story")
    box.focus()
    for _ in range(8):
        box.press("ArrowDown")
    heading = demo.page.locator("[data-story-state] h2")
    expect(heading).to_have_text("Lock-out")
    assert demo.page.get_by_text("In a fresh world of its own").count() == 1
