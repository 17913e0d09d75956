"""A real SMTP server on loopback, with its own certificates."""

from __future__ import annotations

import asyncio
import email
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.clock import SystemClock
from services.domain.message import Mail
from services.gateways.smtp import SmtpCredentials, SmtpMailer

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
    """Listens on a port chosen by the system, and passes that port on to the controller."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@dataclass
class Certificates:
    server: ssl.SSLContext
    trusting: ssl.SSLContext


def certify(folder: Path, name: x509.GeneralName) -> Certificates:
    """A self-signed certificate for ``name``, and a client context that trusts only it."""
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


@dataclass
class MailSetup:
    inbox: Inbox
    certificates: Certificates
    _open: Callable[..., int]

    def mailer(
        self, server: dict[str, Any] | None = None, *, trusted: bool = True, **credentials: Any
    ) -> SmtpMailer:
        """A mailer for a server with STARTTLS unless ``server`` says otherwise."""
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
