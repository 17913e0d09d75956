"""The phone's USSD on the simulator's page: what it shows, and what its keys do."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.kit.page_tab import PageTab, open_tab, page_tab

NJOKI = "254722000222"


async def test_a_dial_shows_the_menu_and_counts_its_characters(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        assert "The screen is empty" in await tab.ussd_page()
        shown = await tab.dial()
        assert "CON · waits for an answer" in shown
        assert "Hazina DUKA\nBalance KES 50,000\n1 Top up" in shown
        page = tab.desk.served.scene.shown[-1].text
        assert f"{len('CON ' + page)} of 160 characters · hop 1 ·" in shown
        assert " ms" in shown


async def test_a_page_is_sent_to_every_tab_and_to_no_chat(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        other = await open_tab(tab.desk)
        await tab.do("dial", person="wanjiru", text="*384*7#")
        for news in (await tab.news(), await other.news()):
            assert 'hx-swap-oob="innerHTML:#ussd-page-1"' in news
            assert "<article" not in news
        assert "innerHTML:#ussd" not in await tab.news()


async def test_a_top_up_ends_before_the_prompt_and_is_told_at_the_next_dial(
    tmp_path: Path,
) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.dial()
        assert "Pay KES 1,500 from which phone?" in await tab.press("1", "1500")
        assert "Send an M-PESA prompt for KES 1,500" in await tab.press("1")
        ended = await tab.press("1")
        assert "END · the session is over" in ended
        assert "Check your phone" in ended
        assert "dial first" in await tab.refused("press", person="wanjiru", text="1")
        await tab.do("advance", seconds="2")
        await tab.do("prompt", prompt=tab.prompt.transaction_id, pin="1234")
        await tab.do("advance", seconds="10")
        assert "Received KES 1,500" in await tab.news()  # by SMS
        await tab.do("redial", person="wanjiru", what="dial")
        assert "Received KES 1,500" in await tab.ussd_page()
        assert "Balance KES 51,500" in await tab.press("00")
        assert await tab.desk.served.book_problems() == []


async def test_what_is_dialled_behind_the_code_stops_at_the_question_about_money(
    tmp_path: Path,
) -> None:
    async with page_tab(tmp_path) as tab:
        assert "prompt for KES 500" in await tab.dial("*384*7*1*500*1*1#")


async def test_the_last_hop_sent_again_is_answered_the_same_and_does_nothing(
    tmp_path: Path,
) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.dial()
        first = await tab.press("1")
        await tab.do("redial", person="wanjiru", what="again")
        again = await tab.ussd_page()
        assert "hop 2, sent again: the same answer" in again
        assert again.splitlines()[:3] == first.splitlines()[:3]
        assert "Pay KES 1,500 from which phone?" in await tab.press("1500")


async def test_whoever_cancels_has_an_empty_screen_and_dials_anew(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.dial()
        await tab.press("1", "1500")
        await tab.do("redial", person="wanjiru", what="hang-up")
        assert "The screen is empty" in await tab.ussd_page()
        assert "dial first" in await tab.refused("press", person="wanjiru", text="1")
        assert "dial first" in await tab.refused("redial", person="wanjiru", what="again")
        await tab.do("redial", person="wanjiru", what="dial")
        assert "1 Continue" in await tab.ussd_page()


@pytest.mark.parametrize("what", ["crash", "restart"])
async def test_a_session_outlives_the_product(tmp_path: Path, what: str) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.dial()
        await tab.press("1")
        await tab.do("act", what=what)
        assert "from which phone" in await tab.press("1500")


async def test_a_reset_forgets_the_session(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.dial()
        await tab.do("act", what="reset")
        assert "The screen is empty" in await tab.ussd_page()
        assert "not dialled" in await tab.refused("redial", person="wanjiru", what="dial")
        assert "Balance KES 50,000" in await tab.dial()


async def test_who_has_no_phone_is_told_so(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.do("look", person="musa")
        assert "An admin has no phone" in await tab.news()
        assert "no phone" in await tab.refused("dial", person="musa", text="*384*7#")


async def test_codes_that_nobody_answers_are_refused(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        for code in ("*100#", "*384*71#", "*384*7*"):
            answer = await tab.send("dial", person="wanjiru", text=code)
            assert answer.status_code in (400, 409), code
        assert tab.desk.served.record.entries == []


async def test_chat_and_phone_of_one_person_go_side_by_side(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.say("/topup 700")
        await tab.dial()
        assert "Send an M-PESA prompt for KES 700" in await tab.tap("mine")
        assert "how many shillings" in await tab.press("1")
        chat = await tab.say("/balance")
        assert "Wallet: KES 50,000" in chat
        said = await tab.desk.say("wanjiru", "/history")
        assert "how many shillings" not in said


async def test_the_last_event_again_is_the_hop_if_that_was_the_last(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.say("/balance")
        await tab.dial()
        await tab.do("act", what="redeliver")
        assert "hop 1, sent again" in await tab.ussd_page()
        await tab.say("/balance")
        await tab.do("act", what="redeliver")
        assert "<article" not in await tab.news()


async def test_sessions_of_two_phones_do_not_meet(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await asyncio.gather(tab.dial(), tab.dial(person="njoki"))
        await asyncio.gather(tab.press("1"), tab.press("3", person="njoki"))
        shown = {one.to: one.text for one in tab.desk.served.scene.shown if one.page}
        assert "how many shillings" in shown["wanjiru"]
        assert "Wallet" in shown["njoki"]


async def test_a_turn_of_a_phone_is_told_with_its_persons_name(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.dial()
        await tab.press("1")
        rows = await _turns(tab)
        assert "<td>wanjiru, USSD</td>" in rows


async def _turns(tab: PageTab) -> str:
    await tab.do("look", drawer="turn")
    return (await open_tab(tab.desk)).html
