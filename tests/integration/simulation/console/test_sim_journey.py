"""``hazina sim``: what a person reads on the way to a top-up, line by line."""

from __future__ import annotations

import re
from pathlib import Path

from tests.kit.piped_sim import TOPUP, after, play


async def test_top_up_ends_with_its_receipt(tmp_path: Path) -> None:
    said = await play(tmp_path, TOPUP + ":handset pays\n:wait 10s\n")
    assert "asks the bank again in" in after(said, ":handset pays")
    receipt = after(said, ":wait 10s")
    assert "Received KES 1,500. New balance KES 6,500." in receipt
    assert "~" not in receipt, "the live message's last edit says nothing that the receipt does not"


async def test_transcript_is_the_same_every_time(tmp_path: Path) -> None:
    script = TOPUP + ":handset cancels\n:wait 10s\n/balance\n1\n"
    plays = [await play(tmp_path / name, script) for name in ("a", "b") if _made(tmp_path / name)]
    first, second = (re.sub(r"\d\d:\d\d", "HH:MM", said) for said in plays)
    assert first == second


def _made(folder: Path) -> bool:
    folder.mkdir()
    return True


async def test_greeting_says_what_to_type_first(tmp_path: Path) -> None:
    greeting = (await play(tmp_path, "")).strip().split("\n")
    assert 3 <= len(greeting) <= 5
    assert all(len(line) < 80 for line in greeting)
    assert any("/topup" in line for line in greeting)


async def test_number_answers_a_question_that_wants_an_amount(tmp_path: Path) -> None:
    said = await play(tmp_path, "/topup\n1\n")
    assert "[Cancel]" in after(said, "/topup")
    assert "Pay KES 1 from" in after(said, "1")


async def test_word_in_brackets_is_tapped(tmp_path: Path) -> None:
    said = await play(tmp_path, "/topup\n1500\n2\nback\n")
    assert "Pay KES 1,500 from which phone?" in after(said, "back")


async def test_number_picks_nothing_when_no_options_are_shown(tmp_path: Path) -> None:
    said = await play(tmp_path, TOPUP + ":handset pays\n:wait 10s\n1\n")
    assert "How much" not in after(said, "1")


async def test_check_without_news_is_answered_with_a_word(tmp_path: Path) -> None:
    said = await play(tmp_path, TOPUP + ":tap check\n/balance\n:tap refresh\n")
    assert "! Asking the bank now." in after(said, ":tap check")
    assert "Nothing has changed." in after(said, ":tap refresh")


async def test_stale_tap_is_an_alert(tmp_path: Path) -> None:
    said = await play(tmp_path, "/topup\n:wait 2h\n:tap cancel\n")
    assert "! That menu has moved on" in after(said, ":tap cancel")


async def test_slow_top_up_shows_only_the_line_that_changed(tmp_path: Path) -> None:
    said = await play(tmp_path, ":bank garbage on query times 99\n" + TOPUP + ":wait 3m\n")
    edits = [line for line in after(said, ":wait 3m").split("\n") if line.startswith("~")]
    assert len(edits) == 1
    assert "Still waiting for the bank" in edits[0]


async def test_the_remedy_under_a_notice_is_tapped_by_its_word(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    begun = await play(tmp_path / "one", "/float\n4800\n1\n")
    found = re.search(r"Code (\d{6})", begun)
    assert found is not None
    said = await play(tmp_path / "two", f"/float\n4800\n1\n{found[1]}\nTop up\n")
    assert "[Top up]" in after(said, found[1])
    assert "How much would you like to add?" in after(said, "Top up")


async def test_an_admin_brings_a_partner_to_its_first_topup(tmp_path: Path) -> None:
    shown = await play(
        tmp_path,
        ":as musa\n/newpartner KIOSK\n1\n/invite KIOSK\n1\nnjeri\n1\n",
    )
    token = re.search(r"/start ([A-Za-z0-9_-]{43})", shown)
    assert token is not None
    shown = await play(
        tmp_path,
        ":as musa\n/newpartner KIOSK\n1\n/invite KIOSK\n1\nnjeri\n1\n"
        f":as njeri\n/balance\n/start {token[1]}\n0733 123 456\n:sms 0733123456\n",
    )
    code = re.search(r"Code ([0-9]{6})", shown)
    assert code is not None
    shown = await play(
        tmp_path,
        ":as musa\n/newpartner KIOSK\n1\n/invite KIOSK\n1\nnjeri\n1\n"
        f":as njeri\n/balance\n/start {token[1]}\n0733 123 456\n:sms 0733123456\n{code[1]}\n"
        "/topup\n700\n1\n1\n:handset pays 0733123456\n:wait 30s\n:as musa\n/partner KIOSK\n",
    )
    assert "You are linked to KIOSK as owner" in shown
    assert "Received KES 700. New balance KES 700." in shown
    assert shown.count("KES 700") > 2
    assert "You are musa now, an admin of the desk." in shown


async def test_what_a_chat_would_delete_is_said_to_stay(tmp_path: Path) -> None:
    said = after(await play(tmp_path, TOPUP + "4821\n"), "4821")
    assert "That looked like an M-PESA PIN" in said
    assert "This terminal cannot do that." in said
