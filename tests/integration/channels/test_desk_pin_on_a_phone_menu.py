"""On a channel with a phone's menu a desk PIN is asked for wherever a chat would send a code."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from bot.simulation.console import demo
from bot.simulation.world import World
from services import preferences
from services.domain.desk_pin import digest
from services.domain.float_purchase import PurchaseState
from services.domain.money import Money
from services.domain.otp import Purpose
from services.domain.partner import Person, Role
from services.domain.phone import Phone
from storage.transaction import StoreTx
from tests.kit import request_channel
from tests.kit.desk_pins import PIN, WRONG
from tests.kit.request_channel import MORE, MORE_LINE, RequestChannel

T = TypeVar("T")
OWNER, COLLEAGUE = demo.PHONE.msisdn, Phone("254733123456").msisdn
PHONE_MENU = replace(request_channel.CAPABILITIES, phone_menu=True)
CODE_ABOVE = 1_000  # shillings
ASKED = "The bank is being asked."


class Caller:
    """Two people who dial, and type what they are asked for."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.channel = RequestChannel(lambda: world.app)
        self.count = 0

    async def asks(self, text: str, address: str = OWNER) -> str:
        """The whole answer, with its further pages."""
        self.count += 1
        page = whole = await self.channel.ask(address, f"r{self.count}", text)
        while page.endswith(MORE_LINE):
            page = await self.channel.ask(address, f"r{self.count}-more", MORE)
            whole = whole.removesuffix(MORE_LINE) + page
        await self.world.settle()
        return whole

    async def picks(self, shown: str, label: str, address: str = OWNER) -> str:
        (number,) = re.findall(rf"^([0-9]+)\. {re.escape(label)}$", shown, re.MULTILINE)
        return await self.asks(number, address)

    async def write(self, function: Callable[[StoreTx], T]) -> T:
        return await self.world.app.database.write(function)

    async def set_pin(self, address: str = OWNER) -> None:
        keys = self.world.app.context.keys

        def put(tx: StoreTx) -> None:
            person = person_at(tx, address)
            made = digest(keys.pepper(keys.pepper_id), person.id, PIN)
            tx.desk_pins.put(person.id, keys.pepper_id, made)

        await self.write(put)

    def texts(self, address: str = OWNER) -> list[str]:
        return list(self.world.sms.texts[address])


def person_at(tx: StoreTx, address: str) -> Person:
    person = tx.people.at(request_channel.NAME, address)
    assert person is not None
    return person


def seed(tx: StoreTx) -> None:
    demo.seed(tx)
    owner = tx.people.at("terminal", demo.OWNER)
    assert owner is not None
    tx.people.unlink("terminal", demo.OWNER)
    tx.people.link(request_channel.NAME, OWNER, owner.id)
    other = tx.people.add_person("DUKA", "baraka", Role.OWNER, Phone(COLLEAGUE), None, "en")
    tx.people.link(request_channel.NAME, COLLEAGUE, other)
    tx.conn.execute("UPDATE addresses SET linked_at = 0")


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    world = World(tmp_path, request_channels={request_channel.NAME: PHONE_MENU})
    world.settings = world.settings.model_copy(update={"topup_code_above": CODE_ABOVE})
    await world.open()
    await world.app.database.write(seed)
    yield Caller(world)
    await world.close()


async def to_float_pin(caller: Caller, amount: str = "1000") -> str:
    await caller.asks("/float")
    shown = await caller.asks(amount)
    return await caller.picks(shown, "Yes, type my PIN")


async def newest_purchase(caller: Caller) -> tuple[PurchaseState, str | None]:
    purchase = await caller.write(lambda tx: tx.purchases.every()[-1])
    return purchase.state, purchase.reason


# Float


async def test_float_is_bought_with_the_pin_and_no_code_is_sent(caller: Caller) -> None:
    await caller.set_pin()
    shown = await to_float_pin(caller)
    assert "Type your desk PIN, not your M-PESA PIN." in shown
    assert "1. Back" in shown
    shown = await caller.asks(PIN)
    assert ASKED in shown
    await caller.world.advance(30)
    shown = await caller.picks(shown, "Check now")
    assert "Float KES 1,000 bought" in shown
    assert not any("Code" in text for text in caller.texts())
    assert "FL-" in await caller.asks("/history")
    assert await caller.write(lambda tx: list(tx.invariants.violations())) == []


