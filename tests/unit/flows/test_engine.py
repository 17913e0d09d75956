"""One step of a conversation after the other, on the shipped flows and a host of straw."""

from __future__ import annotations

import pytest

from flows.engine.engine import Engine
from flows.engine.event import Event, EventKind
from flows.engine.host import Exit, OperationStarted, View
from flows.engine.session import HISTORY_MAX, FlowRegistry, Frame, Session
from flows.topup import TOPUP, TopUpData
from services.domain.money import Money
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from tests.kit.straw_chat import BOTH, FIFTEEN_HUNDRED, FLOWS, MINE, OTHER, TEXTS, Chat, stands

LEFT = "You have left it"
MOVED_ON = "That menu has moved on. Please use the newest message."
CLOSED = TEXTS.say("en", "engine.moved_on_closed", {})
MENU = ["topup", "float", "balance", "history", "settings", "help"]


@pytest.fixture
def chat() -> Chat:
    return Chat()


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


def test_a_suggested_phone_stands_behind_my_own_and_is_an_answer(chat: Chat) -> None:
    chat.host.phones = (OTHER,)
    chat.begin().say("1500")
    assert chat.options == ["mine", "phone-1", "other", "back", "cancel"]
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
    step = chat.say("mine please")
    assert (step.transition, chat.session.at) == ("tap_please", "topup.payer")
    assert chat.text.startswith("Please choose one of the options below.\n\nPay KES 1,500")


def test_a_refused_answer_says_why_and_asks_again(chat: Chat) -> None:
    step = chat.begin().say("-5")
    assert step.transition == "negative"
    assert chat.text.startswith("An amount cannot be negative.\n\nHow much")
    assert chat.session.at == "topup.amount"


def test_a_refused_answer_says_the_limit(chat: Chat) -> None:
    chat.begin().say("300000")
    assert "the most is KES 250,000" in chat.text


# Outcomes of the use case


def test_a_refused_use_case_ends_with_its_reason(chat: Chat) -> None:
    chat.host.answer = Refusal.of("above_maximum", maximum=Money(100_00))
    step = chat.to_push().last
    assert (step.transition, chat.session.active) == ("above_maximum", None)
    assert chat.text == "That is too much: the most is KES 100 at once."
    assert chat.options == MENU


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
    """Walking the ordinary way afterwards does not jump."""
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


# Stale and forged taps


@pytest.mark.parametrize("behind", [1, 2, -1, -100])
def test_a_tap_of_another_turn_changes_nothing(chat: Chat, behind: int) -> None:
    chat.to_confirm()
    before = stands(chat)
    step = chat.tap("yes", chat.session.turn - behind)
    assert (step.screen, step.alert, step.transition) == (None, MOVED_ON, "stale")
    assert (stands(chat), chat.host.runs) == (before, [])


PLACES = {
    "amount": lambda chat: chat.begin(),
    "payer": lambda chat: chat.begin().say("1500"),
    "confirm": lambda chat: chat.to_confirm(),
    "push": lambda chat: chat.to_push(),
    "resume": lambda chat: chat.to_confirm().command("topup"),
    "balance": lambda chat: chat.command("balance"),
    "menu": lambda chat: chat.command("menu"),
}
FORGED = {
    "yes",
    "mine",
    "other",
    "amount-1",
    "amount-9",
    "phone-1",
    "edit-amount",
    "edit-",
    "check",
}
FORGED |= {
    "resend",
    "float",
    "continue",
    "restart",
    "refresh",
    "more",
    "tu-aaaaaa",
    "topup",
    "nosuch",
    "",
    "ÿ",
}


@pytest.mark.parametrize("place", PLACES)
def test_a_tap_on_what_is_not_there_changes_nothing(chat: Chat, place: str) -> None:
    PLACES[place](chat)
    before, runs = stands(chat), list(chat.host.runs)
    for option in sorted(FORGED - set(chat.options)):
        step = chat.tap(option)
        assert (step.screen, step.alert) == (None, MOVED_ON), option
        assert (stands(chat), chat.host.runs, chat.host.acts) == (before, runs, []), option


def test_a_tap_on_yes_after_the_end_sends_nothing(chat: Chat) -> None:
    chat.to_push()
    chat.engine.finish_operation(chat.session, "topup", "TU-222222", "paid")
    assert chat.tap("yes").transition == "stale"
    assert len(chat.host.runs) == 1


