"""Settings: what is refused and how, what is missing, and that each one is documented."""

from __future__ import annotations

import re
from datetime import date, time
from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from bot.environment.setting_errors import describe_errors
from bot.missing_settings import missing_settings
from bot.settings import Settings, TelegramIntake
from tests.kit.payout_settings import DARAJA, FLOAT, SEALED, WITH_CREDENTIAL

SECRET = "s3cr3t-w0rds"
DOC = Path(__file__).parents[3] / "docs" / "configuration.md"
NAMES = sorted(name.upper() for name in Settings.model_fields)
COMPLETE = {
    "TELEGRAM_BOT_TOKEN": SECRET,
    "NCBA_USERNAME": "hazina",
    "NCBA_PASSWORD": SECRET,
    "NCBA_ACCOUNT_NUMBER": "774451",
}
NEEDED = {*DARAJA, "DARAJA_SECURITY_CREDENTIAL"} - {"DARAJA_BASE_URL"}


class Machine:
    """An environment and a folder."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._patch = patch

    def set(self, **values: str) -> None:
        for name, value in values.items():
            self._patch.setenv(name, value)

    def write(self, text: str) -> None:
        (self._folder / ".env").write_text(text, encoding="utf-8")

    def fault_lines(self) -> list[str]:
        with pytest.raises(ValidationError) as caught:
            Settings()
        return describe_errors(caught.value)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.chdir(tmp_path)
    return Machine(tmp_path, monkeypatch)


# Where they come from


def test_nothing_needs_to_be_set(machine: Machine) -> None:
    settings = Settings()
    assert settings.database == Path("hazina.db")
    assert settings.telegram_intake is TelegramIntake.POLLING
    assert settings.admin_ids == frozenset()


def test_the_environment_comes_before_the_file(machine: Machine) -> None:
    machine.write("HTTP_PORT=1111\nHTTP_HOST=0.0.0.0\n")
    machine.set(HTTP_PORT="2222")
    settings = Settings()
    assert (settings.http_port, settings.http_host) == (2222, "0.0.0.0")


def test_an_empty_value_is_an_unset_one(machine: Machine) -> None:
    machine.write("NCBA_USERNAME=\nHTTP_PORT=\n")
    machine.set(TELEGRAM_WEBHOOK_URL="", NCBA_PASSWORD="", ADMIN_IDS="")
    settings = Settings()
    assert (settings.ncba_username, settings.telegram_webhook_url, settings.http_port) == (
        None,
        None,
        8080,
    )
    assert settings.ncba_password is None
    assert settings.admin_ids == frozenset()


def test_settings_of_other_programs_do_not_disturb(machine: Machine) -> None:
    machine.write("POSTGRES_PASSWORD=x\n")
    machine.set(EDITOR="vi")
    assert Settings().http_port == 8080


@pytest.mark.parametrize("text", ["1,22,333", " 1, 22 ,333 ,", "333,22,1,1"])
def test_admins_are_separated_by_commas(machine: Machine, text: str) -> None:
    machine.set(ADMIN_IDS=text)
    assert Settings().admin_ids == {"1", "22", "333"}


# Faults


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOG_LEVEL", "loud"),
        ("ADMIN_IDS", "12,amina"),
        ("ADMIN_IDS", "-5"),
        ("ADMIN_IDS", "١٢"),
        ("TELEGRAM_INTAKE", "pigeon"),
        ("TELEGRAM_POLL_S", "-1"),
        ("TELEGRAM_POLL_S", "soon"),
        ("TELEGRAM_WEBHOOK_URL", "http://example.com"),
        ("HTTP_PORT", "70000"),
        ("MESSAGE_RATE_CHAT", "0"),
        ("MESSAGE_RATE_CHAT", "31"),
        ("MESSAGE_RATE_OVERALL", "-1"),
        ("NCBA_BASE_URL", "ftp://example.com"),
        ("NCBA_PAYBILL_NO", "88 01 00"),
        ("NCBA_ACCOUNT_NUMBER", "77#44"),
        ("NCBA_ACCOUNT_REF_TEMPLATE", "{foo}"),
        ("NCBA_ACCOUNT_REF_TEMPLATE", "{account"),
        ("NCBA_BASE_URL", "http://"),
        ("TELEGRAM_WEBHOOK_SECRET", "bad secret!"),
        ("RECONCILE_AT", "06:00+03:00"),
        ("RECONCILE_AT", "06:00Z"),
        ("RECONCILE_AT", "6am"),
        ("RECONCILE_AT", "21600"),
        ("BACKUP_AT", "off"),
        ("BACKUP_AT", "24:00"),
        ("BACKUP_AT", "02:30 Africa/Nairobi"),
        ("SMTP_FROM", "desk@example.com\nBcc: all@example.com"),
        ("SMTP_FROM", "desk@example.com\n"),
        ("SMTP_FROM", "Hazina <desk@example.com>"),
        ("SMTP_FROM", "desk"),
        ("SMTP_HOST", "smtp.example.com:587"),
        ("SMTP_HOST", "smtps://smtp.example.com"),
        ("HTTP_HOST", "http://0.0.0.0"),
        ("HTTP_HOST", "0.0.0.0:8080"),
        ("NCBA_BASE_URL", "c2bapis.ncbagroup.com"),
        ("NCBA_BASE_URL", "https://user:word@c2bapis.ncbagroup.com"),
        ("NCBA_BASE_URL", "https://c2bapis.ncbagroup.com:70000"),
        ("NCBA_BASE_URL", "https://c2bapis.ncbagroup.com:0"),
        ("NCBA_BASE_URL", "https://c2bapis.ncba group.com"),
        ("NCBA_BASE_URL", "https://c2bapis.ncbagroup.com?env=live"),
        ("NCBA_BASE_URL", "https://[c2bapis"),
        ("NCBA_BASE_URL", "https://c2bapis..ncbagroup.com"),
        ("NCBA_BASE_URL", "https://" + "a" * 64 + ".com"),
        ("NCBA_BASE_URL", "https://${HOST}"),
        ("TELEGRAM_BASE_URL", "https://api.telegram.org"),
        ("TELEGRAM_BASE_URL", "https://api.telegram.org/bot/test"),
        ("TELEGRAM_BOT_TOKEN", "7000000001:abc/test"),
        ("TELEGRAM_BOT_TOKEN", "'7000000001:abc'"),
        ("TELEGRAM_BOT_TOKEN", "7000000001:abc\n"),
        ("NCBA_USERNAME", "kahawa\r\nX-Admin: 1"),
        ("NCBA_USERNAME", "kahawa\u200b"),
        ("NCBA_USERNAME", "  "),
        ("NCBA_PASSWORD", " "),
        ("NCBA_USERNAME", "caf\udce9"),
        ("NCBA_USER_AGENT", "Duka la kahawa \u2615"),
        ("AFRICAS_TALKING_API_KEY", "atsk one two"),
        ("DATABASE", "$HOME/hazina.db"),
        ("DATABASE", "~/hazina.db"),
        ("DATABASE", "sqlite:///hazina.db"),
        ("MESSAGE_RATE_OVERALL", "nan"),
        ("SMTP_STARTTLS", "ja"),
        ("TELEGRAM_WEBHOOK_SECRET", "x" * 257),
        ("DASHBOARD_URL", "http://desk.example"),
        ("DASHBOARD_URL", "https://desk.example/admin"),
        ("DASHBOARD_URL", "desk.example"),
        ("USSD_SECRET", "s" * 31),
        ("USSD_SECRET", "s" * 129),
        ("USSD_SECRET", "s" * 31 + "/"),
        ("USSD_CODES", "384*7#"),
        ("USSD_CODES", "*384*7"),
        ("USSD_CODES", "*384*7#;*483*5#"),
        ("USSD_CODES", "*384*7#,*483*x#"),
        ("USSD_CODES", "*3#"),
        ("USSD_CODES", "*384**7#"),
        ("USSD_CODES", "*384*7*1*2*3#"),
        ("USSD_CODES", "*٣٨٤#"),
        ("USSD_NETWORKS", "192.0.2.1/24"),
        ("USSD_FLOAT_MAX", "0"),
        ("USSD_FLOAT_MAX", "1000001"),
        ("DARAJA_BASE_URL", "api.safaricom.co.ke"),
        ("DARAJA_CONSUMER_KEY", "two words"),
        ("DARAJA_INITIATOR_NAME", "kahawa\u2615"),
        ("DARAJA_INITIATOR_NAME", "k" * 101),
        ("DARAJA_SECURITY_CREDENTIAL", "A" * 343),
        ("DARAJA_SECURITY_CREDENTIAL", "A" * 345),
        ("DARAJA_SECURITY_CREDENTIAL", "A" * 343 + "-"),
        ("DARAJA_SECURITY_CREDENTIAL", "A" * 1_372),
        ("DARAJA_INITIATOR_PASSWORD", "kahawa@2026"),
        ("DARAJA_INITIATOR_PASSWORD", "k" * 101),
        ("DARAJA_CERTIFICATE", "~/ProductionCertificate.cer"),
        ("DARAJA_PASSWORD_SET_ON", "29/11/2026"),
        ("DARAJA_PASSWORD_SET_ON", "2026-02-30"),
        ("DARAJA_PASSWORD_SET_ON", "20261129"),
        ("DARAJA_PASSWORD_SET_ON", "1764374400"),
        ("DARAJA_PASSWORD_SET_ON", "2026-11-29T00:00"),
        ("DARAJA_CALLBACK_URL", "http://desk.example"),
        ("DARAJA_CALLBACK_URL", "https://desk.example/daraja"),
        ("DARAJA_CALLBACK_URL", "http://127.0.0.1:8080"),
        ("DARAJA_CALLBACK_URL", "https://localhost"),
        ("DARAJA_CALLBACK_SECRET", "s" * 31),
        ("DARAJA_CALLBACK_SECRET", "s" * 31 + "/"),
        ("DARAJA_NETWORKS", "196.201.214.200/24"),
        ("PAYOUT_CONFIRM_ABOVE", "-1"),
        ("PAYOUT_CONFIRM_ABOVE", "1000001"),
        ("PAYOUT_CONFIRM_ABOVE", "99.50"),
    ],
)
def test_a_value_that_cannot_be_is_one_line_with_its_name(
    machine: Machine, name: str, value: str
) -> None:
    machine.set(**{name: value})
    (line,) = machine.fault_lines()
    assert line.startswith(f"{name}: ")
    assert "\n" not in line


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"SMTP_USERNAME": "desk", "SMTP_STARTTLS": "off"}, "SMTP_STARTTLS"),
        ({"OPENBANKING_REFUSAL_CODES": "000"}, "OPENBANKING_SUCCESS_CODES"),
        ({"OPENBANKING_FAILED_CODES": "1,000"}, "OPENBANKING_BOUGHT_CODES"),
        (
            {"TELEGRAM_WEBHOOK_URL": "https://desk.example:9443/telegram/webhook"},
            "TELEGRAM_WEBHOOK_URL",
        ),
        ({"DASHBOARD": "on", "HTTP_HOST": "0.0.0.0"}, "DASHBOARD_URL"),
        ({"DASHBOARD": "on", "HTTP_PORT": "0"}, "DASHBOARD_URL"),
        ({"DARAJA_INITIATOR_PASSWORD": "k"}, "DARAJA_CERTIFICATE"),
        (
            {
                "DARAJA_INITIATOR_PASSWORD": "k",
                "DARAJA_CERTIFICATE": "mpesa.cer",
                "DARAJA_SECURITY_CREDENTIAL": SEALED,
            },
            "DARAJA_SECURITY_CREDENTIAL",
        ),
    ],
)
def test_values_that_contradict_each_other_are_one_line(
    machine: Machine, values: dict[str, str], name: str
) -> None:
    machine.set(**values)
    (line,) = machine.fault_lines()
    assert line.startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("RECONCILE_AT", " 06:05 ", time(6, 5)),
        ("RECONCILE_AT", "06:05:10", time(6, 5, 10)),
        ("RECONCILE_AT", "OFF", None),
        ("HTTP_PORT", " 8081 ", 8081),
        ("NCBA_USERNAME", " kahawa ", "kahawa"),
        ("NCBA_PASSWORD", "a ", SecretStr("a ")),
        ("PROMPTS_PER_PHONE_HOUR", "1_000", 1_000),
        ("SMTP_STARTTLS", "No", False),
        ("HTTP_HOST", "[::1]", "::1"),
        ("DASHBOARD_URL", "HTTPS://Desk.Example:443/", "https://desk.example"),
        ("DASHBOARD_URL", "http://localhost:8081", "http://localhost:8081"),
        ("DASHBOARD_URL", "https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("HTTP_HOST", "fe80::1%eth0", "fe80::1%eth0"),
        (
            "NCBA_BASE_URL",
            "HTTPS://gate.example.com:8443/ncba/",
            "HTTPS://gate.example.com:8443/ncba",
        ),
        ("TELEGRAM_BASE_URL", "http://[::1]:8081/bot/", "http://[::1]:8081/bot"),
        ("SMTP_FROM", "desk+hazina@mail.example.co.ke", "desk+hazina@mail.example.co.ke"),
        ("USSD_CODES", " *384*7#, *483# ,", frozenset({"*384*7#", "*483#"})),
        ("USSD_SECRET", "s" * 32, SecretStr("s" * 32)),
        ("USSD_FLOAT_MAX", "5_000", 5_000),
        ("DARAJA_SECURITY_CREDENTIAL", "A" * 342 + "==", SecretStr("A" * 342 + "==")),
        ("DARAJA_SECURITY_CREDENTIAL", SEALED, SecretStr(SEALED)),
        ("DARAJA_PASSWORD_SET_ON", " 2026-11-29 ", date(2026, 11, 29)),
        ("DARAJA_CALLBACK_URL", "HTTPS://Desk.Example:443/", "https://desk.example"),
        ("DARAJA_CALLBACK_URL", "https://desk.example:8443", "https://desk.example:8443"),
        ("DARAJA_NETWORKS", "192.0.2.7", (ip_network("192.0.2.7"),)),
        ("PAYOUT_CONFIRM_ABOVE", "0", 0),
    ],
)
def test_what_is_clear_is_taken_as_it_is_written(
    machine: Machine, name: str, value: str, read: object
) -> None:
    machine.set(**{name: value})
    assert getattr(Settings(), name.lower()) == read


def test_every_fault_is_said_at_once(machine: Machine) -> None:
    machine.set(LOG_LEVEL="loud", HTTP_PORT="x", NCBA_PAYBILL_NO="1")
    assert {line.partition(":")[0] for line in machine.fault_lines()} == {
        "LOG_LEVEL",
        "HTTP_PORT",
        "NCBA_PAYBILL_NO",
    }


def test_what_was_set_is_never_in_a_fault(machine: Machine) -> None:
    names = [name for name in NAMES if name not in ("DATABASE", "HTTP_HOST")]
    machine.set(**dict.fromkeys(names, f"{SECRET}\n"))
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert SECRET not in "\n".join(describe_errors(caught.value))
    assert SECRET not in str(caught.value)


def test_secrets_do_not_show_when_settings_are_printed(machine: Machine) -> None:
    machine.set(**COMPLETE, TELEGRAM_WEBHOOK_SECRET=SECRET)
    settings = Settings()
    assert settings.ncba_password == SecretStr(SECRET)
    assert SECRET not in repr(settings)
    assert SECRET not in settings.model_dump_json()


# What a run on real services needs


@pytest.mark.parametrize(
    ("values", "address"),
    [
        ({}, None),
        ({"DASHBOARD": "on"}, "http://127.0.0.1:8080"),
        ({"DASHBOARD": "on", "HTTP_HOST": "::1", "HTTP_PORT": "81"}, "http://[::1]:81"),
        (
            {"DASHBOARD": "on", "HTTP_HOST": "0.0.0.0", "DASHBOARD_URL": "https://desk.example"},
            "https://desk.example",
        ),
    ],
)
def test_the_dashboard_is_on_this_machine_unless_told_otherwise(
    machine: Machine, values: dict[str, str], address: str | None
) -> None:
    machine.set(**values)
    assert Settings().dashboard_address == address


def test_a_complete_set_misses_nothing(machine: Machine) -> None:
    machine.set(**COMPLETE)
    assert missing_settings(Settings()) == []


@pytest.mark.parametrize("name", sorted(COMPLETE))
def test_each_missing_one_is_a_line_that_says_what_to_set(machine: Machine, name: str) -> None:
    machine.set(**{other: value for other, value in COMPLETE.items() if other != name})
    (line,) = missing_settings(Settings())
    assert line.startswith(f"{name} is missing: set it to ")


def test_a_webhook_needs_its_address_and_its_secret(machine: Machine) -> None:
    machine.set(**COMPLETE, TELEGRAM_INTAKE="webhook")
    assert [line.partition(" ")[0] for line in missing_settings(Settings())] == [
        "TELEGRAM_WEBHOOK_URL",
        "TELEGRAM_WEBHOOK_SECRET",
    ]


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        ({"USSD_SECRET": "s" * 32}, ["USSD_CODES"]),
        ({"USSD_CODES": "*384*7#"}, ["USSD_SECRET"]),
        ({"USSD_SECRET": "s" * 32, "USSD_CODES": "*384*7#"}, []),
        ({"USSD_FLOAT_MAX": "5000", "USSD_NETWORKS": "192.0.2.0/24"}, []),
    ],
)
def test_ussd_needs_its_secret_and_its_codes(
    machine: Machine, values: dict[str, str], missing: list[str]
) -> None:
    machine.set(**COMPLETE, **values)
    settings = Settings()
    assert [line.partition(" ")[0] for line in missing_settings(settings)] == missing
    assert settings.serves_ussd == ("USSD_SECRET" in values and "USSD_CODES" in values)


@pytest.mark.parametrize("name", [None, *sorted(NEEDED), "B2C_SHORT_CODE"])
def test_payments_need_all_that_is_theirs(machine: Machine, name: str | None) -> None:
    given = COMPLETE | WITH_CREDENTIAL
    machine.set(**{other: value for other, value in given.items() if other != name})
    settings = Settings()
    found = [line.partition(" ")[0] for line in missing_settings(settings)]
    assert found == ([] if name is None else [name])
    assert settings.pays_customers == (name is None)
    assert ("DARAJA_BASE_URL" in settings.addresses) == (name is None)


def test_the_password_with_its_certificate_stands_for_the_sealed_one(machine: Machine) -> None:
    machine.set(**COMPLETE | FLOAT | DARAJA)
    machine.set(DARAJA_INITIATOR_PASSWORD="Kahawa#2026$", DARAJA_CERTIFICATE="mpesa.cer")
    settings = Settings()
    assert missing_settings(settings) == []
    assert settings.pays_customers


@pytest.mark.parametrize(
    "values",
    [
        {},
        FLOAT,
        {"DARAJA_BASE_URL": "https://sandbox.safaricom.co.ke", "PAYOUT_CONFIRM_ABOVE": "1"},
        {"DARAJA_NETWORKS": "*", "DARAJA_PASSWORD_SET_ON": "2026-11-29"},
    ],
)
def test_a_desk_that_pays_nobody_needs_nothing_of_daraja(
    machine: Machine, values: dict[str, str]
) -> None:
    machine.set(**COMPLETE | values)
    settings = Settings()
    assert missing_settings(settings) == []
    assert not settings.pays_customers


@pytest.mark.parametrize("name", sorted([*NEEDED, "DARAJA_CERTIFICATE"]))
def test_one_of_darajas_settings_asks_for_the_others(machine: Machine, name: str) -> None:
    machine.set(**COMPLETE | FLOAT | {name: WITH_CREDENTIAL.get(name, "mpesa.cer")})
    missing = {line.partition(" ")[0] for line in missing_settings(Settings())}
    assert missing == NEEDED - {name}


def test_payments_need_the_float_that_they_are_made_from(machine: Machine) -> None:
    machine.set(**COMPLETE | DARAJA, DARAJA_SECURITY_CREDENTIAL=SEALED)
    missing = {line.partition(" ")[0] for line in missing_settings(Settings())}
    assert missing == FLOAT.keys() - {"AFRICAS_TALKING_API_KEY"}


def test_codes_in_the_file_are_no_comment(machine: Machine) -> None:
    machine.write("USSD_CODES=*384*7#,*483*5#\n")
    assert Settings().ussd_codes == {"*384*7#", "*483*5#"}


@pytest.mark.parametrize("name", ["SMTP_USERNAME", "SMTP_PASSWORD"])
def test_a_login_for_mail_needs_both_its_halves(machine: Machine, name: str) -> None:
    machine.set(**COMPLETE, SMTP_HOST="mail.test", SMTP_FROM="desk@mail.test", **{name: SECRET})
    (line,) = missing_settings(Settings())
    assert line.startswith("SMTP_")
    assert not line.startswith(name)


@pytest.mark.parametrize("name", ["TELEGRAM_BOT_TOKEN", "NCBA_PASSWORD"])
def test_an_empty_secret_is_missing(machine: Machine, name: str) -> None:
    machine.set(**COMPLETE | {name: ""})
    assert [line.partition(" ")[0] for line in missing_settings(Settings())] == [name]


# Docs


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_is_in_the_docs(name: str) -> None:
    text = DOC.read_text(encoding="utf-8")
    assert re.search(rf"(?<![A-Z_]){name}(?![A-Z_])", text), f"{name} is not in {DOC.name}"
