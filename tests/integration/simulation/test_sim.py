"""``hazina sim`` with its input piped: what a person reads, line by line."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from bot.simulation.console.console import Console, PipedConsole, TerminalConsole
from bot.simulation.console.screen import Content, Ink, Line, TextRenderer, changes
from bot.simulation.console.simulator import Simulator
from bot.simulation.log_capture import brief_log
from bot.simulation.settings import reason_not_to_start
from flows.engine.event import Button

TOPUP = "/topup\n1500\n1\n1\n"
CREDENTIALS = ("TELEGRAM_BOT_TOKEN", "NCBA_USERNAME", "NCBA_PASSWORD")


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in CREDENTIALS:
        monkeypatch.delenv(name, raising=False)


async def play(tmp_path: Path, script: str | bytes, *, verbose: bool = False) -> str:
    """The whole transcript of a piped script."""
    folder = tmp_path / "world"
    folder.mkdir(exist_ok=True)
    source = tmp_path / "script"
    source.write_bytes(script.encode() if isinstance(script, str) else script)
    output = io.StringIO()
    with source.open("rb") as file:
        sim = Simulator(folder, PipedConsole(file.fileno(), output))
        with brief_log(sim.log, verbose=verbose):
            await sim.run()
    return output.getvalue()


def after(transcript: str, line: str) -> str:
    """What followed the (last) saying of ``line``, up to the next one."""
    return transcript.rpartition(f"> {line}\n")[2].partition("\n> ")[0]


# The journey ----------------------------------------------------------------------------------


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


# The world's commands -------------------------------------------------------------------------


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
    for word in ("handset", "sms", "wait", "bank", "restart", "crash", "screen", "tap", "quit"):
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


# Bad days -------------------------------------------------------------------------------------


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


# Beside what is real --------------------------------------------------------------------------


@pytest.mark.parametrize("name", CREDENTIALS)
@pytest.mark.parametrize("where", ["environment", ".env"])
def test_credentials_are_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, where: str
) -> None:
    if where == ".env":
        (tmp_path / ".env").write_text(f"LOG_LEVEL=loud\n{name}=secret-9\n")
    else:
        monkeypatch.setenv(name.lower(), "secret-9")
    refused = reason_not_to_start()
    assert refused is not None
    assert name in refused
    assert where in refused
    assert "secret-9" not in refused
    assert "\n" not in refused


def test_empty_credentials_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("TELEGRAM_BOT_TOKEN=\nNCBA_PASSWORD=''\nDATABASE=x.db\n")
    monkeypatch.setenv("NCBA_USERNAME", "")
    assert reason_not_to_start() is None


def test_unreadable_env_file_is_not_overlooked(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe")
    assert "cannot be read" in (reason_not_to_start() or "")


# The process ----------------------------------------------------------------------------------


def hazina_sim(tmp_path: Path, *args: str, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", "from bot.cli.main import main; main()", "sim", *args],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path), **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = hazina_sim(tmp_path)
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    yield process
    watchdog.cancel()
    process.kill()
    process.communicate()


def test_process_plays_to_the_end_of_its_input(
    running: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    out, err = running.communicate(TOPUP.encode() + b":handset pays\n:wait 10s\n", timeout=60)
    assert running.returncode == 0
    assert "Received KES 1,500. New balance KES 6,500." in out.decode()
    assert b"\x1b" not in out
    assert err == b""
    assert not list(tmp_path.glob("hazina-sim-*"))


def test_receipt_comes_by_itself_and_termination_leaves_nothing(
    running: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    assert running.stdin is not None
    assert running.stdout is not None
    running.stdin.write(TOPUP.encode() + b":handset pays\n:wait 4s\n")
    running.stdin.flush()
    assert any(b"Received KES 1,500" in line for line in running.stdout)
    running.send_signal(signal.SIGTERM)
    running.send_signal(signal.SIGHUP)  # a terminal that is closed sends more than one
    assert running.wait(timeout=60) in (128 + signal.SIGTERM, 128 + signal.SIGHUP)
    assert not list(tmp_path.glob("hazina-sim-*"))


def test_process_refuses_beside_credentials(tmp_path: Path) -> None:
    process = hazina_sim(tmp_path, NCBA_PASSWORD="secret-9")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert out == b""
    assert len(err.decode().strip().split("\n")) == 1


# The terminal ---------------------------------------------------------------------------------


async def test_keyboard_reads_lines_and_ends_at_control_d() -> None:
    output = io.StringIO()
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keyboard: Console = TerminalConsole(output, [":help"], colour=True)
        keys.send_text("/topup\r\x1b[200~one\ntwo\x1b[201~\rabc\x03again\r\x04")
        lines = [await keyboard.read() for _ in range(5)]
    assert lines == ["/topup", "one", "two", "again", None]


async def test_keyboard_ends_at_control_c_on_an_empty_line() -> None:
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keyboard = TerminalConsole(io.StringIO(), [], colour=False)
        keys.send_text("\x03")
        assert await keyboard.read() is None


def test_paper_colours_and_wraps_only_when_told() -> None:
    line = Line("one two three four five six seven", Ink.ALERT)
    assert TextRenderer().render([line]) == f"{line.text}\n"
    rows = TextRenderer(colour=True, width=20).render([line]).splitlines()
    assert len(rows) == 2
    assert all(row.startswith("\x1b[") and row.endswith("\x1b[0m") for row in rows)


def test_edit_that_changes_nothing_visible_is_not_shown() -> None:
    rows = ((Button("check", "Check now"),),)
    old = Content("Top-up TU-1\nSending.", rows)
    assert changes(old, old, "TU-1") == []
    assert [line.text for line in changes(old, Content("Top-up TU-1\nWaiting.", rows), "TU-1")] == [
        "~ TU-1: Waiting."
    ]


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
