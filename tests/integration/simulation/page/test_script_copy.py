"""What was done on the page, copied as a script, holds when it is played."""

from __future__ import annotations

import asyncio
import random
import re
from pathlib import Path

import pytest

from bot.scripts.parse import load
from bot.scripts.player import Player
from bot.simulation.credentials import USSD_CODE, USSD_SECRET
from bot.simulation.ncba.handsets import Handset
from bot.simulation.page.story import stories
from bot.simulation.served import outside
from bot.simulation.stage import SimulatedStage
from services.domain.money import Money
from services.domain.phone import Phone
from tests.kit.page_tab import PageTab, page_tab

WANJIRU, NJOKI, STRANGER = "254712345678", "254722000222", "254733999888"


async def _holds(text: str, folder: Path, channel: str = "terminal") -> str:
    """Two worlds cannot be in one loop: each would wait for the other to be quiet."""
    file = folder / "copied.chat"
    file.write_text(text)
    async with asyncio.timeout(30):
        await Player(load(file), SimulatedStage(channel)).play()
    return text


def _code(tab: PageTab, phone: str) -> str:
    text = tab.desk.served.world.sms.texts[phone][-1]
    found = re.search(r"\b[0-9]{6}\b", text)
    assert found is not None, text
    return found[0]


def _reference(tab: PageTab, kind: str) -> str:
    return next(
        found[0]
        for shown in tab.desk.served.scene.shown
        if (found := re.search(rf"{kind}-[0-9A-Z]+", shown.text))
    )


