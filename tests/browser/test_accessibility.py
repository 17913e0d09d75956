"""axe-core finds nothing serious, narrow and wide, in light and in dark."""

from __future__ import annotations

from typing import Literal, get_args

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import grave_violations
from tests.browser.demo_page import RIGHT_PIN, SEEN_AFTER_A_TOPUP, DemoPage, PhoneTab
from tests.browser.world_process import WorldProcess

Scheme = Literal["light", "dark"]
SCHEMES = get_args(Scheme)
WIDTHS = [360, 1280]


@pytest.fixture
def looked_at(page: Page, world: WorldProcess, width: int, scheme: Scheme) -> DemoPage:
    page.set_viewport_size({"width": width, "height": 740})
    # A colour in the middle of a transition is none that a person has to read.
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    return DemoPage.opened(page, world.url)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_a_chat_can_be_read_by_everybody(looked_at: DemoPage, world: WorldProcess) -> None:
    looked_at.phone.asks_for_a_topup()
    looked_at.phone.enters(RIGHT_PIN)
    world.advance(30)
    looked_at.phone.reads("Received KES 1,500.")
    assert grave_violations(looked_at.page) == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_prompt_can_be_answered_by_everybody(looked_at: DemoPage) -> None:
    looked_at.phone.asks_for_a_topup()
    assert grave_violations(looked_at.page) == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_sms_and_mail_can_be_read_by_everybody(looked_at: DemoPage) -> None:
    phone = looked_at.phone
    phone.says("/float")
    phone.reads("How much float would you like to buy?")
    phone.says("5000")
    phone.reads("Buy KES 5,000 of B2C float for DUKA?")
    phone.taps("Yes, send the code")
    phone.reads("A six-digit code is on its way")
    tabs: tuple[PhoneTab, ...] = ("SMS", "Mail")
    for tab in tabs:
        phone.opens(tab)
        assert grave_violations(looked_at.page) == [], tab


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_a_phone_that_dials_can_be_used_by_everybody(looked_at: DemoPage) -> None:
    phone = looked_at.phone
    phone.opens("USSD")
    assert grave_violations(looked_at.page) == []
    phone.dials()
    assert grave_violations(looked_at.page) == []
    phone.answers(("1", "how many"), ("1500", "which phone"), ("1", "Send an"), ("1", "END"))
    assert grave_violations(looked_at.page) == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [1280])
def test_the_drawer_can_be_read_by_everybody(looked_at: DemoPage) -> None:
    looked_at.tops_up()
    for tab, content in SEEN_AFTER_A_TOPUP.items():
        expect(looked_at.drawer(tab)).to_contain_text(content)
        assert grave_violations(looked_at.page) == [], tab


def test_a_button_without_a_name_is_found(page: Page) -> None:
    page.set_content("<!doctype html><html lang=en><title>A button</title><main><button></button>")
    (violation,) = grave_violations(page)
    assert violation.startswith("critical button-name: <button></button>")
