"""A tab that shows the simulator's page, without a browser: what it sends, and what it is sent."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from pathlib import Path

import httpx

from bot.simulation.credentials import USSD_CODE
from bot.simulation.ncba.prompts import SentPrompt
from bot.simulation.page.view import View
from tests.kit.served_controls import ServedControls, served_controls

_TOKEN = re.compile(r'data-token="([^"]+)"')
_USSD = re.compile(r'id="ussd-page-1"[^>]*>(.*?)<form class="answer"', re.DOTALL)
_VIEW = re.compile(r'data-view="([^"]+)"')


class PageTab:
    def __init__(self, desk: ServedControls, html: str) -> None:
        self.desk = desk
        self.html = html
        self.token = _found(_TOKEN, html)
        self.view_id = _found(_VIEW, html)

    @property
    def view(self) -> View:
        view = self.desk.page.views.get(self.view_id)
        assert view is not None
        return view

    async def send(self, action: str, **fields: str) -> httpx.Response:
        return await self.desk.client.post(
            f"/page/do/{action}",
            data={"view": self.view_id, **fields},
            headers={"x-hazina-token": self.token, "sec-fetch-site": "same-origin"},
        )

    async def do(self, action: str, **fields: str) -> None:
        answer = await self.send(action, **fields)
        assert answer.status_code == 204, answer.text

    async def refused(self, action: str, **fields: str) -> str:
        answer = await self.send(action, **fields)
        assert answer.status_code == 409, answer.text
        return answer.text

    async def send_file(
        self, content: bytes, name: str = "staff.csv", person: str = "wanjiru", **more: str
    ) -> httpx.Response:
        return await self.desk.client.post(
            "/page/file",
            params={"view": self.view_id, "person": person, "name": name, **more},
            content=content,
            headers={"x-hazina-token": self.token, "sec-fetch-site": "same-origin"},
        )

    async def attach(self, content: bytes, name: str = "staff.csv", person: str = "wanjiru") -> str:
        answer = await self.send_file(content, name, person)
        assert answer.status_code == 204, answer.text
        return await self.news()

    async def say(self, text: str, person: str = "wanjiru") -> str:
        await self.do("say", person=person, text=text)
        return await self.news()

    async def dial(self, code: str = USSD_CODE, person: str = "wanjiru") -> str:
        """What the page shows then, as text."""
        await self.do("dial", person=person, text=code)
        return await self.ussd_page()

    async def press(self, *answers: str, person: str = "wanjiru") -> str:
        for typed in answers:
            await self.do("press", person=person, text=typed)
        return await self.ussd_page()

    async def ussd_page(self) -> str:
        """What the first phone shows of USSD, and what is told of it, without markup."""
        html = (await open_tab(self.desk)).html
        shown = _found(_USSD, html)
        return unescape(re.sub("<[^>]+>", "", shown))

    async def tap(self, option: str, person: str = "wanjiru") -> str:
        """Press the newest button with this id or label."""
        versions = [
            shown for shown in self.desk.served.scene.shown if shown.to == person and shown.rows
        ]
        for shown in reversed(versions):
            for one in (one for row in shown.rows for one in row):
                if option in (one.id, one.label):
                    await self.do("tap", person=person, message=shown.message_id, data=one.data)
                    return await self.news()
        raise AssertionError(f"no button {option}")

    @property
    def prompt(self) -> SentPrompt:
        """The one that is open."""
        (prompt,) = self.desk.served.world.bank.prompts.open()
        return prompt

    async def ask_for_topup(self) -> str:
        """KES 1,500 from wanjiru's own number; returns the prompt's id."""
        await self.say("/topup 1500")
        await self.tap("mine")
        await self.tap("yes")
        return self.prompt.transaction_id

    async def news(self) -> str:
        """What the stream sends next."""
        assert self.view.drawn is not None
        return await self.view.drawn.news()

    async def copy(self, what: str) -> str:
        answer = await self.desk.client.get(f"/page/copy/{what}")
        assert answer.status_code == 200, answer.text
        return answer.text


def _found(pattern: re.Pattern[str], html: str) -> str:
    found = pattern.search(html)
    assert found is not None
    return found[1]


async def open_tab(desk: ServedControls) -> PageTab:
    answer = await desk.client.get("/")
    assert answer.status_code == 200, answer.text
    return PageTab(desk, answer.text)


@asynccontextmanager
async def page_tab(folder: Path, **overrides: str) -> AsyncIterator[PageTab]:
    async with served_controls(folder, **overrides) as desk:
        yield await open_tab(desk)
