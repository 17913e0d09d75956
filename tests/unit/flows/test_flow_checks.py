"""Each static check finds its own fault in a small flow, and the shipped flows have none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from pydantic import BaseModel

from flows.catalogue import all_flows
from flows.engine.check import InvalidFlow, check, flow_errors
from flows.engine.host import Host
from flows.engine.nodes import Ask, Call, Choose, Code, Confirm, Do, End, Flow, Look, Node, Option
from flows.engine.session import FlowRegistry
from flows.engine.texts import Texts
from flows.float import FLOAT
from flows.topup import TOPUP
from services.domain.partner import Right
from services.domain.refusal import Refusal


class Sent(BaseModel):
    amount: str | None = None
    phone: str | None = None


def read(text: str, host: Host) -> str | Refusal:
    return text


AMOUNT = Ask("amount", into="amount", parse=read, to="phone")
PHONE = Ask("phone", into="phone", parse=read, to="confirm")
CONFIRM = Confirm(
    "confirm", shows=("amount", "phone"), yes="push", edit={"amount": "amount", "phone": "phone"}
)
PUSH = Do(
    "push",
    use_case="start_topup",
    args=("amount", "phone"),
    on={"paid": "paid", "refused": "refused", "unknown": "paid"},
    money=True,
    waits=True,
    acts={"check": "check_topup"},
)
SOUND = (AMOUNT, PHONE, CONFIRM, PUSH, End("paid"), End("refused"))
WORDS = {
    "menu.topup": "Top up",
    "command.topup": "Add money",
    "topup.amount.ask": "How much, {name}?",
    "topup.phone.ask": "{amount} from which phone?",
    "topup.confirm.ask": "{amount} from {phone}?",
    "topup.confirm.yes": "Yes",
    "topup.confirm.edit-amount": "Change amount",
    "topup.confirm.edit-phone": "Change phone",
    "topup.push.ask": "{reference}: {status}",
    "topup.push.check": "Check",
    "topup.push.check-done": "Asked.",
    "topup.paid.ask": "Received {amount}, balance {balance}",
    "topup.refused.ask": "{reason}",
}


def flow(*nodes: Node, start: str = "amount") -> Flow:
    return Flow("topup", 1, Sent, start, nodes, needs=Right.MOVE_MONEY)


def changed(*nodes: Node) -> Flow:
    """The sound flow with these nodes in the place of those of the same id, or beside them."""
    new = {node.id: node for node in nodes}
    kept = tuple(new.pop(node.id, node) for node in SOUND)
    return flow(*kept, *new.values())


def texts(**more: str) -> Texts:
    named = {key.replace("__", ".").replace("_", "-"): text for key, text in more.items()}
    return Texts({"en": WORDS | named})


def without(*keys: str) -> Texts:
    return Texts({"en": {key: text for key, text in WORDS.items() if key not in keys}})


def found(broken: Flow, words: Texts | None = None) -> set[str]:
    return set(flow_errors(broken, words or texts()))


def words_for(*ids: str) -> Texts:
    return Texts({"en": WORDS | {f"topup.{name}": "Words." for name in ids}})


def test_a_sound_flow_has_no_faults() -> None:
    assert found(flow(*SOUND)) == set()


def test_the_shipped_flows_and_texts_have_no_faults() -> None:
    check(all_flows(), Texts.load())


def test_everything_wrong_is_said_at_once_a_line_each() -> None:
    broken = changed(replace(PUSH, on={"paid": "paid"}), End("nobody"))
    with pytest.raises(InvalidFlow) as caught:
        check(FlowRegistry(broken), without("topup.amount.ask"))
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
        Do("way", use_case="ask", args=(), on={"unknown": "push", "refused": "push"}, waits=True),
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
    """Not only straw flows: the same fault in the real one is found."""
    nodes = tuple(
        replace(node, shows=("amount",))
        if isinstance(node, Confirm) and node.id == "duplicate"
        else node
        for node in TOPUP.nodes
    )
    assert set(flow_errors(replace(TOPUP, nodes=nodes), Texts.load())) == {
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
    now = replace(PUSH, waits=False, acts={}, on={"paid": "paid", "refused": "refused"})
    assert found(changed(now)) == set()


# Codes, and use cases that end at once, between the Confirm and the money


class Quoted(Sent):
    reference: str | None = None
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
    """As ``changed``, of a sound flow with a quote and a code."""
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
    return set(flow_errors(broken, Texts({"en": words})))


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
    """After an edit the flow goes on at ``again``, and that must not pass the confirm by."""
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
    """Whatever is confirmed may have changed when its outcome comes."""
    send = replace(SEND, waits=True, on={**SEND.on, "unknown": "refused"})
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
    assert found_coded(coded(replace(CODE, operation="fees"))) == {fault}
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
    assert set(flow_errors(coded(), Texts({"en": words}))) == {f"en: topup.{key} is missing"}


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
        check(FlowRegistry(coded(call), fill), Texts({"en": words}))


def test_the_shipped_purchase_is_held_to_it() -> None:
    nodes = tuple(
        replace(node, shows=("amount", "fees")) if isinstance(node, Confirm) else node
        for node in FLOAT.nodes
    )
    assert set(flow_errors(replace(FLOAT, nodes=nodes), Texts.load())) == {
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
        flow_errors(replace(FLOAT, nodes=nodes), Texts.load())
    )


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


def test_an_unknown_view_is_a_fault() -> None:
    page = Flow("topup", 1, Sent, "page", (Look("page", view="nosuch"),))
    words = Texts({"en": {"topup.page.ask": "Words."}})
    assert set(flow_errors(page, words)) == {"topup.page: there is no view nosuch"}


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


# Texts


@pytest.mark.parametrize("key", sorted(WORDS.keys() - {"menu.topup", "command.topup"}))
def test_a_missing_text_is_a_fault(key: str) -> None:
    assert found(flow(*SOUND), without(key)) == {f"en: {key} is missing"}


def test_each_option_wants_its_own_text() -> None:
    choice = Choose("amount", options=(Option("mine", to="phone", set={"amount": "my_phone"}),))
    assert found(changed(choice)) == {"en: topup.amount.mine is missing"}


def test_a_use_case_that_ends_at_once_wants_no_question() -> None:
    now = replace(PUSH, waits=False, acts={})
    assert found(changed(now), without("topup.push.ask")) == set()


def _languages(*left_out: str) -> Texts:
    swahili = {key: text for key, text in WORDS.items() if key not in left_out}
    return Texts({"en": WORDS, "sw": swahili})


def test_a_text_that_one_language_lacks_is_a_fault() -> None:
    with pytest.raises(InvalidFlow, match=r"^sw: topup\.amount\.ask is missing"):
        check(FlowRegistry(flow(*SOUND)), _languages("topup.amount.ask"))


def test_a_text_that_one_language_has_too_many_is_a_fault() -> None:
    odd = Texts({"en": WORDS, "sw": WORDS | {"engine.odd": "Ziada."}})
    with pytest.raises(InvalidFlow, match=r"^en: engine\.odd is missing$"):
        check(FlowRegistry(flow(*SOUND)), odd)


# Placeholders


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        ("topup__amount__ask", "amount"),  # its own answer is not known yet
        ("topup__amount__ask", "status"),
        ("topup__phone__ask", "phone"),
        ("topup__phone__ask", "reference"),
        ("topup__push__ask", "balance"),
        ("topup__paid__ask", "status"),
    ],
)
def test_a_placeholder_that_is_not_known_there_is_a_fault(key: str, wanted: str) -> None:
    name = key.replace("__", ".")
    assert found(flow(*SOUND), texts(**{key: f"{{{wanted}}}"})) == {
        f"en: {name} wants {wanted}, which not every path gives"
    }


def test_a_confirm_says_no_more_than_is_known_there() -> None:
    words = texts(topup__confirm__ask="{amount} from {phone}: {reference}?")
    assert found(flow(*SOUND), words) == {
        "en: topup.confirm.ask wants reference, which not every path gives"
    }


@pytest.mark.parametrize("unsaid", ["amount", "phone"])
def test_a_confirm_says_all_that_it_shows(unsaid: str) -> None:
    sentence = WORDS["topup.confirm.ask"].replace(f"{{{unsaid}}}", "it")
    assert found(flow(*SOUND), texts(topup__confirm__ask=sentence)) == {
        f"en: topup.confirm.ask does not say {unsaid}"
    }


@pytest.mark.parametrize(
    "key", ["topup__confirm__yes", "topup__confirm__edit_amount", "topup__push__check"]
)
def test_a_button_is_said_without_facts(key: str) -> None:
    name = key.replace("__", ".").replace("_", "-")
    words = texts(**{key: "Words {amount}"})
    assert found(flow(*SOUND), words) == {f"en: {name} cannot say amount"}


def test_a_refusal_gives_its_reason_and_nothing_else() -> None:
    assert found(flow(*SOUND), texts(topup__refused__ask="{reference}: {reason}, {balance}")) == {
        f"en: topup.refused.ask wants {name}, which not every path gives"
        for name in ("reference", "balance")
    }


def test_a_placeholder_that_one_language_lacks_is_a_fault() -> None:
    en = WORDS | {"refusal.below_minimum": "At least {minimum}"}
    sw = WORDS | {"refusal.below_minimum": "Angalau {minimun}"}
    with pytest.raises(InvalidFlow) as caught:
        check(FlowRegistry(flow(*SOUND)), Texts({"en": en, "sw": sw}))
    assert set(str(caught.value).split("\n")) == {
        "en: refusal.below_minimum says minimum, which another language does not",
        "sw: refusal.below_minimum says minimun, which another language does not",
    }


def test_what_a_choice_has_typed_is_not_known_beyond_the_question_that_reads_it() -> None:
    start = Choose("amount", options=(Option("end", to="refused"),), typed="phone")
    assert "en: topup.confirm.ask wants amount, which not every path gives" in found(
        changed(start), words_for("amount.end")
    )


def test_a_placeholder_is_checked_in_every_language() -> None:
    swahili = WORDS | {"topup.phone.ask": "{reference}?"}
    both = Texts({"en": WORDS, "sw": swahili})
    assert set(flow_errors(flow(*SOUND), both)) == {
        "sw: topup.phone.ask wants reference, which not every path gives"
    }


@pytest.mark.parametrize("always", ["name", "partner", "my_phone"])
def test_the_persons_own_facts_are_known_everywhere(always: str) -> None:
    assert found(flow(*SOUND), texts(topup__amount__ask=f"{{{always}}}")) == set()


def test_what_one_path_leaves_out_is_not_known_where_paths_meet() -> None:
    short_cut = Choose(
        "phone",
        options=(
            Option("mine", to="confirm", set={"phone": "my_phone"}),
            Option("none", to="confirm"),
        ),
    )
    words = words_for("phone.mine", "phone.none")
    assert found(changed(short_cut), words) == {
        "en: topup.confirm.ask wants phone, which not every path gives"
    }


def test_what_every_path_gives_is_known_where_they_meet() -> None:
    choice = Choose(
        "phone",
        options=(
            Option("mine", to="confirm", set={"phone": "my_phone"}),
            Option("other", to="typed"),
        ),
        into="phone",
        to="confirm",
    )
    typed = Ask("typed", into="phone", parse=read, to="confirm")
    words = words_for("phone.mine", "phone.other", "typed.ask")
    assert found(changed(choice, typed), words) == set()


def test_a_way_round_by_edit_does_not_hide_what_a_path_leaves_out() -> None:
    """The loop from the confirm back to the question must not vouch for itself."""
    confirm = replace(CONFIRM, edit={"phone": "phone"})
    start = Choose("amount", options=(Option("skip", to="confirm"), Option("go", to="phone")))
    words = words_for("amount.skip", "amount.go")
    wants = {
        line.split(" wants ")[1].split(",")[0]
        for line in found(changed(start, confirm), words)
        if line.startswith("en: topup.confirm.ask")
    }
    assert wants == {"amount", "phone"}


@pytest.mark.parametrize(
    ("view", "known"),
    [("balance", "{partner} {at} {wallet} {available} {float} {low}"), ("history", "{lines}")],
)
def test_a_page_knows_what_its_view_gives(view: str, known: str) -> None:
    page = Flow("topup", 1, Sent, "page", (Look("page", view=view),))

    def about(sentence: str) -> Iterable[str]:
        return set(flow_errors(page, Texts({"en": {"topup.page.ask": sentence}})))

    assert about(known) == set()
    assert about("{amount}") == {"en: topup.page.ask wants amount, which not every path gives"}
