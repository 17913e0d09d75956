"""``hazina sim``: files of payouts that a person sends."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from bot.simulation.console.console import PipedConsole
from bot.simulation.console.simulator import Simulator
from flows.engine.event import FILE_BYTES_MAX
from tests.kit.piped_sim import after, play

HEAD = "phone,amount,reference\n"


async def test_file_on_the_disk_is_sent(tmp_path: Path) -> None:
    file = tmp_path / "pay in november.csv"
    file.write_text(HEAD + "0722000111,150,S-1\n0722000222,soon,S-2\n")
    said = await play(tmp_path, f":file {file}\n")
    assert "pay in november.csv is sent, 62 bytes." in said
    assert "amount: it is no amount" in said


async def test_file_in_the_home_folder_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.csv").write_text(HEAD)
    assert "There is no row in that file." in await play(tmp_path, ":file ~/a.csv\n")


async def test_generated_rows_are_paid_once_a_colleague_agreed(tmp_path: Path) -> None:
    output = io.StringIO()
    sim = Simulator(tmp_path, PipedConsole(None, output))

    async def say(*lines: str) -> None:
        for line in lines:
            await sim.handle_line(line)

    async def type_code() -> None:
        await say(re.findall(r"Code ([0-9]{6})", output.getvalue())[-1])

    await sim.begin()
    try:
        await say("/float 1000", "1")
        await type_code()
        await say(":file staff.csv rows 3", "1", ":as njoki", "/approve", "1", "1")
        await say(":as wanjiru", "1")
        await type_code()
        await say(":wait 10s")
        paid = sim.world.daraja.paid()
    finally:
        await sim.world.close()
    said = output.getvalue()
    assert "You are njoki of DUKA now, a colleague of wanjiru." in said
    assert "everything was paid, 3 rows" in after(said, ":wait 10s")
    assert len(paid) == 3


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (":file", "Written :file PATH"),
        (":file nowhere.csv", "There is no file nowhere.csv."),
        (":file .", "There is no file .."),
        (":file nowhere.csv rows 0", "There is no file nowhere.csv rows 0."),
        (":file ~nobody-here/a.csv", "cannot be read"),
    ],
)
async def test_what_is_no_file_is_said_in_a_line(tmp_path: Path, line: str, told: str) -> None:
    said = await play(tmp_path, f"{line}\n")
    answer = after(said, line).strip()
    assert told in answer
    assert len(answer.split("\n")) == 1


async def test_file_that_is_too_large_or_locked_is_not_sent(tmp_path: Path) -> None:
    large, most = tmp_path / "large.csv", tmp_path / "most.csv"
    large.write_bytes(b"x" * (FILE_BYTES_MAX + 1))
    most.write_bytes(b"x" * FILE_BYTES_MAX)
    said = await play(tmp_path, f":file {large}\n:file {most}\n")
    assert "is over 1 MiB" in after(said, f":file {large}")
    assert "most.csv is sent, 1,048,576 bytes." in said


async def test_phone_in_hand_sends_no_file(tmp_path: Path) -> None:
    said = await play(tmp_path, "*384*7#\n:file a.csv rows 2\n/menu\n:file a.csv rows 2\n")
    assert said.count("A phone that has dialled sends no file.") == 1
    assert "Paying 2 rows costs" in said
