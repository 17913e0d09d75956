"""Codes, quotes, and one flow inside another: the float flow and the top-up that needs a code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from flows.engine.event import Event, EventKind
from flows.engine.host import Exit, OperationStarted
from flows.engine.nodes import Code
from flows.engine.session import FlowRegistry, Session
from flows.float import FLOAT, FloatData
from flows.topup import TOPUP, TopUpData
from services.domain.money import Money
from services.domain.refusal import Refusal
from tests.kit.straw_chat import BOTH, MINE, TEXTS, Chat, stands

PURCHASE = "FL-222222"
CODE = "482913"
AMOUNT = Money(50_000_00)
QUOTED = {"purchase": PURCHASE, "fees": Money(155_00), "total": Money(50_155_00)}
REQUOTED = {"purchase": PURCHASE, "fees": Money(100_00), "total": Money(50_100_00)}
SHOWN = {"amount": AMOUNT, "fees": QUOTED["fees"], "total": QUOTED["total"]}
MISSING = {
    "total": Money(50_155_00),
    "available": Money(50_000_00),
    "missing": Money(155_00),
}
SHORT = Exit("short", MISSING, sets=MISSING)
(CODE_NODE,) = (node for node in FLOAT.nodes if isinstance(node, Code))
MOVED_ON = TEXTS.say("en", "engine.moved_on")


class FloatChat(Chat):
    """Buys float; every quote is had and every code is sent, unless a test says otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.host.answer = OperationStarted(PURCHASE)
        self.host.answers |= {
            "request_float": Exit("quoted", sets=QUOTED),
            "confirm_float": Exit("sent", sets=QUOTED),
        }

    def to_quote(self) -> FloatChat:
        self.command("float")
        self.say("50000")
        return self

    def to_code(self) -> FloatChat:
        self.to_quote().tap("yes")
        return self

    def to_buy(self) -> FloatChat:
        self.to_code().say(CODE)
        return self

    @property
    def uses(self) -> list[str]:
        return [use_case for use_case, _, _ in self.host.asked]


@pytest.fixture
def chat() -> FloatChat:
    return FloatChat()


# A code that is typed


def test_from_the_amount_to_the_bank(chat: FloatChat) -> None:
    seen = [chat.command("float"), chat.say("50000"), chat.tap("yes"), chat.say(CODE)]
    assert [step.transition for step in seen] == ["opened", "quoted", "sent", "waiting"]
    assert chat.session.at == "float.buy"
    assert chat.host.asked == [
        ("request_float", {"amount": AMOUNT}, None),
        ("confirm_float", SHOWN, PURCHASE),
    ]
    assert chat.host.codes == [("check_float_code", {}, PURCHASE, CODE)]
    assert (chat.host.runs, chat.host.about) == ([("buy_float", SHOWN)], [PURCHASE])


@pytest.mark.parametrize(
    "typed", ["482 913", " 482913 ", "482-913", "482–913", "482.913", "482\u00a0913", "4 8 2 9 1 3"]
)
def test_blanks_dots_and_dashes_in_a_code_are_read_over(chat: FloatChat, typed: str) -> None:
    chat.to_code().say(typed)
    assert [code for _, _, _, code in chat.host.codes] == [CODE]
    assert chat.session.at == "float.buy"


NOT_CODES = [
    "12345",
    "1234567",
    "hello",
    "",
    "48291a",
    "٤٨٢٩١٣",
    "482913 482913",
    "4" * 5000,
    "yes",
]


@pytest.mark.parametrize("typed", NOT_CODES)
def test_what_cannot_be_a_code_costs_nothing(chat: FloatChat, typed: str) -> None:
    step = chat.to_code().say(typed)
    assert (step.transition, chat.session.at, chat.host.codes) == ("not_a_code", "float.code", [])
    assert chat.text.startswith(TEXTS.say("en", "refusal.not_a_code"))
    assert PURCHASE in chat.text


def test_a_refused_code_leaves_the_question_with_the_reason_above(chat: FloatChat) -> None:
    chat.host.code_answer = Refusal.of("wrong_code", left=2)
    step = chat.to_code().say(CODE)
    assert (step.transition, chat.session.at, chat.host.runs) == ("wrong_code", "float.code", [])
    assert chat.text.startswith(TEXTS.say("en", "refusal.wrong_code", {"left": 2}))
    assert PURCHASE in chat.text
    chat.host.code_answer = Exit("right")
    chat.say(CODE)
    assert chat.session.at == "float.buy"


