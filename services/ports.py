"""What the use cases need from outside, as protocols; ``bot.bootstrap`` decides what is behind."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date, datetime, timedelta
from typing import Protocol

from services.domain.adjustment import Adjustment
from services.domain.api_key import ApiKey
from services.domain.approval import Approval, Decision
from services.domain.bank import (
    FloatAnswer,
    FloatOrder,
    InitiateAnswer,
    NoAnswer,
    NotSent,
    Prompt,
    QrPicture,
    QueryAnswer,
    Ready,
    StatusAnswer,
)
from services.domain.block import Block
from services.domain.fees import Fee, FeeKind
from services.domain.float_purchase import Purchase
from services.domain.ids import RandomSource
from services.domain.invite import Invite
from services.domain.ledger import Account, AccountKind, Balance, Transfer
from services.domain.message import Mail, MessageAnswer
from services.domain.money import Money
from services.domain.notification import NotificationKind, NotificationPreference
from services.domain.operation import Operation
from services.domain.otp import ChannelAddress, CodeHolder, CodeIssue, Otp, OtpStatus, Purpose
from services.domain.partner import Partner, Person, Role
from services.domain.payment import (
    BankNotification,
    Payment,
    RecordedPayment,
    StoredNotification,
    SuspenseReason,
)
from services.domain.phone import Phone
from services.domain.proposal import Proposal, ProposalStatus
from services.domain.reconciliation import BankLine, Finding, ReconciliationDay
from services.domain.statement import Movement
from services.domain.statement_repeats import StoredLine
from services.domain.topup import TopUp


class Clock(Protocol):
    """The only source of time for whatever waits."""

    def now(self) -> datetime:
        """UTC, aware. Somebody may set it: what waits inside the program counts no such moments."""
        ...

    def monotonic(self) -> float:
        """Seconds since some beginning, which nobody can set."""
        ...

    async def sleep(self, seconds: float) -> None: ...

    def deadline(self, seconds: float) -> AbstractAsyncContextManager[None]:
        """Raises ``TimeoutError`` inside the block when the seconds have passed on this clock."""
        ...


class Random(RandomSource, Protocol):
    """Randomness: ``random.SystemRandom`` for real, seeded in simulation."""

    def uniform(self, a: float, b: float) -> float: ...


class Collections(Protocol):
    """NCBA's collections API (facts: NCBA 1). Answers are values; only cancellation raises."""

    async def prepare(self) -> Ready | NotSent:
        """Put a fresh token in hand, before the intent to send is committed."""
        ...

    async def initiate(self, ready: Ready, prompt: Prompt) -> InitiateAnswer:
        """Ask for one prompt. Called once per top-up, ever; never repeated inside."""
        ...

    async def query(self, bank_id: str) -> QueryAnswer:
        """Ask what became of a prompt. Free to repeat."""
        ...

    async def qr(self, reference: str, amount: Money) -> QrPicture | NoAnswer:
        """A picture to be scanned and paid by. Free to repeat."""
        ...


class FloatBank(Protocol):
    """NCBA's Open Banking API (facts: NCBA 3). Answers are values; only cancellation raises."""

    async def prepare(self) -> Ready | NotSent:
        """Put a fresh token in hand, before the intent to send is committed."""
        ...

    async def purchase(self, ready: Ready, order: FloatOrder) -> FloatAnswer:
        """Buy float. Called once per purchase, ever; never repeated inside."""
        ...

    async def status(self, reference: str) -> StatusAnswer:
        """Ask what became of a purchase, by our reference. Free to repeat."""
        ...


class BankStatements(Protocol):
    """NCBA's statement of our account (facts: NCBA 3)."""

    async def lines(self, day: date) -> Sequence[BankLine] | NoAnswer:
        """All lines of a business day, or none of them. Free to repeat."""
        ...


