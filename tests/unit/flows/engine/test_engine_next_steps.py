"""What the end of a conversation leads to: by a tap however late, or in words while it is new."""

from __future__ import annotations

import pytest

from flows.engine.session import Ended, Session
from flows.topup import TopUpData
from services.domain.money import Money
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from tests.kit.stub_chat import FLOWS, Chat

OTHERS = Phone("254733123456")  # what the stub host recalls of any top-up


@pytest.fixture
def chat() -> Chat:
    return Chat()


def test_the_options_belong_to_no_turn(chat: Chat) -> None:
    turn = chat.to_confirm().session.turn
    chat.host.answer = Refusal.of("above_maximum", maximum=Money(100_00))
    chat.tap("yes")
    assert chat.screen is not None
    assert chat.screen.unbound
    assert chat.session.turn == turn


@pytest.mark.parametrize("times", [1, 3])
def test_again_asks_with_the_same_values_however_often(chat: Chat, times: int) -> None:
    for _ in range(times):
        step = chat.tap("again:tu-222222", 0)
        assert step.transition == "again"
    assert (chat.session.at, chat.session.parked) == ("topup.confirm", {})
    assert chat.data == TopUpData(amount=Money(1_500_00), phone=OTHERS)
    assert chat.host.runs == []


def test_another_number_keeps_the_amount(chat: Chat) -> None:
    chat.tap("other:tu-222222", 0)
    assert (chat.session.at, chat.data) == ("topup.phone", TopUpData(amount=Money(1_500_00)))


def test_details_open_the_operation(chat: Chat) -> None:
    chat.tap("details:tu-222222", 0)
    assert chat.session.at == "history.detail"


def test_what_else_was_open_is_parked(chat: Chat) -> None:
    chat.command("settings")
    chat.tap("wallet")
    chat.tap("again:tu-222222", 0)
    assert list(chat.session.parked) == ["settings"]


def test_an_amount_that_is_not_allowed_any_more_is_asked_for(chat: Chat) -> None:
    chat.host.recalled = {"amount": Money(900_000_00), "phone": OTHERS}
    step = chat.tap("again:tu-222222", 0)
    assert (step.transition, chat.session.at) == ("above_maximum", "topup.amount")
    assert chat.text.startswith("That is too much")


def test_who_may_not_move_money_is_told_so(chat: Chat) -> None:
    chat.host.refusal = Refusal.of("role", partner="FINSAFE")
    step = chat.tap("again:tu-222222", 0)
    assert (step.transition, chat.session.active) == ("role", None)


@pytest.mark.parametrize("option", ["nosuch:tu-222222", "again:settings", "again:nosuch", "again:"])
def test_a_forged_option_opens_nothing(chat: Chat, option: str) -> None:
    chat.host.recalled = None
    step = chat.tap(option, 0)
    assert step.transition in {"stale", "not_yours"}
    assert chat.session.active is None


@pytest.mark.parametrize("said", ["again", "Try again.", "jaribu tena", "TRY AGAIN"])
def test_words_pick_an_option_of_the_newest_end(chat: Chat, said: str) -> None:
    chat.to_push()
    chat.engine.finish_operation(chat.session, "topup", "TU-222222", "not_paid")
    chat.say(said)
    assert chat.session.at == "topup.confirm"


def test_a_number_picks_none_of_a_message_that_came_by_itself(chat: Chat) -> None:
    chat.to_push()
    chat.engine.finish_operation(chat.session, "topup", "TU-222222", "not_paid")
    assert chat.say("1", picks=True).transition == "not_understood"


def test_a_number_picks_one_of_a_screen(chat: Chat) -> None:
    chat.host.answer = Refusal.of("above_maximum", maximum=Money(100_00))
    chat.to_push()
    assert chat.options == ["again:topup", "menu"]
    chat.say("1", picks=True)
    assert chat.session.at == "topup.amount"


def test_another_screen_ends_what_words_may_pick(chat: Chat) -> None:
    chat.to_push()
    chat.engine.finish_operation(chat.session, "topup", "TU-222222", "not_paid")
    chat.command("menu")
    assert chat.session.ended is None
    assert chat.say("try again").transition == "not_understood"


def test_it_is_stored_with_the_session() -> None:
    session = Session(turn=3, ended=Ended("topup", "declined", "TU-222222", None, True))
    assert Session.load(FLOWS, 3, session.dump()) == session
