"""What was dialled on the page, copied as a script, holds when it is played on USSD."""

from __future__ import annotations

import asyncio
import random
import re
from pathlib import Path

import pytest

from bot.scripts.parse import load
from bot.scripts.player import Player
from bot.simulation.credentials import USSD_SECRET
from bot.simulation.ncba.handsets import Handset
from bot.simulation.page.story import stories
from bot.simulation.served import outside
from bot.simulation.stage import SimulatedStage
from services.domain.phone import Phone
from tests.kit.page_tab import PageTab, page_tab

WANJIRU = "254712345678"


async def _holds(text: str, folder: Path) -> None:
    file = folder / "copied.chat"
    file.write_text(text)
    assert "channels: ussd\n" in text
    async with asyncio.timeout(60):
        await Player(load(file), SimulatedStage("ussd")).play()


async def test_a_top_up_is_copied_as_it_was_typed(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.dial()
        await tab.press("1", "1500", "1", "1")
        await tab.do("advance", seconds="2")
        await outside.set_handset(tab.desk.served, Phone(WANJIRU), Handset.PAYS)
        await tab.do("advance", seconds="10")
        await tab.dial()
        text = await tab.copy("script")
    await _holds(text, tmp_path)
    assert "wanjiru> <dial *384*7#>\nbot<~ Hazina DUKA\npage con\n" in text
    assert "wanjiru> 1500\n" in text
    assert "page end\n" in text


async def test_a_repeated_hop_a_restart_and_a_kill_are_copied(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.dial("*384*7*1*500#")
        await tab.do("redial", person="wanjiru", what="again")
        await tab.do("act", what="crash")
        await tab.press("1")
        await tab.do("act", what="redeliver")
        await tab.do("act", what="restart")
        await tab.press("0")
        text = await tab.copy("script")
    await _holds(text, tmp_path)
    for line in ("@hop again", "@redeliver", "@crash", "@restart"):
        assert f"\n{line}\n" in text


async def test_a_chat_between_two_hops_is_copied(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.say("/topup 700")
        await tab.dial()
        await tab.tap("mine")
        await tab.press("1")
        await tab.say("/balance")
        await tab.press("1500")
        await tab.press("0")
        await tab.tap("refresh")
        await tab.dial()
        text = await tab.copy("script")
    await _holds(text, tmp_path)
    assert "wanjiru> [mine] on screen -2\n" in text
    assert "@hop text 1*1500\n" in text
    assert "@hop text 1*1500*0\n" in text


async def test_a_pin_that_was_set_in_the_chat_buys_on_the_phone(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.say("/settings")
        await tab.tap("pin")
        sent = tab.desk.served.world.sms.texts[WANJIRU][-1]
        code = re.search(r"\b[0-9]{6}\b", sent)
        assert code is not None, sent
        for typed in (code[0], "2749", "2749"):
            await tab.say(typed)
        await tab.dial("*384*7*2*1000#")
        await tab.press("1", "2749")
        await tab.do("advance", seconds="30")
        assert "KES 1,000 of B2C float bought" in await tab.news()  # by SMS
        text = await tab.copy("script")
    await _holds(text, tmp_path)


async def test_what_no_line_can_say_is_a_remark(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.say("/topup")
        await tab.dial()
        await tab.say("1500")
        text = await tab.copy("script")
    assert "# Typed in the chat, which no line does after a dial: wanjiru> 1500\n" in text


async def test_what_an_admin_says_in_the_chat_is_copied(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.dial()
        await tab.say("/stats", "musa")
        await tab.say("menu", "musa")
        text = await tab.copy("script")
    await _holds(text, tmp_path)
    assert "musa> menu\n" in text


async def test_the_story_is_copied_as_it_was_played(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        teller = tab.desk.page.story
        await teller.begin(stories()["top-up-by-ussd"])
        async with asyncio.timeout(60):
            while teller.state == "playing":
                teller.next()
                await asyncio.sleep(0.005)
        assert teller.state == "held", teller.problem
        assert "Balance KES 51,500" in await tab.ussd_page()
        assert "dial first" not in (await tab.send("press", person="wanjiru", text="3")).text
        text = await tab.copy("script")
    await _holds(text, tmp_path)


@pytest.mark.parametrize(
    ("seed", "start"),
    [
        (0, "2026-03-02T06:00:00Z"),
        (1, "2026-05-31T20:50:00Z"),  # some minutes before midnight in Nairobi
        (2, "2026-12-01T23:36:40Z"),  # a job of 03:00 in Nairobi marks the time of a kill
        (2, "2026-12-01T16:44:30Z"),
        (3, "2027-12-31T23:58:00Z"),
        (4, "2028-02-28T23:59:59Z"),
        (5, "2026-07-10T11:11:11Z"),
    ],
)
async def test_whatever_is_dialled_the_copy_holds(tmp_path: Path, seed: int, start: str) -> None:
    chance = random.Random(seed)
    async with page_tab(tmp_path, simulated_start=start) as tab:
        await tab.dial()
        for _ in range(40):
            await _something(tab, chance)
        text = await tab.copy("script")
    assert f"\ngiven setting simulated_start {start}\n" in text
    await _holds(text, tmp_path)
    assert "which no line does" not in text


async def _something(tab: PageTab, chance: random.Random) -> None:
    """Not what a script cannot say: other words than commands in a chat, and keys of a phone when
    another has dialled or typed since."""
    shown = [
        one
        for one in tab.desk.served.scene.shown
        if one.to == "wanjiru" and one.rows and one.page is None
    ]
    match chance.randrange(10):
        case 0 | 1 | 2:
            keys = ["1", "1", "2", "3", "0", "00", "98", "1500", "900", "x", "500*1"]
            answer = await tab.send("press", person="wanjiru", text=chance.choice(keys))
            assert answer.status_code in (204, 409)
        case 3:
            codes = ["*384*7#", "*384*7#", "*384*7*1*500#", "*384*7*2*900*1#", "*384*7*3#"]
            await tab.do("dial", person="wanjiru", text=chance.choice(codes))
        case 4:
            await tab.send("redial", person="wanjiru", what=chance.choice(["again", "hang-up"]))
        case 5:
            await tab.say(chance.choice(["/topup 1500", "/balance", "/history", "/menu"]))
        case 6 if shown:
            screen = shown[-1]
            option = chance.choice([one for row in screen.rows for one in row])
            answer = await tab.send(
                "tap", person="wanjiru", message=screen.message_id, data=option.data
            )
            assert answer.status_code in (204, 409)
        case 7:
            does = chance.choice([Handset.PAYS, Handset.CANCELS, Handset.WRONG_PIN])
            await outside.set_handset(tab.desk.served, Phone(WANJIRU), does)
        case 8:
            what = chance.choice(["restart", "crash", "redeliver"])
            await tab.send("act", what=what)
        case _:
            await tab.do("advance", seconds=chance.choice(["due", "3", "45", "300"]))


async def test_with_curl_a_hop_is_sent_as_the_gateway_does(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.dial()
        await tab.press("1")
        calls = await tab.copy("curl")
        (first, second) = calls.splitlines()
        assert f"/ussd/{USSD_SECRET} " in first
        assert "--data-urlencode phoneNumber=+254712345678" in first
        assert re.search(r"--data-urlencode text=$", first)
        assert second.endswith("--data-urlencode text=1")
