"""A code on its way: sealed at rest, wiped when sent; its purchase ends when no way is left."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.context import AppContext as Parts
from bot.context import TurnContext
from bot.notify.notify import Notifier
from bot.outbox.attempt import CODE_PAUSES_S
from bot.outbox.carriers import MAIL, SMS
from bot.outbox.channel import AnswerLost, Channel, MessageContent, Unclear, Undeliverable
from bot.outbox.pacing import MessageRates
from bot.outbox.sender import OutboxSender
from bot.security.keyring import Keyring
from bot.simulation.clock import VirtualClock
from bot.turns.sessions import SessionCache
from flows.catalogue import all_flows
from flows.engine.engine import Engine
from flows.engine.event import Event, EventKind
from flows.engine.texts import Texts
from services import float_purchases, partners
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.ledger import AccountKind, opening_balance
from services.domain.money import Money
from services.domain.otp import OtpStatus
from services.domain.partner import Partner, Role
from services.float_purchases import CodeSent
from services.policy import Policy
from storage.sqlite.database import Database
from storage.transaction import SqliteTx
from tests.kit.database_on_clock import DatabaseOnClock
from tests.kit.recording_channel import RecordingChannel
from tests.kit.worker_harness import PHONE

CHAT, AMINA, ADDRESS = "telegram", "77", "amina@finsafe.example"
NO = Undeliverable("not taken")
TRIES_MAX = len(CODE_PAUSES_S) + 1


class CodeDelivery(DatabaseOnClock):
    """The outbox's sender, and a purchase whose code it sends."""

    def __init__(self, database: Database, clock: VirtualClock) -> None:
        super().__init__(database, clock)
        self.chat, self.sms, self.mail = (
            RecordingChannel(name, clock, f"{name}-") for name in (CHAT, SMS, MAIL)
        )
        self.random = random.Random(1)
        self.parts = Parts(
            Texts.load(), self.random, Keyring({"1": b"1" * 32}), Policy(short_code="400187")
        )
        self.codes: list[str] = []
        self.reference = ""
        self.begun = 0
        self.start()

    def start(self) -> None:
        self.tell = Notifier(
            Engine(all_flows(), self.parts.texts), SessionCache(all_flows()), self.parts
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

    def _turn(self, tx: SqliteTx) -> TurnContext:
        person = tx.people.at(CHAT, AMINA)
        assert person is not None
        self.begun += 1
        return TurnContext(
            self.parts, tx, Event(CHAT, AMINA, str(self.begun), EventKind.OTHER), person
        )

    def _send(self, turn: TurnContext, sent: CodeSent) -> None:
        price = sent.purchase.quote
        self.codes.append(sent.issued.code)
        facts = {
            "amount": price.amount,
            "fees": price.fees,
            "total": price.total,
            "destination": sent.purchase.masked_destination,
        }
        turn.send_code(sent.issued, "sms.float_code", facts)

    async def commit(self) -> None:
        """A purchase is confirmed, and its code queued; nothing is sent yet."""

        def confirm(tx: SqliteTx) -> None:
            turn = self._turn(tx)
            parts = self.parts
            quoted = float_purchases.request(
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
        """Half a minute later another code is asked for."""
        self.clock.jump(self.clock.now() + timedelta(seconds=after_s))

        def again(tx: SqliteTx) -> None:
            turn = self._turn(tx)
            sent = float_purchases.resend(
                tx, self.parts.keys, self.random, turn.person, self.reference
            )
            assert isinstance(sent, CodeSent)
            self._send(turn, sent)

        await self.database.write(again)

    async def go(self, seconds: float = 0) -> None:
        """Send all that is queued, for so long."""
        await self.sender.scan()
        await self.advance(seconds)

    async def report(self, channel: str, message_id: str, delivered: bool) -> None:
        """As ``bot.bootstrap`` takes in a carrier's delivery report."""

        def take(tx: SqliteTx) -> Sequence[object]:
            otp = tx.outbox.record_delivery_report(channel, message_id, delivered)
            return () if otp is None or delivered else self.tell.code_lost(tx, otp)

        await self.database.write(take)
        await self.go()

    async def rows(self) -> list[tuple[str, str, str]]:
        """Channel, state and text of each message with a code."""
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
        """The code is still good, and nobody was told anything."""
        assert (await self.purchase()).state is PurchaseState.OTP_SENT
        assert await self.status() is OtpStatus.PENDING
        assert self.chat.texts == []

    async def assert_ended_and_told(self) -> None:
        purchase = await self.purchase()
        assert (purchase.state, purchase.reason) == (PurchaseState.REFUSED, "code_undeliverable")
        assert await self.status() is OtpStatus.REVOKED
        assert len(self.chat.texts) == 1
        assert all(code not in self.chat.texts[0] for code in self.codes)


def seed(email: str | None) -> Callable[[SqliteTx], None]:
    def add(tx: SqliteTx) -> None:
        partners.add(tx, Partner("FINSAFE"))
        amina = tx.people.add_person("FINSAFE", "amina", Role.OWNER, PHONE, email, "en")
        tx.people.link(CHAT, AMINA, amina)
        if tx.ledger.violations() == [] and email is not None:
            tx.ledger.book(opening_balance("FINSAFE", AccountKind.WALLET, Money(10_000_000)))

    return add


@pytest.fixture
async def delivery(tmp_path: Path) -> AsyncIterator[CodeDelivery]:
    clock = VirtualClock()
    database = await Database.open(tmp_path / "hazina.db", clock.now)
    await database.write(seed(ADDRESS))
    delivery = CodeDelivery(database, clock)
    with capture_logs() as logs:
        yield delivery
        await delivery.sender.stop()
        await delivery.settle()
    assert not any(code in str(logs) for code in delivery.codes)
    for channel in (delivery.chat, delivery.sms, delivery.mail):
        assert (channel.documents, channel.deleted) == ([], [])
        assert list(channel.messages.values()) == channel.texts, "none was edited"
    assert await database.read(lambda tx: tx.ledger.violations()) == []
    await database.close()


@pytest.fixture
async def phone_only(delivery: CodeDelivery) -> CodeDelivery:
    """Without a proved mail address, the SMS is the only way."""
    await delivery.database.write(seed(None))
    return delivery


# At rest ----------------------------------------------------------------------------------------


def _files(folder: Path) -> list[bytes]:
    """The database, its log and its lock, as a thief would have them."""
    return [path.read_bytes() for path in folder.iterdir()]


async def test_a_code_is_sealed_as_long_as_it_waits(delivery: CodeDelivery, tmp_path: Path) -> None:
    await delivery.commit()
    rows = await delivery.rows()
    assert [(channel, state) for channel, state, _ in rows] == [(SMS, "queued"), (MAIL, "queued")]
    for _, _, text in rows:
        opened = delivery.parts.keys.unseal(text)
        assert opened is not None
        assert delivery.codes[0] in opened
    dump = await delivery.database.read(lambda tx: "\n".join(tx.conn.iterdump()))
    assert delivery.codes[0] not in dump
    assert not any(delivery.codes[0].encode() in content for content in _files(tmp_path))


async def test_it_arrives_both_ways_and_is_wiped(delivery: CodeDelivery) -> None:
    await delivery.commit()
    await delivery.go()
    assert [delivery.codes[0] in carrier.texts[0] for carrier in (delivery.sms, delivery.mail)] == [
        True,
        True,
    ]
    assert await delivery.rows() == [(SMS, "sent", ""), (MAIL, "sent", "")]
    await delivery.assert_open()


async def test_the_mail_has_a_subject_without_the_code(delivery: CodeDelivery) -> None:
    await delivery.commit()
    await delivery.go()
    subject, _, text = delivery.mail.texts[0].partition("\n")
    assert subject
    assert delivery.codes[0] not in subject
    assert delivery.codes[0] in text


async def test_it_waits_through_a_restart(delivery: CodeDelivery) -> None:
    await delivery.commit()
    await delivery.sender.stop()
    delivery.start()
    await delivery.go()
    assert delivery.codes[0] in delivery.sms.texts[0]


async def test_sealed_with_the_key_before_it_still_goes_out(delivery: CodeDelivery) -> None:
    await delivery.commit()
    keys = Keyring({"2": b"2" * 32, "1": b"1" * 32})
    delivery.parts = replace(delivery.parts, keys=keys)
    delivery.start()
    await delivery.go()
    assert delivery.codes[0] in delivery.sms.texts[0]


async def test_what_no_key_opens_any_more_ends_the_purchase(delivery: CodeDelivery) -> None:
    await delivery.commit()
    delivery.parts = replace(delivery.parts, keys=Keyring({"2": b"2" * 32}))
    delivery.start()
    await delivery.go()
    assert (delivery.sms.texts, delivery.mail.texts) == ([], [])
    await delivery.assert_ended_and_told()


async def test_a_code_that_ended_while_it_waited_is_not_sent(delivery: CodeDelivery) -> None:
    await delivery.commit()
    await delivery.resend()
    await delivery.go()
    assert [delivery.codes[1] in text for text in delivery.sms.texts] == [True]
    assert (await delivery.rows())[:2] == [(SMS, "dead", ""), (MAIL, "dead", "")]


async def test_a_code_that_ended_between_two_tries_is_not_sent(delivery: CodeDelivery) -> None:
    delivery.sms.will(PHONE.msisdn, *(Unclear("no answer") for _ in range(6)))
    await delivery.commit()
    await delivery.go(31)
    assert delivery.sms.texts == []
    await delivery.resend(after_s=0)
    await delivery.go(60)
    assert [delivery.codes[1] in text for text in delivery.sms.texts] == [True]


async def notice(delivery: CodeDelivery) -> None:
    """Another SMS to the same phone, which is put off once."""
    delivery.sms.will(PHONE.msisdn, *(Unclear("no answer") for _ in range(3)))
    await delivery.database.write(
        lambda tx: tx.outbox.add(SMS, PHONE.msisdn, kind="notice", text="paid")
    )
    await delivery.go(21)  # tried at 0, 5 and 20 s; the next time a minute later


async def test_a_code_that_waits_for_another_try_is_not_sent_once_a_newer_lives(
    delivery: CodeDelivery,
) -> None:
    delivery.sms.will(
        PHONE.msisdn, *(Unclear("no answer") for _ in range(6))
    )  # the next try comes at 53 s
    await delivery.commit()
    await delivery.go()
    await delivery.resend()
    await delivery.go(120)
    assert not any(delivery.codes[0] in text for text in delivery.sms.texts)
    assert any(delivery.codes[1] in text for text in delivery.sms.texts)


async def test_a_code_does_not_wait_behind_a_message_that_is_put_off(
    delivery: CodeDelivery,
) -> None:
    await notice(delivery)
    await delivery.commit()
    await delivery.go(5)
    assert any(delivery.codes[0] in text for text in delivery.sms.texts)


# No answer --------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [0, 3])
async def test_a_code_whose_answer_was_lost_goes_once_more_and_then_counts_as_sent(
    phone_only: CodeDelivery, before: int
) -> None:
    """What the carrier surely did not take may be tried again as often as before."""
    phone_only.sms.will(
        PHONE.msisdn, *[Unclear("down")] * before, *[AnswerLost("read timeout")] * 5
    )
    await phone_only.commit()
    await phone_only.go(300)
    assert len(phone_only.sms.errors[PHONE.msisdn]) == 3
    assert await phone_only.rows() == [(SMS, "sent", "")]
    await phone_only.assert_open()
    phone_only.sms.errors.clear()
    await phone_only.resend()
    await phone_only.go()
    assert phone_only.codes[1] in phone_only.sms.texts[0]


async def test_the_second_one_has_the_same_code(phone_only: CodeDelivery) -> None:
    phone_only.sms.will(PHONE.msisdn, AnswerLost("read timeout"))
    await phone_only.commit()
    await phone_only.go(60)
    assert [phone_only.codes[0] in text for text in phone_only.sms.texts] == [True]
    assert await phone_only.rows() == [(SMS, "sent", "")]


@pytest.mark.parametrize("then", [NO, RuntimeError("a fault of ours")])
async def test_one_that_may_have_arrived_does_not_die_of_what_comes_after(
    phone_only: CodeDelivery, then: Exception
) -> None:
    phone_only.sms.will(PHONE.msisdn, AnswerLost("read timeout"), then, NO)
    await phone_only.commit()
    await phone_only.go(300)
    assert len(phone_only.sms.errors[PHONE.msisdn]) == 1
    assert await phone_only.rows() == [(SMS, "sent", "")]
    await phone_only.assert_open()


async def test_a_restart_does_not_forget_that_one_may_have_arrived(
    phone_only: CodeDelivery,
) -> None:
    phone_only.sms.will(PHONE.msisdn, *[AnswerLost("read timeout")] * 5)
    await phone_only.commit()
    await phone_only.go()
    await phone_only.sender.stop()
    phone_only.start()
    await phone_only.go(300)
    assert len(phone_only.sms.errors[PHONE.msisdn]) == 3
    await phone_only.assert_open()


@pytest.mark.parametrize("lost", [0, 1])
async def test_a_code_goes_twice_at_most_however_often_the_desk_is_killed_while_it_is_sent(
    phone_only: CodeDelivery, lost: int
) -> None:
    """The carrier takes each of them; the desk only sometimes lives to hear of it."""
    await phone_only.commit()
    handed_over = []

    async def send(_: str, content: MessageContent) -> str:
        handed_over.append(content.text)
        if len(handed_over) <= lost:
            raise AnswerLost("read timeout")
        await asyncio.Event().wait()
        raise AssertionError("nothing answers")

    phone_only.sms.send = send  # type: ignore[method-assign]
    for _ in range(4):
        await phone_only.go(60)
        phone_only.sender.abort()
        await phone_only.settle()
        phone_only.start()
    assert [phone_only.codes[0] in text for text in handed_over] == [True, True]
    assert await phone_only.rows() == [(SMS, "sent", "")]
    await phone_only.assert_open()


async def test_what_a_carrier_clearly_refused_counts_as_no_send(phone_only: CodeDelivery) -> None:
    """Killed between the tries of a code that never left, it still goes out, and dies if refused
    for good."""
    phone_only.sms.will(PHONE.msisdn, Unclear("down"), Unclear("down"), NO)
    await phone_only.commit()
    for _ in range(3):
        await phone_only.go()
        phone_only.sender.abort()
        await phone_only.settle()
        phone_only.start()
        phone_only.clock.jump(phone_only.clock.now() + timedelta(seconds=10))
    assert await phone_only.rows() == [(SMS, "dead", "")]
    await phone_only.assert_ended_and_told()


async def test_mail_keeps_to_the_same_rule(delivery: CodeDelivery) -> None:
    delivery.mail.will(ADDRESS, *[AnswerLost("read timeout")] * 5)
    await delivery.commit()
    await delivery.go(300)
    assert len(delivery.mail.errors[ADDRESS]) == 3
    await delivery.assert_open()


async def test_a_receipt_by_sms_is_tried_on_as_before(delivery: CodeDelivery) -> None:
    delivery.sms.will(PHONE.msisdn, *[AnswerLost("read timeout")] * 3)
    await delivery.database.write(
        lambda tx: tx.outbox.add(SMS, PHONE.msisdn, kind="receipt", text="paid")
    )
    await delivery.go(90)
    assert delivery.sms.texts == ["paid"]


# No way left ------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [NO, Unclear("no answer")])
async def test_refused_both_ways_the_purchase_ends_and_its_person_is_told_once(
    delivery: CodeDelivery, error: Exception
) -> None:
    times = 1 if error is NO else TRIES_MAX
    delivery.sms.will(PHONE.msisdn, *[error] * times)
    delivery.mail.will(ADDRESS, *[error] * times)
    await delivery.commit()
    await delivery.go(3600)
    assert await delivery.rows() == [(SMS, "dead", ""), (MAIL, "dead", "")]
    await delivery.assert_ended_and_told()


@pytest.mark.parametrize("refused", [SMS, MAIL])
async def test_refused_one_way_nothing_is_told(delivery: CodeDelivery, refused: str) -> None:
    if refused == SMS:
        delivery.sms.will(PHONE.msisdn, NO)
    else:
        delivery.mail.will(ADDRESS, NO)
    await delivery.commit()
    await delivery.go()
    await delivery.assert_open()


async def test_one_way_refused_while_the_other_waits_nothing_is_told_yet(
    delivery: CodeDelivery,
) -> None:
    delivery.sms.will(PHONE.msisdn, NO)
    delivery.mail.hold = asyncio.Event()
    await delivery.commit()
    await delivery.go()
    await delivery.assert_open()
    delivery.mail.will(ADDRESS, NO)
    delivery.mail.hold.set()
    await delivery.go()
    await delivery.assert_ended_and_told()


async def test_a_failed_report_on_the_only_way_ends_the_purchase(phone_only: CodeDelivery) -> None:
    await phone_only.commit()
    await phone_only.go()
    await phone_only.assert_open()
    await phone_only.report(SMS, "sms-1", delivered=False)
    await phone_only.assert_ended_and_told()


async def test_a_failed_report_that_comes_twice_is_told_once(phone_only: CodeDelivery) -> None:
    await phone_only.commit()
    await phone_only.go()
    for _ in range(2):
        await phone_only.report(SMS, "sms-1", delivered=False)
    await phone_only.assert_ended_and_told()


@pytest.mark.parametrize("delivered", [True, False])
async def test_a_report_while_the_other_way_may_arrive_tells_nothing(
    delivery: CodeDelivery, delivered: bool
) -> None:
    await delivery.commit()
    await delivery.go()
    await delivery.report(SMS, "sms-1", delivered)
    await delivery.assert_open()


async def test_a_failed_report_and_a_refusal_leave_no_way(delivery: CodeDelivery) -> None:
    delivery.mail.will(ADDRESS, NO)
    await delivery.commit()
    await delivery.go()
    await delivery.report(SMS, "sms-1", delivered=False)
    await delivery.assert_ended_and_told()


async def test_a_report_for_a_message_that_is_not_ours_changes_nothing(
    delivery: CodeDelivery,
) -> None:
    await delivery.commit()
    await delivery.go()
    await delivery.report(SMS, "nosuch", delivered=False)
    await delivery.report(CHAT, "sms-1", delivered=False)
    await delivery.assert_open()


async def test_a_late_failed_report_for_a_code_before_leaves_the_newer_alone(
    phone_only: CodeDelivery,
) -> None:
    """The person asked for another because the first did not come; that one did."""
    await phone_only.commit()
    await phone_only.go()
    await phone_only.resend()
    await phone_only.go()
    await phone_only.report(SMS, "sms-1", delivered=False)
    await phone_only.assert_open()


async def test_a_code_before_that_is_refused_late_leaves_the_newer_alone(
    phone_only: CodeDelivery,
) -> None:
    phone_only.sms.will(PHONE.msisdn, *(Unclear("no answer") for _ in range(TRIES_MAX - 1)), NO)
    await phone_only.commit()
    phone_only.sms.hold = asyncio.Event()
    await phone_only.go()  # the first try is on its way
    await phone_only.resend()
    phone_only.sms.errors.clear()
    phone_only.sms.will(PHONE.msisdn, NO)
    phone_only.sms.hold.set()
    await phone_only.go(60)
    assert [phone_only.codes[1] in text for text in phone_only.sms.texts] == [True]
    await phone_only.assert_open()
