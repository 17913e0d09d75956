"""The simulated bank's paybill: every payment to it, and the notifications that tell of them.

A notification that is signed as it should be tells of one payment per receipt; one that is not is
somebody's invention, and no payment stands behind it (docs/conversation-scripts.md).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto

from bot.simulation.ncba.account_notification import (
    BANK_NARRATIVE,
    DEBIT,
    MPESA,
    PAYER_NAME,
    PESALINK,
    Movement,
    as_envelope,
    movement_notification,
)
from bot.simulation.ncba.prompts import PromptRegistry, PromptState, SentPrompt
from services.domain.business_days import NAIROBI
from services.domain.money import Money
from services.gateways.ncba.account_notification import PAYMENT_TYPES
from services.gateways.ncba.payment_notification import NotifyCredentials, notification_hash
from services.ports import Clock

BAD_HASH, BAD_PASSWORD = "bad-hash", "bad-password"


class NotificationForm(Enum):
    """How a notification tells of a payment (facts: NCBA 2 and 6)."""

    ONE_FIELD = auto()  # what the payer typed, in one field
    TWO_FIELDS = auto()  # the account alone, and what stands behind it in the narrative
    OF_ACCOUNT = auto()  # as a movement of our account, in XML


@dataclass(frozen=True, slots=True)
class PurposeFields:
    """The two fields that say what was paid for."""

    account: str
    narrative: str = BANK_NARRATIVE


@dataclass(slots=True)
class PaybillPayment:
    """One payment. ``reported_at`` is when a notification of it was first answered as received:
    from then on the product knows of it. ``prompt`` is the one it answered, if it did.
    ``via_bank``: through another bank, so that only notices of the account tell of it, and
    ``receipt`` is the bank's own number."""

    receipt: str
    phone: str
    amount: Money
    account_reference: str
    paid_at: datetime
    prompt: SentPrompt | None = None
    reported_at: datetime | None = None
    via_bank: bool = False


@dataclass(frozen=True, slots=True)
class BankNotification:
    """A notification as it travels, and the payment behind it, if there is one."""

    body: bytes
    payment: PaybillPayment | None