@pytest.mark.parametrize("exit_name", sorted(set(CODE_NODE.on) - {"right"}))
def test_the_end_of_a_code_leads_where_the_node_says(chat: FloatChat, exit_name: str) -> None:
    facts = {"reason": "Because.", "reference": PURCHASE}
    chat.host.code_answer = Exit(exit_name, facts)
    step = chat.to_code().say(CODE)
    assert (step.transition, step.operation) == (exit_name, PURCHASE)
    assert chat.text == TEXTS.say("en", f"float.{CODE_NODE.on[exit_name]}.ask", facts)
    assert (chat.session.active, chat.host.runs) == (None, [])


@pytest.mark.parametrize("typed", [CODE, "12345", "hello"])
@pytest.mark.parametrize("answer", [Exit("right"), Refusal.of("wrong_code", left=1)])
def test_whatever_is_typed_for_a_code_is_wiped(
    chat: FloatChat, typed: str, answer: Exit | Refusal
) -> None:
    chat.host.code_answer = answer
    assert chat.to_code().say(typed).wipe


def test_what_is_no_code_is_not_wiped(chat: FloatChat) -> None:
    steps = [chat.command("float"), chat.say("50000"), chat.tap("yes"), chat.tap("resend")]
    steps += [
        chat.command("help"),
        chat.other(EventKind.OTHER),
        chat.command("menu"),
        chat.say("hi"),
    ]
    assert [step.wipe for step in steps] == [False] * len(steps)


def test_a_code_typed_while_its_question_is_parked_is_wiped(chat: FloatChat) -> None:
    chat.command("float")
    chat.say("50000")
    chat.tap("yes")
    chat.command("menu")
    assert chat.say(CODE).wipe
    chat.command("float")
    assert chat.say(CODE).wipe  # at "continue or start again"


@pytest.mark.parametrize(
    "answer",
    [Exit("right"), Exit("otp_locked"), Refusal.of("wrong_code", left=1)],
    ids=["right", "locked", "wrong"],
)
@pytest.mark.parametrize("typed", [CODE, "482 913", CODE[:5]])
def test_a_code_is_kept_nowhere(chat: FloatChat, typed: str, answer: Exit | Refusal) -> None:
    chat.host.code_answer = answer
    step = chat.to_code().say(typed)
    assert typed not in chat.session.dump()
    assert typed not in repr(chat.session)
    assert typed not in repr(step)


@pytest.mark.parametrize("typed", ["1", "2", "02"])
def test_a_number_picks_no_option_where_a_code_is_wanted(chat: FloatChat, typed: str) -> None:
    assert len(chat.to_code().options) == 2
    step = chat.say(typed, picks=True)
    assert (step.transition, step.wipe, chat.session.at) == ("not_a_code", True, "float.code")
    assert chat.host.acts == []


def test_a_code_is_read_where_numbers_pick_too(chat: FloatChat) -> None:
    chat.to_code().say(CODE, picks=True)
    assert chat.session.at == "float.buy"


# The question for a code


def test_the_question_is_a_live_message_of_its_own_without_a_way_back(chat: FloatChat) -> None:
    step = chat.to_code().last
    assert step.screen is not None
    assert (step.screen.slot, step.operation) == (f"float:{PURCHASE}:code", PURCHASE)
    assert chat.options == ["resend", "cancel"]
    before = stands(chat)
    assert chat.tap("back").transition == "stale"
    assert stands(chat) == before


def test_another_code_is_asked_for_in_place(chat: FloatChat) -> None:
    step = chat.to_code().tap("resend")
    assert chat.host.acts == [("resend_float_code", PURCHASE)]
    assert step.screen is not None
    assert (step.screen.replace, step.alert) == (
        True,
        TEXTS.say("en", "float.code.resend-done"),
    )
    assert chat.session.at == "float.code"


def test_another_code_that_is_refused_says_why_above_the_question(chat: FloatChat) -> None:
    chat.host.act_answers["resend_float_code"] = Refusal("otp_sends")
    step = chat.to_code().tap("resend")
    assert (step.transition, step.alert, chat.session.at) == ("otp_sends", None, "float.code")
    assert chat.text.startswith(TEXTS.say("en", "refusal.otp_sends"))


def test_another_code_for_what_has_ended_leads_where_the_node_says(chat: FloatChat) -> None:
    chat.host.act_answers["resend_float_code"] = Exit("otp_expired")
    step = chat.to_code().tap("resend")
    assert (step.transition, chat.session.active) == ("otp_expired", None)
    assert chat.text == TEXTS.say("en", "float.expired.ask")


def test_an_outcome_that_comes_by_itself_closes_the_question(chat: FloatChat) -> None:
    """Its code could not be delivered."""
    chat.to_code()
    key = chat.engine.finish_operation(chat.session, "float", PURCHASE, "refused")
    assert (key, chat.session.active) == ("float.refused.ask", None)
    before = stands(chat)
    assert chat.tap("resend").transition == "stale"
    assert (stands(chat), chat.host.acts) == (before, [])