class Sms(Protocol):
    async def send(self, to: Phone, text: str) -> MessageAnswer:
        """Hand one SMS to the carrier, once. Only cancellation raises."""
        ...


class Mailer(Protocol):
    async def send(self, mail: Mail) -> MessageAnswer:
        """Hand one mail to the server, once. Only cancellation raises."""
        ...


class Ledger(Protocol):
    def open_accounts(self, partner: str, kinds: Iterable[AccountKind], currency: str) -> None:
        """Open what is not open yet, empty."""
        ...

    def book(self, *transfers: Transfer) -> None:
        """Book all; a transfer whose id stands already is the same leg and changes nothing."""
        ...

    def balance(self, account: Account) -> Balance: ...


class TopUps(Protocol):
    """The top-ups among ``wallet_transactions``, with one ``ncb_stk_push_logs`` row each."""

    def add(self, topup: TopUp, key: str) -> bool:
        """False when the reference is taken: draw another."""
        ...

    def get(self, reference: str) -> TopUp | None: ...

    def find_open(
        self, partner: str, phone: Phone, amount: Money, since: datetime
    ) -> TopUp | None: ...

    def nth_prompt(self, n: int, phone: Phone, since: datetime, *, own: bool) -> datetime | None:
        """When the ``n``-th newest prompt to it after ``since`` was begun, of any partner: by those
        whose registered number it is, or by all others. ``None`` where there were fewer."""
        ...

    def claim(self, lease: timedelta, sends: int, queries: int) -> Sequence[TopUp]:
        """Take what is due, not yet accepted by the bank (``sends``) and already (``queries``).

        Each is due again when ``lease`` ends, with its attempt number grown by one.
        """
        ...

    def next_due(self) -> datetime | None: ...

    def save(self, topup: TopUp) -> None:
        """Write what may change: state, reason, times, bank id, receipt, due moment, slow."""
        ...

    def put_off(self, reference: str, due_at: datetime | None) -> None:
        """Ask again then, or never; all else stays as it was."""
        ...

    def without_receipt(
        self, amount: Money, phone: Phone | None, since: datetime, until: datetime
    ) -> Sequence[TopUp]:
        """Begun or prompted in that time and without a receipt, of any partner: of one phone, or
        of any."""
        ...

    def with_inferred_receipt(
        self, amount: Money, phone: Phone | None, since: datetime, until: datetime
    ) -> Sequence[TopUp]:
        """The same, of those whose receipt was matched by payer and time only."""
        ...

    def of_bank_id(self, bank_id: str) -> Sequence[TopUp]:
        """Those that the bank gave this id, whether or not it is asked about."""
        ...

    def share_id(self, reference: str, bank_id: str) -> None:
        """Note that another prompt has this id too; who saves the top-up leaves ``bank_id`` out."""
        ...

    def log_push(self, reference: str, status: str, description: str) -> None:
        """Note the bank's words on the push's own row; ``status`` asked, accepted, …"""
        ...

    def end_leases(self) -> int:
        """At start-up, with the database to ourselves: whoever held a lease is gone."""
        ...

    def begun_since(self, moment: datetime, partner: str) -> Money:
        """What the partner asked for since, less what surely was not paid."""
        ...

    def recent_amounts(self, person_id: int, limit: int) -> Sequence[Money]:
        """Distinct amounts this person has paid in, latest first."""
        ...

    def recent_phones(self, person_id: int, limit: int) -> Sequence[Phone]:
        """Distinct numbers this person has paid from, latest first."""
        ...


class Blocks(Protocol):
    """Numbers that get no prompts, from one partner or from nobody."""

    def add(self, block: Block) -> bool:
        """False where it stands already."""
        ...

    def remove(self, phone: Phone, partner: str) -> bool: ...

    def of_phone(self, phone: Phone) -> Sequence[Block]: ...

    def is_blocked(self, phone: Phone, partner: str) -> bool:
        """For this partner, or for everybody."""
        ...


