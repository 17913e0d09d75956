"""A simulated world with the dashboard on, and browsers that look at it."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from bot.channels.terminal import event_from_line
from bot.simulation.daraja.payees import parse_payee
from bot.simulation.faults import parse_fault
from bot.simulation.ncba.handsets import Handset
from bot.simulation.opening_balances import add_partner
from bot.simulation.world import World
from services.domain.audit import AuditRow
from services.domain.ledger import AccountKind, opening_balance
from services.domain.money import Money
from services.domain.partner import Partner, Role
from storage.transaction import StoreTx
from tests.kit.plain_store import OTHER_PHONE, PHONE

HERE = "http://127.0.0.1:8080"
ADMIN, OTHER_ADMIN = "7001", "7002"
_CODE = re.compile(r"Code ([0-9]{6})")
_LINK = re.compile(r"(https?://\S+)/dashboard/login/([A-Za-z0-9_-]{43})")


class Browser(httpx.AsyncClient):
    """Keeps cookies, follows nothing by itself, and says where a form was sent from."""

    def __init__(self, world: World, base: str = HERE, **more: Any) -> None:
        super().__init__(transport=httpx.ASGITransport(world.door, **more), base_url=base)

    async def show(self, link: str) -> httpx.Response:
        return await self.get(link)

    async def press(self, page: httpx.Response, **headers: str) -> httpx.Response:
        """Send the first form of the page, as its own button does. The pages give no referrer, so a
        browser names no origin."""
        action = re.search(r'<form method="post" action="([^"]+)"', page.text)
        assert action is not None, page.text
        own = {"origin": "null", "sec-fetch-site": "same-origin"}
        return await self.post(action[1], data=fields(page), headers={**own, **headers})

    async def sign_in(self, link: str) -> httpx.Response:
        return await self.press(await self.show(link))


def fields(page: httpx.Response) -> dict[str, str]:
    hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text)
    return dict(hidden)


class DashboardDesk:
    def __init__(self, world: World) -> None:
        self.world = world
        self._numbers = count()

    @classmethod
    async def open(cls, folder: Path, **settings: Any) -> DashboardDesk:
        world = World(folder)
        own = {"dashboard": True, "admin_ids": frozenset({ADMIN, OTHER_ADMIN}), **settings}
        world.settings = world.settings.model_copy(update=own)
        await world.open()
        return cls(world)

    async def close(self) -> None:
        await self.world.close()

    def browser(self, base: str = HERE, **more: Any) -> Browser:
        return Browser(self.world, base, **more)

    async def link(self, admin: str = ADMIN) -> str:
        """What ``/dashboard`` sends this admin."""
        before = len(self.said(admin))
        await self.say("/dashboard", admin)
        texts = "\n".join(self.said(admin)[before:])
        found = _LINK.search(texts)
        assert found is not None, texts
        return f"/dashboard/login/{found[2]}"

    async def signed_in(self, admin: str = ADMIN) -> Browser:
        browser = self.browser()
        answer = await browser.sign_in(await self.link(admin))
        assert answer.status_code == 303, answer.text
        return browser

    async def add_partner(self, code: str = "FINSAFE", owner: str = "1") -> None:
        """With KES 200 in its wallet, and an owner who writes from this account."""

        def add(tx: StoreTx) -> None:
            add_partner(tx, Partner(code), Money(200_00), Money(0))
            person = tx.people.add_person(code, "amina", Role.OWNER, PHONE, None, "en")
            tx.people.link("terminal", owner, person)

        await self.world.app.database.write(add)

    async def top_up(
        self, shillings: int, does: Handset = Handset.IGNORES, fault: str | None = None
    ) -> str:
        """Begin one from the owner's own number, and wait half a minute; returns its reference."""
        if fault is not None:
            self.world.bank.arm(parse_fault(fault), "initiate")
        self.world.bank.set_handset(PHONE.msisdn, does)
        for line in ("/topup", str(shillings), "1", "1"):
            await self.say(line, "1")
        await self.world.advance(30)
        rows = await self.world.app.database.read(
            lambda tx: tx.operations.page("FINSAFE", 1)  # the newest
        )
        return rows[0].reference

    async def has_float(self, shillings: int, code: str = "FINSAFE") -> None:
        """Float from the start, with the money for it in the utility account."""
        opening = opening_balance(code, AccountKind.FLOAT, Money(shillings * 100))
        self.world.daraja.opening(shillings * 100)
        await self.world.app.database.write(lambda tx: tx.ledger.book(opening))

    async def pay(self, shillings: int, does: str = "pays", for_s: int = 30) -> None:
        """The owner pays a customer, whose M-PESA does this; then ``for_s`` seconds go by."""
        self.world.daraja.set_payee(OTHER_PHONE.msisdn, parse_payee(does))
        for line in (f"/pay {OTHER_PHONE.msisdn} {shillings}", "1"):
            await self.say(line, "1")
        code = _CODE.search(self.world.sms.texts[PHONE.msisdn][-1])
        assert code is not None
        await self.say(code[1], "1")
        await self.world.advance(for_s)

    async def is_paid(self, shillings: int, words: str) -> None:
        """The bank tells of a payment to the paybill from the owner's number, with these words."""
        paybill = self.world.bank.paybill
        self.world.notify(paybill.notify(PHONE.msisdn, Money(shillings * 100), words))
        await self.world.settle()

    async def say(self, line: str, who: str) -> None:
        self.world.submit(event_from_line(who, f"d{next(self._numbers)}", line))
        await self.world.settle()

    def said(self, who: str) -> list[str]:
        messages = self.world.terminal.messages.values()
        return [message.content.text for message in messages if message.address == who]

    async def audited(self, act: str) -> list[AuditRow]:
        rows = await self.world.app.database.read(lambda tx: tx.audit.newest(100))
        return [row for row in rows if row.act == act]
