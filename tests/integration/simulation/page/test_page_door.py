"""Who may use the simulator's page, and what it says about itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx

from bot.clock import system_random
from bot.http.request_limits import with_request_limits
from bot.simulation.page.state import PageState
from bot.simulation.served.routes import refusal
from bot.simulation.served.served_world import ServedWorld
from tests.kit.page_tab import page_tab
from tests.kit.served_controls import URL, world_routes


async def test_another_name_of_this_machine_is_refused(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        for path in ("/", "/page/stream", "/page/copy/script", "/page/files/1/m1"):
            answer = await tab.desk.client.get(path, headers={"host": "evil.example"})
            assert answer.status_code == 400, path


async def test_a_post_of_another_site_or_without_the_token_is_refused(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        fields = {"view": tab.view_id, "person": "wanjiru", "text": "/topup"}
        token = {"x-hazina-token": tab.token}
        for headers in (
            {},
            {"x-hazina-token": "another"},
            {**token, "origin": "https://evil.example"},
            {**token, "origin": "null"},
            {**token, "sec-fetch-site": "cross-site"},
            {**token, "sec-fetch-site": "same-site"},
        ):
            answer = await tab.desk.client.post("/page/do/say", data=fields, headers=headers)
            assert answer.status_code == 403, headers
        strange = [(b"x-hazina-token", b"\xff")]
        answer = await tab.desk.client.post("/page/do/say", data=fields, headers=strange)
        assert answer.status_code == 403
        assert tab.desk.served.record.entries == []
        answer = await tab.desk.client.post("/page/do/say", data=fields, headers=token)
        assert answer.status_code == 204


async def test_nothing_of_the_page_loads_or_sends_elsewhere(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        answer = await tab.desk.client.get("/")
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_what_a_form_sends_is_checked(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        for action, fields, status in (
            ("say", {"person": "wanjiru", "text": "   "}, 400),
            ("say", {"person": "wanjiru", "text": "x" * 5_000}, 400),
            ("say", {"person": "wanjiru", "text": "x" * 20_000}, 413),
            ("say", {"person": "nobody", "text": "hello"}, 409),
            ("say", {"person": "wanjiru"}, 400),
            ("say", {"person": "wanjiru", "text": "hello", "more": "1"}, 400),
            ("tap", {"person": "wanjiru", "message": "m9", "data": "1:yes"}, 409),
            ("advance", {"seconds": "0"}, 400),
            ("advance", {"seconds": "999999999"}, 400),
            ("fault", {"fault": "http 500", "call": "elsewhere"}, 409),
            ("fault", {"fault": "says-failed x", "call": "query"}, 400),
            ("look", {"person": "nobody"}, 409),
            ("look", {"drawer": "elsewhere"}, 400),
            ("prompt", {"prompt": "none", "pin": "1234"}, 409),
            ("tell", {"prompt": "none", "how": "now"}, 409),
            ("story", {"story": "../../secret"}, 409),
            ("act", {"what": "explode"}, 400),
            ("explode", {}, 404),
        ):
            answer = await tab.send(action, **fields)
            assert answer.status_code == status, (action, fields, answer.text)
            assert answer.text, (action, fields)
            assert "\n" not in answer.text.strip()


async def test_a_tab_of_an_earlier_run_is_told_to_load_again(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        tab.view_id = "of-another-run"
        assert "load it again" in await tab.refused("say", person="wanjiru", text="hello")
        answer = await tab.desk.client.get("/page/stream", params={"view": "of-another-run"})
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "event: reload" in answer.text


async def test_another_sites_page_cannot_load_it_for_itself(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        hidden = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
        assert (await tab.desk.client.get("/", headers=hidden)).status_code == 403
        followed = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
        assert (await tab.desk.client.get("/", headers=followed)).status_code == 200


async def test_a_tab_that_listens_is_not_forgotten_for_others(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        tab.view.changed.add(asyncio.Event())
        for _ in range(205):
            await tab.desk.client.get("/")
        assert tab.desk.page.views.get(tab.view_id) is tab.view


async def test_tabs_are_limited_and_the_oldest_gives_way(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        for _ in range(200):
            await tab.desk.client.get("/")
        assert tab.desk.page.views.get(tab.view_id) is None
        assert len(tab.desk.page.views.every()) == 200


async def test_whoever_comes_before_the_world_is_open_waits_for_it(tmp_path: Path) -> None:
    served = ServedWorld(tmp_path, {})
    page = PageState(served, system_random())
    transport = httpx.ASGITransport(with_request_limits(world_routes(served, page), refusal))
    async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
        early = asyncio.create_task(client.get("/"))
        await asyncio.sleep(0.01)
        assert not early.done()
        await served.open()
        assert (await early).status_code == 200
    await served.end()
    await served.close()
