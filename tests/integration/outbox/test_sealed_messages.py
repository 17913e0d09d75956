"""Sealed messages in the outbox are opened only to be sent."""

from __future__ import annotations

from structlog.testing import capture_logs

from bot.outbox.attempt import (
    CARRIER_PAUSES_S,
    CODE_PAUSES_S,
)
from bot.outbox.carriers import SMS
from bot.outbox.channel import (
    MessageContent,
    RetryAfter,
    Unclear,
    Undeliverable,
)
from bot.security.keyring import Keyring
from bot.simulation.clock import START
from services.domain.outbox import OutboxRow
from storage.transaction import StoreTx
from tests.kit.outbox_harness import AMINA, KEYS, PHONE, OutboxHarness

CODE = "Code 482913. Never share it."


async def code(harness: OutboxHarness, otp: str = "OT-1", to: str = PHONE.msisdn) -> OutboxRow:
    return await harness.queue(KEYS.seal(CODE), to, kind="code", channel=SMS, otp=otp)


async def test_a_code_is_opened_for_its_carrier_only_and_wiped_when_it_is_sent(
    harness: OutboxHarness,
) -> None:
    row = await code(harness)
    assert "482913" not in str(row)
    assert "482913" not in str(await harness.states())
    harness.sender.push([row])
    await harness.settle()
    assert harness.sms.texts == [CODE]
    assert await harness.states() == [("", "sent", 1)]
    assert "482913" not in str(harness.told)


async def test_the_carriers_own_id_of_a_message_is_kept(harness: OutboxHarness) -> None:
    harness.sender.push([await code(harness)])
    await harness.settle()

    def report(tx: StoreTx) -> tuple[str | None, str | None]:
        return tx.outbox.record_delivery_report(
            SMS, "nosuch", False
        ), tx.outbox.record_delivery_report(SMS, "m1", False)

    assert await harness.database.write(report) == (None, "OT-1")


async def test_a_code_that_is_given_up_is_lost_wiped_and_told(harness: OutboxHarness) -> None:
    harness.sms.will(PHONE.msisdn, Undeliverable("no such number"))
    harness.sender.push([await code(harness)])
    with capture_logs() as logs:
        await harness.settle()
    assert (harness.sms.texts, harness.lost, harness.chat.texts) == ([], ["OT-1"], ["OT-1 is lost"])
    assert (await harness.states())[0] == ("", "dead", 1)
    assert "482913" not in str(logs)


async def test_what_carries_no_code_loses_none(harness: OutboxHarness) -> None:
    harness.chat.will(AMINA, Undeliverable("too long"))
    await harness.sent("bad")
    assert harness.lost == []


async def test_a_code_that_no_key_opens_is_given_up(harness: OutboxHarness) -> None:
    sealed = Keyring({"2": bytes([7]) * 32}).seal(CODE)
    await harness.sent(sealed, to=PHONE.msisdn, kind="code", channel=SMS, otp="OT-1")
    assert (harness.sms.attempts, harness.lost) == (0, ["OT-1"])


async def test_a_code_is_given_up_within_minutes_and_other_texts_after_hours(
    harness: OutboxHarness,
) -> None:
    times = {"code": 0.0, "text": 0.0}

    async def no_answer(address: str, content: MessageContent) -> str:
        what = "code" if content.text == CODE else "text"
        times[what] = (harness.clock.now() - START).total_seconds()
        raise Unclear("no answer")

    harness.sms.send = no_answer  # type: ignore[method-assign]
    harness.sender.push([await code(harness)])
    await harness.push("paid", to="254733123456", kind="notice", channel=SMS)
    await harness.advance(86_400)
    assert times == {
        "code": sum(CODE_PAUSES_S),
        "text": sum(CARRIER_PAUSES_S),
    }
    assert times["code"] < 300
    assert times["text"] > 3_600
    assert harness.lost == ["OT-1"]


async def ended(harness: OutboxHarness, row: OutboxRow) -> None:
    """Leave the row as the database trigger does when the code ends."""
    await harness.database.write(lambda tx: tx.outbox.mark_dead(row.id, "the code has ended"))


async def test_a_code_that_ended_while_it_waited_for_another_try_is_not_sent(
    harness: OutboxHarness,
) -> None:
    harness.sms.will(PHONE.msisdn, Unclear("no answer"), Unclear("no answer"))
    row = await code(harness)
    harness.sender.push([row])
    await harness.settle()
    await ended(harness, row)
    await harness.advance(60)
    assert (harness.sms.texts, harness.lost) == ([], [])


async def test_a_code_that_ended_while_it_stood_behind_another_is_not_sent(
    harness: OutboxHarness,
) -> None:
    harness.sms.will(PHONE.msisdn, RetryAfter(30))
    first, row = await code(harness), await code(harness, "OT-2")
    harness.sender.push([first, row])
    await harness.settle()
    await ended(harness, row)
    await harness.advance(60)
    assert harness.sms.texts == [CODE]
    assert [state for _, state, _ in await harness.states()] == ["sent", "dead"]


async def test_a_code_does_not_stand_behind_a_message_that_was_put_off(
    harness: OutboxHarness,
) -> None:
    harness.sms.will(PHONE.msisdn, RetryAfter(30))
    await harness.push("paid", to=PHONE.msisdn, kind="notice", channel=SMS)
    harness.sender.push([await code(harness)])
    await harness.settle()
    assert harness.sms.texts == [CODE]