def test_an_edit_of_what_the_confirm_does_not_offer_is_forged(chat: Chat) -> None:
    chat.host.answer = Exit("duplicate")
    chat.to_push()
    before = stands(chat)
    assert chat.tap("edit-amount").transition == "stale"
    assert stands(chat) == before


def test_the_turn_grows_with_screens_that_have_options_only(chat: Chat) -> None:
    turns = [chat.session.turn]
    for act in (lambda: chat.command("topup"), lambda: chat.say("x"), lambda: chat.tap("nosuch")):
        act()
        turns.append(chat.session.turn)
    assert turns == [0, 1, 2, 2]


# Commands


@pytest.mark.parametrize("word", ["start", "menu"])
def test_the_menu_greets_and_offers_every_flow(chat: Chat, word: str) -> None:
    chat.command(word)
    assert chat.text == "Hello Amina. What would you like to do for FINSAFE?"
    assert chat.options == MENU


@pytest.mark.parametrize("flow", ["topup", "float", "balance", "history", "settings"])
def test_a_flow_opens_by_command_by_tap_and_by_its_name(flow: str) -> None:
    standings = set()
    for way in ("command", "tap", "word"):
        chat = Chat()
        chat.command("menu")
        if way == "command":
            chat.command(flow)
        elif way == "tap":
            chat.tap(flow)
        else:
            chat.say(f" {flow.upper()} ")
        standings.add(chat.session.at)
    assert standings == {f"{flow}.{FLOWS.newest[flow].start}"}


def test_words_that_say_nothing_to_us_are_answered_with_the_menu(chat: Chat) -> None:
    chat.command("menu")
    assert chat.say("good morning").transition == "not_understood"
    assert chat.text.startswith("I did not understand that.")
    assert chat.options == MENU


def test_the_first_word_of_all_is_greeted(chat: Chat) -> None:
    assert chat.say("good morning").transition == "menu"
    assert chat.text == "Hello Amina. What would you like to do for FINSAFE?"


def test_an_unknown_command_asks_the_open_question_again(chat: Chat) -> None:
    chat.begin().command("nosuch")
    assert "I do not know that command." in chat.text
    assert chat.session.at == "topup.amount"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (EventKind.CONTACT, "I do not need a contact now."),
        (EventKind.EDIT, "I cannot see changes to a message"),
        (EventKind.OTHER, "I can only read text and taps here."),
    ],
)
def test_what_is_no_input_is_answered_with_the_open_question(
    chat: Chat, kind: EventKind, said: str
) -> None:
    chat.to_confirm().other(kind)
    assert chat.text.startswith(said)
    assert chat.text.endswith("Send an M-PESA prompt for KES 1,500 to 0712 345 678?")
    assert chat.session.at == "topup.confirm"


def test_an_album_is_remarked_on_once(chat: Chat) -> None:
    chat.to_confirm()
    pictures = [Event("telegram", "77", str(n), EventKind.OTHER, argument="13") for n in range(10)]
    told = [chat.send(picture).screen is not None for picture in pictures]
    assert told == [True] + [False] * 9
    assert chat.session.at == "topup.confirm"
    assert chat.send(pictures[0]._replace(argument="14")).screen is not None


def test_help_in_the_middle_leaves_the_question_open(chat: Chat) -> None:
    chat.to_confirm().command("help")
    assert "/topup – Add money by M-PESA" in chat.text
    assert chat.session.at == "topup.confirm"
    chat.tap("yes")
    assert len(chat.host.runs) == 1


def test_a_refused_command_leaves_what_is_open(chat: Chat) -> None:
    chat.command("balance")
    chat.host.refusal = Refusal.of("role", partner="FINSAFE")
    step = chat.command("topup")
    assert (step.transition, chat.session.at) == ("role", "balance.show")
    assert chat.text.startswith("Your role in FINSAFE lets you look")


def test_a_command_in_the_middle_parks_it_and_coming_back_asks(chat: Chat) -> None:
    chat.to_confirm().command("balance")
    assert (chat.session.at, list(chat.session.parked)) == ("balance.show", ["topup"])
    assert chat.command("topup").transition == "resume"
    assert (chat.session.at, chat.options) == ("topup.resume", ["continue", "restart"])