async def test_without_a_pin_nothing_is_asked(caller: Caller) -> None:
    await caller.asks("/float")
    shown = await caller.asks("1000")
    assert shown.startswith("You have no desk PIN. Set one in the Hazina chat, under Settings.")


async def test_more_than_a_pin_may_buy_is_refused_at_the_amount(caller: Caller) -> None:
    await caller.set_pin()
    await caller.asks("/float")
    shown = await caller.asks("10001")
    assert shown.startswith("That is too much for USSD: the maximum is KES 10,000 at once.")
    assert "Buy float: how many shillings?" in shown
    assert "type my PIN" in await caller.asks("3000")


async def test_back_from_the_pin_leads_to_the_confirm(caller: Caller) -> None:
    await caller.set_pin()
    shown = await to_float_pin(caller)
    shown = await caller.asks("back")
    assert shown.startswith("Float KES 1,000 + fees KES 35 = KES 1,035 from the wallet?")
    shown = await caller.picks(shown, "Yes, type my PIN")
    assert ASKED in await caller.asks(f"my pin is {PIN}")


async def test_what_is_no_pin_uses_no_try(caller: Caller) -> None:
    await caller.set_pin()
    await to_float_pin(caller)
    for typed in ("12", "1234567", "yes", "25 80"):
        assert (await caller.asks(typed)).startswith("Not a PIN")
    assert ASKED in await caller.asks(PIN)


async def test_the_third_wrong_pin_locks_it_and_its_person_is_told(caller: Caller) -> None:
    await caller.set_pin()
    await to_float_pin(caller)
    assert (await caller.asks(WRONG)).startswith("Wrong desk PIN. Tries left: 2.")
    assert (await caller.asks(WRONG)).startswith("Wrong desk PIN. Tries left: 1.")
    shown = await caller.asks(WRONG)
    assert shown.startswith("Three wrong PINs: your desk PIN is locked")
    assert await newest_purchase(caller) == (PurchaseState.REFUSED, "desk_pin_locked")
    assert "your desk PIN is locked" in caller.texts()[-1]
    await caller.asks("/float")
    assert (await caller.asks("1000")).startswith("Your desk PIN is locked.")
    acts = await caller.write(
        lambda tx: [act for (act,) in tx.conn.execute("SELECT act FROM audit_log")]
    )
    assert acts == ["pin_locked"]


async def test_tries_count_over_everything_it_is_used_for(caller: Caller) -> None:
    await caller.set_pin()
    await to_float_pin(caller)
    await caller.asks(WRONG)
    await caller.asks("cancel")
    await to_topup_pin(caller)
    assert (await caller.asks(WRONG)).startswith("Wrong desk PIN. Tries left: 1.")
    await caller.asks("cancel")
    await to_float_pin(caller)
    assert (await caller.asks(WRONG)).startswith("Three wrong PINs")


async def test_a_pin_is_kept_nowhere(caller: Caller) -> None:
    await caller.set_pin()
    await to_float_pin(caller)
    await caller.asks(WRONG)
    await caller.asks(PIN)
    dump = await caller.write(lambda tx: "\n".join(tx.conn.iterdump()))
    for secret in (PIN, WRONG):
        assert re.search(rf"(?<![0-9a-f.]){secret}(?![0-9a-f])", dump) is None


async def test_what_a_code_to_the_same_phone_proves_is_settled_in_the_chat(caller: Caller) -> None:
    """Whoever holds the SIM would get the code too."""
    shown = await caller.asks("/settings")
    options = re.findall(r"^[0-9]+\. (.*)$", shown, re.MULTILINE)
    assert not {"My number", "My mail address", "Desk PIN"} & set(options)
    assert "1. Language" in shown
    assert caller.texts() == []


# Top-ups


async def to_topup_pin(caller: Caller) -> str:
    await caller.asks("/topup")
    shown = await caller.asks("1500")
    shown = await caller.picks(shown, "My number, 0712 345 678")
    return await caller.picks(shown, "Yes, send it")


async def test_a_top_up_that_needs_a_code_asks_for_the_pin(caller: Caller) -> None:
    await caller.set_pin()
    shown = await to_topup_pin(caller)
    assert shown.startswith("Type your desk PIN, not your M-PESA PIN, to send a prompt for")
    shown = await caller.asks(PIN)
    assert "M-PESA" in shown
    topup = await caller.write(lambda tx: tx.topups.every()[-1])
    asked = await caller.write(
        lambda tx: tx.desk_pins.approved(topup.reference, Purpose.WALLET_TOPUP)
    )
    assert asked is not None
    assert (asked.amount, asked.destination) == (Money(1_500_00), OWNER)