class Purchases(Protocol):
    """The float purchases among ``wallet_transactions``, with one ``float_purchases`` row each."""

    def add(self, purchase: Purchase, key: str) -> bool:
        """False when the reference is taken: draw another."""
        ...

    def get(self, reference: str) -> Purchase | None: ...

    def quoted(self, channel: str, address: str) -> Purchase | None:
        """The one quote that this address looks at, if any."""
        ...

    def awaiting(
        self, person_id: int, channel: str, address: str, amount: Money
    ) -> Purchase | None:
        """The person's newest one of this amount that waits, or waited, for a second person's
        yes."""
        ...

    def without_code(self, person_id: int) -> Sequence[Purchase]:
        """What the person has begun and no code was drawn for yet."""
        ...

    def save(self, purchase: Purchase) -> None:
        """Write what may change; the amount only while it is ``QUOTED``, the quote also while it
        waits for a second person."""
        ...

    def claim(self, lease: timedelta, sends: int, queries: int) -> Sequence[Purchase]:
        """Take what is due, to be sent (``sends``) and to be asked about (``questions``).

        Each is due again when ``lease`` ends, with its attempt number grown by one.
        """
        ...

    def bought_since(self, moment: datetime, partner: str | None = None) -> Money:
        """What was authorised since and has not failed, without fees; of one partner, or all."""
        ...

    def unknown(self, partner: str, amount: Money) -> Purchase | None:
        """The newest purchase of this amount whose fate the bank has not told yet."""
        ...

    def stale_quotes(self, before: datetime, limit: int) -> Sequence[Purchase]:
        """Quotes made before this that nobody confirmed."""
        ...


class Approvals(Protocol):
    """What second persons are asked, and say."""

    def ask(self, purchase: str, partner: str, person_id: int) -> Approval: ...

    def get(self, purchase: str) -> Approval | None: ...

    def decide(self, purchase: str, decision: Decision, person_id: int | None) -> None:
        """Only what is undecided; ``person_id`` is never who asked."""
        ...

    def undecided(
        self, partner: str, but: int, since: datetime, after: str | None, limit: int
    ) -> Sequence[Approval]:
        """What others than ``but`` have asked for after ``since``; oldest first, from behind the
        purchase ``after``."""
        ...

    def unused_of(self, person_id: int) -> Sequence[str]:
        """Purchases that this person has agreed to, and that no code has let go of yet."""
        ...

    def stale(self, before: datetime, limit: int) -> Sequence[str]:
        """Purchases that wait, for a decision or for who asked, since that moment or before."""
        ...


class ApiKeys(Protocol):
    """API keys, by the digest of them only."""

    def add(self, key: ApiKey, digest: str) -> bool:
        """False when the id is taken: draw another."""
        ...

    def get(self, key_id: str) -> ApiKey | None: ...

    def digest_of(self, key_id: str) -> str | None: ...

    def of(self, partner: str) -> Sequence[ApiKey]:
        """Newest first, those that are over too."""
        ...

    def used(self, key_id: str) -> None: ...

    def revoke(self, key_id: str) -> None: ...


class Operations(Protocol):
    """Every operation of a partner that has become one, whatever its type."""

    def page(
        self, partner: str, size: int, *, before: str | None = None, after: str | None = None
    ) -> Sequence[Operation]:
        """Newest first, beyond ``before`` or, going back, next to ``after`` (references)."""
        ...


class Keys(Protocol):
    """Keys that are not in the database; several, so that they can be changed one by one."""

    @property
    def pepper_id(self) -> str:
        """Which key new codes are digested with."""
        ...

    def pepper(self, pepper_id: str) -> bytes:
        """Of a key that is gone: bytes that match nothing."""
        ...

    def seal(self, text: str) -> str: ...

    def unseal(self, sealed: str) -> str | None:
        """``None`` where no key of ours opens it."""
        ...