def test_continue_takes_up_where_it_was(chat: Chat) -> None:
    chat.to_confirm().command("balance")
    chat.command("topup")
    chat.tap("continue")
    assert (chat.session.at, chat.data) == ("topup.confirm", TopUpData(**BOTH))
    assert chat.session.parked == {}


def test_start_again_begins_with_nothing(chat: Chat) -> None:
    chat.to_confirm().command("topup")
    chat.tap("restart")
    assert (chat.session.at, chat.data) == ("topup.amount", TopUpData())
    assert chat.session.parked == {}


def test_continue_comes_back_to_the_operation_waited_for(chat: Chat) -> None:
    chat.to_push().tap("menu")
    chat.command("topup")
    step = chat.tap("continue")
    assert (chat.session.at, step.operation) == ("topup.push", "TU-222222")
    assert len(chat.host.runs) == 1


def test_to_start_again_beside_a_prompt_sends_no_second_one_by_itself(chat: Chat) -> None:
    chat.to_push().command("topup")
    chat.tap("restart")
    assert (chat.session.at, len(chat.host.runs)) == ("topup.amount", 1)


def test_words_at_continue_or_start_again_change_nothing(chat: Chat) -> None:
    chat.to_confirm().command("topup")
    assert chat.say("yes").transition == "tap_please"
    assert chat.session.at == "topup.resume"


def test_the_first_question_is_left_without_a_word(chat: Chat) -> None:
    chat.begin().command("balance")
    assert chat.session.parked == {}


# Cancel


def test_cancel_before_anything_was_sent_says_so(chat: Chat) -> None:
    chat.to_confirm().tap("cancel")
    assert chat.text == "Cancelled. Nothing was sent and no money has moved."
    assert (chat.session.active, chat.session.parked) == (None, {})


def test_cancel_beside_a_prompt_does_not_say_that_nothing_was_sent(chat: Chat) -> None:
    chat.to_push().command("cancel")
    assert chat.text.startswith(LEFT)
    assert (chat.session.active, chat.session.parked) == (None, {})


def test_cancel_ends_what_is_parked_the_newest_first(chat: Chat) -> None:
    chat.to_push().tap("menu")
    chat.command("cancel")
    assert chat.text.startswith(LEFT)
    assert (chat.session.active, chat.session.parked) == (None, {})


def test_cancel_at_continue_or_start_again_ends_what_was_begun(chat: Chat) -> None:
    chat.to_confirm().command("topup")
    chat.command("cancel")
    assert chat.text.startswith("Cancelled.")
    assert (chat.session.active, chat.session.parked) == (None, {})


def test_cancel_with_nothing_open_says_so(chat: Chat) -> None:
    chat.command("cancel")
    assert chat.text == "There is nothing to cancel."


def test_cancel_of_a_page_is_just_the_menu(chat: Chat) -> None:
    chat.command("balance")
    chat.command("cancel")
    assert chat.text.startswith("Hello Amina.")
    assert (chat.session.active, chat.session.parked) == (None, {})


# Pages to look at


def history_pages() -> dict[str | None, View]:
    facts = {"partner": "FINSAFE", "lines": "-"}
    return {
        None: View(facts, items=[("TU-AAAAAA", "TU-AAAAAA")], more="<TU-AAAAAA"),
        "<TU-AAAAAA": View(facts, items=[("TU-BBBBBB", "TU-BBBBBB")], newer=">TU-BBBBBB"),
        ">TU-BBBBBB": View(facts, items=[("TU-AAAAAA", "TU-AAAAAA")], more="<TU-AAAAAA"),
    }


def test_refresh_looks_again_in_place(chat: Chat) -> None:
    chat.command("balance")
    step = chat.tap("refresh")
    assert chat.host.looks == [("balance", None)] * 2
    assert step.screen is not None
    assert (step.screen.slot, step.screen.replace) == ("balance", True)


def test_pages_turn_by_the_cursors_that_they_gave(chat: Chat) -> None:
    chat.host.pages = history_pages()
    chat.command("history")
    chat.tap("more")
    assert chat.options == ["tu-bbbbbb", "newer", "refresh", "menu"]
    chat.tap("newer")
    assert [cursor for _, cursor in chat.host.looks] == [None, "<TU-AAAAAA", ">TU-BBBBBB"]


