"""Mail over SMTP: one connection per mail, so that every answer is about that mail alone."""

from __future__ import annotations

import asyncio
import html
import re
import secrets
import ssl
from dataclasses import dataclass, field
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime

import aiosmtplib
import structlog

from services.domain.message import Mail, MessageAnswer, NotTaken, Taken, Unsure
from services.ports import Clock

SUBJECT_MAX = 200  # characters
TEXT_MAX = 100_000  # characters; a long statement has a tenth of it
ADDRESS_MAX = 254  # characters (RFC 5321)
QUIT_S = 2.0

# Plain mailboxes only: nothing that could terminate a header or an SMTP command.
_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*"
)
# Besides line breaks, "=?": it begins an encoded word, and `email` writes out raw any line breaks
# inside one (CVE-2024-6923).
_UNFIT_FOR_HEADER = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]|=\?")
_UNFIT_FOR_TEXT = re.compile(r"[\x00\ud800-\udfff]")
_ENHANCED_CODE = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
# Login or a stronger mechanism is required (RFC 4954): not the recipient's fault.
_ABOUT_LOGIN = frozenset({530, 534, 535, 538})
# 7-bit throughout, so that no server has to convert the mail.
_POLICY = policy.SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True)
class SmtpCredentials:
    """``sender`` is the plain address mails come from. ``call_s`` limits the time of a whole mail.

    Raises ``ValueError`` on an invalid address, on a user without a password or the reverse, and on
    a login without ``starttls``, which would expose the password.
    """

    host: str
    sender: str
    port: int = 587
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    starttls: bool = True
    call_s: float = 30.0

    def __post_init__(self) -> None:
        if not _is_address(self.sender):
            raise ValueError(f"not a plain mail address: {self.sender!r}")
        if (self.username is None) != (self.password is None):
            raise ValueError("a user name and a password come together")
        if self.username is not None and not self.starttls:
            raise ValueError("no login without STARTTLS")


