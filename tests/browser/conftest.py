"""A browser for all tests; a world and a watched context of that browser for each."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Error,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.browser.chromium import launch
from tests.browser.demo_page import DemoPage
from tests.browser.watch import Watch
from tests.browser.world_process import WorldProcess, running_world

PATIENCE_MS = 15_000  # a busy machine needs time
SHOWN_MAX = 8_000  # characters of a page, in the report of a test that failed
WIDE = ViewportSize(width=1280, height=800)

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def settings() -> Mapping[str, str]:
    """Of the world, where a test needs some."""
    return {}


@pytest.fixture
def world(tmp_path: Path, settings: Mapping[str, str]) -> Iterator[WorldProcess]:
    with running_world(tmp_path, **settings) as world:
        yield world


@pytest.fixture
def context(browser: Browser, world: WorldProcess) -> Iterator[BrowserContext]:
    """Asks for the world, so that it is closed before the world ends under it."""
    context = browser.new_context(viewport=WIDE, color_scheme="light")
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


@pytest.fixture
def watch(context: BrowserContext) -> Iterator[Watch]:
    watch = Watch(context)
    yield watch
    assert watch.take() == []


@pytest.fixture
def page(context: BrowserContext, watch: Watch) -> Page:
    """An empty one."""
    return context.new_page()


@pytest.fixture
def demo(page: Page, world: WorldProcess) -> DemoPage:
    """The demo page as it opens, 1280 pixels wide."""
    return DemoPage.opened(page, world.url)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What the pages showed when a test failed is kept, and the report says where."""
    report = yield
    assert isinstance(item, pytest.Function)
    context, folder = item.funcargs.get("context"), item.funcargs.get("tmp_path")
    if report.when == "call" and report.failed and isinstance(context, BrowserContext):
        assert isinstance(folder, Path), "the world has one"
        for number, page in enumerate(context.pages, 1):
            picture = folder / f"page-{number}.png"
            with suppress(Error):  # of a page that crashed
                page.screenshot(path=picture)
                shown = page.aria_snapshot()[:SHOWN_MAX]
                report.sections.append((f"page {number}, {picture}", shown))
    return report