def test_an_entry_opens_and_back_returns_to_its_page(chat: Chat) -> None:
    chat.host.pages = history_pages()
    chat.command("history")
    chat.tap("more")
    chat.tap("tu-bbbbbb")
    assert (chat.session.at, chat.data.reference) == ("history.detail", "TU-BBBBBB")
    chat.tap("back")
    assert (chat.session.at, chat.options[0]) == ("history.list", "tu-bbbbbb")


def test_an_entry_that_was_not_listed_cannot_be_opened(chat: Chat) -> None:
    chat.host.pages = history_pages()
    chat.command("history")
    before = stands(chat)
    assert chat.tap("tu-bbbbbb").transition == "stale"
    assert stands(chat) == before


def test_check_on_a_page_acts_on_what_is_shown(chat: Chat) -> None:
    chat.host.pages = history_pages()
    chat.command("history")
    chat.tap("tu-aaaaaa")
    step = chat.tap("check")
    assert chat.host.acts == [("check_operation", "TU-AAAAAA")]
    assert step.operation == "TU-AAAAAA"


# Numbers in a channel without buttons


def test_a_number_picks_the_option_of_that_number(chat: Chat) -> None:
    chat.begin().say("1500", picks=True)
    chat.say("1", picks=True)
    assert chat.session.at == "topup.confirm"


def test_a_number_is_an_answer_where_one_is_typed(chat: Chat) -> None:
    chat.begin().say("1", picks=True)
    assert chat.data.amount == Money(100)


@pytest.mark.parametrize("text", ["0", "5", "99", "1.", "٢", "-1", "001"])
def test_a_number_of_no_option_picks_nothing(chat: Chat, text: str) -> None:
    chat.begin().say("1500")
    assert chat.say(text, picks=True).transition == "tap_please"
    assert chat.session.at == "topup.payer"


def test_a_number_picks_nothing_where_there_are_buttons(chat: Chat) -> None:
    chat.to_confirm().say("1")
    assert chat.host.runs == []


def test_a_picked_suggestion_is_the_one_that_was_shown(chat: Chat) -> None:
    chat.host.phones = (OTHER,)
    chat.begin().say("1500")
    chat.host.phones = (Phone("254700000001"),)
    chat.say("2", picks=True)
    assert chat.data.phone == OTHER


# People who are not linked


STRANGE = [
    *(
        Event("terminal", "77", "1", EventKind.TEXT, text=text)
        for text in ("hello", "help", "topup")
    ),
    *(
        Event("terminal", "77", "1", EventKind.TEXT, text="1", picks=picks)
        for picks in (True, False)
    ),
    *(
        Event("terminal", "77", "1", EventKind.COMMAND, text=word)
        for word in ("start", "menu", "help", "cancel", "topup", "balance", "nosuch")
    ),
    *(
        Event("terminal", "77", "1", kind)
        for kind in (EventKind.OTHER, EventKind.CONTACT, EventKind.EDIT)
    ),
]
NOT_LINKED = "Hello. This account is not linked to a business yet."


@pytest.mark.parametrize("event", STRANGE, ids=lambda event: f"{event.kind}-{event.text}")
def test_whoever_is_not_linked_is_told_so_and_offered_nothing(chat: Chat, event: Event) -> None:
    chat.host.linked = False
    chat.send(event)
    assert chat.text.startswith(NOT_LINKED)
    assert "77" in chat.text
    assert chat.options == []
    assert stands(chat) == ("{}", 0)


@pytest.mark.parametrize("option", ["topup", "menu", "help", "cancel", "back", "yes", "nosuch"])
def test_a_tap_of_whoever_is_not_linked_is_told_so(chat: Chat, option: str) -> None:
    chat.host.linked = False
    step = chat.tap(option)
    assert step.screen is None
    assert step.alert is not None
    assert step.alert.startswith(NOT_LINKED)
    assert stands(chat) == ("{}", 0)


@pytest.mark.parametrize("option", ["yes", "back", "menu"])
def test_whoever_is_no_longer_linked_goes_nowhere(chat: Chat, option: str) -> None:
    chat.to_confirm()
    before = stands(chat)
    chat.host.linked = False
    chat.tap(option)
    assert (stands(chat), chat.host.runs) == (before, [])


# Time and versions


