"""What all turns share, and what belongs to one turn: person, event and transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from bot.observe.job_state import JobState
from bot.observe.metrics import Metrics
from bot.observe.statistics import StatisticsBoard
from bot.outbox.carriers import MAIL, SMS, buttons_to_json
from bot.rate_limits.strangers import StrangerLimiter
from flows.engine.capabilities import NOT_SERVED, ChannelCapabilities
from flows.engine.event import Button, Event
from flows.engine.taps import UNBOUND
from flows.engine.texts import Texts
from services.domain.audit import by_admin, by_key, by_person
from services.domain.outbox import OutboxRow
from services.domain.partner import Person
from services.domain.phone import Phone
from services.domain.spending import Spending
from services.domain.webhook_url import check_url
from services.float_settlement import PurchaseChange
from services.otp import Issued
from services.payments import PaymentEffect
from services.payout_settlement import PayoutChange
from services.policy import Policy
from services.ports import CheckUrl, Keys, Random, Tx

# The outcome of an operation, for who started it. One that was refused stands for itself.
OperationUpdate: TypeAlias = PaymentEffect | PurchaseChange | PayoutChange | Spending
ADMIN_FACTOR = 10  # limits are higher by this for admins, who page through everybody's records
Wakeup: TypeAlias = tuple[str, datetime | None]  # job name and due time; None: now


@dataclass(slots=True)
class BotIdentity:
    """The bot's public name; known once the channel has answered."""

    bot_name: str | None = None


@dataclass(frozen=True, slots=True)
class DatabaseGauges:
    """Measurements only the database can give: functions waiting, bytes on disk, how many processes
    serve it, and whether one of them leads."""

    waiting: Callable[[], int] = lambda: 0
    size_bytes: Callable[[], int] = lambda: 0
    processes: Callable[[], int] = lambda: 1
    is_led: Callable[[], bool] = lambda: True


class JobControl(Protocol):
    """What a turn may see of the scheduled jobs, and do with them."""

    @property
    def states(self) -> Mapping[str, JobState]: ...

    def stuck(self) -> Sequence[str]:
        """Those that run for too long, or are overdue and not running."""

    def ask(self, name: str) -> None:
        """Run it now, even when it is not due."""

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
    channels: Mapping[str, ChannelCapabilities] = field(default_factory=dict)
    check_webhook_url: CheckUrl = check_url
    dashboard_url: str | None = None  # without a slash at the end; None: it is not served

    def channel(self, name: str) -> ChannelCapabilities:
        """What a channel can do. Stored accounts may be on one that this program does not have."""
        return self.channels.get(name, NOT_SERVED)

    def accounts_to_tell(
        self, tx: Tx, person: Person, began: tuple[str, str] | None = None
    ) -> list[tuple[str, str]]:
        """Where to send a person what they did not ask for: their accounts, or their phone if all
        of those are on channels that only answer. Empty for somebody unlinked. What they ``began``
        on the menu of a phone is told to that phone, unless it is theirs no more: there may be
        nothing else at hand."""
        if began is not None and self.channel(began[0]).phone_menu and _is_of(tx, person, began):
            told = self.account_to_tell(tx, *began)
            return [] if told is None else [told]
        accounts = tx.people.addresses(person.id)
        reached = [account for account in accounts if self.channel(account[0]).push]
        if accounts and not reached and self.channel(SMS).push:
            return [(SMS, person.phone.msisdn)]
        return reached

    def account_to_tell(self, tx: Tx, channel: str, address: str) -> tuple[str, str] | None:
        """This account, or where else its person can be told; ``None``: nowhere."""
        if self.channel(channel).push:
            return channel, address
        if self.channel(channel).phone_menu and self.channel(SMS).push:
            return SMS, address
        person = tx.people.at(channel, address)
        return None if person is None else next(iter(self.accounts_to_tell(tx, person)), None)

    def wake_jobs(self, wakes: Iterable[Wakeup]) -> None:
        """Call after the commit of what asked for them."""
        if self.jobs is None:
            return
        for job, due in wakes:
            if due is None:
                self.jobs.ask(job)
            else:
                self.jobs.wake(job, due)

    @property
    def admin_names(self) -> frozenset[str]:
        """The admins, named as in the audit log."""
        return frozenset(by_admin(channel, address) for channel, address in self.admins)


def _is_of(tx: Tx, person: Person, account: tuple[str, str]) -> bool:
    found = tx.people.at(*account)
    return found is not None and found.id == person.id


def queue_admin_notices(
    tx: Tx,
    context: AppContext,
    key: str,
    facts: Mapping[str, Any],
    but: tuple[str, str] | None = None,
) -> list[OutboxRow]:
    """Queue a notice to every admin except ``but``."""
    text = context.texts.say("en", key, facts)
    return [
        tx.outbox.add(channel, address, kind="notice", text=text)
        for channel, address in context.admins
        if (channel, address) != but
    ]


