"""``bot.scripts.stage.Stage`` on the simulated world: where conversation scripts are played."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import date, datetime, timedelta

from bot.jobs.reconciliation import lines_after
from bot.scripts.api_answer import ApiAnswer
from bot.scripts.api_call import ApiRequest
from bot.scripts.directive import ArmBank, BankNotifies, CrashPoint, SendFault, SendHop
from bot.scripts.given import Given
from bot.scripts.head import ScriptHead
from bot.scripts.stage import CannotDo, Option, Shown
from bot.simulation.api_caller import ApiCaller
from bot.simulation.bank_comparison import bank_mismatches
from bot.simulation.bank_faults import arm_bank
from bot.simulation.crashes import ArmedCrash
from bot.simulation.daraja.payees import parse_payee
from bot.simulation.home import home
from bot.simulation.log_capture import full_log
from bot.simulation.ncba.bank import NOTIFY
from bot.simulation.ncba.handsets import Handset
from bot.simulation.ncba.paybill import PurposeFields
from bot.simulation.notification_sender import NotificationDelivery
from bot.simulation.person_inputs import PersonInputs
from bot.simulation.scene import Scene
from bot.simulation.secret_scan import KnownSecrets, leaked_secrets
from bot.simulation.typed_pins import set_pins
from bot.simulation.ussd.handset_inputs import HandsetInputs
from bot.simulation.world import Home, World
from flows.engine.texts import Texts
from services.domain.bank import NoAnswer
from services.domain.bank_line import BankLine
from services.domain.business_days import business_day
from services.domain.ledger import Account, AccountKind, Balance
from services.domain.money import Money
from services.domain.phone import Phone
from services.domain.ussd import CHANNEL as USSD
from services.ports import Tx

EVENTS_MAX = 1_000_000  # of a feed, far more than a script makes
_STORED_AS = {"topup": "topup", "float": "b2c_float_purchase", "payout": "disbursement"}


def _newest_batch(tx: Tx) -> str | None:
    reference = tx.payout_batches.newest()
    batch = None if reference is None else tx.public_batches.get(reference)
    return None if batch is None else batch.status.upper()


class SceneStage:
    """Plays on ``scene``, which the subclasses' ``open`` has made."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._scene: Scene | None = None
        self._api: ApiCaller | None = None
        self._handsets: HandsetInputs | None = None  # on USSD
        self._crashes: list[tuple[CrashPoint, ArmedCrash]] = []
        self._deliveries: list[NotificationDelivery] = []
        self._logged: list[str] = []

    @property
    def channel(self) -> str:
        return self._channel

    @property
    def scene(self) -> Scene:
        assert self._scene is not None
        return self._scene

    @property
    def world(self) -> World:
        return self.scene.world

    @property
    def inputs(self) -> PersonInputs:
        return self.scene.inputs

    @property
    def api(self) -> ApiCaller:
        assert self._api is not None
        return self._api

    def enter(self, scene: Scene) -> None:
        self._scene = scene
        self._api = ApiCaller(scene.world)
        if self._channel == USSD:
            self._handsets = scene.handsets

    # Input ---------------------------------------------------------------------------------

    async def say(self, name: str, text: str, copies: int = 1) -> None:
        if self._handsets is None:
            self.inputs.say(name, text, copies)
        else:
            await self._handsets.say(name, text, copies)

    async def tap(self, name: str, screen: Shown, option: Option, copies: int = 1) -> None:
        if self._handsets is None:
            self.inputs.tap(name, screen, option, copies)
        else:
            await self._handsets.tap(name, screen, option, copies)

    async def share_contact(self, name: str, of: str | None, copies: int = 1) -> None:
        self.inputs.share_contact(name, of, copies)

    async def send_other(self, name: str, what: str, copies: int = 1) -> None:
        self.inputs.send_other(name, what, copies)

    async def send_file(self, name: str, file: str, content: bytes, copies: int = 1) -> None:
        self.inputs.send_file(name, file, content, copies)

    async def edit_last(self, name: str, text: str, copies: int = 1) -> None:
        self.inputs.edit_last(name, text, copies)

    async def dial(self, name: str, code: str, copies: int = 1) -> None:
        if self._handsets is None:
            self.inputs.dial(name, code, copies)
        else:
            await self._handsets.dial(name, code, copies)

    async def send_hop(self, hop: SendHop) -> None:
        if self._handsets is None:
            raise CannotDo("send hops on a channel without them")
        await self._handsets.send_hop(hop)

    async def redeliver(self) -> None:
        if self._handsets is not None and self._handsets.dialled_last:
            await self._handsets.redeliver()
        elif self.inputs.can_redeliver:
            self.inputs.redeliver()
        else:
            await self.api.call_again()

    async def call_api(self, request: ApiRequest, copies: int = 1) -> None:
        self.inputs.forget_last()
        await self.api.call(request, copies)

    async def api_answer(self) -> ApiAnswer:
        return await self.api.answer()

    def api_answered(self) -> ApiAnswer | None:
        return self.api.answered

    def arm_webhook(self, partner: str, status: int, times: int) -> None:
        self.world.receiver.arm([status] * times, partner)

    def webhooks_taken(self, partner: str) -> int:
        return self.world.receiver.taken(partner)

    # Observations outside ------------------------------------------------------------------

    def shown_since(self, cursor: int) -> Sequence[Shown]:
        return self.scene.shown[cursor:]

    def is_gone(self, name: str) -> bool:
        if self.world.telegram is None:
            return True
        chat = self.world.telegram.chat(int(self.scene.people.addresses[name]))
        own = [message for message in chat.messages if not message.by_bot]
        return bool(own) and own[-1].deleted

    def sms(self, phone: str) -> Sequence[str]:
        return self.world.sms.texts.get(phone, [])

    def mail(self, address: str) -> Sequence[str]:
        return [mail.text for mail in self.world.mail.mails.get(address, [])]

    def bank_calls(self, call: str) -> int:
        return self.world.api_of(call).calls(call)

    def waiting_crashes(self) -> Sequence[CrashPoint]:
        return [point for point, armed in self._crashes if not armed.fired]

    # Actions -------------------------------------------------------------------------------

    async def settle(self) -> None:
        await self.world.settle()

    async def advance(self, seconds: int) -> None:
        await self.world.advance(seconds)

    async def set_clock(self, seconds: int) -> None:
        await self.world.set_clock(seconds)

    async def restart(self) -> None:
        await self.world.restart()

    def take_database_away(self, seconds: int) -> None:
        self.world.take_database_away(seconds)

    async def crash(self) -> None:
        await self.world.crash()

    def arm_crash(self, point: CrashPoint) -> None:
        armed = self.world.arm_crash(point.point, point.call, point.nth)
        self._crashes.append((point, armed))

    def arm_bank(self, what: ArmBank) -> None:
        try:
            arm_bank(self.world, what)
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

    def set_payee(self, phone: Phone, does: str) -> None:
        try:
            self.world.daraja.set_payee(phone.msisdn, parse_payee(does))
        except ValueError as error:
            raise CannotDo(f"do that: {error}") from None

    async def notify(self, directive: BankNotifies) -> None:
        account = NOTIFY.account_number
        typed = directive.reference or account
        words = None if directive.narrative is None else PurposeFields(typed, directive.narrative)
        if directive.account_only:
            words = PurposeFields(account, directive.narrative or typed.rpartition("#")[2])
            typed = f"{account}#{words.narrative}"
        notice = self.world.bank.paybill.notify(
            directive.phone,
            directive.amount,
            typed,
            directive.receipt,
            directive.forged_by,
            words,
            directive.kind,
        )
        self._deliveries = [
            self.world.notify(notice, directive.late_s) for _ in range(directive.times)
        ]

    def answers(self) -> Sequence[str]:
        return [delivery.answer or "nothing" for delivery in self._deliveries]

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
        """Reconcile the day against the bank's lines of that day and later ones."""
        reconciliation = self.world.app.reconciliation
        lines_by_day: dict[date, Sequence[BankLine]] = {}
        while day + timedelta(days=len(lines_by_day)) <= max(
            day, business_day(self.world.clock.now())
        ):
            next_day = day + timedelta(days=len(lines_by_day))
            lines = await reconciliation.bank.lines(next_day)
            if isinstance(lines, NoAnswer):
                raise CannotDo(f"read the statement of {next_day}: {lines.why}")
            lines_by_day[next_day] = lines
        await reconciliation.day(day, source, lines_by_day[day], lines_after(day, lines_by_day))

    async def is_day_closed(self, day: date) -> bool | None:
        found = await self.world.app.database.read(lambda tx: tx.reconciliations.day(day))
        return None if found is None else found.closed_at is not None

    # State of the product ------------------------------------------------------------------

    async def current_node(self, name: str) -> str | None:
        place = self._channel, self.scene.people.addresses[name]
        if self._handsets is not None:
            place = self._handsets.place(name)

        def look(tx: Tx) -> str | None:
            row = tx.sessions.load(*place)
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
        def look(tx: Tx) -> Balance | None:
            if tx.people.partner(partner) is None:
                return None
            return tx.ledger.balance(Account(partner, kind))

        balance = await self.world.app.database.read(look)
        if balance is None:
            raise CannotDo(f"find a partner {partner}")
        return balance

    async def state(self, kind: str) -> str | None:
        if kind == "batch":
            return await self.world.app.database.read(_newest_batch)
        stored_as = _STORED_AS[kind]
        return await self.world.app.database.read(lambda tx: tx.operations.newest_state(stored_as))

    async def events(self, partner: str) -> int:
        def count(tx: Tx) -> int:
            return len(tx.partner_events.page(partner, 0, EVENTS_MAX))

        return await self.world.app.database.read(count)

    async def books(self) -> Sequence[str]:
        violations = await self.world.app.database.read(lambda tx: tx.invariants.violations())
        return violations + await bank_mismatches(self.world)

    async def audit_rows(self) -> int:
        return await self.world.app.database.read(lambda tx: tx.audit.count())

    async def audit_problems(self) -> Sequence[str]:
        return await self.world.app.database.read(lambda tx: tx.audit.chain_breaks())

    async def secrets(self) -> Sequence[str]:
        shown = (shown.text for shown in self.scene.shown)
        secrets = KnownSecrets.of(self.world, shown, self.api.keys, self.api.bodies)
        secrets = secrets.and_pins(await set_pins(self.scene))
        return leaked_secrets(secrets, self.world.at_rest(), self._logged)

    async def trail(self, rows: int) -> Sequence[str]:
        return await self.world.app.database.read(lambda tx: tx.trail.last(rows))


