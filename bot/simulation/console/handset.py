"""The phones in people's hands: what is typed in the simulator reaches them or the chat.

A dial takes the phone in hand, and a line that begins with a slash is typed in the chat, as is what
follows it until the next dial.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable

from bot.channels.terminal import CHANNEL as CHAT
from bot.simulation.console import demo
from bot.simulation.console.phone_frame import framed, no_page
from bot.simulation.console.screen import Line, quiet
from bot.simulation.credentials import USSD_CODE
from bot.simulation.ussd.phones import PhoneFault, Phones, ShownPage
from bot.simulation.world import World
from services.domain.phone import Phone
from services.ports import Tx

ANSWER_MAX = 80  # characters that a phone takes for one answer (facts: USSD 2)
_DIALLED = re.compile(r"\*[0-9*]{1,100}#")
_LOOK_S = 0.05  # real seconds between looks at a product that may have been killed meanwhile


class Handset:
    """``in_hand_first``: people hold their phones before they have dialled, and after an END."""

    def __init__(self, world: World, *, in_hand_first: bool) -> None:
        self._world = world
        self._in_hand_first = in_hand_first
        self._phones = Phones(world.door, self._answered)
        self._given = {demo.OWNER: demo.PHONE}
        self._in_hand: dict[str, bool] = {}
        self._pages: dict[str, ShownPage] = {}  # newest, by number
        self._took_s = 0.0

    def give(self, who: str, phone: Phone) -> None:
        self._given[who] = phone

    def holds(self, who: str) -> bool:
        """Whether the phone is in hand, and not the chat."""
        return self._in_hand.get(who, self._in_hand_first)

    async def phone_of(self, who: str) -> Phone | None:
        """The phone this person was given here, or else the number they have joined with."""

        def find(tx: Tx) -> Phone | None:
            person = tx.people.at(CHAT, who)
            return None if person is None else person.phone

        return self._given.get(who) or await self._world.app.database.read(find)

    async def type(self, who: str, line: str) -> list[Line] | None:
        """What the phone shows for a typed line; ``None`` if it belongs into the chat."""
        line = line.strip()
        if line.startswith("/"):
            self._in_hand[who] = False
            return None
        dials = _DIALLED.fullmatch(line) is not None
        if not dials and not self.holds(who):
            return None
        phone = await self.phone_of(who)
        if phone is None and not dials:
            return None
        if phone is None:
            return [quiet(f"{who} has no phone. :as {who} 0733 123 456 gives one.")]
        if dials:
            self._in_hand[who] = True
            return await self._show(who, phone, self._phones.dial(phone.msisdn, line))
        page = self._pages.get(phone.msisdn)
        if page is None or not page.goes_on:
            return [quiet(f"No session is open on this phone. {USSD_CODE} dials.")]
        if len(line) > ANSWER_MAX:
            return [quiet(f"A phone takes {ANSWER_MAX} characters, and these are {len(line):,}.")]
        return await self._show(who, phone, self._phones.press(phone.msisdn, line))

    async def send_hop(self, who: str, how: str, value: str) -> list[Line] | None:
        """The newest hop ``again`` or twice at once (``parallel``), or as if another ``phone`` had
        sent it; or one with another ``text``. ``None`` before the first dial."""
        phone = await self.phone_of(who)
        if phone is None or self._phones.session(phone.msisdn) is None:
            return None
        match how:
            case "again":
                sent = self._phones.send_again(phone.msisdn)
            case "parallel":
                sent = self._phones.send_again(phone.msisdn, copies=2)
            case "text":
                sent = self._phones.send_text(phone.msisdn, value)
            case _:
                sent = self._phones.send_from(phone.msisdn, value)
        return await self._show(who, phone, sent, is_newest=not value)

    def shown(self, phone: Phone) -> list[Line] | None:
        """The newest page once more."""
        page = self._pages.get(phone.msisdn)
        return None if page is None else framed(page, None)

    async def _show(
        self, who: str, phone: Phone, sent: Awaitable[ShownPage], *, is_newest: bool = True
    ) -> list[Line]:
        self._took_s = 0.0
        sending = asyncio.ensure_future(sent)
        while not sending.done():  # it may be killed and started again meanwhile
            await self._world.settle()
            await asyncio.wait({sending}, timeout=_LOOK_S)
        try:
            page = sending.result()
        except PhoneFault as fault:
            self._pages.pop(phone.msisdn, None)
            self._in_hand.pop(who, None)
            return no_page(str(fault))
        if is_newest:
            self._pages[phone.msisdn] = page
            if not page.goes_on:
                self._in_hand.pop(who, None)
        return framed(page, self._took_s)

    def _answered(self, seconds: float) -> None:
        self._took_s = max(self._took_s, seconds)
