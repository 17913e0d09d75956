"""Every node leads somewhere and to an end, and its fields and buttons are valid."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.turns.registry import HANDLERS
from flows.catalogue import all_flows
from flows.engine.check import InvalidFlow, check, flow_errors
from flows.engine.nodes import Ask, Choose, End, Flow, Look, Node, Option
from flows.engine.session import FlowRegistry
from flows.engine.texts import Texts
from tests.kit.broken_flows import (
    AMOUNT,
    CONFIRM,
    DECLARED,
    PUSH,
    SOUND,
    Sent,
    changed,
    flow,
    found,
    read,
    without,
    words_for,
)


def test_a_sound_flow_has_no_faults() -> None:
    assert found(flow(*SOUND)) == set()


def test_the_shipped_flows_and_texts_have_no_faults() -> None:
    check(all_flows(), Texts.load(), HANDLERS)


def test_everything_wrong_is_said_at_once_a_line_each() -> None:
    broken = changed(replace(PUSH, on={"paid": "paid"}), End("nobody"))
    with pytest.raises(InvalidFlow) as caught:
        check(FlowRegistry(broken), without("topup.amount.ask"), DECLARED)
    lines = str(caught.value).split("\n")
    assert len(lines) == len(set(lines)) > 3
    assert all(line.startswith(("topup", "en: topup")) for line in lines)


# Where nodes lead


@pytest.mark.parametrize(
    "node",
    [
        replace(AMOUNT, to="nowhere"),
        replace(CONFIRM, yes="nowhere"),
        replace(CONFIRM, edit={"amount": "nowhere"}),
        replace(PUSH, on=dict(PUSH.on) | {"rejected": "nowhere"}),
        Choose("amount", options=(Option("mine", to="nowhere"),)),
        Choose("amount", options=(), to="nowhere", into="amount"),
        Choose("amount", options=(), typed="nowhere"),
        Look("amount", view="history", into="amount", to="nowhere"),
    ],
    ids=lambda node: type(node).__name__,
)
def test_a_target_that_is_no_node_is_a_fault(node: Node) -> None:
    assert found(changed(node)) == {f"topup.{node.id}: leads to nowhere, which is no node"}


def test_a_start_that_is_no_node_is_a_fault() -> None:
    assert found(flow(*SOUND, start="begin")) == {"topup: starts at begin, which is no node"}


def test_two_nodes_of_one_id_are_a_fault() -> None:
    assert "topup: two nodes share an id" in found(flow(*SOUND, End("paid")))


def test_a_node_that_nothing_leads_to_is_a_fault() -> None:
    assert found(changed(End("island")), words_for("island.ask")) == {
        "topup.island: nothing leads there"
    }


def test_nodes_that_only_lead_to_each_other_are_out_of_reach() -> None:
    ring = (
        Ask("here", into="amount", parse=read, to="there"),
        Ask("there", into="phone", parse=read, to="here"),
    )
    assert {f"topup.{name}: nothing leads there" for name in ("here", "there")} <= found(
        changed(*ring), words_for("here.ask", "there.ask")
    )


def test_a_node_from_which_nothing_ends_is_a_fault() -> None:
    trap = Ask("trap", into="amount", parse=read, to="trap")
    door = replace(PUSH, on=dict(PUSH.on) | {"rejected": "trap"})
    assert found(changed(door, trap), words_for("trap.ask")) == {
        "topup.trap: no End can be reached from there"
    }


def test_a_page_that_is_looked_at_is_an_end() -> None:
    page = Look("page", view="balance")
    door = replace(PUSH, on=dict(PUSH.on) | {"rejected": "page"})
    assert found(changed(door, page), words_for("page.ask")) == set()


# Fields


@pytest.mark.parametrize(
    "node",
    [
        replace(AMOUNT, into="colour"),
        replace(CONFIRM, shows=("amount", "phone", "colour")),
        replace(CONFIRM, edit={"colour": "amount"}),
        replace(PUSH, money=False, args=("colour",)),
        Choose("amount", options=(Option("mine", to="phone", set={"colour": "my_phone"}),)),
        Choose("amount", options=(), into="colour", to="phone"),
        Look("amount", view="history", into="colour", to="phone"),
        Look("amount", view="operation", args=("colour",), into="phone", to="phone"),
    ],
    ids=lambda node: type(node).__name__,
)
def test_a_field_that_the_data_does_not_have_is_a_fault(node: Node) -> None:
    assert f"topup.{node.id}: colour is no field of Sent" in found(changed(node))


def test_what_is_typed_must_be_read_by_an_ask() -> None:
    choice = Choose("amount", options=(Option("mine", to="phone"),), typed="confirm")
    assert "topup.amount: confirm does not read what is typed" in found(changed(choice))


@pytest.mark.parametrize("target", ["push", "phone"])
def test_an_edit_must_lead_to_a_question_for_that_field(target: str) -> None:
    broken = changed(replace(CONFIRM, edit={"amount": target, "phone": "phone"}))
    assert f"topup.confirm: edit-amount leads to {target}, which does not ask amount" in found(
        broken
    )


def test_acts_on_items_need_items() -> None:
    page = Look("page", view="balance", item_acts={"check": "check_topup"})
    door = replace(PUSH, on=dict(PUSH.on) | {"rejected": "page"})
    words = words_for("page.ask", "page.check", "page.check-done")
    assert found(changed(door, page), words) == {"topup.page: has acts on items, but no items"}


def test_an_unknown_view_is_a_fault() -> None:
    page = Flow("topup", 1, Sent, "page", (Look("page", view="nosuch"),))
    words = Texts({"en": {"topup.page.ask": "Words."}})
    assert set(flow_errors(page, words, DECLARED)) == {"topup.page: there is no view nosuch"}


# Buttons


def test_two_options_of_one_id_are_a_fault() -> None:
    twice = Choose("amount", options=(Option("mine", to="phone"), Option("mine", to="refused")))
    fault = "topup.amount: option mine is there twice, or is the engine's own"
    assert fault in found(changed(twice), words_for("amount.mine"))


@pytest.mark.parametrize("own", ["back", "cancel", "menu"])
def test_an_option_named_like_a_navigation_is_a_fault(own: str) -> None:
    clash = Choose("amount", options=(Option(own, to="phone"),))
    fault = f"topup.amount: option {own} is there twice, or is the engine's own"
    assert fault in found(changed(clash), words_for(f"amount.{own}"))


def test_an_option_id_that_does_not_fit_a_button_is_a_fault() -> None:
    fits, long = "x" * 51, "x" * 52  # 64 bytes less a turn of 12 digits and the colon
    choice = Choose("amount", options=(Option(fits, to="phone"), Option(long, to="phone")))
    about_bytes = [line for line in found(changed(choice)) if "bytes" in line]
    assert about_bytes == [f"topup.amount: option {long} does not fit 64 bytes"]


def test_an_option_id_is_measured_in_bytes() -> None:
    choice = Choose("amount", options=(Option("ñ" * 26, to="phone"),))
    assert any("does not fit 64 bytes" in line for line in found(changed(choice)))


@pytest.mark.parametrize("odd", ["Mine", "my_own", "mine:2", "min e", "miñe", "", "mine\n"])
def test_an_option_id_that_taps_cannot_carry_is_a_fault(odd: str) -> None:
    choice = Choose("amount", options=(Option(odd, to="phone", set={"amount": "my_phone"}),))
    fault = f"topup.amount: option {odd} is not of a-z, 0-9 and -, as taps carry"
    assert found(changed(choice), words_for(f"amount.{odd}")) == {fault}


@pytest.mark.parametrize("fine", ["mine", "amount-1", "7", "x" * 48])
def test_an_option_id_of_small_letters_digits_and_dashes_is_sound(fine: str) -> None:
    choice = Choose("amount", options=(Option(fine, to="phone", set={"amount": "my_phone"}),))
    assert found(changed(choice), words_for(f"amount.{fine}")) == set()
