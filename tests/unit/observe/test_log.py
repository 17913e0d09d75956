"""What the log keeps quiet about, and how a line looks."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from io import StringIO
from pathlib import Path

import httpx
import pytest
import structlog
from pydantic import SecretStr

from bot.channels.telegram.client import open_bot
from bot.channels.telegram.sender import TelegramChannel
from bot.observe import log
from bot.observe.redaction import Redactor
from bot.observe.repeated_errors import FIRST
from bot.outbox.channel import MessageContent
from bot.scripts.command import talk
from bot.scripts.given import Given
from bot.scripts.head import ScriptHead
from bot.security.stored_secrets import secret_values
from bot.simulation.clock import VirtualClock
from bot.simulation.credentials import FLOAT_KEY, FLOAT_PASSWORD, NCBA_PASSWORD
from bot.simulation.log_capture import brief_log
from bot.simulation.secret_scan import KnownSecrets, leaked_secrets
from bot.simulation.settings import SimulatedSettings
from bot.simulation.stage import SimulatedStage
from bot.simulation.telegram.server import BASE_URL, TOKEN, TelegramApi

QUIET = ("httpx", "httpcore", "telegram", "aiosqlite", "apscheduler")
AMINA = 77
SMS_KEY, SMTP_PASSWORD = "simulated-sms-key", "simulated-smtp-password"
INVITE = "q7Yb0ZsN4u2Kd8Jx5Wc1Rm9Tv3Lf6Hg0Pa2Eo4Iu6Ny"
SECRETS = SimulatedSettings(
    telegram_bot_token=SecretStr(TOKEN),
    ncba_password=SecretStr(NCBA_PASSWORD),
    openbanking_subscription_key=SecretStr(FLOAT_KEY),
    openbanking_password=SecretStr(FLOAT_PASSWORD),
    africas_talking_api_key=SecretStr(SMS_KEY),
    smtp_password=SecretStr(SMTP_PASSWORD),
)


def to_itself(level: str = "info", hidden: Sequence[str] = ()) -> log.Log:
    """As ``hazina run`` does it: without the handlers that pytest puts in the way of ours."""
    logging.getLogger().handlers.clear()
    return log.configure(level, hidden)


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("", *QUIET)]
    levels = [(logger, logger.level) for logger in loggers]
    handlers = list(logging.getLogger().handlers)
    last_words = sys.excepthook
    yield
    sys.excepthook = last_words
    for logger, level in levels:
        logger.setLevel(level)
    logging.getLogger().handlers[:] = handlers
    structlog.reset_defaults()


@pytest.mark.parametrize("name", [*QUIET, "telegram.Bot", "telegram.ext", "httpcore.connection"])
@pytest.mark.parametrize("level", ["debug", "info", "warning"])
def test_libraries_that_print_tokens_or_words_are_quiet(name: str, level: str) -> None:
    log.configure(level)
    assert not logging.getLogger(name).isEnabledFor(logging.INFO)
    assert logging.getLogger(name).isEnabledFor(logging.WARNING)


async def test_a_token_in_an_address_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    log.configure("debug")
    caplog.set_level(logging.DEBUG)
    transport = httpx.MockTransport(lambda request: httpx.Response(200))
    async with httpx.AsyncClient(transport=transport) as client:
        await client.get(f"https://api.telegram.org/bot{TOKEN}/getMe")
    assert caplog.text == ""


async def test_neither_words_nor_token_of_a_message_are_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log.configure("debug")
    caplog.set_level(logging.DEBUG)
    api = TelegramApi(VirtualClock())
    api.open_chat(AMINA)
    async with open_bot(TOKEN, base_url=BASE_URL, transport=api.transport()) as bot:
        await TelegramChannel(bot).send(str(AMINA), MessageContent("Received KES 1,500"))
    assert len(api.chat(AMINA).from_bot) == 1
    assert TOKEN not in caplog.text
    assert "Received" not in caplog.text


def test_lines_below_the_level_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("warning")
    structlog.get_logger("x").info("settled")
    structlog.get_logger("x").warning("unknown")
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == [
        "unknown"
    ]


def test_a_line_for_machines_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure()
    try:
        raise ZeroDivisionError("why")
    except ZeroDivisionError:
        structlog.get_logger("x").exception("turn failed", reference="F-222222")
    (line,) = capsys.readouterr().err.splitlines()
    written = json.loads(line)
    assert (written["event"], written["level"], written["reference"]) == (
        "turn failed",
        "error",
        "F-222222",
    )
    assert written["timestamp"].endswith("Z")
    assert "ZeroDivisionError: why" in written["exception"]


# Masks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "phone",
    [
        "254712345678",
        "+254712345678",
        "0712345678",
        "0712 345 678",
        "0712-345-678",
        "+254 712 345 678",
        "254 7 12 34 56 78",
    ],
)
@pytest.mark.parametrize("around", ["{}", "paid by {}, at last", "tel={}&x", "'{}'", "of{}to"])
def test_a_phone_is_masked_however_it_is_written(phone: str, around: str) -> None:
    assert Redactor().text(around.format(phone)) == around.format("2547*****678")


def test_a_phone_of_the_newer_range_is_masked() -> None:
    assert Redactor().text("0112345678") == "2541*****678"


@pytest.mark.parametrize(
    "text",
    [
        "2547*****678",
        "774451#TU-7K3QF9",
        "2026-07-10T12:30:45.123Z",
        "KES 1,500.00 of 250,000",
        "25471234567890",
        "the chat 700000001",
        "ncba token",
        "FL-234567 SUCCEEDED",
        "bot/channels/telegram/adapter.py",
        "a code of something else was typed",
        "HTTP 500: no answer in 60 s",
        "test_that_has_a_name_of_more_than_forty_three_letters",
    ],
)
def test_what_is_neither_phone_nor_secret_stays(text: str) -> None:
    assert Redactor(["some-secret"]).text(text) == text


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"POST https://api.telegram.org/bot{TOKEN}/getMe", TOKEN),
        ("https://api.telegram.org/bot123:ab/getMe", "123:ab"),
        ("https://api.telegram.org/bot123%3Aab/getMe", "123%3Aab"),
        (f"the token {TOKEN} is not good", TOKEN),
        ("Authorization: Bearer abc.def-ghi", "abc.def-ghi"),
        ("{'authorization': 'Basic aGF6aW5hOng='}", "aGF6aW5hOng="),
        ("{'apiKey': 'atsk_1234'}", "atsk_1234"),
        ("Ocp-Apim-Subscription-Key: 8f2c", "8f2c"),
        ("login?user=hazina&password=hunter22&x=1", "hunter22"),
        ('{"access_token": "xyz789"}', "xyz789"),
        (f"https://t.me/hazina_bot?start={INVITE}", INVITE),
        (f"/start {INVITE}", INVITE),
        (f"1:{INVITE}=", INVITE),
        ("Code 123456. Valid 10 min.", "123456"),
        ("your code is 123 456", "123 456"),
        ("123456 is your Hazina code", "123456"),
        ("Otp(code='123456')", "123456"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, secret: str) -> None:
    assert secret not in Redactor().text(text)


@pytest.mark.parametrize(
    "key",
    [
        "code",
        "token",
        "bot_token",
        "password",
        "secret",
        "authorization",
        "Authorization",
        "api_key",
        "apiKey",
        "subscription_key",
        "Ocp-Apim-Subscription-Key",
        "otp",
    ],
)
@pytest.mark.parametrize("value", ["x y", 123456, b"x y", ["x y"], {"x": "x y"}])
def test_what_a_key_calls_a_secret_is_left_out(key: str, value: object) -> None:
    assert Redactor()(None, "info", {key: value}) == {key: "***"}
    assert Redactor()(None, "info", {"of": [{key: value}]}) == {"of": [{key: "***"}]}


def test_a_secret_of_this_run_is_masked_whatever_it_looks_like() -> None:
    masks = Redactor(["hunter2+2", "hunter2"])
    assert masks.text("hunter2+2 hunter2 hunter2%2B2") == "*** *** ***"


@pytest.mark.parametrize(
    "value",
    [
        254712345678,
        ["0712345678"],
        ("0712345678",),
        {"0712345678"},
        {"0712345678": 1},
        {"of": {"of": ["0712345678"]}},
        b"0712345678",
        ValueError("0712345678"),
        [[[[[[[[[[[["0712345678"]]]]]]]]]]]],
    ],
)
def test_a_phone_is_masked_in_every_kind_of_value(value: object) -> None:
    written = str(Redactor()(None, "info", {"value": value}))
    assert "712345678" not in written
    assert "2547*****678" in written


def test_values_that_hold_no_words_stay_as_they_are() -> None:
    facts = {"ms": 1.5, "count": 254, "ok": True, "at": None, "code": None}
    assert Redactor()(None, "info", dict(facts)) == facts


# Masks in every configuration -----------------------------------------------------------------


def configured(level: str) -> None:
    to_itself(level, secret_values(SECRETS))


def plant(secrets: Sequence[str]) -> None:
    """Each secret on every way into the log, ours and a library's."""
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
    """A library's thread once wrote between the two, and both lines were lost to machines."""
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
    """Its ``@no-secrets`` reads the log as `hazina run` writes it, with nothing held back."""

    def __init__(self, channel: str, capsys: pytest.CaptureFixture[str]) -> None:
        super().__init__(channel, threads=True)  # whose library logs too
        self._capsys = capsys
        self.lines: list[str] = []

    async def open(self, head: ScriptHead, givens: Sequence[Given]) -> None:
        await super().open(head, givens)
        for name in ("httpx", "aiosqlite"):  # as if nobody had hushed those that name addresses
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
