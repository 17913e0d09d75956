"""Stale taps, commands, cancelling, and people who are not linked."""

from __future__ import annotations

import pytest

from flows.engine.event import Event, EventKind
from flows.engine.host import Exit
from flows.topup import TopUpData
from services.domain.refusal import Refusal
from tests.kit.engine_texts import MENU, MOVED_ON, PLACES
from tests.kit.stub_chat import BOTH, FLOWS, Chat, stands

LEFT = "All right, you can go on with something else"


# Stale and forged taps


@pytest.mark.parametrize("behind", [1, 2, -1, -100])
def test_a_tap_of_another_turn_changes_nothing(chat: Chat, behind: int) -> None:
    chat.to_confirm()
    before = stands(chat)
    step = chat.tap("yes", chat.session.turn - behind)
    assert (step.screen, step.alert, step.transition) == (None, MOVED_ON, "stale")
    assert (stands(chat), chat.host.runs) == (before, [])


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
    assert chat.say("blah blah").transition == "not_understood"
    assert chat.text.startswith("Sorry, I did not understand that.")
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


# People who are not linked


STRANGE = [
    *(
        Event("terminal", "77", "1", EventKind.TEXT, text=text)
        for text in ("hello", "help", "topup", "1")
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
