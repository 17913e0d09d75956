"""One attempt to send one message, and how its result is recorded.

The database is the source of truth: a message leaves the queue only when the channel has accepted
it or never will.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias, TypeVar

import structlog

from bot.outbox.carriers import buttons_from_json
from bot.outbox.channel import (
    AnswerLost,
    Blocked,
    Channel,
    MessageContent,
    MessageGone,
    RetryAfter,
    Unclear,
    Undeliverable,
)
from bot.outbox.database_retries import read_when_available, write_until_committed
from bot.outbox.sent import SentMessage, SentRecorder
from services.domain.outbox import OutboxRow
from services.domain.phone import Phone
from services.ports import Clock, Keys, Tx
from services.ports.database import Database

_log = structlog.get_logger(__name__)

# Seconds before each retry of a message without a clear answer; after the last one it is given up.
# A person waiting at a screen asks again within minutes. Unprompted messages, such as the outcome
# of a payment, are retried for a day.
ANSWER_PAUSES_S = (0.0, 1.0, 5.0, 15.0, 60.0, 120.0)
NOTICE_PAUSES_S = (*ANSWER_PAUSES_S, 300.0, 600.0, 1_800.0, *[3_600.0] * 23)
UNPROMPTED = frozenset({"receipt", "notice"})
# A carrier may be down for an hour, but a person who waits for a code needs it within minutes.
CODE_PAUSES_S = (0.0, 1.0, 2.0, 5.0, 15.0, 30.0, 60.0)
CARRIER_PAUSES_S = (5.0, 15.0, 60.0, 300.0, 900.0, 1_800.0, 3_600.0)
# How long each attempt waits for an answer. A slow channel accepts a message and answers late: with
# the same short timeout, every retry would send the message again.
ANSWER_TIMEOUTS_S = (15.0, 120.0, 300.0)
UNSURE_MAX = 2  # sends of one code that may have arrived; the person can request another code
AFTER_LOST_S = 15.0  # before the second send

T = TypeVar("T")

OnDelivered = Callable[[OutboxRow, str, bool], None]  # row, message id, edited in place
OnCodeLost = Callable[[Tx, str], Sequence[OutboxRow]]  # for a code whose last message was given up


@dataclass(frozen=True, slots=True)
class Finished:
    """No more attempts: ``accepted`` by the channel or not. ``rows`` were queued in its place."""

    accepted: bool = False
    rows: Sequence[OutboxRow] = ()


@dataclass(frozen=True, slots=True)
class Rescheduled:
    """To be retried in ``seconds``; ``unclear`` unless the channel itself asked to wait."""

    row: OutboxRow
    seconds: float
    unclear: bool


SendResult: TypeAlias = Finished | Rescheduled

ACCEPTED = Finished(accepted=True)


class SendAttempts:
    """``delivered`` is called for each message that a channel accepted, in order; ``code_lost`` is
    called in the transaction that gives up a message with a code."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        channels: Mapping[str, Channel],
        keys: Keys,
        code_lost: OnCodeLost,
        delivered: OnDelivered | None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._channels = channels
        self._keys = keys
        self._code_lost = code_lost
        self._delivered = delivered
        self.sent = SentRecorder(database, clock)

    async def send(self, row: OutboxRow, *, is_fresh: bool) -> SendResult:
        """``is_fresh``: just committed, so nothing can have cancelled it since."""
        channel = self._channels.get(row.channel)
        if channel is None:
            return await self._give_up(row, f"no channel {row.channel}")
        try:
            # While it waited, its code or its recipient may have been removed.
            if not is_fresh and not await self._is_queued(row):
                return Finished()
            if self.is_code_by_carrier(row):
                if row.unsure >= UNSURE_MAX:
                    return await self._give_up(row, "the desk stopped while it was sent")
                # Recorded as lost before the call: a kill during it must not send it again.
                await self._note(lambda tx: tx.outbox.begin_unsure(row.id, row.unsure + 1))
            message_id, edited = await self._show(channel, row)
        except RetryAfter as error:
            return await self._reschedule(
                row, row.attempts, error.seconds, str(error), unclear=False
            )
        except AnswerLost as error:
            return await self._lost(row, str(error))
        except Unclear as error:
            return await self._retry_or_give_up(row, str(error))
        except (Blocked, MessageGone, Undeliverable) as error:
            return await self._give_up(row, str(error), is_shut=isinstance(error, Blocked))
        except Exception as error:  # noqa: BLE001 - logged; an error must not stop the chat
            _log.exception("sending failed", row=row.id, channel=row.channel)
            return await self._lost(row, type(error).__name__)

        if self._delivered is not None and row.kind != "wipe":
            self._delivered(row, message_id, edited)
        takes_slot = row.slot is not None and not edited
        await self.sent.record(SentMessage(row, message_id, takes_slot))
        return ACCEPTED

    async def fall_back_to_sms(self, row_id: int) -> Sequence[OutboxRow]:
        """Queue an SMS for a message that the chat has not accepted; once per message."""

        rows = await self._note(lambda tx: tx.outbox.fall_back_to_sms(row_id))
        for row in rows:
            _log.info("chat takes nothing, texting", phone=Phone(row.address).masked)
        return rows

    # ---------------------------------------------------------------------------------------------

    async def _is_queued(self, row: OutboxRow) -> bool:
        return await self._read(lambda tx: tx.outbox.is_queued(row.id))

    async def _read(self, read: Callable[[Tx], T]) -> T:
        return await read_when_available(self._database, self._clock, read)

    async def _note(self, note: Callable[[Tx], T]) -> T:
        return await write_until_committed(self._database, self._clock, note)

    async def _show(self, channel: Channel, row: OutboxRow) -> tuple[str, bool]:
        """Edit the slot's message, or send a new one; returns its id and whether it was edited."""
        if row.target is not None:
            await channel.delete(row.address, row.target)
            return row.target, False
        text = row.text if row.otp is None else self._keys.unseal(row.text)
        if text is None:
            raise Undeliverable("no key opens what was sealed")
        patience_s = ANSWER_TIMEOUTS_S[min(row.attempts, len(ANSWER_TIMEOUTS_S) - 1)]
        content = MessageContent(
            text, buttons_from_json(row.rows), row.turn, row.silent, row.protect, patience_s
        )
        if row.document is not None:
            document = row.document
            file = await self._read(lambda tx: tx.documents.content(document))
            if file is None:
                raise Undeliverable("the document is not kept any more")
            return await channel.send_document(row.address, *file, content), False
        if row.edits and row.slot is not None:
            live = await self.sent.live(row.channel, row.address, row.slot)
            if live is not None:
                try:
                    await channel.edit(row.address, live, content)
                    return live, True
                except MessageGone:
                    if row.kind == "progress":
                        raise
            elif row.kind == "progress":
                raise MessageGone("there is no live message to edit")
        return await channel.send(row.address, content), False

    async def _lost(self, row: OutboxRow, why: str) -> SendResult:
        """It may have arrived. A code is sent at most once more, and then counts as sent."""
        if not self.is_code_by_carrier(row):
            return await self._retry_or_give_up(row, why)
        row = row._replace(unsure=row.unsure + 1)
        if row.unsure < UNSURE_MAX:
            return await self._reschedule(row, row.attempts + 1, AFTER_LOST_S, why, unclear=True)
        return await self._give_up(row, why)

    async def _retry_or_give_up(self, row: OutboxRow, why: str) -> SendResult:
        """Not certainly accepted: retry a limited number of times."""
        pauses = self._pauses(row)
        if row.attempts < len(pauses):
            pause = pauses[row.attempts]
            return await self._reschedule(row, row.attempts + 1, pause, why, unclear=True)
        return await self._give_up(row, why)

    async def _reschedule(
        self, row: OutboxRow, attempts: int, seconds: float, why: str, *, unclear: bool
    ) -> Rescheduled:
        wait = timedelta(seconds=seconds)
        await self._note(
            lambda tx: tx.outbox.schedule_retry(row.id, attempts, tx.now + wait, why, row.unsure)
        )
        return Rescheduled(row._replace(attempts=attempts, put_off=True), seconds, unclear)

    async def _give_up(self, row: OutboxRow, why: str, *, is_shut: bool = False) -> Finished:
        """Important messages fall back to SMS, whatever the reason."""
        if row.unsure:  # one send may have arrived, so the code stays valid
            await self._note(lambda tx: tx.outbox.unanswered(row.id, why))
            return Finished()

        def bury(tx: Tx) -> Sequence[OutboxRow]:
            rows = tx.outbox.fall_back_to_sms(row.id)
            tx.outbox.mark_dead(row.id, why)
            return rows if row.otp is None else self._code_lost(tx, row.otp)

        rows = await self._note(bury)
        if rows and row.otp is None:
            phone = Phone(rows[0].address).masked
            _log.info("chat takes nothing, texting", phone=phone, why=why)
        elif not is_shut and row.kind not in ("progress", "wipe"):
            _log.warning("message will never arrive", row=row.id, channel=row.channel, why=why)
        return Finished(rows=rows)

    def _pauses(self, row: OutboxRow) -> Sequence[float]:
        if self._is_carrier(row.channel):
            return CARRIER_PAUSES_S if row.otp is None else CODE_PAUSES_S
        return NOTICE_PAUSES_S if row.kind in UNPROMPTED else ANSWER_PAUSES_S

    def is_code_by_carrier(self, row: OutboxRow) -> bool:
        """A carrier may deliver a code without ever answering."""
        return row.otp is not None and self._is_carrier(row.channel)

    def _is_carrier(self, name: str) -> bool:
        channel = self._channels.get(name)
        return channel is not None and channel.capabilities.carrier
