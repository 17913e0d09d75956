"""What people do with the keys of their phones, and the pages that they see.

In a script each has a chat as well: a line that begins with a slash is typed there, as is what
follows it until the next dial. An admin has nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.channels.terminal import CHANNEL as CHAT
from bot.scripts.directive import SendHop
from bot.scripts.inbox import Mismatch
from bot.scripts.stage import CannotDo, Option, Shown
from bot.simulation.record import Said, SentHop
from bot.simulation.ussd.phones import Dialled, PhoneFault, Phones, ShownPage
from flows.engine.phone_pages import BACK, HOME, MORE, PhoneScreen
from services.domain.phone import Phone
from services.domain.ussd import CHANNEL as USSD
from services.ports import Tx

if TYPE_CHECKING:
    from bot.simulation.scene import Scene

LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)  # when their chats were linked
_AT = "@"  # between the key of an option and the page that it stands on


class HandsetInputs:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._phones = Phones(scene.world.door)
        self._chatting: set[str] = set()
        self._speaker = ""
        self.dialled_last = False  # whether the last input was a hop
        self._count = 0

    def session(self, name: str) -> Dialled | None:
        """The newest session of this person's phone; ``None`` for who has none, or has not
        dialled."""
        phone = self._scene.people.phones.get(name)
        return None if phone is None else self._phones.session(phone)

    def chats(self, name: str) -> bool:
        """Whether what this person says now is said in their chat."""
        return name in self._chatting or name not in self._scene.people.phones

    def place(self, name: str) -> tuple[str, str]:
        """Channel and address of the conversation that this person is in now."""
        if self.chats(name):
            return CHAT, self._scene.people.addresses[name]
        return USSD, self._scene.people.phones[name]

    async def say(self, name: str, text: str, copies: int) -> None:
        if text.startswith("/"):
            await self._open_chat(name)
        if self.chats(name):
            self._scene.inputs.say(name, text, copies)
            return
        await self.press(name, text, text, copies)

    async def tap(self, name: str, screen: Shown, option: Option, copies: int) -> None:
        if screen.page is None:
            self._scene.inputs.tap(name, screen, option, copies)
            return
        key, _, page = option.data.partition(_AT)
        phone = self._phone(name)
        if (standing := await self._screen(phone)) is not None:
            for _ in range(int(page) - standing.page):
                await self._done(self._phones.press(phone, MORE))
        await self.press(name, key, f"[{option.id}]", copies)

    async def dial(self, name: str, code: str, copies: int = 1) -> None:
        self._chatting.discard(name)
        sent = self._phones.dial(self._phone(name), code, copies)
        await self._hop(name, code, f"<dial {code}>", sent)

    async def press(self, name: str, typed: str, written: str, copies: int = 1) -> None:
        """``written``: as a script says it."""
        phone = self._phone(name)
        if self._phones.session(phone) is None:
            raise CannotDo(f"press keys for {name}, who has not dialled")
        await self._hop(name, typed, written, self._phones.press(phone, typed, copies))

    def hang_up(self, name: str) -> None:
        self._phones.hang_up(self._phone(name))

    async def send_again(self, name: str) -> None:
        """The gateway sends this person's last hop once more."""
        by = "@hop again" if name == self._speaker else f"# The last hop of {name} came once more"
        self._scene.record.did(by)
        page = await self._done(self._phones.send_again(self._phone(name)))
        if not page.known:
            await self._show(name, page)

    async def send_hop(self, hop: SendHop) -> None:
        name = self._speaker
        if not name:
            raise CannotDo("send a hop before anybody has dialled")
        phone = self._phone(name)
        match hop.how:
            case "again":
                sent = self._phones.send_again(phone)
            case "parallel":
                sent = self._phones.send_again(phone, copies=2)
            case "text":
                sent = self._phones.send_text(phone, hop.value)
            case "phone":
                page = await self._done(self._phones.send_from(phone, hop.value))
                await self._show(name, page, may_be_left=True)
                return
        page = await self._done(sent)
        if not page.known:
            await self._show(name, page)
        elif page.redrawn and hop.how == "text":
            await self._show(name, page, may_be_left=True)

    async def redeliver(self) -> None:
        await self._done(self._phones.send_again(self._phone(self._speaker)))

    async def _hop(self, name: str, typed: str, written: str, sent: Awaitable[ShownPage]) -> None:
        """``sent`` has begun: it is recorded before anything comes of it."""
        self._speaker = name
        dialled = self.session(name)
        assert dialled is not None, "it was sent in a session"
        hop = SentHop(dialled.session, dialled.phone, dialled.code, dialled.text)
        self._scene.record.said(Said(name, typed, written, hop=hop))
        await self._show(name, await self._done(sent))

    async def _show(self, name: str, page: ShownPage, *, may_be_left: bool = False) -> None:
        screen = await self._screen(self._phone(name)) if page.goes_on else None
        self._count += 1
        shown = Shown(
            name,
            "answer",
            f"page {self._count}",
            page.text,
            () if screen is None else _rows(screen),
            "con" if page.goes_on else "end",
            may_be_left,
        )
        self._scene.show(shown)

    async def _done(self, sent: Awaitable[ShownPage]) -> ShownPage:
        """Let everything else happen meanwhile, a kill and a new start included."""
        self.dialled_last = True
        sending = asyncio.ensure_future(sent)
        await self._scene.world.settle()
        try:
            return await sending
        except PhoneFault as fault:
            raise Mismatch("a page that the gateway takes", str(fault)) from None

    async def _screen(self, phone: str) -> PhoneScreen | None:
        """What the keys of the newest page mean: the phone only shows them."""
        dialled = self._phones.session(phone)
        assert dialled is not None

        def find(tx: Tx) -> str | None:
            found = tx.ussd_sessions.find("africas_talking", dialled.session)
            return None if found is None else found.screen

        stored = await self._scene.world.app.database.read(find)
        return None if stored is None else PhoneScreen.load(stored)

    async def _open_chat(self, name: str) -> None:
        self._chatting.add(name)
        people = self._scene.people
        if name not in people.phones:
            return

        def link(tx: Tx) -> None:
            found = tx.people.linked_with(Phone(people.phones[name]))
            if len(found) == 1 and tx.people.at(CHAT, people.addresses[name]) is None:
                tx.people.link(CHAT, people.addresses[name], found[0].id, since=LONG_AGO)

        with self._scene.world.crashes_held_back():
            await self._scene.world.app.database.write(link)

    def _phone(self, name: str) -> str:
        phone = self._scene.people.phones.get(name)
        if phone is None:
            raise CannotDo(f"dial for {name}, who has no phone")
        return phone


def _rows(screen: PhoneScreen) -> tuple[tuple[Option, ...], ...]:
    """The options of all pages, one a row, and the ways of this page in one."""
    rows: list[tuple[Option, ...]] = []
    for number, page in enumerate(screen.pages):
        for line in page.split("\n"):
            key, _, label = line.partition(" ")
            if key in screen.keys and key not in (BACK, HOME, MORE):
                rows.append((Option(screen.keys[key], label, f"{key}{_AT}{number}"),))
    ways = {BACK: "back", HOME: "menu", MORE: "more"}
    _, _, footer = screen.text.rpartition("\n")
    there = [key for key in ways if f" {key} " in f" {footer} "]
    at = f"{_AT}{screen.page}"
    options = [Option(screen.keys.get(key, ways[key]), ways[key], f"{key}{at}") for key in there]
    return (*rows, tuple(options)) if options else tuple(rows)