def test_what_was_closed_meanwhile_is_told_once(chat: Chat) -> None:
    chat.to_confirm()
    chat.session.expire()
    assert chat.say("hello").transition == "expired"
    assert chat.text.startswith("You were away for a while, so I closed this: Top up.")
    assert chat.say("hello").transition == "not_understood"


def test_what_waits_for_an_operation_stays_open(chat: Chat) -> None:
    chat.to_push()
    before = stands(chat)
    chat.session.expire()
    assert stands(chat) == before
    chat.tap("check")
    assert chat.host.acts == [("check_topup", "TU-222222")]


def test_what_waits_parked_stays_open_when_the_rest_is_closed(chat: Chat) -> None:
    chat.to_push().command("balance")
    chat.session.expire()
    assert (chat.session.at, list(chat.session.parked)) == (None, ["topup"])
    assert chat.say("hello").transition == "not_understood"


def test_what_is_parked_and_waits_for_its_person_is_closed_and_told(chat: Chat) -> None:
    chat.to_confirm().command("balance")
    chat.session.expire()
    assert (chat.session.active, chat.session.parked) == (None, {})
    assert chat.say("hello").transition == "expired"


@pytest.mark.parametrize(
    ("place", "may"),
    [("menu", False), ("amount", True), ("confirm", True), ("balance", True), ("push", False)],
)
def test_only_what_waits_for_its_person_may_expire(chat: Chat, place: str, may: bool) -> None:
    PLACES[place](chat)
    assert chat.session.may_expire is may


def test_a_tap_on_what_was_closed_says_so_and_sends_nothing(chat: Chat) -> None:
    chat.to_confirm()
    chat.session.expire()
    before = stands(chat)
    step = chat.tap("yes")
    assert (step.screen, step.alert, step.transition) == (None, CLOSED, "expired")
    assert (stands(chat), chat.host.runs) == (before, [])


def test_older_buttons_stay_old_when_a_conversation_was_closed(chat: Chat) -> None:
    chat.to_confirm()
    chat.session.expire()
    step = chat.tap("mine", chat.session.turn - 1)
    assert (step.alert, step.transition) == (MOVED_ON, "stale")


def test_a_tap_that_was_told_of_the_closing_leaves_it_to_be_told_in_words(chat: Chat) -> None:
    chat.to_confirm()
    chat.session.expire()
    chat.tap("yes")
    assert chat.say("hello").transition == "expired"


def test_an_open_conversation_keeps_its_version_of_the_flow() -> None:
    newer = type(TOPUP)("topup", TOPUP.version + 1, TopUpData, "phone", TOPUP.nodes)
    chat = Chat().begin()
    chat.engine = Engine(FlowRegistry(*FLOWS, newer), TEXTS)
    chat.say("1500")
    assert chat.session.active is not None
    assert chat.session.active.flow.version == TOPUP.version
    assert chat.session.at == "topup.payer"


def test_start_again_takes_the_newest_version() -> None:
    newer = type(TOPUP)("topup", TOPUP.version + 1, TopUpData, "phone", TOPUP.nodes)
    chat = Chat().to_confirm()
    chat.engine = Engine(FlowRegistry(*FLOWS, newer), TEXTS)
    chat.command("topup")
    chat.tap("restart")
    assert chat.session.at == "topup.phone"


def test_a_conversation_whose_version_is_gone_is_closed_and_told() -> None:
    session = Session(4, Frame.start(TOPUP))
    old = session.dump().replace('"version":3', '"version":9')
    loaded = Session.load(FLOWS, 4, old)
    assert (loaded.turn, loaded.active, loaded.closed) == (4, None, "topup")


def test_data_that_no_longer_fits_is_closed_and_told(chat: Chat) -> None:
    body = chat.to_confirm().session.dump().replace('"cents":150000', '"cents":"many"')
    loaded = Session.load(FLOWS, 4, body)
    assert (loaded.active, loaded.closed) == (None, "topup")


@pytest.mark.parametrize("words", [["topup", "1500"], ["topup", "1500", "!mine", "!yes", "/menu"]])
def test_what_is_stored_is_what_stood(chat: Chat, words: list[str]) -> None:
    for word in words:
        if word.startswith("!"):
            chat.tap(word[1:])
        elif word.startswith("/"):
            chat.command(word[1:])
        else:
            chat.say(word)
    stored = chat.session.dump()
    assert Session.load(FLOWS, chat.session.turn, stored) == chat.session
