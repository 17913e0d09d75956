"""Each mistake with payouts is caught on the shortest way to it; a storm meets it by chance."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import pytest

from bot.simulation.daraja.payees import parse_payee
from bot.simulation.faults import parse_fault
from bot.simulation.world import Home
from bot.storm.captured_log import captured_log
from bot.storm.crash_points import JOURNEYS, PAYEE, JourneyRun, pay
from bot.storm.invariant_checker import InvariantChecker
from tests.storm.mistake import Mistake
from tests.storm.payout_mistakes import PAYOUT_MISTAKES

Journey = Callable[[JourneyRun], Awaitable[None]]


def _meets(fault: str, call: str = "payout", payee: str = "pays", then_s: float = 10) -> Journey:
    async def journey(play: JourneyRun) -> None:
        play.world.daraja.arm(parse_fault(fault), call)
        play.world.daraja.set_payee(PAYEE, parse_payee(payee))
        await pay(play)
        await play.world.advance(then_s)

    return journey


def _payee(does: str, then_s: float = 10) -> Journey:
    return _meets("slow 1s", payee=does, then_s=then_s)


async def _new_recipient(play: JourneyRun) -> None:
    for amount in ("30000", "25000"):
        await pay(play, amount)
        await play.world.advance(10)


async def _frozen(play: JourneyRun) -> None:
    play.world.daraja.arm(parse_fault("http 503"), "payout-token", 2)
    await pay(play)
    await play.say("/settings")
    await play.tap("freeze-payouts")
    await play.world.advance(60)


async def _other_code(play: JourneyRun) -> None:
    await pay(play)  # codes of the first ten minutes are not looked at
    await play.world.advance(700)
    await play.say("/float 5000")
    await play.tap("yes")
    (bought_with,) = play.codes()
    await play.say(f"/pay {PAYEE} 1500")
    await play.tap("yes")
    await play.say(bought_with)


async def _other_receipt(play: JourneyRun) -> None:
    daraja = play.world.daraja
    await pay(play)
    await play.world.advance(10)
    daraja.set_payee(PAYEE, parse_payee("late 5h"))
    await pay(play)
    await play.world.advance(10)
    first, second = daraja.payments()
    told = json.loads(daraja.results.deliveries[0].body)
    told["Result"]["OriginatorConversationID"] = second.originator_id
    told["Result"]["ConversationID"] = second.conversation_id
    assert told["Result"]["TransactionID"] == first.transaction_id
    body = json.dumps(told).encode()
    daraja.results.send(daraja.results.deliveries[0].url, lambda: body)
    await play.world.settle()


# The answer to the order is lost, and no Result comes before the query.
_LOST = _meets("timeout-after", payee="silent", then_s=70)
WAYS: dict[str, Journey] = {
    "order a payout again after a timeout": _LOST,
    "order a payout again under a new id": _LOST,
    "call a timeout of a payout returned": _LOST,
    "call an accepted order paid": _payee("fails 4"),
    "let go what an unknown payout holds": _LOST,
    "believe a Result of another amount": _meets("result other-amount"),
    "believe a Result of another phone": _meets("result other-phone"),
    "believe a Result that says otherwise": _meets("result contradicts"),
    "believe a Result that announces another": _meets("result more-to-come"),
    "take a query without an answer for the payment's failure": _payee("late 5h", then_s=100),
    "take a full queue for the payment's failure": _meets("queue-timeout"),
    "confirm no large payout": JOURNEYS["payout confirmed"],
    "book a payout again when it is told again": _payee("twice"),
    "ignore what is paid after its return": JOURNEYS["payout after its return"],
    "let nobody owe what is paid after its return": JOURNEYS["payout after its return"],
    "take from the float again what is paid after its return": JOURNEYS["payout after its return"],
    "send what is frozen or paused": _frozen,
    "pay a new recipient without a limit": _new_recipient,
    "send a code that binds no recipient": JOURNEYS["payout"],
    "take a code for something else": _other_code,
    "return a payout that nobody has found for a day": _payee("late 30h", then_s=87_000),
    "take the receipt of another payout": _other_receipt,
    "forget M-PESA's charge": JOURNEYS["payout"],
}


@pytest.mark.parametrize("mistake", PAYOUT_MISTAKES, ids=lambda mistake: mistake.name)
async def test_a_mistake_with_payouts_is_caught_where_it_matters(
    world_home: Home, mistake: Mistake
) -> None:
    with mistake.make():
        found = await _invariants_broken_by(world_home, WAYS[mistake.name])
    assert found & mistake.caught_by


_ALONE = {way: name for name, way in WAYS.items() if way not in JOURNEYS.values()}


@pytest.mark.parametrize("way", _ALONE, ids=_ALONE.values())
async def test_the_same_way_breaks_nothing_without_the_mistake(
    world_home: Home, way: Journey
) -> None:
    assert await _invariants_broken_by(world_home, way) == set()


async def _invariants_broken_by(world_home: Home, journey: Journey) -> set[str]:
    play = JourneyRun(world_home)
    watch = InvariantChecker(play.world)
    with captured_log([], watch.errors):
        await play.open()
        broken = await watch.step()
        await journey(play)
        broken += await watch.step()
        await play.world.close()
    return {one.invariant for one in broken}
