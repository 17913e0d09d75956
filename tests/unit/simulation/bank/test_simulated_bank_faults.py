"""The simulated bank fails, or dies before or after a call, as a test tells it to."""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest

from bot.simulation.faults import Fault, FaultKind, parse_fault
from bot.simulation.ncba.handsets import Handset
from tests.kit.bank_caller import PHONE, Caller
from tests.kit.virtual_time import advance, settle

# --- Faults -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("refuse no on such day", Fault(FaultKind.REFUSE, reason="no on such day")),
        ("http 503", Fault(FaultKind.HTTP, status=503)),
        ("html", Fault(FaultKind.HTML)),
        ("garbage", Fault(FaultKind.GARBAGE)),
        ("timeout-before", Fault(FaultKind.TIMEOUT_BEFORE)),
        ("timeout-after", Fault(FaultKind.TIMEOUT_AFTER)),
        ("slow 20s", Fault(FaultKind.SLOW, delay_s=20.0)),
        ("says-failed wrong PIN", Fault(FaultKind.SAYS_FAILED, reason="wrong PIN")),
    ],
)
def test_a_fault_is_read_as_scripts_write_it(text: str, fault: Fault) -> None:
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    "text",
    [
        "",
        "refuse",
        "says-failed ",
        "http",
        "http 50",
        "http abc",
        "http 5000",
        "html now",
        "slow",
        "slow 20",
        "slow -1s",
        "timeout",
        "explode",
    ],
)
def test_any_other_fault_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(ValueError, match=r"needs a|unknown fault"):
        parse_fault(text)


def test_a_fault_is_armed_only_where_it_makes_sense(caller: Caller) -> None:
    with pytest.raises(ValueError, match="unknown call"):
        caller.bank.arm(parse_fault("html"), "statement")
    with pytest.raises(ValueError, match="once or more"):
        caller.bank.arm(parse_fault("html"), "query", 0)
    with pytest.raises(ValueError, match="only query"):
        caller.bank.arm(parse_fault("says-failed no"), "initiate")
    with pytest.raises(ValueError, match="only query and status"):
        caller.bank.arm(parse_fault("says-failed no"), "float")
    with pytest.raises(ValueError, match="unknown call"):
        caller.bank.calls("statement")


async def test_faults_are_met_in_order_and_as_often_as_armed(caller: Caller) -> None:
    caller.bank.arm(parse_fault("http 503"), "query", times=2)
    caller.bank.arm(parse_fault("refuse no"), "query")
    answers = [await caller.post("query", {"TransactionID": "x"}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [503, 503, 400, 200]
    assert caller.bank.calls("query") == 4


@pytest.mark.parametrize("fault", ["refuse no", "http 500", "html", "garbage"])
async def test_an_answered_fault_has_no_effect_and_uses_no_arming(
    caller: Caller, fault: str
) -> None:
    caller.bank.set_handset(PHONE, Handset.PAYS)
    caller.bank.arm(parse_fault(fault), "initiate")
    await caller.initiate()
    assert caller.bank.paid() == ()
    await caller.initiate()
    assert len(caller.bank.paid()) == 1
    assert caller.bank.calls("initiate") == 2


@pytest.mark.parametrize(("fault", "effects"), [("timeout-before", 0), ("timeout-after", 1)])
async def test_a_timeout_never_answers(caller: Caller, fault: str, effects: int) -> None:
    caller.bank.set_handset(PHONE, Handset.PAYS)
    caller.bank.arm(parse_fault(fault), "initiate")
    call = asyncio.create_task(caller.initiate())
    await advance(caller.clock, 86_400)
    assert not call.done()
    assert len(caller.bank.paid()) == effects
    call.cancel()
    await settle()


async def test_a_slow_call_has_its_effect_at_the_end_even_if_the_caller_has_gone(
    caller: Caller,
) -> None:
    caller.bank.set_handset(PHONE, Handset.PAYS)
    caller.bank.arm(parse_fault("slow 20s"), "initiate")
    call = asyncio.create_task(caller.initiate())
    await advance(caller.clock, 10)
    call.cancel()
    await advance(caller.clock, 9)
    assert caller.bank.paid() == ()
    await advance(caller.clock, 1)
    assert len(caller.bank.paid()) == 1


async def test_latency_passes_on_the_clock(caller: Caller) -> None:
    caller.bank.latency = lambda: 1.5
    call = asyncio.create_task(caller.ask_token())
    await advance(caller.clock, 1)
    assert not call.done()
    await advance(caller.clock, 0.5)
    assert call.done()


# --- Dying around a call ------------------------------------------------------------------------


@pytest.mark.parametrize(("moment", "had"), [("before", 0), ("after", 1)])
async def test_dying_before_a_call_leaves_the_bank_without_it_after_it_with_its_effect(
    caller: Caller, moment: Literal["before", "after"], had: int
) -> None:
    async def die(at: Literal["before", "after"], call: str) -> None:
        if (at, call) == (moment, "initiate"):
            await asyncio.get_running_loop().create_future()

    caller.bank.set_handset(PHONE, Handset.PAYS)
    caller.bank.probe = die
    call = asyncio.create_task(caller.initiate())
    await settle()
    assert not call.done()
    assert caller.bank.calls("initiate") == had
    assert len(caller.bank.paid()) == had
    call.cancel()
    await settle()


async def test_a_payment_whose_answer_never_arrived_was_not_told(caller: Caller) -> None:
    async def die(at: Literal["before", "after"], call: str) -> None:
        if (at, call) == ("after", "query"):
            await asyncio.get_running_loop().create_future()

    caller.bank.set_handset(PHONE, Handset.PAYS)
    transaction_id = await caller.prompt()
    caller.bank.probe = die
    call = asyncio.create_task(caller.query(transaction_id))
    await settle()
    call.cancel()
    await settle()
    assert caller.bank.reported_paid() == ()
