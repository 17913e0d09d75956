"""The engine asks for a code, passes it to its use case, and shows new quotes."""

from __future__ import annotations

import pytest

from flows.engine.event import Event, EventKind
from flows.engine.host import Exit
from flows.engine.nodes import Code
from flows.float import FLOAT, FloatData
from services.domain.money import Money
from services.domain.refusal import Refusal
from tests.kit.float_chat import CODE, PURCHASE, QUOTED, SHORT, FloatChat
from tests.kit.stub_chat import BOTH, TEXTS, Chat, stands

AMOUNT = Money(50_000_00)
REQUOTED = {"purchase": PURCHASE, "fees": Money(100_00), "total": Money(50_100_00)}
SHOWN = {"amount": AMOUNT, "fees": QUOTED["fees"], "total": QUOTED["total"]}
CODE_NODE, PIN_NODE = (node for node in FLOAT.nodes if isinstance(node, Code))


# Typed codes


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
    "no idea",
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


@pytest.mark.parametrize("typed", [CODE, "12345", "no idea"])
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
    """For example, when the code could not be delivered."""
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


# A PIN where a code would be asked for


PIN = "2580"


@pytest.fixture
def at_pin(chat: FloatChat) -> FloatChat:
    chat.host.answers["confirm_float"] = Exit("pin")
    chat.to_code()
    assert chat.session.at == "float.pin"
    return chat


@pytest.mark.parametrize("typed", [PIN, f" {PIN}. ", f"my pin is {PIN}", f"PIN yangu ni {PIN}"])
def test_a_pin_goes_to_its_use_case_and_nowhere_else(at_pin: FloatChat, typed: str) -> None:
    step = at_pin.say(typed)
    assert at_pin.host.codes == [("check_float_pin", {}, PURCHASE, PIN)]
    assert (at_pin.session.at, step.wipe) == ("float.buy", True)
    assert PIN not in at_pin.session.dump()
    assert PIN not in repr(step)


@pytest.mark.parametrize("typed", ["258", "2580367", "25 80", "nothing", "m-pesa pin 2580"])
def test_what_is_no_pin_uses_no_try_and_leaves_the_chat(at_pin: FloatChat, typed: str) -> None:
    step = at_pin.say(typed)
    assert (step.transition, step.wipe) == ("not_a_pin", True)
    assert at_pin.text.startswith(TEXTS.say("en", "refusal.not_a_pin"))
    assert (at_pin.session.at, at_pin.host.codes) == ("float.pin", [])


def test_back_from_a_pin_leads_to_what_was_confirmed(at_pin: FloatChat) -> None:
    assert at_pin.options == ["back", "cancel"]
    screen = at_pin.last.screen
    assert screen is not None
    assert screen.slot == f"float:{PURCHASE}:pin"
    at_pin.tap("back")
    assert at_pin.session.at == "float.confirm"
    at_pin.tap("yes")
    at_pin.say("back")
    assert at_pin.session.at == "float.confirm"


def test_cancelled_at_a_pin_no_code_is_spoken_of(at_pin: FloatChat) -> None:
    at_pin.tap("cancel")
    assert at_pin.text.startswith(TEXTS.say("en", "engine.cancelled"))
    assert at_pin.host.acts == [("cancel_float", PURCHASE)]


@pytest.mark.parametrize("exit_name", sorted(set(PIN_NODE.on) - {"right"}))
def test_the_end_of_a_pin_leads_where_the_node_says(at_pin: FloatChat, exit_name: str) -> None:
    facts = {"reason": "Because.", "reference": PURCHASE}
    at_pin.host.code_answer = Exit(exit_name, facts)
    at_pin.say(PIN)
    assert at_pin.text == TEXTS.say("en", f"float.{PIN_NODE.on[exit_name]}.ask", facts)
    assert at_pin.session.active is None


def test_while_a_pin_is_parked_four_and_six_digits_are_amounts(at_pin: FloatChat) -> None:
    at_pin.command("topup")
    assert at_pin.say("150000").wipe is False
    assert at_pin.session.at == "topup.payer"


def test_a_command_at_a_pin_is_no_pin_but_is_wiped(at_pin: FloatChat) -> None:
    event = Event("terminal", "77", "1", EventKind.COMMAND, text="topup", argument="2580")
    step = at_pin.send(event)
    assert (step.wipe, at_pin.host.codes, at_pin.session.at) == (True, [], "topup.payer")