class Paybill:
    def __init__(
        self, clock: Clock, prompts: PromptRegistry, credentials: NotifyCredentials
    ) -> None:
        self._clock = clock
        self._prompts = prompts
        self._credentials = credentials
        self._by_receipt: dict[str, PaybillPayment] = {}
        self._notified: set[str] = set()  # transaction ids of prompts

    def notify(
        self,
        phone: str,
        amount: Money,
        reference: str,
        receipt: str | None = None,
        spoiled: str | None = None,
        words: PurposeFields | None = None,
        kind: str | None = None,
    ) -> BankNotification:
        """Book what it tells of, where it is signed, and sign it; ``words`` where the bank does not
        pass ``reference`` on as it was typed. ``kind``: as a movement of the account, of that
        ``TransType``, which need not be a payment."""
        payment: PaybillPayment | None
        if spoiled is None and (kind is None or kind in PAYMENT_TYPES):
            payment = self._by_receipt.get(receipt or "") or self._pay(
                phone, amount, reference, receipt
            )
            told = payment
        else:
            payment = None
            receipt = receipt or self._prompts.new_receipt()
            told = PaybillPayment(receipt, phone, amount, reference, self._clock.now())
        if kind is not None:
            narrative = words.narrative if words else told.account_reference
            return BankNotification(self._of_account(told, narrative, kind, spoiled), payment)
        fields = self._fields(told, words or PurposeFields(told.account_reference), spoiled)
        return BankNotification(json.dumps(fields).encode(), payment)

    def pay(
        self, phone: str, amount: Money, reference: str, *, via_bank: bool = False
    ) -> PaybillPayment:
        """The payer types the paybill's number by themselves; nobody is told yet."""
        payment = PaybillPayment(
            self._prompts.new_receipt(),
            phone,
            amount,
            reference,
            self._clock.now(),
            via_bank=via_bank,
        )
        self._by_receipt[payment.receipt] = payment
        return payment

    def payment_of(self, prompt: SentPrompt, account: str) -> PaybillPayment:
        """The payment of this very prompt, to be told of by that account number."""
        assert prompt.receipt is not None, "only a payment is told of"
        self._notified.add(prompt.transaction_id)
        return self._by_receipt.setdefault(
            prompt.receipt, replace(_paid(prompt), account_reference=account)
        )

    def notification_of(
        self,
        payment: PaybillPayment,
        told: NotificationForm = NotificationForm.ONE_FIELD,
        *,
        kind: str = MPESA,
        raw: bool = False,
    ) -> BankNotification:
        """What follows the last ``#`` is what the payer paid for. ``kind`` and ``raw`` are of
        notices of the account (``movement_notification``)."""
        account, _, behind = payment.account_reference.rpartition("#")
        match told:
            case NotificationForm.ONE_FIELD:
                words = PurposeFields(payment.account_reference)
            case NotificationForm.TWO_FIELDS:
                words = PurposeFields(
                    account or self._credentials.account_number, behind or BANK_NARRATIVE
                )
            case NotificationForm.OF_ACCOUNT:
                kind = PESALINK if payment.via_bank else kind
                return BankNotification(self._of_account(payment, behind, kind, raw=raw), payment)
        return BankNotification(json.dumps(self._fields(payment, words)).encode(), payment)

    def debit(self, number: str, amount: Money, at: datetime) -> BankNotification:
        """Money left our account: told by the account's notices, and no payment."""
        movement = Movement(DEBIT, number, "", at, f"-{amount.decimal}", "FLOAT PURCHASE")
        key, password = self._proof(None)
        return BankNotification(
            movement_notification(self._credentials, movement, key=key, password=password), None
        )

    def received(self) -> tuple[PaybillPayment, ...]:
        """Everything that ever came in, told of or not."""
        told = {one.prompt.transaction_id for one in self._by_receipt.values() if one.prompt}
        prompts = (one for one in self._prompts.paid() if one.transaction_id not in told)
        return (*self._by_receipt.values(), *map(_paid, prompts))

    def payments(self) -> tuple[PaybillPayment, ...]:
        """Those that a notification has told of, or that came without a prompt."""
        return tuple(self._by_receipt.values())

    def _pay(
        self, phone: str, amount: Money, reference: str, receipt: str | None
    ) -> PaybillPayment:
        prompt = self._prompt(phone, amount)
        if prompt is not None:
            self._notified.add(prompt.transaction_id)
            if prompt.state is PromptState.OPEN:
                self._prompts.end(prompt, PromptState.PAID)
            prompt.receipt = receipt or prompt.receipt
            assert prompt.receipt is not None
            receipt = prompt.receipt
        payment = PaybillPayment(
            receipt or self._prompts.new_receipt(),
            phone,
            amount,
            reference,
            self._clock.now() if prompt is None or prompt.ended_at is None else prompt.ended_at,
            prompt,
        )
        self._by_receipt[payment.receipt] = payment
        return payment

    def _prompt(self, phone: str, amount: Money) -> SentPrompt | None:
        """The open one, or a paid one that nobody was notified of, if phone and amount agree."""
        fitting = [
            prompt
            for prompt in (*self._prompts.open(), *self._prompts.paid())
            if prompt.phone == phone
            and Money(prompt.amount_kes * 100) == amount
            and prompt.transaction_id not in self._notified
        ]
        return fitting[0] if fitting else None

    def _fields(
        self, payment: PaybillPayment, words: PurposeFields, spoiled: str | None = None
    ) -> Mapping[str, str]:
        credentials = self._credentials
        fields = {
            "TransType": "Pay Bill",
            "TransID": payment.receipt,
            "FTRef": f"FT{payment.receipt}",
            "TransTime": payment.paid_at.astimezone(NAIROBI).strftime("%Y%m%d%H%M%S"),
            "TransAmount": payment.amount.decimal,
            "BusinessShortCode": credentials.paybill_no,
            "BillRefNumber": words.account,
            "Narrative": words.narrative,
            "Mobile": payment.phone,
            "name": PAYER_NAME.title(),
        }
        key, password = self._proof(spoiled)
        signed = notification_hash(key, fields, credentials.paybill_no, words.account)
        return fields | {
            "Username": credentials.username,
            "Password": password,
            "Hash": signed,
        }

    def _of_account(
        self,
        payment: PaybillPayment,
        paid_for: str,
        kind: str,
        spoiled: str | None = None,
        *,
        raw: bool = False,
    ) -> bytes:
        movement = Movement(
            kind, payment.receipt, payment.phone, payment.paid_at, payment.amount.decimal, paid_for
        )
        key, password = self._proof(spoiled)
        return movement_notification(
            self._credentials, movement, key=key, password=password, raw=raw
        )

    def _proof(self, spoiled: str | None) -> tuple[str, str]:
        """What it is signed with, and the password that comes along."""
        credentials = self._credentials
        return (
            "another key" if spoiled == BAD_HASH else credentials.secret_key,
            "another" if spoiled == BAD_PASSWORD else credentials.password,
        )


def _paid(prompt: SentPrompt) -> PaybillPayment:
    return PaybillPayment(
        prompt.receipt or "",
        prompt.phone,
        Money(prompt.amount_kes * 100),
        prompt.account_no,
        prompt.ended_at or prompt.sent_at,
        prompt,
    )


def as_xml(body: bytes) -> bytes:
    """The same notification in its other form."""
    return as_envelope(json.loads(body)).encode()
