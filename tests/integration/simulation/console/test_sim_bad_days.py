"""``hazina sim`` goes on after a crash and after any input."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.kit.piped_sim import after, play


@pytest.mark.parametrize("blow", [":restart", ":crash"])
async def test_top_up_survives(tmp_path: Path, blow: str) -> None:
    script = f"/topup\n1500\n{blow}\n1\n{blow}\n1\n{blow}\n:handset pays\n{blow}\n:wait 10s\n"
    said = await play(tmp_path, script + "/balance\n")
    assert said.count("Received KES 1,500") == 1
    assert "Wallet: KES 6,500" in after(said, "/balance")


@pytest.mark.parametrize("point", ["at commit", "at after-commit", "at before-call token"])
async def test_killed_while_the_prompt_is_sent(tmp_path: Path, point: str) -> None:
    said = await play(
        tmp_path, f"/topup\n1500\n1\n:crash {point}\n1\n:handset pays\n:wait 30s\n:bank\n"
    )
    assert "Hazina was killed there" in said
    assert said.count("Received KES 1,500") == 1
    assert " 1 initiate" in after(said, ":bank")


async def test_nothing_that_is_typed_ends_the_chat(tmp_path: Path) -> None:
    lines = [
        b"x" * 10_240,
        b":" + b"y" * 10_240,
        b"/" + b"z" * 10_240,
        b"\xff\xfe\xed\xa0\x80",
        b"\x00",
        b"\x1b[2J\x1b]0;title\x07",
        "\u202e٣".encode(),
        b":bank refuse \xff\x00 on initiate",
        b"   ",
        b"",
        b"q" * 200_000,
    ]
    script = b"\n".join(lines) + b"\r\n/topup\n" + b"\n".join(lines) + b"\n600\r\n/menu"
    said = await play(tmp_path, script)
    assert "Pay KES 600 from which phone?" in after(said, "600")
    assert "What would you like to do" in said
    assert "simulator failed" not in said
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", said)
