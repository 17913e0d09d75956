"""The demo page as a person meets it: everything is found by its role and its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from playwright.sync_api import Locator, Page, expect

RIGHT_PIN = "1234"
WRONG_PIN = "0000"

CODE = re.compile(r"Code (\d{6})")
STORY_MAX_MS = 60_000

DrawerTab = Literal["Turn", "Money", "Wire", "Due", "Log"]
PhoneTab = Literal["Chat", "USSD", "SMS", "Mail"]

SEEN_AFTER_A_TOPUP: Mapping[DrawerTab, str] = {
    "Turn": "topup.confirm",
    "Money": "1,500",
    "Wire": "initiate",
    "Due": "outbox",  # a job
    "Log": "top-up settled",
}


class Phone:
    """One of the two phones. The names of the second one's parts end in its number."""

    def __init__(self, page: Page, number: int = 1) -> None:
        self._page = page
        self._ending = "" if number == 1 else f" {number}"
        self.chat = page.get_by_role("log", name=self._named("Chat"), exact=True)
        self.bubbles = self.chat.get_by_role("article")
        self.message = page.get_by_role("textbox", name=self._named("Message"), exact=True)
        self.send = page.get_by_role("button", name=self._named("Send"), exact=True)
        self.file = page.get_by_label(self._named("File"), exact=True)
        self.person = page.get_by_role("combobox", name=self._named("Person"), exact=True)
        self.prompt = page.get_by_role("dialog", name=self._named("M-PESA"), exact=True)
        self.pin = self.prompt.get_by_role("textbox", name="PIN")
        self.pay = self.prompt.get_by_role("button", name="Pay")
        self.cancel = self.prompt.get_by_role("button", name="Cancel")
        self.code = page.get_by_role("textbox", name=self._named("Code to dial"), exact=True)
        self.dial = page.get_by_role("button", name=self._named("Dial"), exact=True)
        self.dial_again = page.get_by_role("button", name=self._named("Dial again"), exact=True)
        self.ussd_page = page.get_by_role("status", name=self._named("Page"), exact=True)
        self.answer = page.get_by_role("textbox", name=self._named("Answer"), exact=True)
        self.send_answer = page.get_by_role("button", name=self._named("Send answer"), exact=True)
        self.keypad = page.get_by_role("group", name=self._named("Keypad"), exact=True)

    def _named(self, name: str) -> str:
        return name + self._ending

    def says(self, text: str) -> None:
        self.message.fill(text)
        self.send.click()

    def option(self, label: str) -> Locator:
        """The newest one of that label."""
        return self.bubbles.get_by_role("button", name=label, exact=True).last

    def opens_attachments(self) -> None:
        self._page.get_by_label(self._named("Attach a file"), exact=True).click()

    def attaches(self, name: str, content: bytes) -> None:
        """The file chosen is sent at once."""
        self.file.set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})

    def bubble(self, text: str | re.Pattern[str]) -> Locator:
        return self.bubbles.filter(has_text=text)

    def reads(self, text: str | re.Pattern[str]) -> Locator:
        """Wait for a bubble with that text: the newest one."""
        bubble = self.bubble(text).last
        expect(bubble).to_be_visible()
        return bubble

    def taps(self, label: str) -> None:
        self.option(label).click()

    def tab(self, name: PhoneTab) -> Locator:
        return self._page.get_by_role("tab", name=self._named(name), exact=True)

    def opens(self, name: PhoneTab) -> Locator:
        """What that tab holds."""
        return _open(self._page, self.tab(name))

    def is_of(self, person: str) -> None:
        """Give the phone to somebody else."""
        _choose(self.person, person)

    def asks_for_a_topup(self) -> None:
        """KES 1,500 from the own number, up to the prompt on the phone."""
        self.says("/topup")
        self.reads("How much would you like to add?")
        self.says("1500")
        self.reads("from which phone?")
        self.taps("My number, 0712 345 678")
        self.reads("Send an M-PESA prompt for KES 1,500 to 0712 345 678?")
        self.taps("Yes, send it")
        expect(self.prompt).to_be_visible()

    def dials(self) -> None:
        """The code that stands there, up to the menu."""
        self.opens("USSD")
        self.dial.click()
        self.shows("CON", "1 Top up")

    def presses(self, *keys: str) -> None:
        for key in keys:
            self.keypad.get_by_role("button", name=key, exact=True).click()

    def answers(self, *answers: tuple[str, str]) -> None:
        """Each with what the page shows then."""
        for typed, shown in answers:
            self.answer.fill(typed)
            self.send_answer.click()
            self.shows(shown)

    def shows(self, *texts: str | re.Pattern[str]) -> None:
        """On its screen of USSD."""
        for text in texts:
            expect(self.ussd_page).to_contain_text(text)

    def enters(self, pin: str) -> None:
        self.pin.fill(pin)
        self.pay.click()
        expect(self.prompt).to_be_hidden()

    def reads_code(self) -> str:
        """The code in the only SMS that has one, looked up in its tab."""
        panel = self.opens("SMS")
        expect(panel).to_contain_text(CODE)
        (code,) = CODE.findall(panel.inner_text())
        self.opens("Chat")
        return str(code)

    def shows_the_same_as(self, other: Phone) -> None:
        expect(self.bubbles).to_have_text(other.bubbles.all_inner_texts(), use_inner_text=True)

    def has_no_bubble_twice(self) -> None:
        texts = self.bubbles.all_inner_texts()
        assert len(texts) == len(set(texts)), texts


