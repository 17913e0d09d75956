"""What every turn has at hand, and one turn's own: the person, the event, the transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.messages import MAIL, SMS
from flows.event import Event
from flows.words import Texts
from services.domain.partner import Person
from services.otp import Issued
from services.policy import Policy
from services.ports import Keys, Random
from storage.outbox import OutboxRow
from storage.transaction import SqliteTx


@dataclass(frozen=True, slots=True)
class Desk:
    texts: Texts
    random: Random
    keys: Keys
    policy: Policy


@dataclass(slots=True)
class Turn:
    """One person's event inside one transaction. ``rows`` are messages beside the answer."""

    desk: Desk
    tx: SqliteTx
    event: Event
    person: Person
    rows: list[OutboxRow] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Of the event, with the moment: a channel's ids may start anew long after the event is
        forgotten."""
        return f"{self.event.channel}:{self.event.event_id}:{self.tx.now.isoformat()}"

    def reload(self) -> None:
        """Take the person in as they stand after a change of their own."""
        person = self.tx.people.at(self.event.channel, self.event.address)
        assert person is not None
        self.person = person

    def say(self, key: str, facts: Mapping[str, Any] | None = None) -> str:
        return self.desk.texts.say(self.person.language, key, facts)

    def send_code(self, issued: Issued, text: str, facts: Mapping[str, Any]) -> None:
        """Queue the code for the registered phone and the proved mail address, sealed."""
        words = self.say(text, {**facts, "code": issued.code})
        ways = [(SMS, self.person.phone.msisdn, words)]
        if self.person.email is not None:
            ways.append((MAIL, self.person.email, f"{self.say('mail.code_subject')}\n{words}"))
        for channel, address, message in ways:
            sealed = self.desk.keys.seal(message)
            row = self.tx.outbox.add(channel, address, kind="code", text=sealed, otp=issued.otp.id)
            self.rows.append(row)

    def sent_to(self) -> str:
        """Where this person's codes go, as they should read it."""
        person = self.person
        return str(person.phone) if person.email is None else f"{person.phone}, {person.email}"