class SmtpMailer:
    """``services.ports.Mailer`` over SMTP; nothing is retried here.

    ``tls_context`` is for a server with a certificate from a private authority. It must verify:
    ``ValueError`` otherwise.
    """

    def __init__(
        self,
        clock: Clock,
        credentials: SmtpCredentials,
        *,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        if tls_context is not None and not (
            tls_context.verify_mode is ssl.CERT_REQUIRED and tls_context.check_hostname
        ):
            raise ValueError("a TLS context must verify certificate and host name")
        self._clock = clock
        self._credentials = credentials
        self._tls_context = tls_context
        self._log = structlog.get_logger("smtp")

    async def send(self, mail: Mail) -> MessageAnswer:
        started = self._clock.monotonic()
        unfit = _unfit(mail)
        answer = NotTaken(unfit, final=True) if unfit else await self._deliver(mail)
        self._log_call(started, answer)
        return answer

    async def _deliver(self, mail: Mail) -> MessageAnswer:
        given = self._credentials
        message_id = f"<{secrets.token_hex(16)}@{given.sender.rpartition('@')[2]}>"
        content = _compose(mail, given.sender, message_id, self._clock.now())
        session = _Session(given, self._tls_context)
        try:
            async with self._clock.deadline(given.call_s):
                await session.open()
                await session.hand_over(mail.to, content)
        # ValueError: a server's words, or our own host name, that cannot be encoded.
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            return _read_failure(session.stage, error)
        else:
            await self._part(session)
            return Taken(message_id)
        finally:
            session.hang_up()

    async def _part(self, session: _Session) -> None:
        """Close the session. The mail was accepted, whatever happens here."""
        try:
            async with self._clock.deadline(QUIT_S):
                await session.quit()
        except (aiosmtplib.SMTPException, OSError) as error:
            self._log.debug("mail quit", error=type(error).__name__)

    def _log_call(self, started: float, answer: MessageAnswer) -> None:
        """One line per mail, without addresses, subject and text."""
        match answer:
            case Taken(detail):
                write = self._log.info
            case NotTaken(detail) | Unsure(detail):
                write = self._log.warning
        write(
            "mail",
            answer=type(answer).__name__,
            said=detail,
            ms=round((self._clock.monotonic() - started) * 1_000),
        )


class _Session:
    """One connection; ``stage`` is how far it got. Raises what aiosmtplib raises."""

    def __init__(self, given: SmtpCredentials, tls_context: ssl.SSLContext | None) -> None:
        self.stage = "connect"
        self._given = given
        self._wire: asyncio.BaseTransport | None = None
        self._smtp = aiosmtplib.SMTP(
            hostname=given.host,
            port=given.port,
            timeout=given.call_s,
            start_tls=False,  # done explicitly, to know the stage
            tls_context=tls_context,
        )

    async def open(self) -> None:
        given = self._given
        await self._smtp.connect()
        self._wire = self._smtp.transport
        if given.starttls:
            self.stage = "STARTTLS"
            await self._smtp.ehlo()
            if not self._smtp.supports_extension("starttls"):
                raise aiosmtplib.SMTPNotSupported("not offered")
            await self._smtp.starttls()
        if given.username is not None and given.password is not None:
            self.stage = "login"
            await self._smtp.login(given.username, given.password)

    async def hand_over(self, to: str, content: bytes) -> None:
        self.stage = "MAIL"
        await self._smtp.mail(self._given.sender)
        self.stage = "RCPT"
        await self._smtp.rcpt(to)
        self.stage = "DATA"
        await self._smtp.data(content)

    async def quit(self) -> None:
        await self._smtp.quit(timeout=QUIT_S)

    def hang_up(self) -> None:
        """Immediately: an unresponsive server would keep the socket open by not answering TLS's
        close."""
        if isinstance(self._wire, asyncio.WriteTransport):
            self._wire.abort()
        self._smtp.close()


def _is_address(text: str) -> bool:
    return len(text) <= ADDRESS_MAX and "=?" not in text and bool(_ADDRESS.fullmatch(text))


def _unfit(mail: Mail) -> str | None:
    """Why this mail can never be sent, without repeating any of it."""
    if not _is_address(mail.to):
        return "not a plain mail address"
    if len(mail.subject) > SUBJECT_MAX or _UNFIT_FOR_HEADER.search(mail.subject):
        return "a subject that cannot stand in a header"
    if len(mail.text) > TEXT_MAX or _UNFIT_FOR_TEXT.search(mail.text):
        return "a text too long, or not to be encoded"
    return None


def _compose(mail: Mail, sender: str, message_id: str, date: datetime) -> bytes:
    text = mail.text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    message = EmailMessage(policy=_POLICY)
    message["From"] = sender
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(date)
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"  # no auto-replies to a machine (RFC 3834)
    message.set_content(text)
    message.add_alternative(_as_html(text), subtype="html")
    return message.as_bytes()


def _as_html(text: str) -> str:
    paragraphs = (
        "<p>" + html.escape(paragraph).replace("\n", "<br>\n") + "</p>"
        for paragraph in re.split(r"\n(?:[ \t]*\n)+", text)
    )
    head = '<head><meta charset="utf-8"></head>'
    body = "\n".join(paragraphs)
    return f"<!doctype html>\n<html>{head}<body>\n{body}\n</body></html>"


def _read_failure(stage: str, error: Exception) -> MessageAnswer:
    """Before DATA the mail has not left; after it only an explicit refusal proves that.

    A 5xx is final if it is about the recipient or the mail. Before that it is about us, as are
    demands for a login.
    """
    why, code = f"{stage}: {_words(stage, error)}", 0
    if isinstance(error, aiosmtplib.SMTPResponseException):
        code = error.code
    if code // 100 not in (4, 5):
        return Unsure(why) if stage == "DATA" else NotTaken(why, final=False)
    about_mail = stage in ("RCPT", "DATA") and code not in _ABOUT_LOGIN
    return NotTaken(why, final=about_mail and code // 100 == 5)


def _words(stage: str, error: Exception) -> str:
    """For the log. A server's own words may name the recipient, so only its codes are kept."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        enhanced = _ENHANCED_CODE.match(error.message)
        return f"{error.code} {enhanced[0] if enhanced else ''}".rstrip()
    name = type(error).__name__
    if stage in ("connect", "STARTTLS") and str(error):  # no part of the mail was sent yet
        return f"{name}: {error}"[:200]
    return name
