"""Restarts, crashes and kills under an open page."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.demo_page import RIGHT_PIN, DemoPage
from tests.browser.watch import Watch
from tests.browser.world_process import WorldProcess

RETURN_MAX_MS = 30_000  # a page that lost its server may take its time between two tries


def test_a_topup_goes_on_over_a_crash_and_a_restart(demo: DemoPage, world: WorldProcess) -> None:
    phone = demo.phone
    phone.says("/topup")
    phone.reads("How much would you like to add?")
    phone.says("1500")
    phone.reads("from which phone?")
    demo.presses("Crash")
    phone.taps("My number, 0712 345 678")
    phone.reads("Send an M-PESA prompt for KES 1,500 to 0712 345 678?")
    demo.presses("Restart")
    phone.taps("Yes, send it")
    phone.enters(RIGHT_PIN)
    demo.presses("Crash")
    demo.presses("+30 s")
    phone.reads("Received KES 1,500. New balance KES 51,500.")
    phone.has_no_bubble_twice()
    assert world.books_hold()


def test_the_page_finds_the_new_world_after_the_old_one_was_killed(
    demo: DemoPage, world: WorldProcess, watch: Watch
) -> None:
    demo.tops_up()
    with watch.connections_may_break():
        world.kill()
        world.start()
        expect(demo.phone.bubble("Received")).to_have_count(0, timeout=RETURN_MAX_MS)
        demo.phone.says("/balance")
        demo.phone.reads("Wallet: KES 50,000")
    demo.phone.has_no_bubble_twice()


def test_reset_begins_a_new_world(demo: DemoPage) -> None:
    demo.tops_up()
    demo.presses("Reset")
    expect(demo.phone.bubble("Received")).to_have_count(0)
    demo.phone.says("/balance")
    demo.phone.reads("Wallet: KES 50,000")