def test_who_comes_back_to_the_question_finds_it_standing(chat: FloatChat) -> None:
    chat.to_code().command("balance")
    chat.command("float")
    chat.tap("continue")
    assert (chat.session.at, chat.host.acts) == (
        "float.code",
        [(CODE_NODE.status_use_case, PURCHASE)],
    )
    chat.say(CODE)
    assert chat.session.at == "float.buy"


def test_who_comes_back_to_a_code_that_has_ended_is_told_how(chat: FloatChat) -> None:
    chat.to_code().command("balance")
    chat.command("float")
    chat.host.act_answers[CODE_NODE.status_use_case] = Exit("otp_expired")
    step = chat.tap("continue")
    assert (step.transition, chat.session.active) == ("otp_expired", None)
    assert chat.text == TEXTS.say("en", "float.expired.ask")


def test_a_code_of_a_top_up_is_bound_to_what_was_confirmed() -> None:
    chat = Chat()
    chat.host.answers["secure_topup"] = Exit("sent", sets={"reference": "TU-333333"})
    chat.to_confirm().tap("yes")
    assert (chat.session.at, chat.data.reference) == ("topup.code", "TU-333333")
    chat.say(CODE)
    assert chat.host.codes == [("check_topup_code", BOTH, "TU-333333", CODE)]
    assert (chat.host.runs, chat.host.about) == ([("start_topup", BOTH)], ["TU-333333"])


def test_a_top_up_that_needs_no_code_is_about_nothing_yet() -> None:
    chat = Chat().to_push()
    assert chat.host.asked == [("secure_topup", BOTH, None)]
    assert (chat.host.runs, chat.host.about) == ([("start_topup", BOTH)], [None])


# Quotes


def test_what_an_exit_gives_goes_into_the_data_and_into_the_question(chat: FloatChat) -> None:
    chat.to_quote()
    assert chat.data == FloatData(amount=AMOUNT, **QUOTED)
    assert "KES 155" in chat.text
    assert "KES 50,155" in chat.text


def test_a_refused_quote_ends_with_its_reason(chat: FloatChat) -> None:
    chat.host.answers["request_float"] = Refusal("float_not_set_up")
    chat.to_quote()
    assert (chat.session.active, chat.text) == (None, TEXTS.say("en", "refusal.float_not_set_up"))


def test_an_edit_is_quoted_anew_before_it_is_confirmed(chat: FloatChat) -> None:
    chat.to_quote().tap("edit-amount")
    assert chat.session.at == "float.amount"
    chat.host.answers["request_float"] = Exit("quoted", sets=REQUOTED)
    chat.say("50000")
    assert chat.uses == ["request_float", "request_float"]
    assert (chat.session.at, chat.data) == ("float.confirm", FloatData(amount=AMOUNT, **REQUOTED))
    assert "KES 50,100" in chat.text


def test_an_edit_that_costs_too_much_says_what_is_missing(chat: FloatChat) -> None:
    chat.to_quote().tap("edit-amount")
    chat.host.answers["request_float"] = SHORT
    chat.say("90000")
    assert (chat.session.at, chat.data.missing) == ("float.short", Money(155_00))


def test_an_edit_that_was_taken_back_asks_for_no_quote(chat: FloatChat) -> None:
    chat.to_quote().tap("edit-amount")
    chat.tap("back")
    assert (chat.session.at, chat.uses) == ("float.confirm", ["request_float"])
    assert chat.data == FloatData(amount=AMOUNT, **QUOTED)


def test_a_quote_that_ran_out_is_shown_anew_and_sends_no_code(chat: FloatChat) -> None:
    chat.host.answers["confirm_float"] = Exit("requoted", sets=REQUOTED, above="It had run out.")
    step = chat.to_quote().tap("yes")
    assert (step.transition, chat.session.at) == ("requoted", "float.confirm")
    assert chat.text.startswith("It had run out.\n\n")
    assert "KES 50,100" in chat.text
    chat.host.answers["confirm_float"] = Exit("sent", sets=REQUOTED)
    chat.tap("yes")
    assert chat.host.asked[-1] == (
        "confirm_float",
        {"amount": AMOUNT, "fees": REQUOTED["fees"], "total": REQUOTED["total"]},
        PURCHASE,
    )


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
    """What an exit said must not be needed again where the question is drawn anew."""
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
    """It is told of when it ends; a second one can stand beside it."""
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
    """Before anything is waited for, and never while it is with the bank."""
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


# A conversation begun in the version before


def first_version(body: str) -> str:
    assert '"version":3' in body
    return body.replace('"version":3', '"version":1')


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
    ["yes", "menu", "cancel", "back", "help", "resend", "edit-amount", "continue", "nosuch", ""],
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
    assert chat.options == ["topup", "float", "balance", "history", "settings", "help"]
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
