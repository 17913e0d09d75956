"""A purchase whose code the outbox sends by SMS and mail."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import timedelta

from bot.context import AppContext as Parts
from bot.context import TurnContext
from bot.notify.notifier import Notifier
from bot.outbox.carriers import MAIL, SMS
from bot.outbox.channel import Channel
from bot.outbox.pacing import MessageRates
from bot.outbox.sender import OutboxSender
from bot.security.keyring import Keyring
from bot.simulation.clock import VirtualClock
from bot.turns.registry import HANDLERS
from bot.turns.sessions import SessionCache
from flows.catalogue import all_flows
from flows.engine.engine import Engine
from flows.engine.event import Event, EventKind
from flows.engine.texts import Texts
from services import float_purchases, float_quotes, partners, spending
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.ledger import AccountKind, opening_balance
from services.domain.money import Money
from services.domain.otp import OtpStatus
from services.domain.partner import Partner, Role
from services.policy import Policy
from services.spending import CodeSent
from storage.sqlite.database import Database
from storage.transaction import StoreTx
from tests.kit.channels import CHANNELS
from tests.kit.database_on_clock import DatabaseOnClock
from tests.kit.recording_channel import RecordingChannel
from tests.kit.worker_harness import PHONE

CHAT, AMINA, ADDRESS = "telegram", "77", "amina@finsafe.example"


class CodeDelivery(DatabaseOnClock):
    """The outbox's sender and a purchase whose code it sends."""

    def __init__(self, database: Database, clock: VirtualClock) -> None:
        super().__init__(database, clock)
        self.chat, self.sms, self.mail = (
            RecordingChannel(name, clock, f"{name}-") for name in (CHAT, SMS, MAIL)
        )
        self.random = random.Random(1)
        self.parts = Parts(
            Texts.load(),
            self.random,
            Keyring({"1": b"1" * 32}),
            Policy(short_code="400187"),
            channels=CHANNELS,
        )
        self.codes: list[str] = []
        self.reference = ""
        self.begun = 0
        self.start()

    def start(self) -> None:
        self.tell = Notifier(
            Engine(all_flows(), self.parts.texts, HANDLERS), SessionCache(all_flows()), self.parts
        )
        channels: dict[str, Channel] = {CHAT: self.chat, SMS: self.sms, MAIL: self.mail}
        self.sender = OutboxSender(
            self.database,
            self.clock,
            channels,
            MessageRates(per_chat=None, overall=None),
            self.parts.keys,
            self.tell.code_lost,
        )

    def _turn(self, tx: StoreTx) -> TurnContext:
        person = tx.people.at(CHAT, AMINA)
        assert person is not None
        self.begun += 1
        return TurnContext(
            self.parts, tx, Event(CHAT, AMINA, str(self.begun), EventKind.OTHER), person
        )

    def _send(self, turn: TurnContext, sent: CodeSent) -> None:
        price = sent.operation.quote
        self.codes.append(sent.issued.code)
        facts = {
            "amount": price.amount,
            "fees": price.fees,
            "total": price.total,
            "destination": sent.operation.masked_destination,
        }
        turn.send_code(sent.issued, "sms.float_code", facts)

    async def commit(self) -> None:
        """Confirm a purchase, which queues its code; nothing is sent yet."""

        def confirm(tx: StoreTx) -> None:
            turn = self._turn(tx)
            parts = self.parts
            quoted = float_quotes.request(
                tx, self.random, parts.policy, turn.person, CHAT, AMINA, turn.key, Money(100_000)
            )
            assert isinstance(quoted, Purchase)
            self.reference, price = quoted.reference, quoted.quote
            sent = float_purchases.confirm(
                tx, parts.keys, self.random, parts.policy, turn.person, quoted.reference,
                price.amount, price.fees, price.total,
            )  # fmt: skip
            assert isinstance(sent, CodeSent)
            self._send(turn, sent)

        await self.database.write(confirm)

    async def resend(self, after_s: float = 30) -> None:
        """Ask for another code after ``after_s`` seconds."""
        self.clock.jump(self.clock.now() + timedelta(seconds=after_s))

        def again(tx: StoreTx) -> None:
            turn = self._turn(tx)
            purchase = float_quotes.own_purchase(tx, turn.person, self.reference)
            assert purchase is not None
            sent = spending.resend(tx, self.parts.keys, self.random, turn.person, purchase)
            assert isinstance(sent, CodeSent)
            self._send(turn, sent)

        await self.database.write(again)

    async def go(self, seconds: float = 0) -> None:
        """Send everything queued, then run for ``seconds``."""
        await self.sender.scan()
        await self.advance(seconds)

    async def report(self, channel: str, message_id: str, delivered: bool) -> None:
        """Record a carrier's delivery report as ``bot.bootstrap`` does."""

        def take(tx: StoreTx) -> Sequence[object]:
            otp = tx.outbox.record_delivery_report(channel, message_id, delivered)
            return () if otp is None or delivered else self.tell.code_lost(tx, otp)

        await self.database.write(take)
        await self.go()

    async def rows(self) -> list[tuple[str, str, str]]:
        """Channel, state and text of each message that carries a code."""
        sql = "SELECT channel, state, text FROM outbox WHERE otp IS NOT NULL ORDER BY id"
        return await self.database.read(lambda tx: list(tx.conn.execute(sql)))

    async def purchase(self) -> Purchase:
        found = await self.database.read(lambda tx: tx.purchases.get(self.reference))
        assert found is not None
        return found

    async def status(self) -> OtpStatus:
        newest = await self.database.read(lambda tx: tx.otps.newest(self.reference))
        assert newest is not None
        return newest.status

    async def assert_open(self) -> None:
        """The code is still valid, and nobody received a message about it."""
        assert (await self.purchase()).state is PurchaseState.OTP_SENT
        assert await self.status() is OtpStatus.PENDING
        assert self.chat.texts == []

    async def assert_ended_and_told(self) -> None:
        purchase = await self.purchase()
        assert (purchase.state, purchase.reason) == (PurchaseState.REFUSED, "code_undeliverable")
        assert await self.status() is OtpStatus.REVOKED
        assert len(self.chat.texts) == 1
        assert all(code not in self.chat.texts[0] for code in self.codes)


def seed(email: str | None) -> Callable[[StoreTx], None]:
    def add(tx: StoreTx) -> None:
        partners.add(tx, Partner("FINSAFE"))
        amina = tx.people.add_person("FINSAFE", "amina", Role.OWNER, PHONE, email, "en")
        tx.people.link(CHAT, AMINA, amina)
        if tx.invariants.violations() == [] and email is not None:
            tx.ledger.book(opening_balance("FINSAFE", AccountKind.WALLET, Money(10_000_000)))

    return add
