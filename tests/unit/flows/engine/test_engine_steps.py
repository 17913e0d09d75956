"""Single steps of a conversation: to each outcome, back, and through edits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flows.engine.host import Exit, OperationStarted
from flows.engine.session import HISTORY_MAX
from flows.topup import TopUpData
from services.domain.money import Money
from services.domain.refusal import Refusal
from tests.kit.channels import CHAT
from tests.kit.stub_chat import BOTH, FIFTEEN_HUNDRED, MINE, OTHER, Chat, stands

# From the first question to the receipt


def test_each_answer_leads_to_the_next_question(chat: Chat) -> None:
    seen = [chat.command("topup"), chat.say("1,500"), chat.tap("mine"), chat.tap("yes")]
    assert [step.transition for step in seen] == ["opened", "payer", "confirm", "waiting"]
    assert chat.session.at == "topup.push"
    assert chat.host.runs == [("start_topup", BOTH)]


def test_the_operation_waited_for_is_named_by_the_step_and_by_the_slot(chat: Chat) -> None:
    step = chat.to_push().last
    assert step.operation == "TU-222222"
    assert step.screen is not None
    assert (step.screen.slot, step.screen.replace) == ("topup:TU-222222", False)


def test_a_suggested_amount_is_an_answer(chat: Chat) -> None:
    chat.begin()
    assert chat.options == ["amount-1", "amount-2", "cancel"]
    chat.tap("amount-2")
    assert chat.data == TopUpData(amount=Money(1_000_00))


def test_a_suggested_phone_stands_behind_the_fixed_choices_and_is_an_answer(chat: Chat) -> None:
    chat.host.phones = (OTHER,)
    chat.begin().say("1500")
    assert chat.options == ["mine", "other", "phone-1", "back", "cancel"]
    chat.tap("phone-1")
    assert chat.data.phone == OTHER


def test_a_suggestion_means_what_it_meant_when_it_was_drawn(chat: Chat) -> None:
    chat.begin()
    chat.host.amounts = (Money(9_00), Money(8_00))
    chat.tap("amount-1")
    assert chat.data.amount == Money(500_00)


def test_a_phone_is_read_where_it_could_be_chosen(chat: Chat) -> None:
    chat.begin().say("1500")
    assert chat.say("0733 123 456").transition == "confirm"
    assert chat.data.phone == OTHER


def test_words_where_a_choice_is_wanted_ask_for_a_tap(chat: Chat) -> None:
    chat.begin().say("1500")
    step = chat.say("whichever you like")
    assert (step.transition, chat.session.at) == ("tap_please", "topup.payer")
    assert chat.text.startswith("Please choose one of the options below.")


def test_a_refused_answer_says_why_and_asks_again(chat: Chat) -> None:
    step = chat.begin().say("-5")
    assert step.transition == "negative"
    assert chat.text.startswith("An amount cannot be negative.\n\nHow much")
    assert chat.session.at == "topup.amount"


def test_a_refused_answer_says_the_limit(chat: Chat) -> None:
    chat.begin().say("300000")
    assert "the maximum is KES 250,000" in chat.text


# Outcomes of the use case


def test_a_refused_use_case_ends_with_its_reason(chat: Chat) -> None:
    chat.host.answer = Refusal.of("above_maximum", maximum=Money(100_00))
    step = chat.to_push().last
    assert (step.transition, chat.session.active) == ("above_maximum", None)
    assert chat.text == "That is too much: the maximum is KES 100 at once."
    assert chat.options == ["again:topup", "menu"]


def test_a_duplicate_is_asked_about_and_sent_only_on_yes(chat: Chat) -> None:
    chat.host.answer = Exit("duplicate")
    chat.to_push()
    assert chat.session.at == "topup.duplicate"
    chat.host.answer = OperationStarted("TU-333333")
    chat.tap("yes")
    assert [use_case for use_case, _ in chat.host.runs] == ["start_topup", "start_another_topup"]
    assert chat.session.at == "topup.push_again"


def test_a_duplicate_that_is_left_sends_nothing_more(chat: Chat) -> None:
    chat.host.answer = Exit("duplicate")
    chat.to_push().tap("cancel")
    assert len(chat.host.runs) == 1
    assert "no money has moved" in chat.text


def test_there_is_no_way_back_once_money_was_asked_for(chat: Chat) -> None:
    chat.host.answer = Exit("duplicate")
    chat.to_push()
    assert "back" not in chat.options
    before = stands(chat)
    assert chat.tap("back").transition == "stale"
    assert stands(chat) == before


def test_check_acts_on_the_operation_and_redraws_in_place(chat: Chat) -> None:
    step = chat.to_push().tap("check")
    assert chat.host.acts == [("check_topup", "TU-222222")]
    assert step.screen is not None
    assert (step.screen.slot, step.screen.replace) == ("topup:TU-222222", True)
    assert (step.alert, step.operation) == ("Asking the bank now.", "TU-222222")


@pytest.mark.parametrize(
    ("exit_name", "key"),
    [
        ("paid", "topup.paid.ask"),
        ("not_paid_so_far", "topup.declined_so_far.ask"),
        ("send_unknown", "topup.send_unknown.ask"),
    ],
)
def test_an_outcome_closes_what_waits_for_it_and_names_its_text(
    chat: Chat, exit_name: str, key: str
) -> None:
    chat.to_push()
    assert chat.engine.finish_operation(chat.session, "topup", "TU-222222", exit_name) == key
    assert (chat.session.active, chat.session.parked) == (None, {})


def test_an_outcome_closes_what_waits_parked(chat: Chat) -> None:
    chat.to_push().command("balance")
    chat.engine.finish_operation(chat.session, "topup", "TU-222222", "paid")
    assert (chat.session.at, chat.session.parked) == ("balance.show", {})


def test_where_people_ask_for_outcomes_the_question_stays(chat: Chat) -> None:
    chat.to_confirm()
    chat.host.channel = replace(CHAT, waiting=False)
    chat.tap("yes")
    before = stands(chat)
    key = chat.engine.finish_operation(chat.session, "topup", "TU-222222", "paid", asked=True)
    assert (key, stands(chat)) == ("topup.paid.ask", before)
    assert chat.text.endswith("Choose Check now to see how it ends.")
    facts = {"amount": FIFTEEN_HUNDRED, "phone": MINE, "balance": "-", "at": "-"}
    chat.host.act_answers["check_topup"] = Exit("paid", facts | {"reference": "TU-222222"})
    chat.tap("check")
    assert chat.text.startswith("Received KES 1,500.")
    assert chat.session.active is None


def test_where_nothing_can_be_asked_an_outcome_closes_all_the_same(chat: Chat) -> None:
    chat.begin().say("1500")
    assert chat.session.active is not None
    chat.session.active.node, chat.session.active.waiting = "expect", "TU-222222"
    chat.engine.finish_operation(chat.session, "topup", "TU-222222", "lapsed", asked=True)
    assert chat.session.active is None


def test_an_outcome_leaves_what_waits_for_another(chat: Chat) -> None:
    chat.to_push()
    before = stands(chat)
    chat.engine.finish_operation(chat.session, "topup", "TU-999999", "paid")
    assert stands(chat) == before


def test_the_live_screen_is_drawn_on_the_turn_that_stands(chat: Chat) -> None:
    chat.to_push()
    before = stands(chat)
    screen = chat.engine.live_screen(chat.session, "TU-222222", chat.host)
    assert screen == chat.screen
    assert stands(chat) == before


@pytest.mark.parametrize("operation", ["TU-222222", "TU-999999"])
def test_there_is_no_live_screen_of_what_is_not_waited_for_here(chat: Chat, operation: str) -> None:
    chat.to_push()
    if operation == "TU-222222":
        chat.command("balance")
    assert chat.engine.live_screen(chat.session, operation, chat.host) is None


# Back and edit


def test_back_restores_question_and_data(chat: Chat) -> None:
    chat.to_confirm().tap("back")
    assert (chat.session.at, chat.data) == ("topup.payer", TopUpData(amount=FIFTEEN_HUNDRED))
    chat.tap("back")
    assert (chat.session.at, chat.data) == ("topup.amount", TopUpData())


def test_the_first_question_has_no_way_back(chat: Chat) -> None:
    chat.begin()
    assert "back" not in chat.options
    assert chat.tap("back").transition == "stale"


@pytest.mark.parametrize(
    ("edit", "answer", "data"),
    [
        ("edit-amount", "700", TopUpData(amount=Money(700_00), phone=MINE)),
        ("edit-phone", "0733123456", TopUpData(amount=FIFTEEN_HUNDRED, phone=OTHER)),
    ],
)
def test_an_edit_asks_one_question_and_returns_to_the_confirm(
    chat: Chat, edit: str, answer: str, data: TopUpData
) -> None:
    chat.to_confirm().tap(edit)
    chat.say(answer)
    assert (chat.session.at, chat.data) == ("topup.confirm", data)


def test_an_edit_by_way_of_another_question_still_returns_to_the_confirm(chat: Chat) -> None:
    chat.to_confirm().tap("edit-phone")
    chat.tap("other")
    assert chat.session.at == "topup.phone"
    chat.say("0733123456")
    assert (chat.session.at, chat.data.phone) == ("topup.confirm", OTHER)


def test_back_out_of_an_edit_keeps_the_old_value(chat: Chat) -> None:
    chat.to_confirm().tap("edit-amount")
    chat.tap("back")
    assert (chat.session.at, chat.data) == ("topup.confirm", TopUpData(**BOTH))


def test_an_edit_that_was_left_is_over(chat: Chat) -> None:
    """Continuing the usual way afterwards does not jump back to the confirmation."""
    chat.to_confirm().tap("edit-amount")
    chat.tap("back")
    chat.tap("back")
    chat.tap("back")
    chat.say("700")
    assert chat.session.at == "topup.payer"


def test_back_into_an_edit_is_in_the_edit_again(chat: Chat) -> None:
    chat.to_confirm().tap("edit-amount")
    chat.say("700")
    chat.tap("back")
    assert (chat.session.at, chat.data.amount) == ("topup.amount", FIFTEEN_HUNDRED)
    chat.say("800")
    assert (chat.session.at, chat.data.amount) == ("topup.confirm", Money(800_00))


def test_the_way_back_has_an_end(chat: Chat) -> None:
    chat.to_confirm()
    for _ in range(HISTORY_MAX + 5):
        chat.tap("edit-amount")
        chat.say("700")
    assert chat.session.active is not None
    assert len(chat.session.active.history) == HISTORY_MAX