class Otps(Protocol):
    """The rows of ``otp_validations`` (facts: one-time codes)."""

    def add(self, otp: Otp) -> None: ...

    def newest(self, operation: str) -> Otp | None: ...

    def of_id(self, otp_id: str) -> Otp | None: ...

    def count_attempt(self, operation: str) -> Otp | None:
        """Count one more check of the live code; ``None`` when there is none to check."""
        ...

    def end(self, otp_id: str, status: OtpStatus) -> None:
        """Take a live code out of ``pending``; messages that still carry it are wiped."""
        ...

    def pending_of(self, partner: str) -> Sequence[Otp]: ...

    def expired(self, limit: int) -> Sequence[Otp]:
        """Pending ones whose time has run out."""
        ...

    def issued_in(self, partner: str, purpose: Purpose, since: datetime) -> Sequence[CodeIssue]:
        """Codes of the partner's people, or of accounts that join it; newest first."""
        ...

    def issued_to_phone(
        self, phone: Phone, purpose: Purpose, since: datetime
    ) -> Sequence[datetime]:
        """When, newest first."""
        ...

    def issued_to(self, destination: str, purpose: Purpose, since: datetime) -> Sequence[datetime]:
        """The same, to a contact that was to prove itself: a number or a mail address."""
        ...

    def issued_for_account(
        self, account: ChannelAddress, purpose: Purpose, since: datetime
    ) -> Sequence[datetime]: ...

    def failed_attempts(self, who: CodeHolder, since: datetime) -> int:
        """Over all codes that lived since then and were drawn since their last unlocking, however
        each ended."""
        ...

    def lock(self, who: CodeHolder) -> None: ...

    def locked_since(self, who: CodeHolder) -> datetime | None: ...

    def unlock(self, who: CodeHolder, by: str) -> bool: ...

    def accounts_of(self, phone: Phone) -> Sequence[ChannelAddress]:
        """Those of the people whose number it is, and those that want to join with it."""
        ...

    def delete_before(self, moment: datetime, limit: int) -> int:
        """Delete ended codes that were drawn before this; returns how many went."""
        ...


class Fees(Protocol):
    def in_force(self, partner: str, kind: FeeKind) -> Fee:
        """The newest version that has begun; a fee of nothing where none was agreed."""
        ...

    def set(self, partner: str, fee: Fee, source: str) -> None:
        """Add a version, in force from now; its number is the database's to give."""
        ...


class Evidence(Protocol):
    """Append-only: what the outside said, and each call to it."""

    def add(self, operation: str, kind: str, source: str, text: str) -> None: ...

    def call(
        self, operation: str, call: str, attempt: int, outcome: str, text: str, milliseconds: int
    ) -> None: ...

    def has_money_call(self, operation: str) -> bool:
        """Whether the answer to the one request that may move money is written down already."""
        ...

    def open_review(self, operation: str, why: str) -> None:
        """Open a review item for the admins, once per operation and reason."""
        ...

    def reopen_review(self, operation: str, why: str) -> None:
        """Open a closed item again."""
        ...

    def close_reviews(self, operation: str, why: str | None = None) -> None:
        """Those of one reason, or all."""
        ...

    def open_review_reasons(self, operation: str) -> Sequence[str]:
        """Why an admin must look at it, now."""
        ...


class Limits(Protocol):
    def in_force(self, name: str, partner: str = "") -> Money:
        """The dated limit that applies at this moment, the partner's own before everybody's.

        Raises ``KeyError`` if there is none.
        """
        ...

    def find(self, name: str, partner: str = "") -> Money | None:
        """As ``in_force``, for a limit that need not be set."""
        ...

    def set_from_now(self, name: str, limit: Money, source: str, partner: str = "") -> None:
        """Add a row; the ones before it stay for the days they were in force."""
        ...


