"""Pages to look at, choices by number, and conversations that outlive a deadline or a version."""

from __future__ import annotations

import pytest

from bot.turns.registry import HANDLERS
from flows.engine.engine import Engine
from flows.engine.host import View
from flows.engine.session import FlowRegistry, Frame, Session
from flows.topup import TOPUP, TopUpData
from services.domain.money import Money
from services.domain.phone import Phone
from tests.kit.engine_texts import MOVED_ON, PLACES
from tests.kit.stub_chat import FLOWS, OTHER, TEXTS, Chat, stands

CLOSED = TEXTS.say("en", "engine.moved_on_closed", {})


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
    chat.say("3", picks=True)
    assert chat.data.phone == OTHER


def test_a_number_typed_after_its_screen_was_closed_picks_nothing(chat: Chat) -> None:
    chat.to_confirm()
    chat.session.expire()
    step = chat.say("1", picks=True)
    assert step.transition == "expired"
    assert chat.text.startswith("You were away for a while, so I closed this: Top up.")
    assert chat.say("1", picks=True).transition == "opened"  # the menu is what is shown now


# Time and versions


def test_what_was_closed_meanwhile_is_told_once(chat: Chat) -> None:
    chat.to_confirm()
    chat.session.expire()
    assert chat.say("hello").transition == "expired"
    assert chat.text.startswith("You were away for a while, so I closed this: Top up.")
    assert chat.say("nonsense").transition == "not_understood"


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
    assert chat.say("nonsense").transition == "not_understood"


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
    chat.engine = Engine(FlowRegistry(*FLOWS, newer), TEXTS, HANDLERS)
    chat.say("1500")
    assert chat.session.active is not None
    assert chat.session.active.flow.version == TOPUP.version
    assert chat.session.at == "topup.payer"


def test_start_again_takes_the_newest_version() -> None:
    newer = type(TOPUP)("topup", TOPUP.version + 1, TopUpData, "phone", TOPUP.nodes)
    chat = Chat().to_confirm()
    chat.engine = Engine(FlowRegistry(*FLOWS, newer), TEXTS, HANDLERS)
    chat.command("topup")
    chat.tap("restart")
    assert chat.session.at == "topup.phone"


def test_a_conversation_whose_version_is_gone_is_closed_and_told() -> None:
    session = Session(4, Frame.start(TOPUP))
    old = session.dump().replace('"version":4', '"version":9')
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
