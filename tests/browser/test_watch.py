"""The watch sees what must fail a test, and lets pass what a test that kills the server causes."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.watch import Watch
from tests.browser.world_process import WorldProcess

FETCH = "url => fetch(url, {mode: 'no-cors'}).catch(() => {})"
STRICT = {"content-security-policy": "default-src 'none'", "content-type": "text/html"}
STYLED = "<p style='color: red'>red</p>"


def test_a_page_that_does_nothing_wrong_has_no_problems(
    page: Page, watch: Watch, world: WorldProcess
) -> None:
    page.goto(f"{world.url}/docs")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert watch.take() == []


@pytest.mark.parametrize("level", ["error", "warn"])
def test_a_line_in_the_console_is_a_problem(page: Page, watch: Watch, level: str) -> None:
    page.evaluate(f"console.{level}('something')")
    (problem,) = watch.take()
    assert problem.startswith(f"console {level}")
    assert problem.endswith("something")


def test_an_error_that_nothing_catches_is_a_problem(page: Page, watch: Watch) -> None:
    page.evaluate("setTimeout(() => { throw new Error('nobody catches this') })")
    assert any("nobody catches this" in problem for problem in watch.take())


def test_an_alert_is_a_problem(page: Page, watch: Watch) -> None:
    page.evaluate("alert('here I am')")
    assert watch.take() == ["alert: here I am"]


@pytest.mark.parametrize("host", ["hazina.example", "192.0.2.1", "127.0.0.2"])
def test_a_request_that_leaves_this_machine_is_a_problem(
    page: Page, watch: Watch, host: str
) -> None:
    page.route("**/x", lambda route: route.fulfill(body=""))
    page.set_content(f"<img src='http://{host}/x' alt=''>")
    assert watch.take() == [f"leaves this machine: http://{host}/x"]


def test_a_server_error_is_a_problem(page: Page, watch: Watch, world: WorldProcess) -> None:
    page.route("**/broken", lambda route: route.fulfill(status=500, body="broken"))
    page.goto(f"{world.url}/broken")
    assert f"500: GET {world.url}/broken" in watch.take()


def test_what_the_pages_policy_forbids_is_a_problem(page: Page, watch: Watch) -> None:
    page.route("**/strict", lambda route: route.fulfill(headers=STRICT, body=STYLED))
    page.goto("http://127.0.0.1/strict")
    assert "console error: policy violated: style-src-attr by inline" in watch.take()


def test_a_connection_that_breaks_is_a_problem(
    page: Page, watch: Watch, world: WorldProcess
) -> None:
    world.kill()
    page.evaluate(FETCH, world.url)
    assert [problem.partition(":")[0] for problem in watch.take()] == ["failed", "console error"]


def test_connections_may_break_while_a_test_says_so(
    page: Page, watch: Watch, world: WorldProcess
) -> None:
    address = world.url
    with watch.connections_may_break():
        world.kill()
        page.evaluate(FETCH, address)
        world.start()
    assert world.url == address
    page.goto(f"{address}/docs")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert watch.take() == []