class Proposals(Protocol):
    def add(self, proposal: Proposal) -> bool:
        """False when its id, or an adjustment's reference, is taken: draw another."""
        ...

    def get(self, proposal_id: str) -> Proposal | None: ...

    def open_about(self, about: str) -> Proposal | None: ...

    def decide(self, proposal_id: str, status: ProposalStatus, by: str | None) -> bool:
        """Close it, once; false when somebody or something was faster."""
        ...

    def supersede(self, about: str) -> None:
        """Evidence has settled what is proposed about this operation."""
        ...


class Adjustments(Protocol):
    def add(self, adjustment: Adjustment, proposal: str) -> None: ...


class People(Protocol):
    def add_partner(self, partner: Partner) -> None:
        """Add the partner and its wallet's settings, or bring those up to date."""
        ...

    def partner(self, code: str) -> Partner | None: ...

    def at(self, channel: str, address: str) -> Person | None:
        """Whose address this is, with partner and role as they stand now."""
        ...

    def of_name(self, partner: str, name: str) -> Person | None: ...

    def of_id(self, person_id: int) -> Person | None: ...

    def of(self, partner: str) -> Sequence[Person]:
        """Everybody of the partner, in the order in which they were added."""
        ...

    def add_person(
        self, partner: str, name: str, role: Role, phone: Phone, email: str | None, language: str
    ) -> int:
        """Add a person, or bring one of that name up to date; returns the id."""
        ...

    def reserve_name(self, partner: str, name: str, role: Role, phone: Phone) -> int:
        """Keep an id for somebody who was invited under a name that nobody has: they are nobody,
        and no list knows them, until ``add_person``."""
        ...

    def linked_with(self, phone: Phone) -> Sequence[Person]:
        """Everybody with an account whose registered number it is."""
        ...

    def addresses(self, person_id: int) -> Sequence[tuple[str, str]]:
        """Channel and address of each account that is linked to the person."""
        ...

    def linked_at(self, person_id: int) -> datetime | None:
        """When the newest of the person's accounts was linked; ``None`` without one."""
        ...

    def was_ever_linked(self, person_id: int) -> bool:
        """Whether any account has ever been theirs."""
        ...

    def link(
        self,
        channel: str,
        address: str,
        person_id: int,
        *,
        frozen_since: datetime | None = None,
    ) -> None: ...

    def unlink(self, channel: str, address: str) -> None: ...

    def set_language(self, person_id: int, language: str) -> None: ...

    def set_phone(self, person_id: int, phone: Phone) -> None: ...

    def set_email(self, person_id: int, email: str | None) -> None: ...

    def forget_phone(self, person_id: int, phone: Phone) -> None:
        """Payments from it until now do not make it a usual one any more."""
        ...


class Outbox(Protocol):
    """What waits to be sent. Messages are written by whoever has their words."""

    def drop_queued(self, channel: str, address: str) -> None:
        """What waits for this account is not sent any more, codes aside."""
        ...

    def drop_queued_sms(self, phone: Phone) -> None:
        """Neither is what waits to be texted there."""
        ...


class Invites(Protocol):
    """Invitations, by the digest of their token only."""

    def add(self, invite: Invite, digest: str) -> bool:
        """False when the id is taken: draw another."""
        ...

    def get(self, invite_id: str) -> Invite | None: ...

    def of_digest(self, digest: str) -> Invite | None: ...

    def save(self, invite: Invite) -> None:
        """Write what may change: how far it is, and whose it has become."""
        ...

    def revoke_open(self, partner: str, name: str) -> Sequence[str]:
        """Another invitation of the same person takes the place of those before; returns these."""
        ...

    def revoke_made_by(self, inviter: str) -> Sequence[str]:
        """Who made them invites nobody any more; returns those that were still good."""
        ...

    def open_names(self, partner: str) -> Sequence[str]:
        """Whom the partner's invitations that are still good are for."""
        ...


