"""Several views of one world: tabs of the browser, and two phones on a page."""

from __future__ import annotations

from playwright.sync_api import BrowserContext

from tests.browser.demo_page import DemoPage
from tests.browser.world_process import WorldProcess


def test_two_tabs_of_one_person_stay_equal(
    demo: DemoPage, context: BrowserContext, world: WorldProcess
) -> None:
    other = DemoPage.opened(context.new_page(), world.url)
    demo.tops_up()
    other.phone.reads("Received KES 1,500.")
    other.phone.says("/balance")
    demo.phone.reads("Wallet: KES 51,500")
    other.phone.shows_the_same_as(demo.phone)


def test_a_reload_shows_the_same_chat(
    demo: DemoPage, context: BrowserContext, world: WorldProcess
) -> None:
    demo.tops_up()
    other = DemoPage.opened(context.new_page(), world.url)
    other.phone.shows_the_same_as(demo.phone)


def test_a_colleague_approves_on_the_second_phone(demo: DemoPage) -> None:
    demo.presses("Second phone")
    owner, operator = demo.phone, demo.second_phone
    operator.is_of("njoki")
    owner.says("/settings")
    owner.reads("Second person: never needed")
    owner.taps("Second person")
    owner.reads("Above which amount do float and payouts need a second person")
    owner.says("5000")
    owner.reads("Second person: for float above KES 5,000")
    operator.reads("wanjiru has changed a setting")

    operator.says("/float")
    operator.reads("How much float would you like to buy?")
    operator.says("10000")
    operator.reads("Buy KES 10,000 of B2C float for DUKA?")
    operator.taps("Yes, ask a colleague")
    owner.reads("njoki wants to buy KES 10,000 of float for DUKA")
    owner.taps("Approve")
    owner.reads("Waiting for a second person:").get_by_role("button").first.click()
    owner.reads("Total from the wallet: KES 10,075")
    owner.taps("I agree")
    operator.reads("wanjiru has agreed to your KES 10,000 of float.")

    operator.taps("Go on")
    operator.reads("A six-digit code is on its way to 0722 000 222.")
    operator.says(operator.reads_code())
    demo.presses("+30 s")
    operator.reads("KES 10,000 of B2C float bought")
