"""Simulated inboxes: the SMS of each phone and the mail of each address."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from services.domain.message import Mail, MessageAnswer, NotTaken, Taken, Unsure
from services.domain.phone import Phone

CARRIER_FAULTS: dict[str, NotTaken | Unsure | None] = {
    "up": None,
    "down": NotTaken("the carrier is down", final=False),
    "refuses": NotTaken("the carrier refuses", final=True),
    "unsure": Unsure("read timeout"),  # delivered, but the carrier's answer is lost
}


@dataclass
class SmsInboxes:
    """``services.ports.Sms``. While ``fault`` is set, every send meets it; a message is delivered
    only if the fault is a lost answer.
    """

    texts: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    fault: NotTaken | Unsure | None = None

    async def send(self, to: Phone, text: str) -> MessageAnswer:
        if isinstance(self.fault, NotTaken):
            return self.fault
        self.texts[to.msisdn].append(text)
        if self.fault is not None:
            return self.fault
        return Taken(f"SIM-{to.msisdn}-{len(self.texts[to.msisdn])}")


@dataclass
class MailInboxes:
    """``services.ports.Mailer``; faults work as for SMS."""

    mails: dict[str, list[Mail]] = field(default_factory=lambda: defaultdict(list))
    fault: NotTaken | Unsure | None = None

    async def send(self, mail: Mail) -> MessageAnswer:
        if isinstance(self.fault, NotTaken):
            return self.fault
        self.mails[mail.to].append(mail)
        if self.fault is not None:
            return self.fault
        return Taken(f"<{len(self.mails[mail.to])}.{mail.to}>")
