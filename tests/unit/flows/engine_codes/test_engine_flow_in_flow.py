"""One flow inside another, the ways out of it, and buttons that only open a flow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from flows.engine.event import Event, EventKind
from flows.engine.host import Exit, OperationStarted
from flows.engine.session import FlowRegistry, Session
from flows.float import FLOAT
from flows.topup import TOPUP, TopUpData
from services.domain.money import Money
from services.domain.refusal import Refusal
from tests.kit.float_chat import CODE, PURCHASE, QUOTED, SHORT, FloatChat
from tests.kit.stub_chat import BOTH, MINE, TEXTS, Chat, stands

MOVED_ON = TEXTS.say("en", "engine.moved_on")


# One flow inside another


def short(chat: FloatChat) -> FloatChat:
    chat.host.answers["request_float"] = SHORT
    return chat.to_quote()


def test_what_is_missing_is_topped_up_with_what_is_known(chat: FloatChat) -> None:
    step = short(chat).tap("topup")
    assert (step.transition, chat.session.at) == ("add", "topup.payer")
    assert chat.data == TopUpData(amount=Money(155_00))
    assert (chat.options, chat.host.runs) == (["mine", "other", "cancel"], [])


@pytest.mark.parametrize("way", ["words", "help", "number", "sticker", "continue", "back"])
def test_what_is_missing_is_said_however_often_it_is_asked(chat: FloatChat, way: str) -> None:
    """The values an exit provided must not be needed again when the question is redrawn."""
    short(chat)
    said = chat.text
    match way:
        case "words":
            chat.say("hello")
        case "help":
            chat.command("help")
        case "number":
            assert chat.say("9", picks=True).transition == "tap_please"
        case "sticker":
            chat.other(EventKind.OTHER)
        case "continue":
            chat.command("balance")
            chat.command("float")
            chat.tap("continue")
        case "back":
            chat.tap("amount")
            chat.tap("back")
    assert chat.session.at == "float.short"
    assert chat.text.endswith(said)


def test_the_flow_that_is_left_is_parked_where_it_goes_on(chat: FloatChat) -> None:
    short(chat).tap("topup")
    assert list(chat.session.parked) == ["float"]
    assert (chat.session.parked["float"].node, chat.session.parked["float"].history) == (
        "quote",
        [],
    )


def test_the_flow_in_between_goes_its_own_way(chat: FloatChat) -> None:
    short(chat).tap("topup")
    chat.host.answer = OperationStarted("TU-222222")
    chat.tap("mine")
    chat.tap("yes")
    assert chat.session.at == "topup.push"
    assert chat.host.runs == [("start_topup", {"amount": Money(155_00), "phone": MINE})]
    chat.engine.finish_operation(chat.session, "topup", "TU-222222", "paid")
    assert (chat.session.active, list(chat.session.parked)) == (None, ["float"])


def test_coming_back_works_out_anew_what_it_was_parked_at(chat: FloatChat) -> None:
    short(chat).tap("topup")
    chat.host.answers["request_float"] = Exit("quoted", sets=QUOTED)
    assert chat.command("float").transition == "resume"
    assert chat.uses == ["request_float"]
    step = chat.tap("continue")
    assert chat.uses == ["request_float", "request_float"]
    assert (step.transition, chat.session.at) == ("quoted", "float.confirm")
    assert {name: getattr(chat.data, name) for name in QUOTED} == QUOTED


def test_coming_back_while_it_is_still_short_says_so_again(chat: FloatChat) -> None:
    short(chat).tap("topup")
    chat.command("float")
    chat.tap("continue")
    assert chat.session.at == "float.short"


def test_a_top_up_that_waits_already_stays_with_its_operation(chat: FloatChat) -> None:
    """Its end is reported when it comes, and a second top-up can run beside it."""
    chat.host.answer = OperationStarted("TU-222222")
    chat.to_push()
    short(chat).tap("topup")
    assert chat.session.at == "topup.payer"
    assert list(chat.session.parked) == ["float"]
    assert chat.host.acts == []


def test_a_top_up_that_waits_for_its_code_is_let_go_for_another(chat: FloatChat) -> None:
    chat.host.answers["secure_topup"] = Exit("sent", sets={"reference": "TU-333333"})
    chat.to_confirm().tap("yes")
    assert chat.session.at == "topup.code"
    short(chat).tap("topup")
    assert chat.session.at == "topup.payer"
    assert chat.host.acts == [("cancel_topup", "TU-333333")]


# Leaving for good


LEFT_AT: dict[str, tuple[Callable[[FloatChat], object], bool]] = {
    "amount": (lambda chat: chat.command("float"), False),
    "short": (short, False),
    "confirm": (lambda chat: chat.to_quote(), True),
    "code": (lambda chat: chat.to_code(), True),
    "buy": (lambda chat: chat.to_buy(), False),
}


@pytest.mark.parametrize("place", LEFT_AT)
@pytest.mark.parametrize("way", ["cancel", "menu-cancel", "resume-cancel", "restart"])
def test_an_operation_is_let_go_once_where_it_is_left_for_good(
    chat: FloatChat, place: str, way: str
) -> None:
    """Let go before anything is waited for, and never while the operation is with the bank."""
    go, lets_go = LEFT_AT[place]
    go(chat)
    if way == "menu-cancel":
        chat.command("menu")
        assert chat.host.acts == []
    elif way in ("resume-cancel", "restart"):
        chat.command("float")
        assert chat.host.acts == []
    if way == "restart":
        chat.tap("restart")
    else:
        chat.command("cancel")
    assert chat.host.acts == ([("cancel_float", PURCHASE)] if lets_go else [])
    assert "float" not in chat.session.parked


@pytest.mark.parametrize("word", ["menu", "balance", "help"])
def test_what_is_only_parked_is_not_let_go(chat: FloatChat, word: str) -> None:
    chat.to_code().command(word)
    assert chat.host.acts == []


def test_a_top_up_without_a_code_has_nothing_to_let_go() -> None:
    chat = Chat().to_confirm()
    chat.command("cancel")
    assert chat.host.acts == []


def test_a_top_up_that_waits_for_its_code_is_let_go() -> None:
    chat = Chat()
    chat.host.answers["secure_topup"] = Exit("sent", sets={"reference": "TU-333333"})
    chat.to_confirm().tap("yes")
    chat.command("cancel")
    assert chat.host.acts == [("cancel_topup", "TU-333333")]


# A conversation begun in the previous version


def first_version(body: str) -> str:
    assert '"version":4' in body
    return body.replace('"version":4', '"version":1')


def test_a_conversation_of_the_first_version_goes_on_in_the_second() -> None:
    chat = Chat().to_confirm()
    chat.session = Session.load(
        chat.engine.flows, chat.session.turn, first_version(chat.session.dump())
    )
    assert chat.session.active is not None
    assert (chat.session.active.flow, chat.session.at) == (TOPUP, "topup.confirm")
    chat.tap("yes")
    assert (chat.session.at, chat.host.runs) == ("topup.push", [("start_topup", BOTH)])


def test_what_waited_in_the_first_version_is_still_waited_for() -> None:
    chat = Chat().to_push()
    chat.command("balance")
    session = Session.load(chat.engine.flows, chat.session.turn, first_version(chat.session.dump()))
    assert session.parked["topup"].waiting == "TU-222222"
    key = chat.engine.finish_operation(session, "topup", "TU-222222", "paid")
    assert (key, session.parked) == ("topup.paid.ask", {})


def test_a_version_that_is_not_taken_over_is_closed() -> None:
    alone = FlowRegistry(replace(TOPUP, compatible_versions=()))
    body = first_version(Chat().to_confirm().session.dump())
    loaded = Session.load(alone, 3, body)
    assert (loaded.active, loaded.closed) == (None, "topup")


def test_a_flow_that_takes_over_does_so_although_the_old_one_is_still_there() -> None:
    old = replace(TOPUP, version=1, compatible_versions=())
    assert FlowRegistry(old, TOPUP).get("topup", 1) is TOPUP
    assert FlowRegistry(TOPUP, old).get("topup", 1) is TOPUP


# Buttons that only open a flow


@pytest.mark.parametrize("flow", ["topup", "float", "balance", "statement"])
def test_a_button_of_no_turn_opens_its_flow_and_never_grows_old(chat: FloatChat, flow: str) -> None:
    chat.command("history")
    for _ in range(2):
        chat.command("menu")
        step = chat.tap(flow, 0)
        assert (step.transition, chat.session.at) == ("opened", f"{flow}.{start(flow)}")


def start(flow: str) -> str:
    return Chat().engine.flows.newest[flow].start


@pytest.mark.parametrize(
    "option",
    [
        "yes",
        "cancel",
        "back",
        "help",
        "resend",
        "edit-amount",
        "continue",
        "nosuch",
        "nosuch:tu-77",
        "",
    ],
)
@pytest.mark.parametrize("place", ["confirm", "code", "buy"])
def test_a_button_of_no_turn_does_nothing_else(chat: FloatChat, place: str, option: str) -> None:
    LEFT_AT[place][0](chat)
    before, host = stands(chat), chat.host
    done = list(host.runs), list(host.asked), list(host.codes)
    step = chat.tap(option, 0)
    assert (step.screen, step.alert, step.transition) == (None, MOVED_ON, "stale")
    assert stands(chat) == before
    assert (host.runs, host.asked, host.codes, host.acts) == (*done, [])


def test_the_menu_of_no_turn_parks_what_is_open(chat: FloatChat) -> None:
    chat.to_code().tap("menu", 0)
    assert (chat.session.at, list(chat.session.parked)) == (None, ["float"])


def test_a_button_of_no_turn_parks_what_is_open(chat: FloatChat) -> None:
    chat.to_code().tap("topup", 0)
    assert (chat.session.at, list(chat.session.parked)) == ("topup.amount", ["float"])
    assert chat.tap("float", 0).transition == "resume"


def test_a_button_of_no_turn_opens_nothing_for_who_may_not(chat: FloatChat) -> None:
    chat.command("balance")
    chat.host.refusal = Refusal.of("role", partner="FINSAFE")
    step = chat.tap("float", 0)
    assert (step.transition, chat.session.at) == ("role", "balance.show")


# The menu


def test_a_flow_that_is_not_in_the_menu_is_opened_by_its_command(chat: FloatChat) -> None:
    chat.command("menu")
    assert chat.options == ["topup", "float", "balance", "history", "settings", "help", "pay"]
    chat.command("statement")
    assert chat.session.at == "statement.period"


def test_the_menu_shows_flows_in_the_order_they_were_given() -> None:
    chat = Chat(FlowRegistry(FLOAT, TOPUP))
    chat.command("menu")
    assert chat.options == ["float", "topup", "help"]


def test_an_amount_that_was_suggested_is_quoted(chat: FloatChat) -> None:
    chat.command("float")
    assert chat.options == ["amount-1", "amount-2", "cancel"]
    chat.tap("amount-2")
    assert chat.host.asked == [("request_float", {"amount": Money(1_000_00)}, None)]


def test_a_code_typed_as_an_event_of_another_kind_is_no_code(chat: FloatChat) -> None:
    chat.to_code()
    chat.send(Event("terminal", "77", "1", EventKind.EDIT, text=CODE))
    assert (chat.session.at, chat.host.codes) == ("float.code", [])
