"""The whole program on a channel that only answers: no push, no buttons, short pages, and requests
that come again."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.simulation.console import demo
from bot.simulation.ncba.handsets import Handset
from bot.simulation.world import World
from services import topups
from services.domain.money import Money
from services.domain.partner import Role
from services.domain.phone import Phone
from storage.transaction import StoreTx
from tests.kit import request_channel
from tests.kit.request_channel import MORE, PAGE_LENGTH, RequestChannel

ADDRESS = demo.PHONE.msisdn
COLLEAGUE = Phone("254733123456")


class Caller:
    """Somebody whose every request comes once or, as ``how`` says, again, perhaps to a program that
    was restarted meanwhile. Each answer is compared with the first."""

    def __init__(self, world: World, how: str) -> None:
        self.world = world
        self.channel = RequestChannel(lambda: world.app)
        self.how = how
        self.count = 0

    async def asks(self, text: str, address: str = ADDRESS) -> str:
        """The whole answer, with its further pages."""
        self.count += 1
        page = await self._page(address, f"r{self.count}", text)
        whole = page
        while page.endswith(request_channel.MORE_LINE):
            page = await self.channel.ask(address, f"r{self.count}-more", MORE)
            assert len(page) <= PAGE_LENGTH
            whole = whole.removesuffix(request_channel.MORE_LINE) + page
        await self.world.settle()
        return whole

    async def _page(self, address: str, request_id: str, text: str) -> str:
        first = await self.channel.ask(address, request_id, text)
        assert len(first) <= PAGE_LENGTH
        if self.how == "restarted":
            await self.world.restart()
        if self.how != "once":
            assert await self.channel.ask(address, request_id, text) == first
        return first

    async def picks(self, shown: str, label: str) -> str:
        """The answer to the number of the option with this label."""
        (number,) = re.findall(rf"^([0-9]+)\. {re.escape(label)}$", shown, re.MULTILINE)
        return await self.asks(number)

    @property
    def texts(self) -> list[str]:
        return list(self.world.sms.texts[ADDRESS])

    @property
    def code(self) -> str:
        (code,) = re.findall(r"\b[0-9]{6}\b", self.texts[-1])
        return str(code)

    async def queued(self) -> int:
        """Messages that wait for a channel, or that none would take."""

        def count(tx: StoreTx) -> int:
            sql = "SELECT count(*) FROM outbox WHERE state <> 'sent'"
            return int(tx.conn.execute(sql).fetchone()[0])

        return await self.world.app.database.read(count)


def seed(tx: StoreTx) -> None:
    demo.seed(tx)
    owner = tx.people.at("terminal", demo.OWNER)
    assert owner is not None
    tx.people.unlink("terminal", demo.OWNER)
    tx.people.link(request_channel.NAME, ADDRESS, owner.id)


@pytest.fixture(params=["once", "again", "restarted"])
async def caller(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Caller]:
    channels = {request_channel.NAME: request_channel.CAPABILITIES}
    world = World(tmp_path, request_channels=channels)
    await world.open()
    await world.app.database.write(seed)
    yield Caller(world, request.param)
    await world.close()


async def to_prompt(caller: Caller) -> str:
    """Up to the prompt of a top-up, whose screen it returns."""
    shown = await caller.picks(await caller.asks("hello"), "Top up")
    assert shown.startswith("How much would you like to add?")
    shown = await caller.asks("1500")
    shown = await caller.picks(shown, "My number, 0712 345 678")
    return await caller.picks(shown, "Yes, send it")


async def test_a_top_up_is_paid_and_its_outcome_is_asked_for(caller: Caller) -> None:
    shown = await to_prompt(caller)
    assert "Choose Check now to see how it ends." in shown
    shown = await caller.picks(shown, "Check now")
    assert shown.startswith("Asking the bank now.")
    caller.world.bank.set_handset(ADDRESS, Handset.PAYS)
    await caller.world.advance(10)
    shown = await caller.picks(shown, "Check now")
    assert shown.startswith("Received KES 1,500. New balance KES 6,500.")
    assert [text[:26] for text in caller.texts] == ["Hazina: Received KES 1,500"]  # by SMS, once
    assert "Hello Wanjiru." in await caller.asks("/menu")
    assert await caller.queued() == 0


async def test_whoever_comes_back_later_still_finds_the_outcome(caller: Caller) -> None:
    await to_prompt(caller)
    caller.world.bank.set_handset(ADDRESS, Handset.PAYS)
    await caller.asks("/menu")
    await caller.world.advance(3600)
    shown = await caller.asks("/topup")
    assert shown.startswith("You had already begun: Top up.")
    shown = await caller.picks(shown, "Continue")
    assert "Received." in shown
    assert (await caller.picks(shown, "Check now")).startswith("Received KES 1,500.")
    assert (await caller.asks("/topup")).startswith("How much")


async def test_float_is_bought_with_a_code_by_sms(caller: Caller) -> None:
    shown = await caller.picks(await caller.asks("/menu"), "Buy float")
    shown = await caller.asks("1000")
    shown = await caller.picks(shown, "Yes, send the code")
    assert "six-digit code" in shown
    shown = await caller.asks(caller.code)
    await caller.world.advance(30)
    shown = await caller.picks(shown, "Check now")
    assert "KES 1,000 of B2C float bought" in shown
    balance = await caller.asks("/balance")
    assert "1,000" in balance
    assert await caller.queued() == 0


async def test_history_is_read_in_pages_and_one_entry_opened(caller: Caller) -> None:
    caller.world.bank.set_handset(ADDRESS, Handset.PAYS)
    await to_prompt(caller)
    await caller.world.advance(10)
    shown = await caller.asks("/history")
    assert "Refresh" in shown
    detail = await caller.asks("1")
    assert "TU-" in detail
    assert "Back" in detail


async def test_a_file_is_refused_where_none_can_be_sent(caller: Caller) -> None:
    shown = await caller.asks("/statement")
    shown = await caller.asks("1")
    shown = await caller.picks(shown, "PDF")
    assert shown.startswith("Files cannot be sent here.")


async def test_a_number_that_means_another_option_by_now_takes_none(caller: Caller) -> None:
    """The list has a new first entry since it was shown."""
    await caller.asks("/history")
    caller.world.bank.set_handset(ADDRESS, Handset.PAYS)

    def begin(tx: StoreTx) -> None:
        owner = tx.people.at(request_channel.NAME, ADDRESS)
        assert owner is not None
        topups.start(
            tx,
            caller.world.random,
            owner,
            request_channel.NAME,
            ADDRESS,
            "elsewhere",
            Money(500_00),
            demo.PHONE,
        )

    await caller.world.app.database.write(begin)
    shown = await caller.asks("1")
    assert shown.startswith("That menu has moved on.")
    assert "TU-" in await caller.asks("1")  # the list stood below


async def test_a_colleague_is_told_by_sms(caller: Caller) -> None:
    def colleague(tx: StoreTx) -> None:
        person = tx.people.add_person("DUKA", "baraka", Role.OWNER, COLLEAGUE, None, "en")
        tx.people.link(request_channel.NAME, COLLEAGUE.msisdn, person)

    await caller.world.app.database.write(colleague)
    await caller.world.advance(25 * 3600)  # a new number rests for a day
    await caller.picks(await caller.asks("/settings"), "Second person")
    await caller.asks("5000")
    (text,) = caller.world.sms.texts[COLLEAGUE.msisdn]
    assert "float above KES 5,000 needs a second person" in text


async def test_the_link_of_an_invitation_goes_by_sms(caller: Caller) -> None:
    await caller.picks(await caller.asks("/invite"), "Viewer")
    await caller.picks(await caller.asks("neema"), "Yes, make the link")
    assert "Invitation of neema to DUKA" in caller.texts[-1]
    assert await caller.queued() == 0
