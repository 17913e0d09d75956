"""Mail through the real mailer to a real SMTP server on loopback, row by row of its answers."""

from __future__ import annotations

import asyncio
import email
import html
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import pytest
import structlog
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.clock import SystemClock
from services.domain.message import Mail, MessageAnswer, NotTaken, Taken, Unsure
from services.gateways.smtp import SUBJECT_MAX, TEXT_MAX, SmtpCredentials, SmtpMailer
from services.ports import Mailer

HOST = "127.0.0.1"
SENDER = "desk@hazina.example"
USER, PASSWORD = "hazina", "s3cret-of-the-server"
TEXT = """\
Habari Wanjikũ,

Top-up TU-7K3QF9 of KES 1,500.00 is paid.
Balance: <b>KES 3,000.00</b> & rising.

.
From Hazina"""
MAIL = Mail("wanjiku.n+desk@shop.example", "Top-up TU-7K3QF9 — KES 1,500.00", TEXT)


@dataclass
class Inbox:
    """The server's hooks; ``says`` replaces its answer to a command."""

    says: dict[str, str] = field(default_factory=dict)
    drop_at_data: bool = False
    drop_at_quit: bool = False
    hold_at_data: bool = False
    data_reached: threading.Event = field(default_factory=threading.Event)
    envelopes: list[Envelope] = field(default_factory=list)
    over_tls: list[bool] = field(default_factory=list)
    users: list[bytes] = field(default_factory=list)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.says.get("MAIL", "250 OK")

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.says.get("RCPT", "250 OK")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.data_reached.set()
        if self.hold_at_data:
            await asyncio.Event().wait()
        if self.drop_at_data:
            hang_up(server)
        self.envelopes.append(envelope)
        self.over_tls.append(session.ssl is not None)
        return self.says.get("DATA", "250 OK")

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.drop_at_quit:
            hang_up(server)
        return "221 Bye"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.users.append(data.login)
        known = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=known, handled=False)

    def message(self) -> EmailMessage:
        [envelope] = self.envelopes
        assert isinstance(envelope.content, bytes)
        return email.message_from_bytes(envelope.content, policy=policy.default)


def hang_up(server: SMTP) -> None:
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()


