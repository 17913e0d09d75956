"""The scan finds secrets at rest, and ignores what only looks like one."""

from __future__ import annotations

import pytest

from bot.simulation import secret_scan
from bot.simulation.secret_scan import KnownSecrets, leaked_secrets

CODE, KEY = "032026", "k7Qq-not-a-real-key"
PLANTED = KnownSecrets({"code 1": CODE, "key": KEY})


@pytest.mark.parametrize("content", ["Code 032026.", "FL-7K3QF9|032026", "2026-03-02 032026"])
def test_a_code_is_found_in_a_file(content: str) -> None:
    assert leaked_secrets(PLANTED, {"hazina.db": content.encode()}, []) == ["code 1 in hazina.db"]


@pytest.mark.parametrize(
    "content",
    [
        *("254032026", "12:00:00.032026Z", "a032026f", "2026-03-032026-03-03"),
        "\x04\x15\x01\x01032026\n",
    ],
    ids=[
        *("a longer number", "a fraction of a second", "a digest", "two dates side by side"),
        "an index over the ends of phones",
    ],
)
def test_what_holds_the_six_digits_by_chance_is_not_the_code(content: str) -> None:
    assert leaked_secrets(PLANTED, {"hazina.db": content.encode()}, [content]) == []


def test_a_key_is_found_wherever_it_stands() -> None:
    assert leaked_secrets(PLANTED, {}, [f"x{KEY}x"]) == ["key in the log"]


def test_a_reference_of_digits_alone_is_no_code() -> None:
    text = "TU-337883: KES 528 was not paid. Code 271828. Valid 10 min."
    assert secret_scan.CODE.findall(text) == ["271828"]
