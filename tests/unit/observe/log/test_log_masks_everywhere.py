"""Masking works in every configuration and during a whole play."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from io import StringIO
from pathlib import Path

import pytest
import structlog
from pydantic import SecretStr

from bot.observe import log
from bot.observe.repeated_errors import FIRST
from bot.scripts.command import talk
from bot.scripts.given import Given
from bot.scripts.head import ScriptHead
from bot.security.stored_secrets import secret_values
from bot.simulation.log_capture import brief_log
from bot.simulation.secret_scan import KnownSecrets, leaked_secrets
from bot.simulation.settings import SimulatedSettings
from bot.simulation.stage import SimulatedStage
from bot.simulation.telegram.server import TOKEN
from bot.simulation.world import FLOAT_KEY, FLOAT_PASSWORD, NCBA_PASSWORD
from tests.kit.log_lines import INVITE

SMS_KEY, SMTP_PASSWORD = "simulated-sms-key", "simulated-smtp-password"
SECRETS = SimulatedSettings(
    telegram_bot_token=SecretStr(TOKEN),
    ncba_password=SecretStr(NCBA_PASSWORD),
    openbanking_subscription_key=SecretStr(FLOAT_KEY),
    openbanking_password=SecretStr(FLOAT_PASSWORD),
    africas_talking_api_key=SecretStr(SMS_KEY),
    smtp_password=SecretStr(SMTP_PASSWORD),
)


def to_itself(level: str = "info", hidden: Sequence[str] = ()) -> log.Log:
    """Configure the log as ``hazina run`` does, without the handlers that pytest adds."""
    logging.getLogger().handlers.clear()
    return log.configure(level, hidden)


# Masks in every configuration -----------------------------------------------------------------


def configured(level: str) -> None:
    to_itself(level, secret_values(SECRETS))


def plant(secrets: Sequence[str]) -> None:
    """Log each secret in every possible way, through our logger and a library's."""
    ours, theirs = structlog.get_logger("bot.x"), logging.getLogger("a.library")
    for secret in secrets:
        ours.debug(f"it is {secret}")
        ours.info(
            "sent", text=secret, deep={"list": [secret, {"x": (secret,)}]}, raw=secret.encode()
        )
        theirs.debug("sent %s to %s", secret, {"x": [secret]})
        try:
            try:
                raise ValueError(f"https://host/{secret}/getMe")
            except ValueError as error:
                raise RuntimeError(secret) from error
        except RuntimeError:
            ours.exception("failed", stack_info=True)
            theirs.exception("failed")


ALL = KnownSecrets(
    {
        "bot token": TOKEN,
        "NCBA password": NCBA_PASSWORD,
        "subscription key": FLOAT_KEY,
        "Open Banking password": FLOAT_PASSWORD,
        "SMS key": SMS_KEY,
        "SMTP password": SMTP_PASSWORD,
        "invite": INVITE,
        "phone": "254712345678",
        "phone as typed": "0712 345 678",
    }
)