class Audit(Protocol):
    """The trace of every act (docs/security.md)."""

    def add(
        self,
        partner: str,
        actor: str,
        act: str,
        about: str,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        """``facts`` hold no secret, and phones masked only."""
        ...


class Payments(Protocol):
    """The rows of ``external_payments``, and the notifications that told of them."""

    def get(self, receipt: str) -> RecordedPayment | None: ...

    def of_reference(self, reference: str) -> RecordedPayment | None: ...

    def of_bank(self, bank_reference: str, *, has_receipt: bool) -> RecordedPayment | None:
        """One with this number of the bank's, and with M-PESA's receipt, or without."""
        ...

    def of_other_number(
        self, payment: Payment, since: datetime, until: datetime
    ) -> Sequence[RecordedPayment]:
        """Those of its amount and that time which have M-PESA's receipt where it has none, or none
        where it has one."""
        ...

    def in_suspense(
        self, whys: Sequence[SuspenseReason], amount: Money
    ) -> Sequence[RecordedPayment]:
        """What is in suspense for such a reason, of that amount; oldest first."""
        ...

    def inferred_naming(self, topup: str, amount: Money) -> Sequence[RecordedPayment]:
        """Those that name this top-up, and stand at another by payer and time only."""
        ...

    def proved_by_line(self, partner: str, amount: Money, since: datetime, until: datetime) -> bool:
        """Whether a line without M-PESA's code, whose day ends in that time, was credited."""
        ...

    def add(self, arrived: RecordedPayment) -> None: ...

    def add_credit(self, arrived: RecordedPayment) -> None:
        """The operation of a payment that is a credit of its own."""
        ...

    def add_reversal(self, reference: str, arrived: RecordedPayment) -> bool:
        """The operation of a payment that the bank took back; false when its reference is taken."""
        ...

    def save(self, arrived: RecordedPayment) -> None:
        """Write what may change: what it turned out to be, and whose it is."""
        ...

    def count_duplicate(self, notification: BankNotification) -> StoredNotification | None:
        """Count one more copy, and give what the ones before were worth; ``None`` for the first."""
        ...

    def has_accepted_notification(self, receipt: str) -> bool:
        """Whether a notification that names it was taken."""
        ...

    def store_notification(self, reference: str, notification: BankNotification) -> bool:
        """False when the reference is taken: draw another."""
        ...

    def refused_since(self, moment: datetime) -> int: ...


class Reconciliations(Protocol):
    """Lines of the bank's statement, what is left over, and how far each day is."""

    def matched(self, key: str) -> str | None:
        """What of ours a line was matched with, if it was."""
        ...

    def lines_naming(self, first: date, last: date, texts: Collection[str]) -> Sequence[BankLine]:
        """Lines of these days with one of these in any text, glued to other words or not."""
        ...

    def similar_lines(self, line: BankLine) -> Sequence[StoredLine]:
        """Lines of its day, side and amount, in the order in which they were first seen."""
        ...

    def lines_between(
        self, first: date, last: date, amount: Money
    ) -> Sequence[tuple[str, BankLine, bool]]:
        """Lines of that amount on these days, and whether each was matched."""
        ...

    def has_line(self, reference: str) -> bool:
        """Whether a line was matched with this payment, top-up or purchase."""
        ...

    def has_lines_after(self, day: date) -> bool:
        """Whether a line of a later day has been read."""
        ...

    def add_line(self, key: str, line: BankLine, source: str) -> None:
        """Once; again it changes nothing."""
        ...

    def match(self, key: str, reference: str) -> bool:
        """False when another line has it already: this one is doubled."""
        ...

    def unmatched(self, day: date) -> Sequence[tuple[str, BankLine]]: ...

    def matched_payments(self, day: date) -> Sequence[RecordedPayment]:
        """Payments that lines of this day were matched with."""
        ...

    def payments_without_line(self, start: datetime, end: datetime) -> Sequence[RecordedPayment]:
        """Paid in that time."""
        ...

    def topups_without_line(self, start: datetime, end: datetime) -> Sequence[TopUp]:
        """Credited in that time, and no payment is known for them."""
        ...

    def purchases_without_line(self, start: datetime, end: datetime) -> Sequence[Purchase]:
        """Bought, and submitted in that time."""
        ...

    def findings(self, day: date) -> Mapping[str, Finding]:
        """By key, also those that are settled."""
        ...

    def finding(self, reference: str) -> Finding | None: ...

    def add_finding(self, found: Finding, key: str) -> bool:
        """False when its id is taken: draw another."""
        ...

    def day(self, day: date) -> ReconciliationDay | None: ...

    def oldest_day(self) -> date | None:
        """The first one that was ever looked at."""
        ...

    def is_dismissed(self, key: str, line: BankLine) -> bool:
        """Whether two admins have looked into what was left over of a line, and dismissed it."""
        ...

    def save_day(self, day: date, source: str, *, has_ended: bool) -> ReconciliationDay:
        """Add up its lines; it is closed when it has ended and no finding of it is open."""
        ...

    def reopen_day(self, day: date) -> None:
        """What is known of it is not what it was closed with."""
        ...


class Statements(Protocol):
    def wallet_at(self, partner: str, moment: datetime) -> Money:
        """The posted balance just before ``moment``."""
        ...

    def movements(
        self, partner: str, start: datetime, end: datetime, limit: int
    ) -> Sequence[Movement]:
        """What moved the wallet from ``start`` up to before ``end``, oldest first."""
        ...


class NotificationPreferences(Protocol):
    def get(self, partner: str, kind: NotificationKind) -> NotificationPreference:
        """As the partner chose, or as it is by default."""
        ...

    def set(self, partner: str, notice: NotificationPreference) -> None: ...


class RunningClock(Protocol):
    """How much time has passed while the desk ran. A start with a clock that is ahead looks just
    like days in which it did not run: neither counts."""

    def downtime_since(self, moment: datetime) -> timedelta:
        """How much of the time since then does not count."""
        ...

    def ago(self, passed: timedelta) -> datetime:
        """The moment since which so much has passed."""
        ...

    def elapses_at(self, since: datetime, passed: timedelta) -> datetime:
        """When so much has passed since then."""
        ...

    def possible_offsets(self) -> Sequence[timedelta]:
        """What may have to be added to a stored moment to have the outside's time of it: nothing,
        or what somebody set the clock by, or it stood still for, in the last days."""
        ...


class Tx(Protocol):
    """One transaction. ``now`` is read once; a clock that is set takes along what waits."""

    @property
    def now(self) -> datetime: ...
    @property
    def steady_now(self) -> datetime:
        """The moment by another reading: as if nobody had ever set the clock, and time had stood
        still whenever the desk did."""
        ...

    @property
    def clock(self) -> RunningClock: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def topups(self) -> TopUps: ...
    @property
    def blocks(self) -> Blocks: ...
    @property
    def payments(self) -> Payments: ...
    @property
    def reconciliations(self) -> Reconciliations: ...
    @property
    def purchases(self) -> Purchases: ...
    @property
    def operations(self) -> Operations: ...
    @property
    def otps(self) -> Otps: ...
    @property
    def fees(self) -> Fees: ...
    @property
    def evidence(self) -> Evidence: ...
    @property
    def limits(self) -> Limits: ...
    @property
    def notification_preferences(self) -> NotificationPreferences: ...
    @property
    def statements(self) -> Statements: ...
    @property
    def people(self) -> People: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def invites(self) -> Invites: ...
    @property
    def api_keys(self) -> ApiKeys: ...
    @property
    def approvals(self) -> Approvals: ...
    @property
    def proposals(self) -> Proposals: ...
    @property
    def adjustments(self) -> Adjustments: ...
    @property
    def audit(self) -> Audit: ...
