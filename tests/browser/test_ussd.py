"""A phone that dials, as it is used on the page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.demo_page import RIGHT_PIN, DemoPage
from tests.browser.watch import Watch
from tests.browser.world_process import WorldProcess

COUNTED = re.compile(r"([0-9]+) of 160 characters · hop [0-9]+ · [0-9]+ ms")
UP_TO_YES = (
    ("1", "how many shillings"),
    ("1500", "Pay KES 1,500 from which phone?"),
    ("1", "Send an M-PESA prompt for KES 1,500"),
)


def test_a_topup_is_dialled_with_the_keys_of_the_phone(demo: DemoPage, world: WorldProcess) -> None:
    phone = demo.phone
    phone.opens("USSD")
    expect(phone.code).to_have_value("*384*7#")
    phone.presses("Call")
    phone.shows("CON", "Balance KES 50,000")
    for keys, shown in (("1", "how many"), ("1500", "from which"), ("1", "Send an M-PESA")):
        phone.presses(*keys, "Call")
        phone.shows(shown)
    phone.presses("1", "Call")
    phone.shows("END", "Check your phone")
    expect(phone.prompt).to_be_visible()  # two seconds later
    phone.enters(RIGHT_PIN)
    world.advance(30)
    expect(phone.opens("SMS")).to_contain_text("Received KES 1,500")
    phone.opens("USSD")
    phone.dial_again.click()
    phone.shows("CON", "Received KES 1,500")
    assert world.books_hold()


def test_a_topup_is_dialled_by_keyboard(demo: DemoPage) -> None:
    phone, keyboard = demo.phone, demo.page.keyboard
    phone.tab("Chat").focus()
    keyboard.press("ArrowRight")
    expect(phone.tab("USSD")).to_be_focused()
    for _ in range(4):  # the log of the chat, what attaches a file, the box and its button
        keyboard.press("Tab")
    keyboard.press("Tab")
    expect(phone.code).to_be_focused()
    keyboard.press("Enter")
    phone.shows("Balance KES 50,000")
    for typed, shown in UP_TO_YES:
        expect(phone.answer).to_be_focused()
        keyboard.type(typed)
        keyboard.press("Enter")
        phone.shows(shown)
    keyboard.type("1")
    keyboard.press("Enter")
    phone.shows("END", "Check your phone")
    expect(phone.answer).to_be_disabled()
    expect(phone.pin).to_be_focused()  # the prompt has come; the phone had the focus
    keyboard.type(RIGHT_PIN)
    keyboard.press("Enter")
    expect(phone.prompt).to_be_hidden()


def test_digits_that_are_typed_on_the_keypad_are_pressed(demo: DemoPage) -> None:
    demo.phone.dials()
    demo.phone.keypad.get_by_role("button", name="5", exact=True).focus()
    demo.page.keyboard.type("12#")
    demo.page.keyboard.press("Backspace")
    expect(demo.phone.answer).to_have_value("12")


def test_the_counter_counts_what_was_sent(demo: DemoPage) -> None:
    demo.phone.dials()
    line = demo.page.get_by_text(COUNTED)
    counted = COUNTED.search(line.inner_text())
    assert counted is not None
    page = demo.phone.ussd_page.inner_text()
    shown = page[page.index("Hazina") :].strip()
    assert int(counted[1]) == len("CON ") + len(shown)


def test_the_last_hop_again_changes_nothing(demo: DemoPage) -> None:
    demo.phone.dials()
    demo.phone.answers(*UP_TO_YES[:2])
    demo.phone.presses("Repeat last hop")
    expect(demo.page.get_by_text("hop 3, sent again: the same answer")).to_be_visible()
    demo.phone.shows("Pay KES 1,500 from which phone?")
    demo.phone.answers(UP_TO_YES[2])


def test_what_is_dialled_behind_the_code_leads_to_its_question(demo: DemoPage) -> None:
    demo.phone.opens("USSD")
    demo.phone.code.fill("*384*7*1*500#")
    demo.phone.dial.click()
    demo.phone.shows("Pay KES 500 from which phone?")
    demo.phone.presses("Cancel")
    demo.phone.shows("The screen is empty")


def test_a_code_of_somebody_else_is_refused(demo: DemoPage, watch: Watch) -> None:
    demo.phone.opens("USSD")
    demo.phone.code.fill("*100#")
    demo.phone.dial.click()
    expect(demo.page.locator("#notice")).to_contain_text("Nobody answers *100#")
    (problem,) = watch.take()
    assert "409" in problem


@pytest.mark.parametrize("how", ["Crash", "Restart"])
def test_a_session_goes_on_over_a_crash_and_a_restart(
    demo: DemoPage, world: WorldProcess, how: str
) -> None:
    demo.phone.dials()
    demo.phone.answers(*UP_TO_YES[:2])
    demo.presses(how)
    demo.phone.answers(UP_TO_YES[2])
    demo.presses(how)
    demo.phone.answers(("1", "Check your phone"))
    demo.phone.enters(RIGHT_PIN)
    world.advance(30)
    expect(demo.phone.opens("SMS")).to_contain_text("Received KES 1,500")
    assert world.books_hold()


def test_chat_and_phone_of_one_person_show_one_state_side_by_side(demo: DemoPage) -> None:
    phone = demo.phone
    phone.dials()
    expect(phone.chat).to_be_visible()
    phone.says("/balance")
    phone.reads("Wallet: KES 50,000")
    phone.answers(("3", "Wallet"))
    expect(phone.tab("Chat")).to_have_attribute("aria-selected", "true")
    demo.presses("Second phone")
    expect(phone.chat).to_be_hidden()
    phone.shows("Wallet")


def test_a_small_phone_shows_one_at_a_time(page: Page, world: WorldProcess) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    demo = DemoPage.opened(page, world.url)
    demo.phone.dials()
    expect(demo.phone.chat).to_be_hidden()
    demo.is_no_wider_than_the_window()
    demo.phone.answers(*UP_TO_YES)
    demo.phone.opens("Chat")
    expect(demo.phone.ussd_page).to_be_hidden()


def test_two_phones_dial_at_once(demo: DemoPage) -> None:
    demo.presses("Second phone")
    demo.second_phone.is_of("otieno")
    demo.phone.dials()
    demo.second_phone.dials()
    demo.phone.shows("Balance KES 50,000")
    demo.second_phone.shows("Balance KES 5,000")
    demo.second_phone.is_of("musa")
    demo.second_phone.shows("An admin has no phone")
    expect(demo.second_phone.dial).to_be_hidden()
    demo.second_phone.is_of("otieno")
    demo.second_phone.answers(("1", "how many shillings"))


def test_the_story_shows_the_pages_of_the_phone(demo: DemoPage) -> None:
    demo.begins("Top up by USSD")
    demo.phone.shows("Balance KES 50,000")
    expect(demo.phone.tab("USSD")).to_have_attribute("aria-selected", "true")
    demo.plays_to_its_end()
    demo.phone.shows("CON", "Balance KES 51,500")
    expect(demo.phone.opens("SMS")).to_contain_text("Received KES 1,500")