async def test_a_smaller_top_up_asks_for_nothing(caller: Caller) -> None:
    await caller.asks("/topup")
    shown = await caller.picks(await caller.asks("900"), "My number, 0712 345 678")
    assert "Check now" in await caller.picks(shown, "Yes, send it")


async def test_a_large_top_up_without_a_pin_is_refused(caller: Caller) -> None:
    assert (await to_topup_pin(caller)).startswith("You have no desk PIN.")


async def test_who_comes_back_to_the_pin_of_a_top_up_is_asked_the_question_before(
    caller: Caller,
) -> None:
    await caller.set_pin()
    await to_topup_pin(caller)
    await caller.asks("/balance")
    shown = await caller.picks(await caller.asks("/topup"), "Continue")
    shown = await caller.picks(shown, "My number, 0712 345 678")
    shown = await caller.picks(shown, "Yes, send it")
    await caller.world.restart()
    assert "Check now" in await caller.asks(PIN)


async def test_the_third_wrong_pin_sends_no_prompt(caller: Caller) -> None:
    await caller.set_pin()
    await to_topup_pin(caller)
    for _ in range(2):
        await caller.asks(WRONG)
    shown = await caller.asks(WRONG)
    assert shown.startswith("Three wrong PINs: your desk PIN is locked. No prompt was sent.")
    assert await caller.write(lambda tx: tx.topups.every()) == []


# A colleague's purchase


async def to_approve_pin(caller: Caller) -> str:
    """The owner asks for a purchase that needs the colleague, who agrees."""

    def need(tx: StoreTx) -> None:
        owner = person_at(tx, OWNER)
        policy = caller.world.app.context.policy
        preferences.set_approval_threshold(tx, policy, owner, Money(500_00))

    await caller.write(need)
    await caller.set_pin()
    await caller.asks("/float")
    shown = await caller.asks("1000")
    shown = await caller.picks(shown, "Yes, ask a colleague")
    assert "needs a colleague until" in shown
    await caller.asks("/approve", COLLEAGUE)
    shown = await caller.asks("1", COLLEAGUE)
    return await caller.picks(shown, "I agree", COLLEAGUE)


async def test_a_colleague_agrees_with_their_own_pin(caller: Caller) -> None:
    await caller.set_pin(COLLEAGUE)
    shown = await to_approve_pin(caller)
    assert shown.startswith("Type your desk PIN, not your M-PESA PIN, to agree to KES 1,000")
    assert (await caller.asks(WRONG, COLLEAGUE)).startswith("Wrong desk PIN. Tries left: 2.")
    shown = await caller.asks(PIN, COLLEAGUE)
    assert shown.startswith("You have agreed to KES 1,000 of float.")
    assert caller.texts()[-1].endswith(
        "has agreed to your KES 1,000 of float. Dial again and go on with it."
    )
    shown = await caller.picks(await caller.asks("/float"), "Continue")
    shown = await caller.picks(shown, "Go on")  # the same purchase, which is approved by now
    assert "Type your desk PIN" in shown
    assert ASKED in await caller.asks(PIN)
    assert await caller.write(lambda tx: list(tx.invariants.violations())) == []


async def test_a_colleague_without_a_pin_cannot_agree(caller: Caller) -> None:
    assert (await to_approve_pin(caller)).startswith("You have no desk PIN.")


async def test_a_colleague_whose_pin_is_locked_has_not_decided(caller: Caller) -> None:
    await caller.set_pin(COLLEAGUE)
    await to_approve_pin(caller)
    for _ in range(2):
        await caller.asks(WRONG, COLLEAGUE)
    shown = await caller.asks(WRONG, COLLEAGUE)
    assert "your desk PIN is locked, and you have not decided" in shown
    state, _ = await newest_purchase(caller)
    assert state is PurchaseState.AWAITING_APPROVAL


async def test_declining_needs_no_pin(caller: Caller) -> None:
    await to_approve_pin(caller)
    await caller.asks("/approve", COLLEAGUE)
    shown = await caller.asks("1", COLLEAGUE)
    assert "You have not agreed" in await caller.picks(shown, "I do not agree", COLLEAGUE)