@dataclass(slots=True)
class TurnContext:
    """One event inside one transaction.

    ``wakes`` are jobs to run after the commit, ``rows`` are messages in addition to the answer,
    and ``outcomes`` are reported to the people who started those operations. ``linked_person`` is
    ``None`` for an unlinked address and for an admin who belongs to no partner. ``api_key`` is the
    id of the key by which a partner's system acts; the person is then the one whose code it uses.
    """

    app: AppContext
    tx: Tx
    event: Event
    linked_person: Person | None
    is_admin: bool = False
    api_key: str | None = None
    rows: list[OutboxRow] = field(default_factory=list)
    outcomes: list[OperationUpdate] = field(default_factory=list)
    wakes: list[Wakeup] = field(default_factory=list)

    def wake(self, job: str, due: datetime | None = None) -> None:
        """Run the job after this commits: at once, or at ``due``."""
        self.wakes.append((job, due))

    @property
    def person(self) -> Person:
        """The linked person, for screens that only people of partners can reach."""
        assert self.linked_person is not None, "nobody unlinked gets this far"
        return self.linked_person

    @property
    def sender(self) -> tuple[str, str]:
        """Channel and address the event came from."""
        return self.event.channel, self.event.address

    @property
    def language(self) -> str:
        return "en" if self.linked_person is None else self.linked_person.language

    @property
    def actor(self) -> str:
        """The acting person, admin or key, named as in the audit log."""
        if self.api_key is not None:
            return by_key(self.api_key)
        if self.linked_person is not None and not self.is_admin:
            return by_person(self.linked_person.id)
        return by_admin(self.event.channel, self.event.address)

    def audit(
        self, partner: str, act: str, about: str, facts: Mapping[str, object] | None = None
    ) -> None:
        """Record an act in the same transaction. ``facts``: no secrets, and phones masked."""
        self.tx.audit.add(partner, self.actor, act, about, facts)

    @property
    def key(self) -> str:
        """Identifies the event. It includes the time, because a channel may reuse ids long after
        the event was deleted."""
        return f"{self.event.channel}:{self.event.event_id}:{self.tx.now.isoformat()}"

    def reload(self) -> None:
        """Reload the person after they changed their own details."""
        self.linked_person = self.tx.people.at(self.event.channel, self.event.address)

    def say(self, key: str, facts: Mapping[str, Any] | None = None) -> str:
        return self.app.texts.say(self.language, key, facts, short=self.on_phone_menu)

    @property
    def on_phone_menu(self) -> bool:
        return self.app.channel(self.event.channel).phone_menu

    def phrase(self, kind: str, value: object) -> str:
        """The words for a stored value (``Texts.phrase``)."""
        return self.app.texts.phrase(self.language, kind, value)

    def send_code(self, issued: Issued, text: str, facts: Mapping[str, Any]) -> None:
        """Queue the code, sealed, for the registered phone and the verified mail address."""
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
        """Queue the code, sealed, for a phone number, a mail address or both."""
        self.wake("codes", issued.otp.expires_at)
        words = self.say(text, {**facts, "code": issued.code})
        if phone is not None:
            self._seal(SMS, phone.msisdn, words, issued.otp.id)
        if email is not None:
            self._seal(MAIL, email, f"{self.say('mail.code_subject')}\n{words}", issued.otp.id)

    def send_sealed(self, secret: str, words: str) -> None:
        """Queue text that contains a secret, identified by ``secret``, for this person.

        Whoever reaches this has somewhere to be written to: an admin's chat, or their own phone.
        """
        to = self.app.account_to_tell(self.tx, *self.sender)
        assert to is not None, "a secret is only made for somebody who can be written to"
        self._seal(*to, words, secret)

    def _seal(self, channel: str, address: str, words: str, secret: str) -> None:
        sealed = self.app.keys.seal(words)
        row = self.tx.outbox.add(channel, address, kind="code", text=sealed, otp=secret)
        self.rows.append(row)

    def queue_notice(self, channel: str, address: str, text: str) -> None:
        """Queue a notice to another chat, unless its channel only answers."""
        if self.app.channel(channel).push:
            self.rows.append(self.tx.outbox.add(channel, address, kind="notice", text=text))

    def notify_person(
        self,
        person: Person,
        key: str,
        facts: Mapping[str, Any],
        *,
        opens: str,
        began: tuple[str, str] | None = None,
    ) -> None:
        """Queue a notice to a person, everywhere, with a button that opens a flow. ``began`` as for
        ``accounts_to_tell``."""
        texts, language = self.app.texts, person.language
        button = Button(opens, texts.say(language, f"menu.{opens}"))
        for channel, address in self.app.accounts_to_tell(self.tx, person, began):
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
        """Queue a notice to every admin except the one acting."""
        own = (self.event.channel, self.event.address)
        self.rows += queue_admin_notices(self.tx, self.app, key, facts, but=own)

    def code_destination(self) -> str:
        """Where this person's codes are sent, in display form."""
        person = self.person
        return str(person.phone) if person.email is None else f"{person.phone}, {person.email}"
