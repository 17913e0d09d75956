"""A shut chat gets nothing until it is reachable again; important messages go by SMS."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from bot.http.dashboard.measured import totals
from bot.outbox.channel import (
    Blocked,
    MessageGone,
    RetryAfter,
    Unclear,
    Undeliverable,
)
from bot.outbox.sender import SMS_FALLBACK_AFTER_S
from tests.kit.outbox_harness import AMINA, BARAKA, CHAT, PHONE, OutboxHarness

# A chat that is reachable again


async def test_the_answer_to_somebody_who_writes_goes_ahead_of_what_is_put_off(
    harness: OutboxHarness,
) -> None:
    harness.chat.will(AMINA, *(Unclear("no answer") for _ in range(8)))
    await harness.push("received", kind="receipt")
    await harness.advance(600)
    assert harness.chat.texts == []
    await harness.sent("balance")
    assert harness.chat.texts == ["balance", "received"]


async def test_what_a_429_holds_is_not_overtaken(harness: OutboxHarness) -> None:
    harness.chat.will(AMINA, RetryAfter(30))
    await harness.sent("received", kind="notice")
    await harness.sent("balance")
    assert harness.chat.texts == []
    await harness.advance(30)
    assert harness.chat.texts == ["received", "balance"]


async def test_after_an_outage_every_chat_gets_what_it_waits_for(harness: OutboxHarness) -> None:
    chats = [str(number) for number in range(6)]
    for chat in chats:
        harness.chat.will(chat, *(Unclear("no answer") for _ in range(8)))
        await harness.push(f"received {chat}", to=chat, kind="receipt")
    await harness.advance(600)
    assert harness.chat.texts == []
    await harness.sent("balance", to=BARAKA)
    assert sorted(harness.chat.texts) == ["balance", *(f"received {chat}" for chat in chats)]


async def test_one_poisoned_message_is_not_tried_with_each_one_that_arrives(
    harness: OutboxHarness,
) -> None:
    harness.chat.will("poisoned", *(Unclear("no answer") for _ in range(99)))
    await harness.push("received", to="poisoned", kind="receipt")
    await harness.advance(3600)
    tried = harness.chat.attempts
    for _ in range(20):
        await harness.sent("balance", to=BARAKA)
    assert harness.chat.attempts - tried <= 21


async def test_a_shut_chat_falls_back_to_sms_where_it_is_wanted(harness: OutboxHarness) -> None:
    harness.chat.will(AMINA, Blocked("shut"), Blocked("shut"))
    await harness.push("question")
    await harness.sent("received", kind="receipt", fallback=PHONE.msisdn)
    assert harness.sms.taken == [(PHONE.msisdn, "received")]
    assert [state for _, state, _ in await harness.states()] == ["dead", "dead", "sent"]


async def test_a_phone_is_masked_where_the_fallback_is_logged(harness: OutboxHarness) -> None:
    harness.chat.will(AMINA, Blocked("shut"))
    with capture_logs() as logs:
        await harness.sent("received", fallback=PHONE.msisdn)
    assert [log["phone"] for log in logs] == [PHONE.masked]
    assert PHONE.msisdn not in str(logs)


async def test_an_sms_that_finds_nobody_does_not_fall_back_for_ever(harness: OutboxHarness) -> None:
    harness.chat.will(AMINA, Blocked("shut"))
    harness.sms.will(PHONE.msisdn, Blocked("shut"))
    await harness.sent("received", fallback=PHONE.msisdn)
    assert (harness.sms.attempts, harness.sms.texts) == (1, [])


@pytest.mark.parametrize(
    "error", [Undeliverable("no rights"), MessageGone("gone"), Blocked("shut")]
)
async def test_a_receipt_that_a_chat_refuses_for_any_reason_is_texted(
    harness: OutboxHarness, error: Exception
) -> None:
    harness.chat.will(AMINA, error)
    await harness.sent("received", kind="receipt", fallback=PHONE.msisdn)
    assert harness.sms.taken == [(PHONE.msisdn, "received")]


@pytest.mark.parametrize("error", [Unclear("no answer"), RetryAfter(4_000)])
async def test_a_receipt_that_a_chat_does_not_take_is_texted_after_five_minutes_and_once(
    harness: OutboxHarness, error: Exception
) -> None:
    harness.chat.will(AMINA, *(error for _ in range(12)))
    await harness.push("received", kind="receipt", fallback=PHONE.msisdn)
    await harness.advance(SMS_FALLBACK_AFTER_S - 1)
    assert harness.sms.texts == []
    await harness.advance(1)
    assert harness.sms.texts == ["received"]
    await harness.advance(86_400)
    assert (harness.sms.texts, harness.chat.texts) == (["received"], ["received"])


async def test_a_receipt_that_waits_behind_another_message_is_texted_too(
    harness: OutboxHarness,
) -> None:
    harness.chat.hold = asyncio.Event()
    await harness.push("question")
    await harness.push("received", kind="receipt", fallback=PHONE.msisdn)
    await harness.advance(SMS_FALLBACK_AFTER_S)
    assert harness.sms.texts == ["received"]
    harness.chat.hold.set()
    await harness.settle()
    assert harness.chat.texts == ["question", "received"]


async def test_a_receipt_that_arrived_is_not_texted(harness: OutboxHarness) -> None:
    await harness.sent("received", kind="receipt", fallback=PHONE.msisdn)
    await harness.advance(86_400)
    assert harness.sms.texts == []


async def test_what_comes_of_each_try_is_counted(harness: OutboxHarness) -> None:
    harness.chat.will(AMINA, Unclear("no answer"), RetryAfter(30))
    harness.chat.will("stranger", Blocked("shut"))
    await harness.sent("received")
    await harness.sent("hello", to="stranger")
    await harness.advance(60)
    assert totals(harness.metrics.messages) == {
        (CHAT, "unclear"): 1,
        (CHAT, "held_back"): 1,
        (CHAT, "accepted"): 1,
        (CHAT, "refused"): 1,
    }
