"""The page is light, is there at once, and fits on a small phone."""

from __future__ import annotations

import statistics
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, Page, Response

from tests.browser.demo_page import RIGHT_PIN, DemoPage
from tests.browser.world_process import WorldProcess

WEIGHT_MAX = 150_000  # bytes
PAIRS = 15
FIRST_PAINT = """() => new Promise((resolve) =>
  new PerformanceObserver((list) => resolve(list.getEntriesByName("first-paint")[0].startTime))
    .observe({ type: "paint", buffered: true }))"""


class _EmptyPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!doctype html><title>Empty</title><link rel=icon href='data:,'><p>Empty"
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def empty_page() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _EmptyPage) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_first_load_weighs_little(page: Page, world: WorldProcess) -> None:
    responses: list[Response] = []
    page.on("response", lambda response: responses.append(response))
    DemoPage.opened(page, world.url)
    weights = {
        response.url: len(response.body())
        for response in responses
        if response.request.resource_type != "eventsource"
    }
    assert sum(weights.values()) < WEIGHT_MAX, weights


def test_the_first_paint_comes_soon_after_that_of_an_empty_page(
    browser: Browser, world: WorldProcess, empty_page: str
) -> None:
    """In turns, so that a busy machine slows both, and after one of each that nobody counts."""
    _first_paint_ms(browser, world.url)
    _first_paint_ms(browser, empty_page)
    pairs = [
        (_first_paint_ms(browser, world.url), _first_paint_ms(browser, empty_page))
        for _ in range(PAIRS)
    ]
    of_the_page, of_an_empty_one = map(statistics.median, zip(*pairs, strict=True))
    assert of_the_page <= 4 * of_an_empty_one, pairs


def _first_paint_ms(browser: Browser, url: str) -> float:
    """With nothing in a cache."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(url, wait_until="commit")
        return float(page.evaluate(FIRST_PAINT))


def test_nothing_scrolls_sideways_on_a_small_phone(page: Page, world: WorldProcess) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    demo = DemoPage.opened(page, world.url)
    demo.is_no_wider_than_the_window()
    demo.phone.asks_for_a_topup()
    demo.is_no_wider_than_the_window()
    demo.phone.enters(RIGHT_PIN)
    world.advance(30)
    demo.phone.reads("Received KES 1,500.")
    demo.is_no_wider_than_the_window()