class SimulatedStage(SceneStage):
    """One play on one channel, in a world of its own."""

    def __init__(
        self,
        channel: str,
        *,
        threads: bool = False,
        events_before: int = 0,
        start: datetime | None = None,
        home: Callable[[], AbstractContextManager[Home]] = home,
    ) -> None:
        """Without ``threads`` a script is deterministic. Terminal event ids are numbers above
        ``events_before``. ``start`` is the world's first moment. Each play has a new ``home``.
        """
        super().__init__(channel)
        self._start = start
        self._threads = threads
        self._events_before = events_before
        self._home = home
        self._listening = ExitStack()

    async def open(self, head: ScriptHead, givens: Sequence[Given]) -> None:
        if head.lang not in Texts.load().languages:
            raise CannotDo(f"speak {head.lang}")
        self._listening.enter_context(full_log(self._logged.append))
        scene = self._make_scene(head, givens)
        self.enter(scene)
        await scene.open()

    def _make_scene(self, head: ScriptHead, givens: Sequence[Given]) -> Scene:
        return Scene(
            self._listening.enter_context(self._home()),
            self._channel,
            givens,
            seed=head.seed,
            threads=self._threads,
            receives_everywhere=True,
            events_before=self._events_before,
            start=self._start,
        )

    async def close(self) -> None:
        try:
            if self._scene is not None:
                await self.api.close()
                await self.world.close()
        finally:
            self._listening.close()
