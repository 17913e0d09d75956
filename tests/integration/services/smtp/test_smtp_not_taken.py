"""SMTP answers that refuse mail or leave its delivery unclear, and what is logged."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import structlog
from cryptography import x509

from bot.clock import SystemClock
from services.domain.message import MessageAnswer, NotTaken, Unsure
from services.gateways.smtp import SUBJECT_MAX, TEXT_MAX, SmtpCredentials, SmtpMailer
from services.ports import Mailer
from tests.kit.smtp_loopback import (
    HOST,
    MAIL,
    PASSWORD,
    SENDER,
    USER,
    MailSetup,
    certify,
    running,
)


def refused(answer: MessageAnswer) -> NotTaken:
    assert isinstance(answer, NotTaken)
    return answer


# --- Not taken ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "words", "expected"),
    [
        ("MAIL", "550 5.7.1 No such sender", NotTaken("MAIL: 550 5.7.1", final=False)),
        ("MAIL", "451 4.3.0 Later", NotTaken("MAIL: 451 4.3.0", final=False)),
        ("RCPT", "550 5.1.1 No such user", NotTaken("RCPT: 550 5.1.1", final=True)),
        ("RCPT", "553 Bad name", NotTaken("RCPT: 553", final=True)),
        ("RCPT", "530 5.7.0 Log in first", NotTaken("RCPT: 530 5.7.0", final=False)),
        ("RCPT", "451 4.7.1 Greylisted", NotTaken("RCPT: 451 4.7.1", final=False)),
        ("RCPT", "421 4.3.2 Closing", NotTaken("RCPT: 421 4.3.2", final=False)),
        ("DATA", "554 5.7.1 Looks like spam", NotTaken("DATA: 554 5.7.1", final=True)),
        ("DATA", "552 5.3.4 Too big", NotTaken("DATA: 552 5.3.4", final=True)),
        ("DATA", "451 4.3.0 Disk full", NotTaken("DATA: 451 4.3.0", final=False)),
    ],
)
async def test_a_refusal_is_final_when_it_is_for_good_and_about_the_mail(
    mail_setup: MailSetup, command: str, words: str, expected: NotTaken
) -> None:
    mail_setup.inbox.says[command] = words
    assert await mail_setup.mailer().send(MAIL) == expected


async def test_without_starttls_nothing_is_sent_in_clear(mail_setup: MailSetup) -> None:
    answer = await mail_setup.mailer({}).send(MAIL)
    assert answer == NotTaken("STARTTLS: SMTPNotSupported: not offered", final=False)
    assert mail_setup.inbox.envelopes == []


async def test_a_certificate_that_nobody_vouches_for_is_refused(mail_setup: MailSetup) -> None:
    answer = refused(await mail_setup.mailer(trusted=False).send(MAIL))
    assert answer.why.startswith("STARTTLS: SSLCertVerificationError")
    assert not answer.final
    assert mail_setup.inbox.envelopes == []


async def test_a_certificate_for_another_host_is_refused(
    mail_setup: MailSetup, tmp_path: Path
) -> None:
    mail_setup.certificates = certify(tmp_path, x509.DNSName("elsewhere.example"))
    answer = refused(await mail_setup.mailer().send(MAIL))
    assert answer.why.startswith("STARTTLS: SSLCertVerificationError")
    assert mail_setup.inbox.envelopes == []


async def test_a_login_that_is_refused_is_ours_to_mend(mail_setup: MailSetup) -> None:
    mailer = mail_setup.mailer(
        {
            "tls_context": mail_setup.certificates.server,
            "authenticator": mail_setup.inbox.authenticate,
        },
        username=USER,
        password="wrong",
    )
    answer = refused(await mailer.send(MAIL))
    assert answer.why.startswith("login: 535")
    assert not answer.final


async def test_a_server_nobody_listens_at_may_be_tried_again() -> None:
    with socket.socket() as taken:  # bound but not listening, so nobody else gets the port
        taken.bind((HOST, 0))
        credentials = SmtpCredentials(HOST, SENDER, taken.getsockname()[1])
        answer = refused(await SmtpMailer(SystemClock(), credentials).send(MAIL))
    assert answer.why.startswith("connect: SMTPConnectError")
    assert not answer.final


async def test_a_server_that_does_not_greet_in_time_may_be_tried_again() -> None:
    with socket.socket() as mute:
        mute.bind((HOST, 0))
        mute.listen()
        credentials = SmtpCredentials(HOST, SENDER, mute.getsockname()[1], call_s=0.05)
        answer = refused(await SmtpMailer(SystemClock(), credentials).send(MAIL))
    assert answer.why.startswith("connect: ")
    assert not answer.final


@pytest.mark.parametrize(
    "change",
    [
        {"to": "jane@shop.example\nBcc: all@shop.example"},
        {"to": "jane@shop.example, all@shop.example"},
        {"to": "Jane <jane@shop.example>"},
        {"to": "jane@shop.example>"},
        {"to": "=?utf-8?q?a=0ABcc:_b?=@shop.example"},
        {"to": "jané@shop.example"},
        {"to": "jane"},
        {"to": ""},
        {"to": "j" * 255 + "@shop.example"},
        {"subject": "Paid\nBcc: all@shop.example"},
        {"subject": "Paid\rBcc: all@shop.example"},
        {"subject": "Paid\u2028Bcc: all@shop.example"},
        {"subject": "=?utf-8?q?Paid=0ABcc:_all@shop.example?="},
        {"subject": "Paid\x00"},
        {"subject": "Paid \ud800"},
        {"subject": "x" * (SUBJECT_MAX + 1)},
        {"text": "Paid \ud800"},
        {"text": "Paid\x00"},
        {"text": "x" * (TEXT_MAX + 1)},
    ],
    ids=range(19),
)
async def test_a_mail_that_could_say_more_than_it_should_is_never_sent(
    mail_setup: MailSetup, change: dict[str, str]
) -> None:
    answer = refused(await mail_setup.mailer().send(replace(MAIL, **change)))
    assert answer.final
    assert mail_setup.inbox.envelopes == []


# --- Unsure -------------------------------------------------------------------------------------


async def test_a_connection_lost_after_the_text_was_sent_is_unsure(mail_setup: MailSetup) -> None:
    mail_setup.inbox.drop_at_data = True
    answer = await mail_setup.mailer().send(MAIL)
    assert answer == Unsure("DATA: SMTPServerDisconnected")


async def test_an_answer_to_the_text_that_is_neither_yes_nor_no_is_unsure(
    mail_setup: MailSetup,
) -> None:
    mail_setup.inbox.says["DATA"] = "299 Perhaps"
    assert await mail_setup.mailer().send(MAIL) == Unsure("DATA: 299")


async def test_no_answer_to_the_text_in_time_is_unsure(mail_setup: MailSetup) -> None:
    class HandClock(SystemClock):
        """A clock whose deadline expires when the test says so."""

        def deadline(self, seconds: float) -> AbstractAsyncContextManager[None]:
            self.limit = asyncio.timeout(None)
            return cast("AbstractAsyncContextManager[None]", self.limit)

    mail_setup.inbox.hold_at_data = True
    clock = HandClock()
    with running(mail_setup.inbox, {}) as port:
        credentials = SmtpCredentials(HOST, SENDER, port, starttls=False)
        sending = asyncio.create_task(SmtpMailer(clock, credentials).send(MAIL))
        assert await asyncio.to_thread(mail_setup.inbox.data_reached.wait, 5)
        clock.limit.reschedule(0)
        assert await sending == Unsure("DATA: TimeoutError")


# --- Logs, secrets and settings -----------------------------------------------------------------


@pytest.mark.parametrize("says", [{}, {"RCPT": f"550 5.1.1 <{MAIL.to}> unknown"}])
async def test_a_mail_is_one_line_without_address_subject_and_text(
    mail_setup: MailSetup, says: dict[str, str]
) -> None:
    mail_setup.inbox.says = says
    mailer = mail_setup.mailer()
    with structlog.testing.capture_logs() as lines:
        await mailer.send(MAIL)
    assert [line["event"] for line in lines] == ["mail"]
    written = str(lines)
    for private in (MAIL.to, "wanjiku", "TU-7K3QF9", "3,000"):
        assert private not in written


def test_the_password_is_in_no_repr() -> None:
    credentials = SmtpCredentials(HOST, SENDER, username=USER, password=PASSWORD)
    assert PASSWORD not in repr(credentials)


@pytest.mark.parametrize(
    "given",
    [
        {"sender": "Hazina <desk@hazina.example>"},
        {"sender": "desk@hazina.example\nBcc: x@y.example"},
        {"username": USER},
        {"password": PASSWORD},
        {"username": USER, "password": PASSWORD, "starttls": False},
    ],
)
def test_credentials_that_cannot_work_are_refused_at_the_start(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"not a plain|come together|no login") as error:
        SmtpCredentials(**({"host": HOST, "sender": SENDER} | given))
    assert PASSWORD not in str(error.value)


def test_a_tls_context_that_verifies_nothing_is_refused() -> None:
    blind = ssl.create_default_context()
    blind.check_hostname = False
    blind.verify_mode = ssl.CERT_NONE
    with pytest.raises(ValueError, match="must verify"):
        SmtpMailer(SystemClock(), SmtpCredentials(HOST, SENDER), tls_context=blind)


def test_the_mailer_is_the_port() -> None:
    port: Mailer = SmtpMailer(SystemClock(), SmtpCredentials(HOST, SENDER))
    assert port
