"""What an End leads to asks something, does nothing, and finds the values that it needs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.turns.registry import HANDLERS
from flows.catalogue import all_flows
from flows.engine.check import flow_errors
from flows.engine.check_repeats import repeat_errors
from flows.engine.nodes import End, Flow, Repeat
from flows.engine.session import FlowRegistry
from flows.engine.texts import Texts
from flows.float import FLOAT
from flows.topup import TOPUP

FLOWS = all_flows()
CONFIRM = Repeat(at="confirm", fills=("amount", "phone"))


def faults(flow: Flow) -> list[str]:
    return list(repeat_errors(FLOWS, flow))


def again(repeat: Repeat, flow: Flow = TOPUP) -> Flow:
    return replace(flow, repeats={"again": (repeat,)})


def ending(end: End) -> Flow:
    return replace(TOPUP, nodes=tuple(end if node.id == end.id else node for node in TOPUP.nodes))


def test_the_shipped_flows_have_no_faults() -> None:
    assert [fault for flow in FLOWS for fault in faults(flow)] == []


@pytest.mark.parametrize("at", ["push", "code", "secure", "paid"])
def test_an_option_that_could_do_something_unasked_is_a_fault(at: str) -> None:
    found = faults(again(replace(CONFIRM, at=at)))
    assert f"topup: again leads to topup.{at}, which may do something unasked" in found


def test_a_use_case_that_only_leads_to_a_question_is_sound() -> None:
    assert faults(again(Repeat(at="quote", fills=("amount",)), FLOAT)) == []


@pytest.mark.parametrize("at", ["buy", "send_code"])
def test_a_use_case_that_leads_on_to_money_is_a_fault(at: str) -> None:
    fills = ("amount", "fees", "total", "purchase")
    assert faults(again(Repeat(at=at, fills=fills), FLOAT)) != []


@pytest.mark.parametrize(
    ("repeat", "fault"),
    [
        (replace(CONFIRM, at="nowhere"), "leads to topup.nowhere, which is no node"),
        (replace(CONFIRM, flow="nosuch"), "leads to nosuch.confirm, which is no node"),
        (
            replace(CONFIRM, fills=("amount", "phone", "colour")),
            "fills colour, which is no field of TopUpData",
        ),
        (
            Repeat(at="detail", fills=(), flow="history"),
            "leads to history.detail without reference",
        ),
    ],
)
def test_what_is_not_there_is_a_fault(repeat: Repeat, fault: str) -> None:
    assert faults(again(repeat)) == [f"topup: again {fault}"]


def test_a_screen_that_shows_more_than_is_known_is_a_fault() -> None:
    flow = again(replace(CONFIRM, fills=("amount",)))
    found = list(flow_errors(flow, Texts.load(), HANDLERS))
    assert any("confirm" in fault and "phone" in fault for fault in found)


def test_an_option_that_the_flow_does_not_have_is_a_fault() -> None:
    flow = ending(End("paid", repeats=("nosuch",)))
    found = list(flow_errors(flow, Texts.load(), HANDLERS))
    assert "topup.paid: nosuch is none of the flow's repeats" in found


def test_a_flow_that_is_not_there_is_a_fault() -> None:
    flow = ending(End("paid", opens=("nosuch",)))
    assert next(repeat_errors(FlowRegistry(flow), flow)) == (
        "topup.paid: opens nosuch, which is no flow"
    )


def test_an_option_that_does_not_fit_a_button_is_a_fault() -> None:
    found = faults(replace(TOPUP, repeats={"a" * 48: (CONFIRM,)}))
    assert f"topup: {'a' * 48} does not fit 64 bytes" in found