async def test_a_top_up_is_copied_with_its_clock(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.ask_for_topup()
        await outside.set_handset(tab.desk.served, Phone(WANJIRU), Handset.PAYS)
        await tab.do("advance", seconds="30")
        await tab.say("/balance")
        text = await tab.copy("script")
    await _holds(text, tmp_path)
    assert text.startswith("title: Copied from the page\n")
    assert "seed: 1\n" in text
    assert "given partner DUKA wallet 50000.00" in text
    assert "wanjiru> [mine]\n" in text
    assert re.search(r"^@advance 3[0-9]s$", text, re.MULTILINE)
    assert "bot<~ DUKA at {*}" in text


async def test_codes_are_captured_from_the_sms_that_brought_them(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.say("/float 1000")
        await tab.tap("yes")
        await tab.do("advance", seconds="40")
        await tab.tap("resend")
        code = _code(tab, WANJIRU)
        await tab.say(code)
        text = await tab.copy("script")
    await _holds(text, tmp_path)
    assert code not in text
    assert re.search(r"^sms 254712345678<~ .*\{v1:\[0-9\]\{6\}\}", text, re.MULTILINE)
    assert "wanjiru> {v1}\n" in text


async def test_references_are_captured_from_the_message_that_showed_them(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.say("/settings")
        await tab.tap("second")
        await tab.say("500")
        await tab.say("/float 1000", "njoki")
        await tab.tap("yes", "njoki")
        await tab.tap("approve")
        reference = _reference(tab, "FL")
        await tab.tap(reference)
        await tab.tap("yes")
        await tab.tap("yes", "njoki")
        await tab.say(_code(tab, NJOKI), "njoki")
        text = await tab.copy("script")
    await _holds(text, tmp_path)
    assert reference not in text
    assert "wanjiru> [{v1}]\n" in text


async def test_what_payers_banks_and_kills_do_is_copied(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        served = tab.desk.served
        await tab.do("fault", fault="timeout-after", call="initiate")
        await tab.do("fault", fault="http 500", call="query", times="3")
        await tab.do("fault", fault="slow 20s", call="payout", times="3")
        await tab.do("payee", phone=STRANGER, does="fails 8 late 24h")
        await tab.ask_for_topup()
        await tab.do("act", what="redeliver")
        await tab.do("act", what="restart")
        await tab.do("advance", seconds="60")
        await tab.do("act", what="disarm")
        await tab.do("fault", fault="http 500", call="payout-token", times="3")
        await tab.do("act", what="crash")
        await outside.notify(served, Phone(STRANGER), Money(700_00), "nobody")
        await tab.do("advance", seconds="due")
        await tab.say("/pending", "musa")
        text, curl = await tab.copy("script"), await tab.copy("curl")
    await _holds(text, tmp_path)
    assert "@bank timeout-after on initiate\n" in text
    assert "@bank http 500 on query" not in text
    assert "on payout times" not in text
    assert "\n@bank http 500 on payout-token times 3\n" in text
    assert f"\n@payee {STRANGER} fails 8 late 24h\n" in text
    assert f'/sim/payee -H \'content-type: application/json\' -d \'{{"phone": "{STRANGER}"' in curl
    for directive in ("@redeliver", "@restart", "@crash", "@notify 254733999888 700.00 ref nobody"):
        assert f"\n{directive}\n" in text


async def test_a_prompts_payment_is_told_of_by_its_reference(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        prompt = await tab.ask_for_topup()
        await tab.do("prompt", prompt=prompt, pin="1234")
        await tab.do("tell", prompt=prompt, how="twice")
        await tab.say("/balance")
        text = await tab.copy("script")
    await _holds(text, tmp_path)
    assert re.search(r"@notify 254712345678 1500\.00 ref 774451#\{v1\} times 2", text)


async def test_an_old_button_is_copied_with_the_screen_that_it_stood_on(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.say("/topup 1500")
        old = tab.desk.served.scene.shown[-1]
        await tab.tap("mine")
        data = old.rows[0][0].data
        await tab.do("tap", person="wanjiru", message=old.message_id, data=data)
        text = await tab.copy("script")
    await _holds(text, tmp_path)
    assert "wanjiru> [mine] on screen -2\n" in text
    assert "alert<~" in text


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_is_done_the_copy_holds(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    async with page_tab(tmp_path) as tab:
        for _ in range(40):
            await _something(tab, chance)
        text = await tab.copy("script")
    await _holds(text, tmp_path)


async def _something(tab: PageTab, chance: random.Random) -> None:
    person = chance.choice(["wanjiru", "wanjiru", "njoki", "musa"])
    shown = [one for one in tab.desk.served.scene.shown if one.to == person and one.rows]
    match chance.randrange(10):
        case 0 | 1 | 2 | 3 if shown:
            screen = shown[-1]
            option = chance.choice([one for row in screen.rows for one in row])
            answer = await tab.send(
                "tap", person=person, message=screen.message_id, data=option.data
            )
            assert answer.status_code in (204, 409)
        case 4:
            phones = tab.desk.served.world.sms.texts
            codes = re.findall(r"\b[0-9]{6}\b", " ".join(phones[WANJIRU] + phones[NJOKI]))
            await tab.say(codes[-1] if codes else "123456", person)
        case 5:
            does = chance.choice([Handset.PAYS, Handset.CANCELS, Handset.WRONG_PIN])
            await outside.set_handset(tab.desk.served, Phone(WANJIRU), does)
        case 6:
            await tab.do("advance", seconds=chance.choice(["due", "7", "45", "300"]))
        case 7:
            await tab.do("act", what=chance.choice(["restart", "crash"]))
        case 8:
            fault = chance.choice(["http 500", "timeout-after", "timeout-before"])
            await tab.do("fault", fault=fault, call=chance.choice(["initiate", "query", "float"]))
        case _:
            lines = ["/topup 1500", "/float 900", "/balance", "/history", "menu", "2,000", "hello"]
            await tab.say(chance.choice(lines), person)


ROWS = ("0722000111,150,S-1", "0722000222,250,S-2")


async def test_a_file_that_two_people_pay_is_copied_with_its_lines(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.say("/float 1000")
        await tab.tap("yes")
        await tab.say(_code(tab, WANJIRU))
        content = "\n".join(["phone,amount,reference", *ROWS])
        await tab.attach(content.encode(), "pay <in> november.csv", "njoki")
        await tab.tap("yes", "njoki")
        await tab.tap("approve")
        await tab.tap(_reference(tab, "BA"))
        await tab.tap("yes")
        await tab.tap("yes", "njoki")
        await tab.say(_code(tab, NJOKI), "njoki")
        await tab.do("advance", seconds="30")
        text, curl = await tab.copy("script"), await tab.copy("curl")
    for channel in ("terminal", "telegram"):
        copied = text.replace("channels: terminal", f"channels: {channel}", 1)
        await _holds(copied, tmp_path, channel)
    first, second = ROWS
    assert (
        f"njoki> <file pay-in-november.csv>\n  phone,amount,reference\n  {first}\n  {second}\n"
        in text
    )
    assert "bot<~ Pay 2 rows, KES 400 in all?" in text
    assert "everything was paid, 2 rows" in text
    assert "# No control does this: njoki> <file pay <in> november.csv>\n" in curl


async def test_a_sample_is_copied_by_its_lines_or_if_it_is_long_by_their_number(
    tmp_path: Path,
) -> None:
    async with page_tab(tmp_path) as tab:
        for rows in ("3", "100", "1000"):
            await tab.do("sample", person="wanjiru", rows=rows)
        text = await tab.copy("script")
    await _holds(text, tmp_path)
    assert "\nwanjiru> <file sample.csv>\n  phone,amount,reference\n  0" in text
    assert "\nwanjiru> <file sample.csv rows 100>\n" in text
    assert "\nwanjiru> <file sample.csv rows 1000>\n" in text
    assert "bot<~ Paying 1,000 rows costs" in text


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("\ufeffphone,amount,reference\n0722000111,150,S-1", "> <file a.csv as bom>\n"),
        ("phone;amount;reference\r\n0722000111;150;S-1\r\n", "  0722000111;150;S-1\n"),
        ("phone,amount,reference\n\n 0722000111,150,{x}  # a\n#\n", "  0722000111,150,(x)  + a\n"),
        ("phone\tamount\treference\n0722000111\t150\t# 1\t\n", "  0722000111\t150\t+ 1\n"),
        ("phone,amount,reference\rcaf\xe9 \x07\u2028,x,\x00", "  caf\xe9 ??,x,?\n"),
        ("bot< x\n@crash\ngiven admin x\nwanjiru> y", "  @crash\n"),
    ],
)
async def test_whatever_a_file_says_its_copy_holds(tmp_path: Path, content: str, line: str) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.attach(content.encode(), "a.csv")
        await tab.say("/balance")
        text = await tab.copy("script")
    await _holds(text, tmp_path)
    assert line in text


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"phone,caf\xe9", "is not written in UTF-8"),
        (b"phone,amount,reference\n" + b"0722000111,150,S\n" * 60, "has 61 lines"),
    ],
)
async def test_a_file_that_no_line_can_send_is_a_remark(
    tmp_path: Path, content: bytes, why: str
) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.attach(content, "a.csv")
        await tab.say("/balance")
        text = await tab.copy("script")
    await _holds(text, tmp_path)
    assert f"\n# wanjiru sent the file a.csv here, which {why}" in text


async def test_words_that_a_script_would_take_for_something_else_are_said(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        brackets = ("{name}", "[menu]", "<sticker>", "<edit> x")
        for typed in (*brackets, "pay  # this", "  two  blanks ", "a\rb", "a\nb"):
            await tab.say(typed)
        await tab.say("/balance")
        text = await tab.copy("script")
    await _holds(text, tmp_path)
    assert "wanjiru> (menu)\n" in text


@pytest.mark.parametrize(
    ("story", "said"),
    [
        ("notified-twice", "@notify"),
        ("unknown-then-paid", "@payee"),
        ("file-of-payouts", "> <file commissions.csv>\n  phone,"),
    ],
)
async def test_a_story_is_copied_as_it_was_played(tmp_path: Path, story: str, said: str) -> None:
    async with page_tab(tmp_path) as tab:
        teller = tab.desk.page.story
        await teller.begin(stories()[story])
        while teller.state == "playing":
            teller.next()
            await asyncio.sleep(0.005)
        text = await tab.copy("script")
    for channel in ("terminal", "telegram"):
        copied = text.replace("channels: terminal", f"channels: {channel}", 1)
        await _holds(copied, tmp_path, channel)
    assert said in text


async def test_an_outcome_that_came_by_itself_is_read(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        prompt = await tab.ask_for_topup()
        await tab.do("prompt", prompt=prompt, pin="1234")
        await tab.do("advance", seconds="30")
        text = await tab.copy("script")
    await _holds(text, tmp_path)
    assert "bot<~ Received KES 1,500. New balance KES 51,500." in text


async def test_a_call_of_a_partners_system_is_a_remark(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        key = {"x-api-key": tab.desk.keys["SOKO"], "idempotency-key": "order-1042-try-1"}
        asked = {"amount": 700, "phone_number": "0733000111"}
        answer = await tab.desk.client.post("/v1/topup/stk-push", json=asked, headers=key)
        assert answer.status_code == 202
        await tab.say("/balance")
        text, calls = await tab.copy("script"), await tab.copy("curl")
    await _holds(text, tmp_path)
    assert "# A partner's system called the API here" in text
    assert "# No control does this: A partner's system" in calls


async def test_a_hop_of_another_gateway_is_a_remark(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        hop = {
            "sessionId": "s1",
            "phoneNumber": "+254712345678",
            "networkCode": "63902",
            "serviceCode": USSD_CODE,
            "text": "",
        }
        answer = await tab.desk.client.post(f"/ussd/{USSD_SECRET}", data=hop)
        assert answer.text.startswith("CON ")
        text = await tab.copy("script")
    assert "# A program called as a gateway of USSD here" in text


async def test_with_curl_what_no_control_does_is_a_remark(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.say("/topup 1500")
        old = tab.desk.served.scene.shown[-1]
        await tab.tap("mine")
        data = old.rows[0][0].data
        await tab.do("tap", person="wanjiru", message=old.message_id, data=data)
        await tab.do("act", what="redeliver")
        await tab.say("[yes]")
        calls = await tab.copy("curl")
    assert "# No control does this: wanjiru> [mine] on screen -2\n" in calls
    assert "# No control does this: @redeliver\n" in calls
    assert """'{"person": "wanjiru", "text": "[yes]"}'""" in calls


async def test_the_same_with_curl(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        assert (await tab.copy("curl")).startswith("# Nothing")
        await tab.say("/topup 1500")
        await tab.tap("mine")
        await tab.do("advance", seconds="30")
        text = await tab.copy("curl")
    assert "curl http://127.0.0.1:8420/sim/say " in text
    assert """-d '{"person": "wanjiru", "tap": "mine"}'""" in text
    assert "/sim/advance" in text
