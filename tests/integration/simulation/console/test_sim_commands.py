"""``hazina sim``: the commands that change its world, and the errors for wrong use."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from bot.simulation.console.console import PipedConsole
from bot.simulation.console.simulator import Simulator
from tests.kit.paid_in_world import order, pay
from tests.kit.piped_sim import TOPUP, after, play


@pytest.mark.parametrize(
    ("does", "told"),
    [
        ("pays", "Received KES 1,500"),
        ("cancels", "cancelled the prompt"),
        ("wrong-pin", "Wrong M-PESA PIN"),
        ("no-funds", "Not enough M-PESA"),
        ("off", "could not be reached"),
    ],
)
async def test_handset_does_with_the_open_prompt(tmp_path: Path, does: str, told: str) -> None:
    said = await play(tmp_path, TOPUP + f":handset {does}\n:wait 10s\n")
    assert told in after(said, ":wait 10s")


async def test_handset_ignores_and_the_prompt_expires(tmp_path: Path) -> None:
    said = await play(tmp_path, TOPUP + ":handset ignores\n:wait 3m\n")
    assert "expires after two minutes" in after(said, ":handset ignores")
    assert "The prompt expired" in after(said, ":wait 3m")


async def test_handset_of_another_phone_waits_for_its_prompt(tmp_path: Path) -> None:
    script = ":handset pays 0722 000 111\n/topup\n700\n2\n0722000111\n1\n:wait 10s\n"
    said = await play(tmp_path, script)
    assert "no prompt on 0722 000 111 now" in after(said, ":handset pays 0722 000 111")
    assert "Received KES 700" in after(said, ":wait 10s")


async def test_bank_tells_its_calls_and_open_prompts(tmp_path: Path) -> None:
    said = await play(tmp_path, ":bank\n" + TOPUP + ":bank\n")
    assert "No prompt is open." in said
    assert "1 token, 1 initiate, 0 query" in after(said, ":bank")
    assert "KES 1,500 on 0712 345 678" in after(said, ":bank")


async def test_bank_fault_is_met_and_its_warning_is_one_quiet_line(tmp_path: Path) -> None:
    said = await play(tmp_path, ":bank refuse System busy on initiate times 2\n" + TOPUP)
    assert "The next 2 initiate calls meet: refuse System busy." in said
    assert "no prompt was sent" in said
    logged = [line for line in said.split("\n") if line.startswith("[log] ")]
    assert any("System busy" in line for line in logged)


async def test_bank_takes_the_registered_account_alone(tmp_path: Path) -> None:
    said = await play(tmp_path, ":bank account-no registered\n" + TOPUP)
    assert "Invalid AccountNo: wrong format" in said
    (tmp_path / "a").mkdir()
    script = ":bank account-no registered\n:bank account-no any\n" + TOPUP
    said = await play(tmp_path / "a", script)
    assert "Waiting for your M-PESA PIN" in said


async def test_bank_is_broken_for_an_hour_and_tells_of_the_payment_meanwhile(
    tmp_path: Path,
) -> None:
    script = ":bank http 500 on query for 1h\n" + TOPUP + ":handset pays\n:tell late 45m\n"
    said = await play(tmp_path, script + ":wait 44m\n:wait 2m\n")
    assert "The bank tells of KES 1,500 from 0712 345 678, in 45m." in said
    assert "Received" not in after(said, ":wait 44m")
    assert "Received KES 1,500" in after(said, ":wait 2m")


@pytest.mark.parametrize("how", ["774451#DUKA", "774451#DUKA apart", "DUKA of-account"])
async def test_payment_is_told_of_in_each_way(tmp_path: Path, how: str) -> None:
    said = await play(tmp_path, f":pay 700 {how} late 10m\n:wait 9m\n:wait 1m\n")
    assert "has paid KES 700" in after(said, f":pay 700 {how} late 10m")
    assert "KES 700 has come" not in after(said, ":wait 9m")
    assert "KES 700 has come to DUKA" in after(said, ":wait 1m")


async def test_information_is_logged_when_verbose_only(tmp_path: Path) -> None:
    script = TOPUP + ":handset pays\n:wait 10s\n"
    (tmp_path / "a").mkdir()
    assert "[log]" not in await play(tmp_path, script)
    assert "state=PAID" in await play(tmp_path / "a", script, verbose=True)


async def test_payee_and_faults_of_daraja_are_met_by_the_next_payout(tmp_path: Path) -> None:
    output = io.StringIO()
    sim = Simulator(tmp_path, PipedConsole(None, output))
    await sim.begin()
    try:
        sim.world.daraja.opening(10_000_00)
        await sim.handle_line(":payee 0712 345 678 pays Asha Mfano")
        await sim.handle_line(":bank http 500 on payout")
        assert (await order(sim.world)).status_code == 500
        await pay(sim.world)
        await sim.handle_line(":wait 10s")
        await sim.handle_line(":bank")
        (payment,) = sim.world.daraja.paid()
    finally:
        await sim.world.close()
    said = output.getvalue()
    assert "The next payout to 0712 345 678 meets: pays Asha Mfano." in said
    assert "The next payout call meets: http 500." in said
    told = f"M-PESA has paid KES 1,500 to ASHA MFANO, 0712 345 678: {payment.transaction_id}."
    assert after(said, ":wait 10s").count(told) == said.count(told) == 1
    assert "Daraja so far: 2 payout-token, 2 payout, 0 payout-status" in after(said, ":bank")


async def test_the_program_can_be_killed_at_a_call_of_daraja(tmp_path: Path) -> None:
    said = await play(tmp_path, ":crash at after-call payout-status\n")
    assert "will be killed at after-call payout-status" in said


async def test_sms_box(tmp_path: Path) -> None:
    said = await play(tmp_path, ":sms\n:sms 0722000111\n")
    assert "No SMS has come to 0712 345 678." in said
    assert "No SMS has come to 0722 000 111." in said


async def test_screen_shows_option_ids_that_can_be_tapped(tmp_path: Path) -> None:
    said = await play(tmp_path, ":screen\n/topup\n900\n:screen\n:tap mine\n")
    assert "There is no screen yet." in said
    assert "1) My number, 0712 345 678 <mine>" in after(said, ":screen")
    assert "Send an M-PESA prompt for KES 900" in after(said, ":tap mine")


async def test_help_names_every_command(tmp_path: Path) -> None:
    listed = after(await play(tmp_path, ":help\n"), ":help")
    words = "handset payee file sms wait bank restart crash screen tap quit"
    for word in words.split():
        assert f"\n  :{word}" in listed
    assert all(len(line) < 80 for line in listed.split("\n"))


async def test_quit_leaves_the_rest_unread(tmp_path: Path) -> None:
    assert "/topup" not in after(await play(tmp_path, ":quit\n/topup\n"), ":quit")


@pytest.mark.parametrize(
    "line",
    [
        ":",
        ":pay",
        ":pay 700 DUKA late soon",
        ":pay 700 DUKA late 31d",
        ":tell",
        ":tell nobody",
        ":bank account-no",
        ":bank account-no some",
        ":bank http 500 on status for 31d",
        ":bank http 500 on status for ever",
        ":bank only-accepted settles 99d on float",
        ":bank duplicate on initiate",
        ":bank says-failed x on payout-token",
        ":bank same-id on payout",
        ":bank result round on payout-status",
        ":bank nonsense on payout-balance",
        ":payee",
        ":payee pays",
        ":payee 0722 000 111",
        ":payee 0722 000 111 dances",
        ":payee 0722 000 111 fails 0",
        ":payee 0722 000 111 late 31d",
        ":payee 0722 000 111 late " + "9" * 5000 + "d",
        ":payee 0722 000 pays",
        ":payee amina pays",
        ":crash at before-call payouts",
        ":file",
        ":file a\0b",
        ":file " + "x" * 5000,
        ":handset",
        ":handset jumps",
        ":handset pays 123",
        ":sms x",
        ":wait",
        ":wait 2",
        ":wait 3d",
        ":wait " + "9" * 5000 + "s",
        ":bank nonsense",
        ":bank nonsense on query",
        ":bank slow 99999999999999m on query",
        ":bank html on query times 9999",
        ":bank says-failed x on initiate",
        ":restart now",
        ":crash now",
        ":crash at noon",
        ":screen 2",
        ":tap",
        ":tap yes",
        ":quit now",
    ],
)
async def test_wrong_use_is_told_in_one_line(tmp_path: Path, line: str) -> None:
    said = await play(tmp_path, f"{line}\n/help\n")
    told = said.split("\n\n")[1].split("\n")[1:]
    assert len(told) == 1
    assert told[0].startswith("· ")
    assert len(told[0]) < 260
    assert "simulator failed" not in told[0]
