"""Money moves only after a Confirm that shows it, or after a code."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.turns.registry import HANDLERS
from flows.engine.check import InvalidFlow, check, flow_errors
from flows.engine.nodes import Ask, Call, Choose, Code, Confirm, Do, End, Flow, Look, Node, Option
from flows.engine.session import FlowRegistry
from flows.engine.texts import Texts
from flows.float import FLOAT
from flows.topup import TOPUP
from services.domain.ids import Reference
from tests.kit.broken_flows import (
    AMOUNT,
    CONFIRM,
    DECLARED,
    PHONE,
    PUSH,
    SOUND,
    WORDS,
    Sent,
    changed,
    flow,
    found,
    read,
    words_for,
)

# What money needs


@pytest.mark.parametrize("shows", [("phone",), ("amount",), ()])
def test_money_behind_a_confirm_that_does_not_show_everything_is_a_fault(
    shows: tuple[str, ...],
) -> None:
    hidden = {"amount", "phone"} - set(shows)
    assert found(changed(replace(CONFIRM, shows=shows))) == {
        f"topup.push: moves money, but confirm leads there without showing {name}"
        for name in hidden
    }


@pytest.mark.parametrize(
    "way",
    [
        Ask("way", into="amount", parse=read, to="push"),
        Choose("way", options=(Option("now", to="push"),)),
        Choose("way", options=(Option("end", to="paid"),), into="amount", to="push"),
        Do("way", use_case="start_slowly", args=(), on={"unknown": "push", "refused": "push"}),
        Look("way", view="history", into="amount", to="push"),
        Confirm("way", shows=("amount", "phone"), yes="paid", edit={"amount": "push"}),
    ],
    ids=["typed", "option", "suggestion", "use-case", "entry", "edit"],
)
def test_money_reached_by_any_way_but_a_confirms_yes_is_a_fault(way: Node) -> None:
    words = words_for("way.ask", "way.now", "way.end", "way.yes", "way.edit-amount")
    broken = changed(replace(AMOUNT, to="way"), way)
    fault = "topup.push: moves money, but way leads there without a Confirm's yes"
    assert fault in found(broken, words)


def test_money_without_facts_needs_a_confirm_too() -> None:
    way = Choose("phone", options=(Option("now", to="push"), Option("ask", to="confirm")))
    broken = changed(way, replace(PUSH, args=()))
    assert "topup.push: moves money, but phone leads there without a Confirm's yes" in found(
        broken, words_for("phone.now", "phone.ask")
    )


def test_a_flow_that_starts_by_moving_money_is_a_fault() -> None:
    started = flow(*SOUND, start="push")
    assert "topup.push: moves money, and nothing is asked before" in found(started)


def test_a_second_confirm_must_show_everything_too() -> None:
    again = Confirm("again", shows=("amount",), yes="push")
    door = replace(PUSH, on=dict(PUSH.on) | {"duplicate": "again"})
    words = Texts({"en": WORDS | {"topup.again.ask": "{amount}?", "topup.again.yes": "Yes"}})
    assert found(changed(door, again), words) == {
        "topup.push: moves money, but again leads there without showing phone"
    }


def test_the_shipped_top_up_is_held_to_it() -> None:
    """The check finds the same fault in the real flow, not only in the invented ones."""
    nodes = tuple(
        replace(node, shows=("amount",))
        if isinstance(node, Confirm) and node.id == "duplicate"
        else node
        for node in TOPUP.nodes
    )
    assert set(flow_errors(replace(TOPUP, nodes=nodes), Texts.load(), HANDLERS)) == {
        "topup.push_again: moves money, but duplicate leads there without showing phone"
    }


def test_what_moves_no_money_needs_no_confirm() -> None:
    free = replace(PUSH, money=False)
    assert found(changed(replace(CONFIRM, shows=()), free)) == set()


@pytest.mark.parametrize(
    ("left_out", "fault"),
    [
        ("refused", "topup.push: has no exit for a refusal"),
        ("unknown", "topup.push: waits, but has no exit for an unknown outcome"),
    ],
)
def test_a_use_case_without_a_needed_exit_is_a_fault(left_out: str, fault: str) -> None:
    exits = {name: "paid" for name in ("paid", "refused", "unknown") if name != left_out}
    broken = changed(replace(PUSH, on=exits, args=("amount", "phone")))
    assert fault in found(broken)


def test_a_use_case_that_ends_at_once_needs_no_unknown_exit() -> None:
    now = replace(PUSH, use_case="secure_topup", acts={}, on={"paid": "paid", "refused": "refused"})
    assert found(changed(now)) == set()


# Codes, and use cases that end at once, between the Confirm and the money


class Quoted(Sent):
    reference: Reference | None = None
    fees: str | None = None


QUOTE = Do(
    "quote",
    use_case="quote",
    args=("amount",),
    on={"quoted": "confirm", "refused": "refused"},
    gives={"quoted": ("reference", "fees")},
)
SHOWN = ("amount", "phone", "fees")
QUOTED_CONFIRM = Confirm(
    "confirm", shows=SHOWN, yes="send", edit={"amount": "amount"}, after_edit="quote"
)
SEND = Do(
    "send",
    use_case="send_code",
    args=SHOWN,
    on={"sent": "code", "open": "push", "refused": "refused"},
    operation="reference",
)
CODE = Code(
    "code",
    use_case="check_topup_code",
    operation="reference",
    status_use_case="topup_code_stands",
    on={"right": "push", "over": "refused"},
    acts={"resend": "resend_topup_code"},
)
CODED = (
    AMOUNT,
    replace(PHONE, to="quote"),
    QUOTE,
    QUOTED_CONFIRM,
    SEND,
    CODE,
    replace(PUSH, args=SHOWN, operation="reference"),
    End("paid"),
    End("refused"),
)
CODED_WORDS = {
    "topup.confirm.ask": "{amount} from {phone}, fees {fees}?",
    "topup.code.ask": "{fees} for {amount}: sent to {sent_to}, good until {until}",
    "topup.code.resend": "Another",
    "topup.code.resend-done": "Sent.",
    "topup.refused.ask": "Words.",
}


def coded(*nodes: Node) -> Flow:
    """Like ``changed``, on a valid flow with a quote and a code."""
    new = {node.id: node for node in nodes}
    kept = tuple(new.pop(node.id, node) for node in CODED)
    return replace(
        flow(*kept, *new.values()),
        data=Quoted,
        operation="reference",
        cancel_use_case="cancel_topup",
    )


def found_coded(broken: Flow, **more: str) -> set[str]:
    named = {f"topup.{key.replace('__', '.')}": text for key, text in more.items()}
    words = WORDS | CODED_WORDS | named
    return set(flow_errors(broken, Texts({"en": words}), DECLARED))


def test_money_behind_a_code_behind_a_confirm_is_sound() -> None:
    assert found_coded(coded()) == set()


@pytest.mark.parametrize("hidden", SHOWN)
def test_money_behind_a_code_is_held_to_what_the_confirm_shows(hidden: str) -> None:
    shows = tuple(name for name in SHOWN if name != hidden)
    confirm = replace(QUOTED_CONFIRM, shows=shows)
    assert found_coded(coded(confirm)) == {
        f"topup.push: moves money, but confirm leads there without showing {hidden}"
    }


@pytest.mark.parametrize(
    ("node", "culprit"),
    [
        (replace(PHONE, to="send"), "phone"),
        (replace(PHONE, to="code"), "phone"),
        (replace(QUOTE, on={"quoted": "confirm", "refused": "refused", "ok": "send"}), "phone"),
        (replace(QUOTE, on={"quoted": "confirm", "refused": "refused", "ok": "code"}), "phone"),
    ],
    ids=["question-to-use-case", "question-to-code", "quote-to-use-case", "quote-to-code"],
)
def test_money_behind_a_code_without_a_confirm_is_a_fault(node: Node, culprit: str) -> None:
    fault = f"topup.push: moves money, but {culprit} leads there without a Confirm's yes"
    assert fault in found_coded(coded(node))


def test_an_edit_that_goes_on_at_the_code_is_a_fault() -> None:
    confirm = replace(QUOTED_CONFIRM, edit={"amount": "code"})
    assert "topup.push: moves money, but confirm leads there without a Confirm's yes" in (
        found_coded(coded(confirm), confirm__edit_amount="Edit")
    )


@pytest.mark.parametrize("again", ["send", "code"])
def test_an_edit_that_is_not_confirmed_anew_is_a_fault(again: str) -> None:
    """After an edit the flow continues at ``again``, and that must not bypass the confirmation."""
    confirm = replace(QUOTED_CONFIRM, after_edit=again)
    assert "topup.push: moves money, but confirm leads there without a Confirm's yes" in (
        found_coded(coded(confirm))
    )


def test_use_cases_in_a_ring_do_not_vouch_for_each_other() -> None:
    there = Do("there", use_case="ask", args=(), on={"on": "back", "refused": "refused"})
    back = Do("back", use_case="ask", args=(), on={"on": "there", "go": "send", "refused": "there"})
    door = replace(PHONE, to="there")
    assert "topup.push: moves money, but phone leads there without a Confirm's yes" in found_coded(
        coded(door, there, back)
    )


def test_a_waiting_use_case_between_confirm_and_money_is_a_fault() -> None:
    """What was confirmed may have changed by the time the outcome arrives."""
    send = replace(SEND, use_case="start_slowly", on={**SEND.on, "unknown": "refused"})
    assert "topup.push: moves money, but send leads there without a Confirm's yes" in found_coded(
        coded(send), send__ask="Wait."
    )


@pytest.mark.parametrize("start", ["send", "code"])
def test_a_flow_that_starts_between_confirm_and_money_is_a_fault(start: str) -> None:
    started = replace(coded(), start=start)
    assert f"topup.push: moves money, but {start} leads there without a Confirm's yes" in (
        found_coded(started)
    )


def test_a_code_approves_the_flows_own_operation() -> None:
    fault = "topup.code: a code approves the flow's own operation"
    assert fault in found_coded(coded(replace(CODE, operation="fees")))
    assert fault in found_coded(replace(coded(), operation=None))
    assert fault in found_coded(replace(coded(), operation="fees"))


@pytest.mark.parametrize(
    "node",
    [
        replace(CODE, args=("colour",)),
        replace(CODE, operation="colour"),
        replace(SEND, operation="colour"),
        replace(QUOTE, gives={"quoted": ("reference", "fees", "colour")}),
        Call("phone", flow="fill", at="payer", gives={"amount": "colour"}, to="quote"),
        Choose("phone", options=(Option("mine", to="quote", puts={"colour": "red"}),)),
        Choose("phone", options=(), view="notice", args=("colour",), into="phone", to="quote"),
    ],
    ids=["code-args", "code-operation", "operation", "gives", "call", "puts", "view"],
)
def test_a_field_that_the_data_of_a_code_does_not_have_is_a_fault(node: Node) -> None:
    fault = f"topup.{node.id}: colour is no field of Quoted"
    assert fault in found_coded(coded(node), phone__mine="Mine")


def test_what_an_exit_gives_is_known_behind_that_exit_only() -> None:
    quote = replace(QUOTE, gives={"other": ("reference", "fees")})
    assert "en: topup.confirm.ask wants fees, which not every path gives" in found_coded(
        coded(quote)
    )


def test_a_code_says_what_its_use_case_tells_and_no_more() -> None:
    assert found_coded(coded(), code__ask="{sent_to} {until} {balance}") == {
        "en: topup.code.ask wants balance, which not every path gives"
    }


@pytest.mark.parametrize("key", ["code.ask", "code.resend", "code.resend-done"])
def test_a_code_wants_its_texts(key: str) -> None:
    words = {k: text for k, text in (WORDS | CODED_WORDS).items() if k != f"topup.{key}"}
    missing = set(flow_errors(coded(), Texts({"en": words}), DECLARED))
    assert missing == {f"en: topup.{key} is missing"}


@pytest.mark.parametrize("own", ["back", "cancel", "menu"])
def test_a_button_of_a_code_named_like_a_navigation_is_a_fault(own: str) -> None:
    code = replace(CODE, acts={own: "resend_topup_code"})
    fault = f"topup.code: option {own} is there twice, or is the engine's own"
    assert fault in found_coded(coded(code))


@pytest.mark.parametrize(
    "node",
    [
        replace(CODE, on={"right": "nowhere"}),
        replace(QUOTED_CONFIRM, after_edit="nowhere"),
        Call("phone", flow="fill", at="payer", gives={}, to="nowhere"),
    ],
    ids=lambda node: type(node).__name__,
)
def test_a_target_of_a_code_that_is_no_node_is_a_fault(node: Node) -> None:
    assert found_coded(coded(node)) == {f"topup.{node.id}: leads to nowhere, which is no node"}


def test_a_use_case_between_confirm_and_money_changes_nothing_that_was_shown() -> None:
    send = replace(SEND, gives={"sent": ("fees",)})
    assert any("fees" in fault for fault in found_coded(coded(send)))


@pytest.mark.parametrize(
    "call",
    [
        Call("phone", flow="nosuch", at="first", gives={}, to="quote"),
        Call("phone", flow="fill", at="nosuch", gives={}, to="quote"),
        Call("phone", flow="fill", at="first", gives={"colour": "amount"}, to="quote"),
    ],
    ids=["flow", "node", "field"],
)
def test_a_call_of_what_is_not_there_is_a_fault(call: Call) -> None:
    fill = Flow("fill", 1, Sent, "first", (Ask("first", "phone", read, "done"), End("done")))
    words = WORDS | CODED_WORDS | {"fill.first.ask": "Which?", "fill.done.ask": "Done."}
    with pytest.raises(InvalidFlow, match=r"topup\.phone: "):
        check(FlowRegistry(coded(call), fill), Texts({"en": words}), DECLARED)


def test_the_shipped_purchase_is_held_to_it() -> None:
    nodes = tuple(
        replace(node, shows=("amount", "fees")) if isinstance(node, Confirm) else node
        for node in FLOAT.nodes
    )
    assert set(flow_errors(replace(FLOAT, nodes=nodes), Texts.load(), HANDLERS)) == {
        "float.buy: moves money, but confirm leads there without showing total",
        "float.buy: moves money, but awaits leads there without showing total",
    }


def test_the_code_of_the_shipped_purchase_cannot_be_passed_by() -> None:
    nodes = tuple(
        replace(node, on=dict(node.on) | {"quoted": "code"})
        if isinstance(node, Do) and node.id == "quote"
        else node
        for node in FLOAT.nodes
    )
    assert "float.buy: moves money, but amount leads there without a Confirm's yes" in set(
        flow_errors(replace(FLOAT, nodes=nodes), Texts.load(), HANDLERS)
    )
