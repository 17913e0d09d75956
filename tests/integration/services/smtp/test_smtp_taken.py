"""Mail through the real mailer to a real SMTP server: what is accepted, and how it reads."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage

from services.domain.message import Taken
from tests.kit.smtp_loopback import (
    MAIL,
    PASSWORD,
    SENDER,
    TEXT,
    USER,
    MailSetup,
)


def unfolded(part: EmailMessage) -> str:
    """Return the part's text with LF line ends."""
    content = part.get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")


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
