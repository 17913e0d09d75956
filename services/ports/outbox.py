"""Messages waiting to be sent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from services.domain.outbox import OutboxRow, Rank
from services.domain.phone import Phone


class Outbox(Protocol):
    """Messages waiting to be sent. Only the edge that words a message adds one."""

    def drop_queued(self, channel: str, address: str) -> None:
        """Cancel queued messages to this account, except codes."""
        ...

    def drop_queued_sms(self, phone: Phone) -> None:
        """Cancel queued SMS to this number."""
        ...

    def add(
        self,
        channel: str,
        address: str,
        *,
        kind: str,
        text: str,
        rows: str = "[]",
        turn: int = 0,
        event_id: str | None = None,
        n: int = 0,
        slot: str | None = None,
        edits: bool = False,
        fallback: str | None = None,
        protect: bool = False,
        otp: str | None = None,
        target: str | None = None,
        silent: bool = False,
        document: str | None = None,
        rank: Rank | None = None,
        is_sent: bool = False,
    ) -> OutboxRow:
        """Queue a message; ``fallback`` is a phone to send an SMS to if the chat rejects it.

        ``rank`` defaults to NOTICE for notices and ANSWER for everything else. ``otp`` is the code
        in a sealed ``text``, ``target`` the message to delete, ``document`` the reference of the
        attachment. ``is_sent``: the channel shows it by itself, so it is stored and never queued.
        """
        ...

    def queued(self, after: tuple[int, int], limit: int) -> list[OutboxRow]:
        """Queued messages by rank and id, starting after the position ``after``: a (rank, id), or
        ``BEFORE_ALL``."""
        ...

    def answer_to(self, channel: str, address: str, event_id: str) -> OutboxRow | None:
        """The stored answer to an event of this account."""
        ...

    def unsent(self, channel: str, address: str, event_id: str) -> list[OutboxRow]:
        """What the channel has not accepted of the messages for an event of this account; no codes.

        They count as put off: one may be sent just now, which is looked up before a second send.
        """
        ...

    def waiting(self, limit: int) -> tuple[int, datetime | None]:
        """The number of queued messages, counted up to ``limit``, and when the oldest was
        queued."""
        ...

    def is_queued(self, row_id: int) -> bool:
        """Whether it is still to be sent: its code may have ended, or its account been unlinked."""
        ...

    def fall_back_to_sms(self, row_id: int) -> list[OutboxRow]:
        """Queue a chat message's SMS fallback, if it has one; at most once per message."""
        ...

    def mark_sent(self, taken: Iterable[tuple[str, int]]) -> None:
        """Mark (message id, row id) pairs as accepted by the channel, and wipe sealed texts."""
        ...

    def mark_dead(self, row_id: int, error: str) -> None:
        """Give up on the message."""
        ...

    def delivery_of(self, otp: str, channel: str) -> str:
        """How far the message with this code is: none, queued, sent, delivered or failed."""
        ...

    def schedule_retry(
        self, row_id: int, attempts: int, due_at: datetime, error: str, unsure: int = 0
    ) -> None:
        """Retry at ``due_at``: delivery is not certain after so many attempts, ``unsure`` of which
        may have arrived."""
        ...

    def begin_unsure(self, row_id: int, unsure: int) -> None:
        """Record a send whose answer may get lost; ``schedule_retry`` undoes it on a refusal."""
        ...

    def unanswered(self, row_id: int, error: str) -> None:
        """Record that a code may have arrived and must not be resent: sent, but without a message
        id."""
        ...

    def record_delivery_report(self, channel: str, message_id: str, delivered: bool) -> str | None:
        """Store a carrier's final delivery report; returns the code the message carried, if
        any."""
        ...

    def may_arrive(self, otp: str) -> bool:
        """Whether any message with this code is still queued, or was sent and has not failed."""
        ...

    def delete_unseen(self, moment: datetime, limit: int) -> int:
        """Delete answers from before this to strangers, who were never shown a button."""
        ...

    def delete_before(self, moment: datetime, limit: int) -> int:
        """Delete sent and dead messages older than this; returns how many."""
        ...
