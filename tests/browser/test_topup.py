"""A top-up by M-PESA, as it is done on the page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.demo_page import RIGHT_PIN, WRONG_PIN, DemoPage
from tests.browser.world_process import WorldProcess

TABS_MAX = 100  # presses of Tab in which everything on the page has been met


def test_a_topup_is_paid_by_mouse(demo: DemoPage, world: WorldProcess) -> None:
    demo.tops_up()
    assert world.books_hold()


def test_a_topup_is_paid_by_keyboard(demo: DemoPage) -> None:
    phone, keyboard = demo.phone, demo.page.keyboard
    _tab_to(demo.page, phone.message)
    keyboard.type("/topup")
    keyboard.press("Enter")
    phone.reads("How much would you like to add?")
    _tab_to(demo.page, phone.message)
    keyboard.type("1500")
    keyboard.press("Enter")
    phone.reads("from which phone?")
    _tab_to(demo.page, phone.option("My number, 0712 345 678"))
    keyboard.press("Enter")
    phone.reads("Send an M-PESA prompt")
    _tab_to(demo.page, phone.option("Yes, send it"))
    keyboard.press("Enter")
    expect(phone.prompt).to_be_visible()
    _tab_to(demo.page, phone.pin)
    keyboard.type(RIGHT_PIN)
    _tab_to(demo.page, phone.pay)
    keyboard.press("Enter")
    expect(phone.prompt).to_be_hidden()
    _tab_to(demo.page, demo.button("+30 s"))
    keyboard.press("Enter")
    phone.reads("Received KES 1,500.")


def _tab_to(page: Page, target: Locator) -> None:
    for _ in range(TABS_MAX):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab does not lead to {target}")


def test_a_wrong_pin_is_told_in_plain_words(demo: DemoPage) -> None:
    demo.phone.asks_for_a_topup()
    demo.phone.enters(WRONG_PIN)
    demo.presses("+30 s")
    demo.phone.reads("Wrong M-PESA PIN. Three wrong tries lock the line.")
    demo.phone.says("/balance")
    demo.phone.reads("Wallet: KES 50,000")


def test_a_prompt_can_be_cancelled(demo: DemoPage) -> None:
    demo.phone.asks_for_a_topup()
    demo.phone.cancel.click()
    expect(demo.phone.prompt).to_be_hidden()
    demo.presses("+30 s")
    demo.phone.reads("You cancelled the prompt.")


def test_a_prompt_that_nobody_answers_goes_away(demo: DemoPage, world: WorldProcess) -> None:
    demo.phone.asks_for_a_topup()
    world.advance(180)  # the prompt may cover the buttons
    expect(demo.phone.prompt).to_be_hidden()
    demo.phone.reads("The prompt expired. Nothing has been taken so far.")
