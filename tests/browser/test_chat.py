"""What is said in the chat, by whom and in which language."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.demo_page import RIGHT_PIN, DemoPage
from tests.browser.world_process import WorldProcess

MARKUP = "<img src=x onerror=alert(1)>"


def test_the_page_opens_with_wanjirus_chat_in_english(demo: DemoPage) -> None:
    expect(demo.phone.person.locator("option:checked")).to_contain_text("wanjiru")
    expect(demo.language.locator("option:checked")).to_contain_text("English")
    expect(demo.phone.tab("Chat")).to_have_attribute("aria-selected", "true")
    expect(demo.tab("Turn")).to_have_attribute("aria-selected", "true")
    expect(demo.tab("Turn")).to_be_visible()


def test_markup_is_shown_as_it_was_typed(demo: DemoPage) -> None:
    demo.phone.says(MARKUP)
    demo.phone.reads(MARKUP)
    demo.phone.says("/balance")
    demo.phone.reads("Wallet:")
    expect(demo.page.locator("img[onerror]")).to_have_count(0)


def test_somebody_else_can_take_the_phone(demo: DemoPage) -> None:
    demo.phone.is_of("otieno")
    demo.phone.says("hi")
    demo.phone.reads("Hello Otieno. What would you like to do for SOKO?")


def test_the_chat_speaks_kiswahili(demo: DemoPage) -> None:
    demo.speaks("Kiswahili")
    demo.phone.says("/menu")
    demo.phone.reads("Habari Wanjiru. Ungependa kufanya nini kwa DUKA?")


def test_a_code_that_came_by_sms_is_typed_and_then_deleted(demo: DemoPage) -> None:
    phone = demo.phone
    phone.says("/float")
    phone.reads("How much float would you like to buy?")
    phone.says("5000")
    phone.reads("Buy KES 5,000 of B2C float for DUKA?")
    phone.taps("Yes, send the code")
    phone.reads("A six-digit code is on its way")
    phone.says(phone.reads_code())
    demo.presses("+30 s")
    phone.reads("KES 5,000 of B2C float bought")
    expect(phone.bubble(re.compile("deleted", re.IGNORECASE))).to_have_count(1)


def test_a_message_is_of_whoever_had_the_phone_when_it_was_sent(demo: DemoPage) -> None:
    demo.page.get_by_role("button", name="+1 day").click()  # keeps the desk busy for a while
    for text in ("/menu", "/balance"):
        demo.phone.message.fill(text)
        demo.phone.message.press("Enter")
    demo.phone.is_of("otieno")
    demo.phone.is_of("wanjiru")
    demo.phone.reads("DUKA at")
    demo.phone.is_of("otieno")
    demo.phone.says("/history")
    demo.phone.reads("There are no transactions yet")
    expect(demo.phone.bubble("/balance")).to_have_count(0)


def test_the_focus_stays_with_a_button_whose_message_changes(demo: DemoPage) -> None:
    demo.phone.says("/balance")
    demo.phone.reads("Wallet:")
    demo.phone.option("Refresh").press("Enter")
    expect(demo.phone.bubble("Refresh")).to_have_count(2)  # the tap and the message
    expect(demo.phone.option("Refresh")).to_be_focused()


def test_the_end_of_a_chat_stays_in_sight_unless_somebody_reads_above(
    demo: DemoPage, world: WorldProcess
) -> None:
    phone = demo.phone
    for _ in range(3):
        phone.says("/menu")
    phone.asks_for_a_topup()
    phone.enters(RIGHT_PIN)
    world.advance(30)
    expect(phone.reads("Received KES 1,500.")).to_be_in_viewport()
    phone.chat.evaluate("log => log.scrollTop = 0")
    expect(phone.bubbles.first).to_be_in_viewport()
    world.post("/sim/say", {"person": "wanjiru", "text": "/history"})
    phone.bubble("/history").wait_for(state="attached")
    expect(phone.bubbles.first).to_be_in_viewport()