@pytest.mark.parametrize("terminal", [False, True])
def test_secrets_planted_everywhere_are_not_in_the_log(
    terminal: bool,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    configured("debug")
    plant(list(ALL.by_name.values()))
    plant(["Code 123456.", "Bearer issued-by-the-bank"])
    written = capsys.readouterr().err
    assert written.count("RuntimeError") >= 2 * len(ALL.by_name)
    more = KnownSecrets({"code": "123456", "bearer": "issued-by-the-bank"})
    assert leaked_secrets(ALL, {}, [written]) == []
    assert leaked_secrets(more, {}, [written]) == []


def test_a_line_and_its_end_are_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library's thread once wrote between the two, and machines could read neither line."""
    written: list[str] = []

    class Writes(StringIO):
        def write(self, text: str) -> int:
            written.append(text)
            return len(text)

    monkeypatch.setattr("sys.stderr", Writes())
    configured("info")
    structlog.get_logger().info("ours")
    logging.getLogger("a.library").warning("theirs")
    assert [json.loads(text)["event"] for text in written] == ["ours", "theirs"]
    assert all(text.endswith("\n") for text in written)


def test_a_simulation_shows_its_person_no_phone_and_no_token() -> None:
    shown: list[str] = []
    with brief_log(shown.append, verbose=True):
        plant(["254712345678", "0712 345 678", TOKEN, INVITE])
    assert shown
    assert not re.search(rf"{TOKEN}|{INVITE}|712.?345.?678", "\n".join(shown))


def test_a_phone_that_a_simulation_cuts_off_is_masked_first() -> None:
    shown: list[str] = []
    with brief_log(shown.append, verbose=False):
        logging.getLogger("a.library").warning("x" * 290 + " 254712345678")
    assert shown[0].endswith("2547*****…")


def test_a_line_of_a_library_is_one_line_of_json_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configured("info")
    logging.getLogger("a.library").warning("no answer from %s", "0712345678")
    (line,) = capsys.readouterr().err.splitlines()
    written = json.loads(line)
    assert (written["event"], written["level"], written["logger"]) == (
        "no answer from 2547*****678",
        "warning",
        "a.library",
    )


def test_what_ends_the_program_is_told_through_the_log(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configured("error")
    try:
        raise ValueError(f"{NCBA_PASSWORD} of 0712345678")
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)
    written = json.loads(capsys.readouterr().err)
    assert written["event"] == "ended by a fault"
    assert written["exception"].endswith("ValueError: *** of 2547*****678")


# A whole play ---------------------------------------------------------------------------------

PLAY = """given admin root
given partner FINSAFE wallet 60000.00
given person amina of FINSAFE role owner phone 254712345678 email amina@finsafe.example
given person baraka of FINSAFE role operator phone 254722000111 unlinked
given setting AFRICAS_TALKING_API_KEY {SMS_KEY}
given setting SMTP_PASSWORD {SMTP_PASSWORD}

root> /invite FINSAFE
bot*
root> [operator]
bot*
root> baraka
bot*
root> [yes]
bot<~ {{*}}start{{*}}{{token:[A-Za-z0-9_-]{{43}}}}
bot*
baraka> /start {{token}}
bot*
amina> /topup
bot*
amina> 1500
bot*
amina> [mine]
bot*
amina> [yes]
bot*
@handset 254712345678 pays
@advance 30s
bot*
amina> /float
bot*
amina> 5000
bot*
amina> [yes]
bot*
sms 254712345678<~ Code {{code:\\d{{6}}}}
amina> {{code}}
bot*
@state float SUCCEEDED
@no-secrets
"""


class Overheard(SimulatedStage):
    """Its ``@no-secrets`` reads the log as `hazina run` writes it, without any filtering."""

    def __init__(self, channel: str, capsys: pytest.CaptureFixture[str]) -> None:
        super().__init__(channel, threads=True)  # so that the thread library logs too
        self._capsys = capsys
        self.lines: list[str] = []

    async def open(self, head: ScriptHead, givens: Sequence[Given]) -> None:
        await super().open(head, givens)
        for name in ("httpx", "aiosqlite"):  # undo the silencing: they log addresses
            logging.getLogger(name).setLevel(logging.DEBUG)

    async def secrets(self) -> Sequence[str]:
        found = KnownSecrets.of(self.world, (shown.text for shown in self.shown_since(0)))
        tokens = [value for name, value in found.by_name.items() if name.startswith("token")]
        assert tokens, "nobody was invited"
        assert any(name.startswith("code") for name in found.by_name)
        codes = [f"Code {value}" for name, value in found.by_name.items() if "code" in name]
        found.by_name.update(ALL.by_name)
        plant([*ALL.by_name.values(), *tokens, *codes])
        self.lines = self._capsys.readouterr().err.splitlines()
        return leaked_secrets(found, {}, self.lines)


async def test_a_whole_play_at_debug_leaves_no_secret_in_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.simulation.stage.full_log", lambda say: nullcontext())
    configured("debug")
    file = tmp_path / "play.chat"
    file.write_text(PLAY.format(SMS_KEY=SMS_KEY, SMTP_PASSWORD=SMTP_PASSWORD), encoding="utf-8")
    stages: list[Overheard] = []

    def stage(channel: str) -> Overheard:
        stages.append(Overheard(channel, capsys))
        return stages[-1]

    status = await talk([file], channel="telegram", stage_factory=stage)
    assert status == 0, capsys.readouterr().out
    written = [json.loads(line) for line in stages[0].lines]
    assert {"httpx", "aiosqlite", "a.library"} <= {line.get("logger") for line in written}
    turns = [line for line in written if line["event"] == "turn"]
    assert [(turn["flow"], turn["node"], turn["exit"]) for turn in turns[-4:]] == [
        (None, None, "opened"),
        ("float", "amount", "quoted"),
        ("float", "confirm", "sent"),
        ("float", "code", "waiting"),
    ]
    assert turns[-1]["reference"].startswith("FL-")
    assert turns[-1]["channel"] == "telegram"
    assert isinstance(turns[-1]["ms"], float)


def test_an_amount_that_reads_like_a_code_is_none_and_the_code_beside_it_is() -> None:
    planted = KnownSecrets({"code 1": "150000"})
    amount = b'{"amount":{"cents":150000,"currency":"KES"}}'
    assert leaked_secrets(planted, {"the database": amount}, []) == []
    assert leaked_secrets(planted, {"the database": amount + b' "150000"'}, []) != []


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_repeated_error_is_counted_whoever_logs_it(capsys: pytest.CaptureFixture[str]) -> None:
    configured = to_itself()
    for n in range(100):
        structlog.get_logger("x").error("it failed", row=n)
        logging.getLogger("library").warning("it wavers %s", n)
    configured.close()
    lines = lines_of(capsys)
    assert [line.get("times") for line in lines if line["event"] == "it failed"] == [
        *[None] * FIRST,
        100 - FIRST,
    ]
    assert [line["level"] for line in lines if line.get("times")] == ["error", "warning"]


def test_a_line_that_tells_of_others_hides_what_they_hid(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configured = to_itself()
    for _ in range(100):
        structlog.get_logger("x").error("no way to 254712345678")
    configured.close()
    assert "254712345678" not in capsys.readouterr().err


def test_a_library_that_cannot_word_its_line_loses_it(capsys: pytest.CaptureFixture[str]) -> None:
    configured = to_itself()
    logging.getLogger("library").warning("%s and %s", "one")
    assert configured.lost == 1
    assert "Traceback" not in capsys.readouterr().err


def test_a_log_that_cannot_be_written_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    to_itself()
    stream.close()
    structlog.get_logger("x").info("turn")
    logging.getLogger("library").error("what it says")
    configured = log.configured()
    assert configured is not None
    assert configured.lost == 2
