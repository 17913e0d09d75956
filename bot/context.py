"""What every turn has at hand, and one turn's own: the person, the event, the transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from bot.observe.job_state import JobState
from bot.observe.metrics import Metrics
from bot.observe.statistics import StatisticsBoard
from bot.outbox.carriers import MAIL, SMS, buttons_to_json
from bot.runtime.strangers import StrangerLimiter
from flows.engine.engine import UNBOUND
from flows.engine.event import Button, Event
from flows.engine.texts import Texts
from services.domain.audit import by_admin, by_person
from services.domain.float_purchase import Purchase
from services.domain.partner import Person
from services.domain.phone import Phone
from services.float_settlement import PurchaseChange
from services.otp import Issued
from services.payments import PaymentEffect
from services.policy import Policy
from services.ports import Keys, Random
from storage.stores.outbox import OutboxRow
from storage.transaction import SqliteTx

# What became of an operation, to be told to whoever began it: a purchase that we refused is itself.
OperationUpdate: TypeAlias = PaymentEffect | PurchaseChange | Purchase
ADMIN_FACTOR = 10  # so much more an admin may: they page through everybody's
Wakeup: TypeAlias = tuple[str, datetime | None]  # a job, and when; None: now


@dataclass(slots=True)
class BotIdentity:
    """How the desk is found from outside; known once the channel has answered."""

    bot_name: str | None = None


@dataclass(frozen=True, slots=True)
class DatabaseGauges:
    """What only the database itself knows of how it is: functions that wait, and bytes on disk."""

    waiting: Callable[[], int] = lambda: 0
    size_bytes: Callable[[], int] = lambda: 0


class JobControl(Protocol):
    """What a turn may know of the scheduled jobs, and do with them."""

    @property
    def states(self) -> Mapping[str, JobState]: ...

    def ask(self, name: str) -> None:
        """Run it now, even if it is not due."""

    def wake(self, name: str, due: datetime | None = None) -> None:
        """Run it now, or at ``due``."""


@dataclass(frozen=True, slots=True)
class AppContext:
    texts: Texts
    random: Random
    keys: Keys
    policy: Policy
    admins: tuple[tuple[str, str], ...] = ()  # channel and address of each
    bot_identity: BotIdentity = field(default_factory=BotIdentity)
    gauges: DatabaseGauges = field(default_factory=DatabaseGauges)
    jobs: JobControl | None = None
    board: StatisticsBoard = field(default_factory=StatisticsBoard)
    metrics: Metrics = field(default_factory=Metrics)
    strangers: StrangerLimiter = field(default_factory=StrangerLimiter)

    @property
    def admin_names(self) -> frozenset[str]:
        """The admins as the audit log names them."""
        return frozenset(by_admin(channel, address) for channel, address in self.admins)


def queue_admin_notices(
    tx: SqliteTx,
    context: AppContext,
    key: str,
    facts: Mapping[str, Any],
    but: tuple[str, str] | None = None,
) -> list[OutboxRow]:
    """Queue a notice to every admin, ``but`` for one."""
    text = context.texts.say("en", key, facts)
    return [
        tx.outbox.add(channel, address, kind="notice", text=text)
        for channel, address in context.admins
        if (channel, address) != but
    ]


@dataclass(slots=True)
class TurnContext:
    """One event inside one transaction. ``wakes`` are jobs that are to run once it is committed,
    ``rows`` are messages beside the answer, ``outcomes`` of
    operations are told to whoever began those.

    ``known`` is nobody where the address is not linked, or an admin who is nobody's person.
    """

    app: AppContext
    tx: SqliteTx
    event: Event
    linked_person: Person | None
    is_admin: bool = False
    rows: list[OutboxRow] = field(default_factory=list)
    outcomes: list[OperationUpdate] = field(default_factory=list)
    wakes: list[Wakeup] = field(default_factory=list)

    def wake(self, job: str, due: datetime | None = None) -> None:
        """Run it once this is committed: now, or at ``due``."""
        self.wakes.append((job, due))

    @property
    def person(self) -> Person:
        """Whose turn it is, where only people of partners get to."""
        assert self.linked_person is not None, "nobody unlinked gets this far"
        return self.linked_person

    @property
    def sender(self) -> tuple[str, str]:
        """Channel and address of who writes."""
        return self.event.channel, self.event.address

    @property
    def language(self) -> str:
        return "en" if self.linked_person is None else self.linked_person.language

    @property
    def actor(self) -> str:
        """Who acts, as the audit log names them."""
        if self.linked_person is not None and not self.is_admin:
            return by_person(self.linked_person.id)
        return by_admin(self.event.channel, self.event.address)

    def audit(
        self, partner: str, act: str, about: str, facts: Mapping[str, object] | None = None
    ) -> None:
        """Leave the trace of an act in its own transaction; no secret, and phones masked."""
        self.tx.audit.add(partner, self.actor, act, about, facts)

    @property
    def key(self) -> str:
        """Of the event, with the moment: a channel's ids may start anew long after the event is
        forgotten."""
        return f"{self.event.channel}:{self.event.event_id}:{self.tx.now.isoformat()}"

    def reload(self) -> None:
        """Take the person in as they stand after a change of their own."""
        self.linked_person = self.tx.people.at(self.event.channel, self.event.address)

    def say(self, key: str, facts: Mapping[str, Any] | None = None) -> str:
        return self.app.texts.say(self.language, key, facts)

    def send_code(self, issued: Issued, text: str, facts: Mapping[str, Any]) -> None:
        """Queue the code for the registered phone and the proved mail address, sealed."""
        person = self.person
        self.send_code_to(issued, text, facts, phone=person.phone, email=person.email)

    def send_code_to(
        self,
        issued: Issued,
        text: str,
        facts: Mapping[str, Any],
        *,
        phone: Phone | None = None,
        email: str | None = None,
    ) -> None:
        """Queue the code for a number, a mail address or both, sealed."""
        self.wake("codes", issued.otp.expires_at)
        words = self.say(text, {**facts, "code": issued.code})
        if phone is not None:
            self._seal(SMS, phone.msisdn, words, issued.otp.id)
        if email is not None:
            self._seal(MAIL, email, f"{self.say('mail.code_subject')}\n{words}", issued.otp.id)

    def send_sealed(self, secret: str, words: str) -> None:
        """Queue words that hold a secret, named ``secret``, for this very chat."""
        self._seal(self.event.channel, self.event.address, words, secret)

    def _seal(self, channel: str, address: str, words: str, secret: str) -> None:
        sealed = self.app.keys.seal(words)
        row = self.tx.outbox.add(channel, address, kind="code", text=sealed, otp=secret)
        self.rows.append(row)

    def queue_notice(self, channel: str, address: str, text: str) -> None:
        """Queue a notice to somebody else."""
        self.rows.append(self.tx.outbox.add(channel, address, kind="notice", text=text))

    def notify_person(
        self, person: Person, key: str, facts: Mapping[str, Any], *, opens: str
    ) -> None:
        """Queue a notice to every account of a person, with a button that opens a flow."""
        texts, language = self.app.texts, person.language
        button = Button(opens, texts.say(language, f"menu.{opens}"))
        for channel, address in self.tx.people.addresses(person.id):
            row = self.tx.outbox.add(
                channel,
                address,
                kind="notice",
                text=texts.say(language, key, facts),
                rows=buttons_to_json(((button,),)),
                turn=UNBOUND,
            )
            self.rows.append(row)

    def notify_admins(self, key: str, facts: Mapping[str, Any]) -> None:
        """Queue a notice to every admin but the one whose turn it is."""
        own = (self.event.channel, self.event.address)
        self.rows += queue_admin_notices(self.tx, self.app, key, facts, but=own)

    def code_destination(self) -> str:
        """Where this person's codes go, as they should read it."""
        person = self.person
        return str(person.phone) if person.email is None else f"{person.phone}, {person.email}"