class LoopbackServer(Controller):
    """On a port of the system's choice, which the controller has to be told of."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@dataclass
class Certificates:
    server: ssl.SSLContext
    trusting: ssl.SSLContext


def certify(folder: Path, name: x509.GeneralName) -> Certificates:
    """A certificate that signs itself, for ``name``, and a client that trusts only it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    file = folder / "server.pem"
    file.write_bytes(
        pem
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return Certificates(server, ssl.create_default_context(cadata=pem.decode("ascii")))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certify(tmp_path_factory.mktemp("tls"), x509.IPAddress(ipaddress.ip_address(HOST)))


@dataclass
class MailSetup:
    inbox: Inbox
    certificates: Certificates
    _open: Callable[..., int]

    def mailer(
        self, server: dict[str, Any] | None = None, *, trusted: bool = True, **credentials: Any
    ) -> SmtpMailer:
        """For a server with STARTTLS unless ``server`` says otherwise."""
        options = {"tls_context": self.certificates.server} if server is None else server
        port = self._open(self.inbox, options)
        return SmtpMailer(
            SystemClock(),
            SmtpCredentials(HOST, SENDER, port, **credentials),
            tls_context=self.certificates.trusting if trusted else None,
        )


@contextmanager
def running(inbox: Inbox, options: dict[str, Any]) -> Iterator[int]:
    server = LoopbackServer(inbox, HOST, 0, server_hostname="mail.test", **options)
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


@pytest.fixture
def mail_setup(certificates: Certificates) -> Iterator[MailSetup]:
    with ExitStack() as servers:
        yield MailSetup(
            Inbox(),
            certificates,
            lambda inbox, options: servers.enter_context(running(inbox, options)),
        )


def unfolded(part: EmailMessage) -> str:
    """Its text, with line ends as we write them."""
    content = part.get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")


def refused(answer: MessageAnswer) -> NotTaken:
    assert isinstance(answer, NotTaken)
    return answer


# --- Taken --------------------------------------------------------------------------------------


async def test_a_mail_is_taken_under_our_own_message_id(mail_setup: MailSetup) -> None:
    answer = await mail_setup.mailer().send(MAIL)
    message = mail_setup.inbox.message()
    assert answer == Taken(message["Message-ID"])
    assert re.fullmatch(r"<[0-9a-f]{32}@hazina\.example>", message["Message-ID"])


async def test_every_mail_has_another_message_id(mail_setup: MailSetup) -> None:
    mailer = mail_setup.mailer()
    assert await mailer.send(MAIL) != await mailer.send(MAIL)


async def test_a_mail_goes_over_tls_from_and_to_whom_it_says(mail_setup: MailSetup) -> None:
    await mail_setup.mailer().send(MAIL)
    [envelope] = mail_setup.inbox.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == (SENDER, [MAIL.to])
    assert mail_setup.inbox.over_tls == [True]
    message = mail_setup.inbox.message()
    assert (message["From"], message["To"], message["Subject"]) == (SENDER, MAIL.to, MAIL.subject)


async def test_a_mail_is_dated_and_marked_as_a_machines(mail_setup: MailSetup) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    await mail_setup.mailer().send(MAIL)
    message = mail_setup.inbox.message()
    assert before <= message["Date"].datetime <= datetime.now(UTC)
    assert message["Auto-Submitted"] == "auto-generated"


async def test_both_parts_say_the_same(mail_setup: MailSetup) -> None:
    await mail_setup.mailer().send(MAIL)
    message = mail_setup.inbox.message()
    assert message.get_content_type() == "multipart/alternative"
    plain, rich = message.iter_parts()
    assert isinstance(plain, EmailMessage)
    assert isinstance(rich, EmailMessage)
    assert (plain.get_content_type(), rich.get_content_type()) == ("text/plain", "text/html")
    assert unfolded(plain) == TEXT + "\n"
    body = unfolded(rich).partition("<body>\n")[2].partition("\n</body>")[0]
    paragraphs = body.replace("<br>\n", "\n").replace("</p>\n<p>", "\n\n")
    assert html.unescape(paragraphs.removeprefix("<p>").removesuffix("</p>")) == TEXT


async def test_nothing_of_the_text_becomes_markup(mail_setup: MailSetup) -> None:
    await mail_setup.mailer().send(MAIL)
    rich = mail_setup.inbox.message().get_body(("html",))
    assert rich is not None
    assert "<b>" not in rich.get_content()
    assert "&lt;b&gt;" in rich.get_content()


async def test_a_mail_is_7_bit_on_the_way(mail_setup: MailSetup) -> None:
    await mail_setup.mailer().send(replace(MAIL, text="Ũ" * 2_000))
    [envelope] = mail_setup.inbox.envelopes
    assert isinstance(envelope.content, bytes)
    assert envelope.content.isascii()
    assert max(map(len, envelope.content.splitlines())) < 998


async def test_a_login_is_made_where_it_is_required(mail_setup: MailSetup) -> None:
    mailer = mail_setup.mailer(
        {
            "tls_context": mail_setup.certificates.server,
            "require_starttls": True,
            "auth_required": True,
            "authenticator": mail_setup.inbox.authenticate,
        },
        username=USER,
        password=PASSWORD,
    )
    assert isinstance(await mailer.send(MAIL), Taken)
    assert mail_setup.inbox.users == [USER.encode()]


async def test_a_relay_on_our_own_machine_may_go_without_tls(mail_setup: MailSetup) -> None:
    assert isinstance(await mail_setup.mailer({}, starttls=False).send(MAIL), Taken)
    assert mail_setup.inbox.over_tls == [False]


async def test_a_goodbye_that_fails_changes_nothing(mail_setup: MailSetup) -> None:
    mail_setup.inbox.drop_at_quit = True
    assert isinstance(await mail_setup.mailer().send(MAIL), Taken)


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
    with socket.socket() as taken:  # bound and not listening: nobody else gets the port
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
        """Its deadline is over when the test says so."""

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


# --- What is written down -----------------------------------------------------------------------


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
