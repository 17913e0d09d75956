"""The simulator's page: what a tab is sent, and what its buttons do."""

from __future__ import annotations

import re
from pathlib import Path

from bot.simulation.page.bodies import PAYEES
from tests.kit.page_tab import open_tab, page_tab
from tests.kit.paid_in_world import pay

MARKUP = "<img src=x onerror=alert(1)>"


async def test_the_page_opens_as_the_owner_with_chat_and_turn_chosen(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        assert '<option value="wanjiru" selected>' in tab.html
        assert '<option value="en" selected>English' in tab.html
        chosen = re.findall(r'role="tab" id="([^"]+)"[^>]*aria-selected="true"', tab.html)
        assert chosen == ["tab-chat-1", "tab-chat-2", "drawer-turn"]
        assert "http://" not in tab.html.replace("http://127.0.0.1", "")


async def test_a_message_and_its_answer_come_once(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        news = await tab.say("/topup")
        assert news.count("<article") == 2
        assert "How much would you like to add?" in news
        assert "<article" not in await tab.news()


async def test_a_button_is_a_tap_and_the_screen_that_it_left_stays(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.say("/topup 1500")
        news = await tab.tap("mine")
        assert "Send an M-PESA prompt for KES 1,500" in news


async def test_an_old_button_says_that_the_menu_has_moved_on(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.say("/topup 1500")
        old = tab.desk.served.scene.shown[-1]
        await tab.tap("mine")
        option = old.rows[0][0]
        await tab.do("tap", person="wanjiru", message=old.message_id, data=option.data)
        news = await tab.news()
        assert "moved on" in news.split('id="notice"')[0]
        assert 'hx-swap-oob="innerHTML:#notice"' in news


async def test_a_prompt_shows_on_its_phone_and_the_pin_pays_it(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.say("/topup 1500")
        await tab.tap("mine")
        assert 'role="dialog"' in await tab.tap("yes")
        prompt = tab.prompt.transaction_id
        assert "four digits" in await tab.refused("prompt", prompt=prompt, pin="12")
        await tab.do("prompt", prompt=prompt, pin="1234")
        assert 'role="dialog"' not in await tab.news()
        await tab.do("advance", seconds="30")
        assert "Received KES 1,500. New balance KES 51,500." in await tab.news()
        assert "has ended" in await tab.refused("prompt", prompt=prompt, pin="1234")


async def test_another_pin_is_a_wrong_one(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        prompt = await tab.ask_for_topup()
        await tab.do("prompt", prompt=prompt, pin="9999")
        await tab.do("advance", seconds="30")
        assert "PIN" in await tab.news()
        assert await tab.desk.served.book_problems() == []


async def test_an_ignored_prompt_leaves_the_phone_and_stays_open_at_the_bank(
    tmp_path: Path,
) -> None:
    async with page_tab(tmp_path) as tab:
        prompt = await tab.ask_for_topup()
        await tab.do("prompt", prompt=prompt, does="ignores")
        assert "innerHTML:#prompt-1" in await tab.news()
        assert tab.prompt.transaction_id == prompt


async def test_a_typed_code_is_deleted_from_the_chat(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.say("/float 1000")
        await tab.tap("yes")
        text = tab.desk.served.world.sms.texts["254712345678"][-1]
        code = re.search(r"\b[0-9]{6}\b", text)
        assert code is not None
        news = await tab.say(code[0])
        assert "Deleted from the chat" in news
        assert code[0] not in news


async def test_what_people_write_is_never_markup(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        news = await tab.say(MARKUP)
        assert MARKUP not in news
        assert "&lt;img src=x onerror=alert(1)&gt;" in news
        assert MARKUP not in (await open_tab(tab.desk)).html


async def test_two_tabs_of_the_same_person_show_the_same(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        other = await open_tab(tab.desk)
        await tab.say("/balance")
        assert "Wallet: KES 50,000" in await other.news()


async def test_the_second_phone_shows_another_person(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.do("look", second="on")
        news = await tab.news()
        assert 'data-person="njoki"' in news
        await tab.do("look", person="musa", phone="2")
        news = await tab.say("/stats", "musa")
        assert 'hx-swap-oob="innerHTML:#chat-2"' in news
        await tab.do("look", second="off")
        assert tab.view.people == ["wanjiru"]


async def test_the_language_is_changed_in_the_persons_own_settings(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.do("language", person="wanjiru", language="sw")
        assert "Kiswahili</option>" in await tab.news()
        assert "Salio" in await tab.say("/balance")
        assert "no language" in await tab.refused("language", person="musa", language="sw")


async def test_each_part_of_the_drawer_tells_of_a_paid_top_up(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        prompt = await tab.ask_for_topup()
        await tab.do("look", drawer="due")
        assert "topups" in await tab.news()
        await tab.do("prompt", prompt=prompt, pin="1234")
        await tab.do("advance", seconds="30")
        await tab.do("look", drawer="turn")
        assert "topup.push" in await tab.news()
        await tab.do("look", drawer="money")
        money = await tab.news()
        assert "Every invariant holds" in money
        assert "50,000.00 → 51,500.00" in money
        await tab.do("look", drawer="wire")
        wire = await tab.news()
        assert "initiate" in wire
        assert "Deliver now" in wire


async def test_a_payment_is_told_of_twice_and_credited_once(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        prompt = await tab.ask_for_topup()
        await tab.do("prompt", prompt=prompt, pin="1234")
        await tab.do("tell", prompt=prompt, how="twice")
        await tab.do("look", drawer="wire")
        assert "accepted (0), accepted (0)" in await tab.news()
        receipts = [
            one for one in tab.desk.served.scene.shown if "New balance KES 51,500" in one.text
        ]
        assert len(receipts) == 1
        assert "has told" in await tab.refused("tell", prompt=prompt, how="now")
        assert await tab.desk.served.book_problems() == []


async def test_a_fault_of_the_bank_is_set_and_cleared(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.do("fault", fault="http 500", call="all", times="3")
        assert "3 initiate" in await tab.news()
        await tab.do("act", what="disarm")
        assert "works as it should" in await tab.news()


async def test_the_next_payout_is_set_for_any_phone(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        page = (await tab.desk.client.get("/")).text
        for does in PAYEES:
            assert f'<option value="{does}">' in page
            await tab.do("payee", phone="0712 345 678", does=does)
        await tab.do("fault", fault="http 500", call="payout-status", times="3")
        assert "3 payout-status" in await tab.news()
        await tab.do("look", drawer="wire")
        assert "0 payout-status, 0 payout-balance so far." in await tab.news()
        async with tab.desk.served.turn() as world:
            await pay(world)
        await tab.do("advance", seconds="10")
        assert "1 payout, 0 payout-status" in await tab.news()
        (payment,) = tab.desk.served.world.daraja.payments()
        assert payment.state(tab.desk.served.world.clock.true_now()) == "Declined"
        for fields in (
            {"phone": "12", "does": "pays"},
            {"phone": "0712345678", "does": "dances"},
            {"does": "pays"},
        ):
            assert (await tab.send("payee", **fields)).status_code == 400


async def test_the_page_goes_on_through_restart_crash_and_reset(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.say("/topup 1500")
        for what in ("restart", "crash"):
            await tab.do("act", what=what)
            assert "<article" not in await tab.news(), "no bubble comes twice"
        assert "Send an M-PESA prompt" in await tab.tap("mine")
        await tab.do("act", what="redeliver")
        assert "<article" not in await tab.news()
        await tab.do("act", what="reset")
        assert 'hx-swap-oob="innerHTML:#chat-1"' in await tab.news()
        assert "How much would you like to add?" in await tab.say("/topup")


async def test_a_picture_and_a_file_come_with_their_messages(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.say("/statement")
        for option in (tab.desk.served.scene.shown[-1].rows[0][0].id, "pdf"):
            await tab.tap(option)
        html = (await open_tab(tab.desk)).html
        address = re.search(r'class="file" href="([^"]+)"', html)
        assert address is not None
        answer = await tab.desk.client.get(address[1])
        assert answer.status_code == 200
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.content
        await tab.do("act", what="reset")
        assert (await tab.desk.client.get(address[1])).status_code == 404


async def test_a_missed_event_is_made_up_for_by_the_whole(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        drawn = tab.view.drawn
        assert drawn is not None
        await tab.say("/topup")
        number = drawn.number
        assert number > 0
        again = type(drawn)(drawn.state, drawn.view, number + 1)
        assert 'hx-swap-oob="innerHTML:#chat-1"' in await again.news()