class DemoPage:
    """The whole page. ``phone`` is the first, ``second_phone`` is there once it was asked for."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.phone = Phone(page)
        self.second_phone = Phone(page, 2)
        self.language = page.get_by_role("combobox", name="Language", exact=True)
        self.story = page.get_by_role("combobox", name="Story", exact=True)
        self.script = page.get_by_role("textbox", name="Script", exact=True)

    @classmethod
    def opened(cls, page: Page, url: str) -> DemoPage:
        page.goto(url)
        demo = cls(page)
        expect(demo.phone.message).to_be_visible()
        return demo

    def speaks(self, language: str) -> None:
        _choose(self.language, language)

    def stories(self) -> list[str]:
        labels: list[str] = self.story.locator("option").evaluate_all(
            "options => options.filter(option => option.value).map(option => option.label)"
        )
        return labels

    def begins(self, story: str) -> None:
        self.story.select_option(label=story)
        expect(self.page.locator("[data-story-state]").first).to_be_visible()

    def plays_to_its_end(self) -> None:
        """The story that has begun."""
        ended = self.page.locator("[data-story-state=held], [data-story-state=failed]").first
        expect(ended).to_be_attached(timeout=STORY_MAX_MS)
        assert ended.get_attribute("data-story-state") == "held", ended.inner_text()

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def presses(self, name: str) -> None:
        self.button(name).click()

    def tab(self, name: DrawerTab) -> Locator:
        return self.page.get_by_role("tab", name=name, exact=True)

    def drawer(self, name: DrawerTab) -> Locator:
        """What that tab of the drawer holds."""
        return _open(self.page, self.tab(name))

    def tops_up(self) -> None:
        """KES 1,500, paid, up to the receipt."""
        self.phone.asks_for_a_topup()
        self.phone.enters(RIGHT_PIN)
        self.presses("+30 s")
        self.phone.reads("Received KES 1,500. New balance KES 51,500.")

    def is_no_wider_than_the_window(self) -> None:
        width = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert width <= 0, f"{width} pixels too wide"


def _open(page: Page, tab: Locator) -> Locator:
    tab.click()
    expect(tab).to_have_attribute("aria-selected", "true")
    panel = page.locator(f"#{tab.get_attribute('aria-controls')}")
    expect(panel).to_be_visible()
    expect(panel).to_have_role("tabpanel")
    return panel


def _choose(box: Locator, part: str) -> None:
    """The option with that in its label."""
    option = box.locator("option", has_text=part)
    box.select_option(option.evaluate("option => option.value"))
    expect(box.locator("option:checked")).to_contain_text(part)
