"""A code whose send got no answer is sent once more; the purchase ends when no channel is left."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.outbox.attempt import CODE_PAUSES_S
from bot.outbox.carriers import MAIL, SMS
from bot.outbox.channel import AnswerLost, MessageContent, Unclear, Undeliverable
from tests.kit.code_delivery import ADDRESS, CHAT, CodeDelivery, seed
from tests.kit.worker_harness import PHONE

NO = Undeliverable("not taken")
TRIES_MAX = len(CODE_PAUSES_S) + 1


@pytest.fixture
async def phone_only(delivery: CodeDelivery) -> CodeDelivery:
    """Without a verified mail address, SMS is the only channel."""
    await delivery.database.write(seed(None))
    return delivery


# No answer --------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [0, 3])
async def test_a_code_whose_answer_was_lost_goes_once_more_and_then_counts_as_sent(
    phone_only: CodeDelivery, before: int
) -> None:
    """Sends that the carrier certainly did not accept are retried as often as before."""
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
    """The carrier accepts every send; Hazina only sometimes lives to see the answer."""
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
    """A code that never left still goes out if Hazina is killed between tries, and it is dropped if
    the refusal is final."""
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


# No channel left --------------------------------------------------------------------------------


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
    """The person asked for a second code because the first did not arrive; the second did."""
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
    await phone_only.go()  # the first try is in flight
    await phone_only.resend()
    phone_only.sms.errors.clear()
    phone_only.sms.will(PHONE.msisdn, NO)
    phone_only.sms.hold.set()
    await phone_only.go(60)
    assert [phone_only.codes[1] in text for text in phone_only.sms.texts] == [True]
    await phone_only.assert_open()
