"""The simulated inboxes: the SMS of each phone, the mail of each address."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from services.domain.message import Mail, MessageAnswer, NotTaken, Taken
from services.domain.phone import Phone

FAULTS = {
    "up": None,
    "down": NotTaken("the carrier is down", final=False),
    "refuses": NotTaken("the carrier refuses", final=True),
}


@dataclass
class SmsInboxes:
    """``services.ports.Sms``. While ``fault`` is set, that is what a send meets."""

    texts: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    fault: NotTaken | None = None

    async def send(self, to: Phone, text: str) -> MessageAnswer:
        if self.fault is not None:
            return self.fault
        self.texts[to.msisdn].append(text)
        return Taken(f"SIM-{to.msisdn}-{len(self.texts[to.msisdn])}")


@dataclass
class MailInboxes:
    """``services.ports.Mailer``, the same for mail."""

    mails: dict[str, list[Mail]] = field(default_factory=lambda: defaultdict(list))
    fault: NotTaken | None = None

    async def send(self, mail: Mail) -> MessageAnswer:
        if self.fault is not None:
            return self.fault
        self.mails[mail.to].append(mail)
        return Taken(f"<{len(self.mails[mail.to])}.{mail.to}>")
