"""The simulated inboxes: the SMS of each phone, the mail of each address."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from services.domain.message import Mail, MessageAnswer, NotTaken, Taken, Unsure
from services.domain.phone import Phone

CARRIER_FAULTS: dict[str, NotTaken | Unsure | None] = {
    "up": None,
    "down": NotTaken("the carrier is down", final=False),
    "refuses": NotTaken("the carrier refuses", final=True),
    "unsure": Unsure("read timeout"),  # it arrives, and the answer does not
}


@dataclass
class SmsInboxes:
    """``services.ports.Sms``. While ``fault`` is set, that is what a send meets. Only one whose
    answer is lost arrives."""

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
    """``services.ports.Mailer``, the same for mail."""

    mails: dict[str, list[Mail]] = field(default_factory=lambda: defaultdict(list))
    fault: NotTaken | Unsure | None = None

    async def send(self, mail: Mail) -> MessageAnswer:
        if isinstance(self.fault, NotTaken):
            return self.fault
        self.mails[mail.to].append(mail)
        if self.fault is not None:
            return self.fault
        return Taken(f"<{len(self.mails[mail.to])}.{mail.to}>")
