"""The bank as the use cases call it. Answers are values; only cancellation raises."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol

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
from services.domain.bank_line import BankLine
from services.domain.money import Money
from services.domain.payout_answers import Asked, PayoutAnswer, PayoutOrder


class Collections(Protocol):
    """NCBA's collections API (facts: NCBA 1). Answers are values; only cancellation raises."""

    async def prepare(self) -> Ready | NotSent:
        """Fetch a fresh token, before the intent to send is committed."""
        ...

    async def initiate(self, ready: Ready, prompt: Prompt) -> InitiateAnswer:
        """Request one prompt. Called once per top-up, ever; never retried inside."""
        ...

    async def query(self, bank_id: str) -> QueryAnswer:
        """Query the outcome of a prompt. Safe to repeat."""
        ...

    async def qr(self, reference: str, amount: Money) -> QrPicture | NoAnswer:
        """A QR picture that the payer scans to pay. Safe to repeat."""
        ...


class FloatBank(Protocol):
    """NCBA's Open Banking API (facts: NCBA 3). Answers are values; only cancellation raises."""

    async def prepare(self) -> Ready | NotSent:
        """Fetch a fresh token, before the intent to send is committed."""
        ...

    async def purchase(self, ready: Ready, order: FloatOrder) -> FloatAnswer:
        """Buy float. Called once per purchase, ever; never retried inside."""
        ...

    async def status(self, reference: str) -> StatusAnswer:
        """Query the outcome of a purchase by our reference. Safe to repeat."""
        ...


class PayoutRail(Protocol):
    """Safaricom's Daraja (facts: Daraja 2, 7). What M-PESA makes of a request comes later, as a
    Result. Answers are values; only cancellation raises."""

    async def prepare(self) -> Ready | NotSent:
        """Fetch a token and wait for a turn, before the intent to pay is committed."""
        ...

    async def pay(self, ready: Ready, order: PayoutOrder) -> PayoutAnswer:
        """Order one payment. Called once per payout, ever; repeated inside only where the token
        was refused, before M-PESA saw it."""
        ...

    async def ask_status(self, originator_id: str) -> Asked | NoAnswer:
        """Ask what became of an order, by our id of it. Safe to repeat."""
        ...

    async def ask_balance(self) -> Asked | NoAnswer:
        """Ask what the short code's accounts have. Safe to repeat."""
        ...


class BankStatements(Protocol):
    """NCBA's statement of our account (facts: NCBA 3)."""

    async def lines(self, day: date) -> Sequence[BankLine] | NoAnswer:
        """All lines of a business day, or none of them. Safe to repeat."""
        ...
