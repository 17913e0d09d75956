"""``hazina sim --channel ussd``: what a person sees on a phone that dials, page by page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.simulation.console.phone_frame import WIDTH, framed
from bot.simulation.ussd.phones import ShownPage
from tests.kit.piped_sim import after, play

DIAL = "*384*7#"
TOPUP = f"{DIAL}\n1\n1500\n1\n1\n"


def on_the_phone(shown: str) -> str:
    """The text of the newest framed page, its wrapped rows joined again."""
    rows = shown.rpartition("┌")[2].partition("└")[0].split("\n")[1:-1]
    return " ".join(row.strip(" │") for row in rows)


async def test_top_up_from_dial_to_sms_to_redial(tmp_path: Path) -> None:
    script = TOPUP + f":wait 3s\n:handset pays\n:wait 10s\n{DIAL}\n"
    said = await play(tmp_path, script, dials=True)
    assert "Balance KES 5,000" in on_the_phone(said.partition("> 1\n")[0])
    assert "Received KES 1,500. New balance KES 6,500." in on_the_phone(after(said, DIAL))
    assert "M-PESA prompt on 0712 345 678: KES 1,500. :handset pays" in after(said, ":wait 3s")
    assert "SMS to 0712 345 678: Hazina: Received KES 1,500." in after(said, ":wait 10s")


async def test_prompt_comes_after_the_session_has_ended(tmp_path: Path) -> None:
    said = await play(tmp_path, TOPUP + ":wait 1s\n:wait 2s\n", dials=True)
    ended = said.partition("END, the session is over")[2]
    assert "Check your phone" in on_the_phone(said)
    assert "M-PESA prompt on" not in ended.partition("> :wait 2s")[0]
    assert "M-PESA prompt on" in ended


@pytest.mark.parametrize(
    ("does", "told"), [("cancels", "cancelled"), ("no-funds", "Not enough"), ("off", "not be")]
)
async def test_payer_does_otherwise_and_an_sms_says_so(
    tmp_path: Path, does: str, told: str
) -> None:
    said = await play(tmp_path, TOPUP + f":wait 3s\n:handset {does}\n:wait 30s\n", dials=True)
    assert "SMS to 0712 345 678" in said
    assert told in said


async def test_each_page_says_how_long_it_is_and_what_the_gateway_was_told(tmp_path: Path) -> None:
    said = await play(tmp_path, TOPUP, dials=True)
    counters = re.findall(r"  (CON|END), .* · (\d+) of 160 · (\d+) ms\n", said)
    assert [prefix for prefix, _, _ in counters] == ["CON"] * 4 + ["END"]
    assert all(0 < int(used) <= 160 for _, used, _ in counters)


async def test_tail_lands_where_it_leads(tmp_path: Path) -> None:
    said = await play(tmp_path, "*384*7*1*500#\n", dials=True)
    assert "Pay KES 500 from which phone?" in on_the_phone(said)


async def test_a_session_that_is_over_takes_no_keys(tmp_path: Path) -> None:
    said = await play(tmp_path, "1\n" + TOPUP + "7\n", dials=True)
    assert "No session is open on this phone. *384*7# dials." in said.partition(f"> {DIAL}")[0]
    assert "No session is open on this phone." in after(said, "7")


async def test_code_of_somebody_else_is_no_session(tmp_path: Path) -> None:
    said = await play(tmp_path, "*144#\n1\n", dials=True)
    assert "Connection problem or invalid MMI code." in after(said, "*144#")
    assert "No session is open" in after(said, "1")


async def test_slash_takes_the_chat_and_a_dial_the_phone(tmp_path: Path) -> None:
    said = await play(tmp_path, f"/topup\n700\n{DIAL}\n3\n/balance\n", dials=True)
    assert "Pay KES 700 from which phone?" in after(said, "700")
    assert "CON, waits" in after(said, "3")
    assert "Wallet: KES 5,000" in after(said, "/balance")
    assert "┌" not in after(said, "/balance")


async def test_chat_goes_on_after_a_session_where_it_came_first(tmp_path: Path) -> None:
    said = await play(tmp_path, f"{TOPUP}/topup\n1200\n")
    assert "END, the session is over" in said
    assert "Pay KES 1,200 from which phone?" in after(said, "1200")


async def test_stranger_has_a_phone_once_it_is_given_one(tmp_path: Path) -> None:
    script = f":as njeri\n{DIAL}\n:as njeri 0733 123 456\n{DIAL}\n:as wanjiru\n:screen\n{DIAL}\n"
    said = await play(tmp_path, script, dials=True)
    refused, _, given = said.partition("> :as njeri 0733 123 456")
    assert "njeri has no phone. :as njeri 0733 123 456 gives one." in refused
    assert "END, the session is over" in given
    assert "There is no screen yet." in after(said, ":screen")
    assert "Hazina DUKA" in on_the_phone(given)


async def test_coming_back_to_a_phone_shows_its_page(tmp_path: Path) -> None:
    said = await play(tmp_path, f"{DIAL}\n1\n:as musa\n:as wanjiru\n:screen\n", dials=True)
    assert "how many shillings?" in on_the_phone(after(said, ":as wanjiru"))
    assert "how many shillings?" in on_the_phone(after(said, ":screen"))


@pytest.mark.parametrize("hop", ["again", "parallel", "text 1"])
async def test_hop_is_repeated_with_the_same_page(tmp_path: Path, hop: str) -> None:
    said = await play(tmp_path, f"{DIAL}\n1\n:hop {hop}\n1500\n", dials=True)
    assert on_the_phone(after(said, f":hop {hop}")) == on_the_phone(after(said, "1"))
    assert "Pay KES 1,500 from which phone?" in on_the_phone(after(said, "1500"))


async def test_hop_of_another_phone_ends_for_it_alone(tmp_path: Path) -> None:
    script = f"{DIAL}\n1\n:hop phone 0733 123 456\n1500\n"
    said = await play(tmp_path, script, dials=True)
    assert "END, the session is over" in after(said, ":hop phone 0733 123 456")
    assert "Pay KES 1,500 from which phone?" in on_the_phone(after(said, "1500"))


@pytest.mark.parametrize(
    "blow", [":crash", ":restart", ":crash at commit", ":crash at after-commit"]
)
async def test_session_goes_on_when_the_product_was_killed(tmp_path: Path, blow: str) -> None:
    script = f"{DIAL}\n1\n{blow}\n1500\n{blow}\n1\n{blow}\n1\n:wait 3s\n:handset pays\n:wait 30s\n"
    said = await play(tmp_path, script, dials=True)
    assert "Check your phone" in said
    assert said.count("Received KES 1,500") == 1


async def test_long_answer_is_not_taken(tmp_path: Path) -> None:
    said = await play(tmp_path, f"{DIAL}\n{'1' * 81}\n", dials=True)
    assert "A phone takes 80 characters, and these are 81." in said


async def test_float_is_bought_with_a_desk_pin_that_was_set_in_the_chat(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    asks = "/settings\n:tap pin\n"
    found = re.search(r"Code (\d{6})", await play(tmp_path / "one", asks, dials=True))
    assert found is not None
    script = f"{asks}{found[1]}\n730519\n730519\n{DIAL}\n2\n2000\n1\n730519\n:wait 30s\n"
    said = await play(tmp_path / "two", script, dials=True)
    assert "Your desk PIN is set." in said
    assert "Type your desk PIN" in on_the_phone(after(said, "1"))
    assert "SMS to 0712 345 678: Hazina: FL-" in said
    assert "KES 2,000 of B2C float bought" in said


@pytest.mark.parametrize("line", [":hop", ":hop twice", ":hop text", ":hop phone 12", ":as x y z"])
async def test_wrong_use_is_told_in_one_line(tmp_path: Path, line: str) -> None:
    said = await play(tmp_path, f"{DIAL}\n{line}\n", dials=True)
    told = after(said, line).strip().split("\n")
    assert len(told) == 1
    assert told[0].startswith("· ")


async def test_hop_before_any_dial_is_told(tmp_path: Path) -> None:
    said = await play(tmp_path, ":hop again\n", dials=True)
    assert "Nobody has dialled on this phone." in after(said, ":hop again")


async def test_greeting_says_what_to_dial(tmp_path: Path) -> None:
    greeting = (await play(tmp_path, "", dials=True)).strip().split("\n")
    assert len(greeting) == 5
    assert all(len(line) < 84 for line in greeting)
    assert any(DIAL in line for line in greeting)


def test_page_is_framed_to_its_last_row() -> None:
    lines = framed(ShownPage(f"One {'x' * 40}\n\n1 Two", goes_on=True), 0.004)
    assert len({len(line.text) for line in lines[:-1]}) == 1
    assert all(len(line.text) == WIDTH + 6 for line in lines[:-1])
    assert lines[-1].text == "  CON, waits for an answer · 55 of 160 · 4 ms"
