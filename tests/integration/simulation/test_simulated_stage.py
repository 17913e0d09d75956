"""Cases of the simulated stage that the product's own scripts never reach."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog

from bot.observe import log
from bot.scripts.command import talk
from bot.scripts.head import ScriptHead
from bot.scripts.stage import CHATS
from bot.simulation.stage import SimulatedStage
from bot.simulation.telegram.server import TOKEN

GIVEN = """given partner FINSAFE wallet 200.00
given person amina of FINSAFE role owner phone 254712345678
"""


async def played(folder: Path, text: str, channel: str, given: str = GIVEN) -> int:
    file = folder / "play.chat"
    file.write_text(given + text, encoding="utf-8")
    return await talk([file], channel=channel, stage_factory=SimulatedStage)


@pytest.fixture
async def stage() -> AsyncIterator[SimulatedStage]:
    stage = SimulatedStage("terminal")
    try:
        await stage.open(ScriptHead(), ())
        yield stage
    finally:
        await stage.close()


# What this build does not have ------------------------------------------------------------------


@pytest.mark.parametrize("call", ["float", "status", "payout", "payout-balance"])
async def test_a_request_that_nobody_caused_was_made_no_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], call: str
) -> None:
    assert await played(tmp_path, f"@bank {call} 0\n", "terminal") == 0
    assert await played(tmp_path, f"@bank {call} 1\n", "terminal") == 1
    assert f"came:\n    0 × {call}" in capsys.readouterr().out


@pytest.mark.parametrize("channel", CHATS)
@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("@bank says-failed No on initiate", "and initiate cannot"),
        ("@bank says-failed No on token", "and token cannot"),
        ("@bank says-failed No on payout-token", "and payout-token cannot"),
        ("@bank same-id on payout", "nothing here can meet same-id"),
        ("@bank queue-timeout on float", "nothing here can meet queue-timeout"),
        ("@bank result round on payout", "result needs a shape"),
        ("@payee 254722000111 dances", "a payee pays [NAME], fails CODE"),
        ("@payee 254722000111 fails 0", "0 is no failure"),
        ("@payee 254722000111 late soon", "late needs a duration"),
        ("@payee 0722000111 pays", "0722000111: not a Kenyan mobile number"),
        ("@send-fails 429:0", "429 needs a wait of at least 1 s"),
        ("@send-fails 429:1000000", "429 needs a wait of at least 1 s and at most 999999 s"),
    ],
)
async def test_a_fault_that_cannot_be_met_is_no_failed_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, why: str, channel: str
) -> None:
    assert await played(tmp_path, f"{line}\n", channel) == 2
    said = capsys.readouterr().out
    assert "play.chat:3: " in said
    assert why in said


@pytest.mark.parametrize(
    "start", ["tomorrow", "2026-03-02T06:00:00", "2025-12-31T23:59:59Z", "2100-01-01T00:00:00Z"]
)
async def test_a_start_is_a_moment_in_utc(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], start: str
) -> None:
    given = f"{GIVEN}given setting simulated_start {start}\n"
    assert await played(tmp_path, "@wallet FINSAFE 200.00\n", "terminal", given) == 2
    said = capsys.readouterr().out
    assert "play.chat:3: simulated_start is a moment in UTC such as 2026-03-02T06:00:00Z" in said


# What people do ---------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", CHATS)
async def test_people_may_be_given_before_their_partner(tmp_path: Path, channel: str) -> None:
    given = "".join(reversed(GIVEN.splitlines(keepends=True)))
    assert await played(tmp_path, "@wallet FINSAFE 200.00\n", channel, given) == 0


@pytest.mark.parametrize("channel", CHATS)
async def test_an_edit_of_a_message_that_nobody_knows_is_answered(
    tmp_path: Path, channel: str
) -> None:
    text = "amina> <edit> 2,000\nbot< {*}\n@redeliver\namina> <edit> 3,000\nbot< {*}\n"
    assert await played(tmp_path, text, channel) == 0


# What is logged ---------------------------------------------------------------------------------


async def test_a_secret_in_a_traceback_is_found(stage: SimulatedStage) -> None:
    try:
        raise ValueError(f"https://api.telegram.org/bot{TOKEN}/getMe")
    except ValueError:
        structlog.get_logger("bot").exception("sending failed")
    assert await stage.secrets() == ["bot token in the log"]


async def test_a_secret_in_a_chained_traceback_of_a_library_is_found(
    stage: SimulatedStage,
) -> None:
    try:
        try:
            raise ValueError(TOKEN)
        except ValueError as error:
            raise RuntimeError("no answer") from error
    except RuntimeError:
        logging.getLogger("asyncio").exception("never retrieved")
    assert await stage.secrets() == ["bot token in the log"]


@pytest.mark.parametrize(
    "name", ["bot.outbox.sender", "flows", "services", "storage.sqlite.database"]
)
async def test_a_secret_in_our_least_important_lines_is_found(
    stage: SimulatedStage, name: str
) -> None:
    logging.getLogger(name).debug("sent %s", TOKEN)
    assert await stage.secrets() == ["bot token in the log"]


@pytest.mark.parametrize("name", log.TALKATIVE)
async def test_libraries_are_as_quiet_as_in_the_real_program(
    stage: SimulatedStage, name: str
) -> None:
    logging.getLogger(name).info("sent %s", TOKEN)
    assert await stage.secrets() == []


async def test_a_play_leaves_logging_as_it_was(tmp_path: Path) -> None:
    loggers = [logging.getLogger(name) for name in ("", *log.TALKATIVE)]
    before = [(list(logger.handlers), logger.level) for logger in loggers]
    for text, status in (("@no-secrets\n", 0), ("given setting LOG_LEVEL nonsense\n", 2)):
        assert await played(tmp_path, text, "terminal") == status
        assert [(list(logger.handlers), logger.level) for logger in loggers] == before
        assert not structlog.is_configured()
        logging.getLogger("bot").error(TOKEN)
    assert await played(tmp_path, "@no-secrets\n", "terminal") == 0
