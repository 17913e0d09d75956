"""Files that people attach in the chat."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.demo_page import DemoPage

CSV = b"phone,amount,reference\n0722000111,150,S-1\n"


def test_a_file_is_attached_and_answered(demo: DemoPage) -> None:
    phone = demo.phone
    phone.opens_attachments()
    phone.attaches("pay in november.csv", CSV)
    phone.reads("pay in november.csv (42 bytes)")
    phone.reads("Paying 1 row costs KES 155")
    expect(phone.file).to_be_hidden()
    phone.opens_attachments()
    phone.attaches("pay in november.csv", CSV)
    expect(phone.bubble("pay in november.csv")).to_have_count(2)


def test_a_sample_is_sent_by_the_keyboard(demo: DemoPage) -> None:
    demo.phone.message.focus()
    demo.page.keyboard.press("Shift+Tab")
    demo.page.keyboard.press("Enter")
    demo.phone.file.wait_for()
    demo.page.keyboard.press("Escape")
    expect(demo.phone.file).to_be_hidden()
    demo.page.keyboard.press("Enter")
    demo.button("Sample of 12 rows").press("Enter")
    demo.phone.reads("sample.csv")
    demo.phone.reads("Paying 12 rows costs")
    demo.presses("Copy as script")
    assert "> <file sample.csv>\n  phone,amount,reference\n" in demo.script.input_value()


def test_a_file_that_is_too_large_is_not_sent(demo: DemoPage) -> None:
    demo.phone.opens_attachments()
    demo.phone.attaches("large.csv", b"x" * (1024 * 1024 + 1))
    expect(demo.page.get_by_text("large.csv is over 1 MiB")).to_be_visible()
    expect(demo.phone.bubbles).to_have_count(0)
    demo.phone.opens_attachments()
    demo.phone.attaches("most.csv", b"x" * 1024 * 1024)
    demo.phone.reads("most.csv (1,048,576 bytes)")
