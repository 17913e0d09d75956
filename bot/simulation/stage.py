"""``bot.scripts.stage.Stage`` on the simulated world: where conversation scripts are played."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from bot.channels.terminal import event_from_line
from bot.jobs.reconciliation import lines_after
from bot.outbox.carriers import MAIL, SMS
from bot.scripts.directive import ArmBank, BankNotifies, CrashPoint, SendFault
from bot.scripts.given import Given, GivenAdmin, GivenFee, GivenPartner, GivenPerson, GivenSetting
from bot.scripts.head import ScriptHead
from bot.scripts.stage import CannotDo, Option, Shown
from bot.settings import describe_errors
from bot.simulation.bank_comparison import bank_mismatches
from bot.simulation.crashes import ArmedCrash
from bot.simulation.inboxes import CARRIER_FAULTS
from bot.simulation.log_capture import full_log
from bot.simulation.ncba.bank import NOTIFY
from bot.simulation.ncba.collections_api import AcceptedAccounts
from bot.simulation.ncba.faults import parse_fault
from bot.simulation.ncba.handsets import Handset
from bot.simulation.ncba.paybill import PurposeFields
from bot.simulation.ncba.statements import StatementDefect
from bot.simulation.notification_sender import NotificationDelivery
from bot.simulation.secret_scan import KnownSecrets, leaked_secrets
from bot.simulation.settings import SimulatedSettings
from bot.simulation.world import World
from flows.engine.event import Event, EventKind
from flows.engine.texts import Texts
from services import partners
from services.domain.bank import NoAnswer
from services.domain.business_days import business_day
from services.domain.fees import Fee, FeeKind, percent_to_ppm
from services.domain.ledger import Account, AccountKind, Balance, opening_balance
from services.domain.limits import LIMITS
from services.domain.money import Money
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from services.domain.reconciliation import BankLine
from storage.stores.outbox import OutboxRow
from storage.transaction import SqliteTx

if TYPE_CHECKING:
    from bot.simulation.telegram.server import TelegramApi

LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)  # when those who are there were linked
FIRST_USER = 500_001  # invented Telegram user ids
FOREIGN_MESSAGE = 2_000_000_000  # id of a message that was sent before the story begins
CARRIERS = ("simulated_sms", "simulated_mail")  # up, down or refuses
STATEMENT = "simulated_statement"  # what is wrong with its first line
ACCOUNT_NO = "simulated_account_no"  # which ones the bank takes


@dataclass(slots=True)
class _Last:
    """The last event, to be delivered again."""

    event: Event | None = None
    update_id: int | None = None


class SimulatedStage:
    """One play on one channel. The database is a temporary file."""

    def __init__(self, channel: str, *, threads: bool = False) -> None:
        """Without ``threads`` a script has one outcome, whatever the machine does beside it."""
        self._channel = channel
        self._threads = threads
        self._folder = tempfile.TemporaryDirectory(prefix="hazina-")
        self._world: World | None = None
        self._addresses: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._phones: dict[str, str] = {}
        self._partners: set[str] = set()
        self._shown: list[Shown] = []
        self._shown_rows: dict[int, int] = {}
        self._crashes: list[tuple[CrashPoint, ArmedCrash]] = []
        self._last = _Last()
        self._told: list[NotificationDelivery] = []
        self._count = 0
        self._logged: list[str] = []
        self._listening = ExitStack()

    @property
    def channel(self) -> str:
        return self._channel

    @property
    def world(self) -> World:
        assert self._world is not None
        return self._world

    async def open(self, head: ScriptHead, givens: Sequence[Given]) -> None:
        if head.lang not in Texts.load().languages:
            raise CannotDo(f"speak {head.lang}")
        self._listening.enter_context(full_log(self._logged.append))
        world = self._world = World(
            Path(self._folder.name),
            seed=head.seed,
            telegram=self._channel == "telegram",
            delivered=self._on_delivered,
            alerted=self._on_alert,
            threads=self._threads,
        )
        self._people(givens)
        self._outside(givens)
        world.settings = _with_settings(world.settings, givens, self._addresses)
        await world.open()
        await world.app.database.write(lambda tx: self._seed(tx, givens))
        await world.settle()

    async def close(self) -> None:
        try:
            if self._world is not None:
                await self._world.close()
        finally:
            self._listening.close()
            self._folder.cleanup()

    def _people(self, givens: Sequence[Given]) -> None:
        number = FIRST_USER
        for given in givens:
            if isinstance(given, GivenPerson | GivenAdmin):
                self._addresses[given.name] = str(number)
                self._names[str(number)] = given.name
                number += 1
            if isinstance(given, GivenPerson):
                self._phones[given.name] = given.phone
                self._names[given.phone] = given.name
            if isinstance(given, GivenPartner):
                self._partners.add(given.code)

    def _outside(self, givens: Sequence[Given]) -> None:
        for given in givens:
            if isinstance(given, GivenSetting) and given.name == ACCOUNT_NO:
                if given.value not in list(AcceptedAccounts):
                    raise given.at.error(f"{ACCOUNT_NO} is {', '.join(AcceptedAccounts)}")
                self.world.bank.accept_accounts(AcceptedAccounts(given.value))
            if isinstance(given, GivenSetting) and given.name == STATEMENT:
                if given.value not in list(StatementDefect):
                    raise given.at.error(f"{STATEMENT} is {', '.join(StatementDefect)}")
                self.world.bank.statements.defects.append(StatementDefect(given.value))
            if isinstance(given, GivenSetting) and given.name in CARRIERS:
                if given.value not in CARRIER_FAULTS:
                    raise given.at.error(f"{given.name} is {', '.join(CARRIER_FAULTS)}")
                inboxes = self.world.sms if given.name == "simulated_sms" else self.world.mail
                inboxes.fault = CARRIER_FAULTS[given.value]

    def _seed(self, tx: SqliteTx, givens: Sequence[Given]) -> None:
        languages = Texts.load().languages
        # People belong to partners, whichever a script names first.
        for given in sorted(givens, key=lambda given: not isinstance(given, GivenPartner)):
            match given:
                case GivenPartner():
                    partner = Partner(
                        given.code,
                        low_balance_cents=given.threshold.cents,
                        suspended=given.suspended,
                    )
                    add_partner(tx, partner, given.wallet, given.float)
                case GivenPerson():
                    if given.lang is not None and given.lang not in languages:
                        raise given.at.error(f"this build does not speak {given.lang}")
                    try:
                        phone = Phone(given.phone)
                    except ValueError as error:
                        raise given.at.error(str(error)) from None
                    person_id = tx.people.add_person(
                        given.partner,
                        given.name,
                        Role(given.role),
                        phone,
                        given.email,
                        given.lang or "en",
                    )
                    if given.linked:
                        address = self._addresses[given.name]
                        tx.people.link(self._channel, address, person_id, since=LONG_AGO)
                case GivenSetting() if given.name in LIMITS:
                    tx.limits.set(given.name, 0, _money(given), "script")
                    newest = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
                    tx.limits.set(given.name, newest, _money(given), "script")
                case GivenFee():
                    tx.fees.set(given.partner, _fee(given), "script", valid_from_ms=0)
                case GivenAdmin() | GivenSetting():
                    pass

    # What people say -----------------------------------------------------------------------

    async def say(self, name: str, text: str, copies: int = 1) -> None:
        for _ in range(copies):
            if self.world.telegram is not None:
                self._updated(self.world.telegram.user_types(self._user(name), text))
            else:
                self._submit(event_from_line(self._addresses[name], self._event_id(), text))

    async def tap(self, name: str, screen: Shown, option: Option, copies: int = 1) -> None:
        for _ in range(copies):
            if self.world.telegram is not None:
                self._updated(
                    self.world.telegram.user_taps(
                        self._user(name), int(screen.message_id), option.data
                    )
                )
                continue
            turn, _, option_id = option.data.partition(":")
            self._submit(
                Event(
                    self._channel,
                    self._addresses[name],
                    self._event_id(),
                    EventKind.TAP,
                    turn=int(turn),
                    option=option_id,
                    message_id=screen.message_id,
                )
            )

    async def share_contact(self, name: str, of: str | None, copies: int = 1) -> None:
        owner = of or name
        if owner not in self._addresses:
            raise CannotDo(f"share the contact of {owner}: nobody is called so")
        phone = self._phones.get(owner, "254700000000")
        for _ in range(copies):
            if self.world.telegram is not None:
                self._updated(
                    self.world.telegram.user_shares_contact(
                        self._user(name), phone, owner_id=self._user(owner)
                    )
                )
            else:
                self._not_text(name, EventKind.OTHER)

    async def send_other(self, name: str, what: str, copies: int = 1) -> None:
        for _ in range(copies):
            if self.world.telegram is None:
                self._not_text(name, EventKind.OTHER)
            elif what == "photo":
                self._updated(self.world.telegram.user_sends_photo(self._user(name)))
            else:
                self._updated(self.world.telegram.user_sends_sticker(self._user(name)))

    async def edit_last(self, name: str, text: str, copies: int = 1) -> None:
        for _ in range(copies):
            if self.world.telegram is None:
                self._not_text(name, EventKind.OTHER)
                continue
            try:
                update_id = self.world.telegram.user_edits(self._user(name), text)
            except LookupError:
                update_id = self._edits_unknown(self.world.telegram, self._user(name), text)
            self._updated(update_id)

    async def dial(self, name: str, code: str, copies: int = 1) -> None:
        for _ in range(copies):
            if self.world.telegram is None:
                self._not_text(name, EventKind.OTHER)
            else:
                self._updated(self.world.telegram.user_sends_sticker(self._user(name)))

    def _edits_unknown(self, telegram: TelegramApi, user: int, text: str) -> int:
        """They have said nothing yet in this play: the message is one that nobody knows."""
        telegram.open_chat(user)
        now = int(self.world.clock.true_now().timestamp())
        return telegram.send_raw(
            "edited_message",
            {
                "message_id": FOREIGN_MESSAGE,
                "from": {"id": user, "is_bot": False, "first_name": f"User {user}"},
                "chat": {"id": user, "type": "private"},
                "date": now,
                "edit_date": now,
                "text": text,
            },
        )

    def _not_text(self, name: str, kind: EventKind) -> None:
        self._submit(Event(self._channel, self._addresses[name], self._event_id(), kind))

    def _submit(self, event: Event) -> None:
        self._last = _Last(event=event)
        self.world.submit(event)

    def _updated(self, update_id: int) -> None:
        self._last = _Last(update_id=update_id)

    def _event_id(self) -> str:
        self._count += 1
        return str(self._count)

    def _user(self, name: str) -> int:
        return int(self._addresses[name])

    # What the outside saw ------------------------------------------------------------------

    def _on_delivered(self, row: OutboxRow, message_id: str, edited: bool) -> None:
        if row.channel in (SMS, MAIL) or row.address not in self._names:
            return
        if self._shown_rows.setdefault(row.id, len(self._shown)) < len(self._shown):
            return  # sent again after a crash that came between its sending and its noting
        kind: Literal["answer", "edit", "notice"] = "edit" if edited else "notice"
        if row.event_id is not None:
            kind = "answer"
        text, rows = self._seen(row, message_id)
        self._shown.append(Shown(self._names[row.address], kind, message_id, text, rows))

    def _seen(self, row: OutboxRow, message_id: str) -> tuple[str, tuple[tuple[Option, ...], ...]]:
        """What the channel shows, which may be less than what the outbox says."""
        if self.world.telegram is not None:
            message = self.world.telegram.chat(int(row.address)).find(int(message_id))
            assert message is not None
            return message.text, tuple(
                tuple(Option(data.partition(":")[2], label, data) for label, data in line)
                for line in message.buttons
            )
        content = self.world.terminal.messages[message_id].content
        return content.text, tuple(
            tuple(Option(option, label, f"{content.turn}:{option}") for option, label in line)
            for line in content.rows
        )

    def _on_alert(self, address: str, text: str) -> None:
        self._shown.append(Shown(self._names[address], "alert", "", text))

    def shown_since(self, cursor: int) -> Sequence[Shown]:
        return self._shown[cursor:]

    def is_gone(self, name: str) -> bool:
        if self.world.telegram is None:
            return True
        own = [m for m in self.world.telegram.chat(self._user(name)).messages if not m.by_bot]
        return bool(own) and own[-1].deleted

    def sms(self, phone: str) -> Sequence[str]:
        return self.world.sms.texts.get(phone, [])

    def mail(self, address: str) -> Sequence[str]:
        return [mail.text for mail in self.world.mail.mails.get(address, [])]

    def bank_calls(self, call: str) -> int:
        return self.world.bank.calls(call)

    def waiting_crashes(self) -> Sequence[CrashPoint]:
        return [point for point, armed in self._crashes if not armed.fired]

    # What happens --------------------------------------------------------------------------

    async def settle(self) -> None:
        await self.world.settle()

    async def advance(self, seconds: int) -> None:
        await self.world.advance(seconds)

    async def set_clock(self, seconds: int) -> None:
        await self.world.set_clock(seconds)

    async def redeliver(self) -> None:
        if self._last.event is not None:
            self.world.submit(self._last.event)
        elif self._last.update_id is not None:
            assert self.world.telegram is not None
            self.world.telegram.resend(self._last.update_id)

    async def restart(self) -> None:
        await self.world.restart()

    async def crash(self) -> None:
        await self.world.crash()

    def arm_crash(self, point: CrashPoint) -> None:
        armed = self.world.arm_crash(point.point, point.call, point.nth)
        self._crashes.append((point, armed))

    def arm_bank(self, what: ArmBank) -> None:
        fault, bank = what.fault, self.world.bank
        words = {"http": str(fault.status), "slow": f"{fault.seconds}s"}
        detail = words.get(fault.kind, fault.reason)
        try:
            parsed = parse_fault(f"{fault.kind} {detail}")
            if what.lasts_s is None:
                bank.arm(parsed, what.call, what.times)
            else:
                bank.arm_for(parsed, what.call, timedelta(seconds=what.lasts_s))
        except ValueError as error:
            raise CannotDo(f"arm that: {error}") from None

    def arm_sends(self, fault: SendFault, times: int) -> None:
        what = f"429:{fault.retry_after_s}" if fault.kind == "429" else fault.kind
        channel = self.world.telegram or self.world.terminal
        try:
            channel.fail_next(what, times)
        except ValueError as error:
            raise CannotDo(f"arm that: {error}") from None

    async def set_handset(self, phone: str, action: str) -> None:
        self.world.bank.set_handset(phone, Handset(action))

    async def notify(self, told: BankNotifies) -> None:
        account = NOTIFY.account_number
        event_from_line = told.reference or account
        words = None if told.narrative is None else PurposeFields(event_from_line, told.narrative)
        if told.account_only:
            words = PurposeFields(account, told.narrative or event_from_line.rpartition("#")[2])
            event_from_line = f"{account}#{words.narrative}"
        notice = self.world.bank.paybill.notify(
            told.phone, told.amount, event_from_line, told.receipt, told.spoiled, words, told.kind
        )
        self._told = [self.world.notify(notice, told.late_s) for _ in range(told.times)]

    def answers(self) -> Sequence[str]:
        return [told.answer or "nothing" for told in self._told]

    async def run_job(self, name: str) -> None:
        if name not in self.world.app.jobs.names:
            raise CannotDo(f"run the job {name}")
        await self.world.run_job(name)

    async def give_statement(self, lines: Sequence[str]) -> None:
        for day in self.world.bank.statements.set_lines(lines):
            await self._compare(day, "file")

    async def close_day(self, day: date) -> None:
        await self._compare(day, "ncba")

    async def _compare(self, day: date, source: str) -> None:
        """With what the bank says of the days behind it, as on a morning."""
        reconciliation = self.world.app.reconciliation
        had: dict[date, Sequence[BankLine]] = {}
        while day + timedelta(days=len(had)) <= max(day, business_day(self.world.clock.now())):
            one = day + timedelta(days=len(had))
            lines = await reconciliation.bank.lines(one)
            if isinstance(lines, NoAnswer):
                raise CannotDo(f"read the statement of {one}: {lines.why}")
            had[one] = lines
        await reconciliation.day(day, source, had[day], lines_after(day, had))

    async def is_day_closed(self, day: date) -> bool | None:
        found = await self.world.app.database.read(lambda tx: tx.reconciliations.day(day))
        return None if found is None else found.closed_at is not None

    # What stands in the product ------------------------------------------------------------

    async def current_node(self, name: str) -> str | None:
        def look(tx: SqliteTx) -> str | None:
            row = tx.sessions.load(self._channel, self._addresses[name])
            if row is None or row.flow is None:
                return None
            if row.expires_at is not None and row.expires_at <= tx.now:
                return None
            return f"{row.flow}.{row.node}"

        return await self.world.app.database.read(look)

    async def wallet(self, partner: str) -> Money:
        return (await self._balance(partner, AccountKind.WALLET)).posted

    async def available(self, partner: str) -> Money:
        return (await self._balance(partner, AccountKind.WALLET)).available

    async def float_balance(self, partner: str) -> Money:
        return (await self._balance(partner, AccountKind.FLOAT)).posted

    async def _balance(self, partner: str, kind: AccountKind) -> Balance:
        def look(tx: SqliteTx) -> Balance | None:
            if tx.people.partner(partner) is None:
                return None
            return tx.ledger.balance(Account(partner, kind))

        balance = await self.world.app.database.read(look)
        if balance is None:
            raise CannotDo(f"find a partner {partner}")
        return balance

    async def state(self, kind: str) -> str | None:
        def newest(tx: SqliteTx) -> str | None:
            match kind:
                case "topup":
                    topup = tx.topups.newest()
                    return None if topup is None else topup.state.value
                case "float":
                    purchase = tx.purchases.newest()
                    return None if purchase is None else purchase.state.value
            raise CannotDo(f"tell the state of a {kind}")

        return await self.world.app.database.read(newest)

    async def books(self) -> Sequence[str]:
        problems = await self.world.app.database.read(lambda tx: tx.ledger.violations())
        return problems + await bank_mismatches(self.world)

    async def audit_rows(self) -> int:
        return await self.world.app.database.read(lambda tx: tx.audit.count())

    async def audit_problems(self) -> Sequence[str]:
        return await self.world.app.database.read(lambda tx: tx.audit.chain_breaks())

    async def secrets(self) -> Sequence[str]:
        secrets = KnownSecrets.of(self.world, (shown.text for shown in self._shown))
        return leaked_secrets(secrets, self.world.at_rest(), self._logged)

    async def trail(self, rows: int) -> Sequence[str]:
        return await self.world.app.database.read(lambda tx: tx.trail.last(rows))


def _fee(given: GivenFee) -> Fee:
    try:
        return Fee(
            FeeKind(given.kind),
            fixed=given.fixed,
            ppm=percent_to_ppm(given.percent or "0"),
            minimum=given.minimum,
            maximum=given.maximum,
        )
    except ValueError as error:
        raise given.at.error(str(error)) from None


def add_partner(tx: SqliteTx, partner: Partner, wallet: Money, float_: Money) -> None:
    """A partner with its accounts, and what it brings along."""
    partners.add(tx, partner)
    for kind, amount in ((AccountKind.WALLET, wallet), (AccountKind.FLOAT, float_)):
        if amount.cents:
            tx.ledger.book(opening_balance(partner.code, kind, amount))


def _money(given: GivenSetting) -> Money:
    try:
        return Money.of(given.value)
    except ValueError as error:
        raise given.at.error(str(error)) from None


def _with_settings(
    settings: SimulatedSettings, givens: Sequence[Given], addresses: dict[str, str]
) -> SimulatedSettings:
    """The world's settings with the script's own, and its admins."""
    said = {given.name: given for given in givens if isinstance(given, GivenSetting)}
    values = settings.model_dump()
    for name, given in said.items():
        if name.lower() in SimulatedSettings.model_fields:
            values[name.lower()] = given.value
        elif name not in (*LIMITS, *CARRIERS, STATEMENT, ACCOUNT_NO):
            raise given.at.error(f"this build has no setting {name}")
    values["admin_ids"] = frozenset(
        addresses[given.name] for given in givens if isinstance(given, GivenAdmin)
    )
    try:
        return SimulatedSettings(**values)
    except ValidationError as error:
        wrong = {str(one["loc"][0]) for one in error.errors() if one["loc"]}
        first = next((given for name, given in said.items() if name.lower() in wrong), None)
        at = (first or next(iter(said.values()))).at
        raise at.error("; ".join(describe_errors(error))) from None
