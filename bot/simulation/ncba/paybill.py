"""The simulated bank's paybill: payments to it, and the notifications about them.

A correctly signed notification stands for one payment per receipt. A wrongly signed one is a
forgery without a payment behind it (docs/conversation-scripts.md).
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
    """Forms of payment notifications (facts: NCBA 2 and 6)."""

    ONE_FIELD = auto()  # everything the payer typed, in one field
    TWO_FIELDS = auto()  # the account number alone, and the rest in the narrative
    OF_ACCOUNT = auto()  # as a movement of our account, in XML


@dataclass(frozen=True, slots=True)
class PurposeFields:
    """The two fields that say what a payment is for."""

    account: str
    narrative: str = BANK_NARRATIVE


@dataclass(slots=True)
class PaybillPayment:
    """A payment.

    ``reported_at`` is when a notification of it was first acknowledged: from then on the product
    knows of it. ``prompt`` is the prompt it answered, if any. ``via_bank`` payments come through
    another bank: only account notifications report them, and ``receipt`` is the bank's own number.
    """

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
    """A notification as sent, and the payment behind it, if any."""

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
        forged_by: str | None = None,
        words: PurposeFields | None = None,
        kind: str | None = None,
    ) -> BankNotification:
        """Book a payment, unless the notification is forged, and sign the notification.

        ``words`` are given if the bank does not pass ``reference`` on as it was typed. ``kind``
        makes it an account notification of that ``TransType``, which need not be a payment.
        """
        payment: PaybillPayment | None
        if forged_by is None and (kind is None or kind in PAYMENT_TYPES):
            payment = self._by_receipt.get(receipt or "") or self._pay(
                phone, amount, reference, receipt
            )
            notified = payment
        else:
            payment = None
            receipt = receipt or self._prompts.new_receipt()
            notified = PaybillPayment(receipt, phone, amount, reference, self._clock.now())
        if kind is not None:
            narrative = words.narrative if words else notified.account_reference
            return BankNotification(self._of_account(notified, narrative, kind, forged_by), payment)
        fields = self._fields(
            notified, words or PurposeFields(notified.account_reference), forged_by
        )
        return BankNotification(json.dumps(fields).encode(), payment)

    def pay(
        self, phone: str, amount: Money, reference: str, *, via_bank: bool = False
    ) -> PaybillPayment:
        """A payment made without a prompt; not notified yet."""
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
        """The payment of this prompt, to be notified with this account number."""
        assert prompt.receipt is not None, "only a payment is told of"
        self._notified.add(prompt.transaction_id)
        return self._by_receipt.setdefault(
            prompt.receipt, replace(_paid(prompt), account_reference=account)
        )

    def notification_of(
        self,
        payment: PaybillPayment,
        form: NotificationForm = NotificationForm.ONE_FIELD,
        *,
        kind: str = MPESA,
        raw: bool = False,
    ) -> BankNotification:
        """Whatever follows the last ``#`` is what the payer paid for.

        ``kind`` and ``raw`` are for account notifications (``movement_notification``).
        """
        account, _, behind = payment.account_reference.rpartition("#")
        match form:
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
        """Money left our account: reported only by an account notification, and not a payment."""
        movement = Movement(DEBIT, number, "", at, f"-{amount.decimal}", "FLOAT PURCHASE")
        key, password = self._proof(None)
        return BankNotification(
            movement_notification(self._credentials, movement, key=key, password=password), None
        )

    def received(self) -> tuple[PaybillPayment, ...]:
        """All payments ever received, notified or not."""
        notified = {
            payment.prompt.transaction_id for payment in self._by_receipt.values() if payment.prompt
        }
        prompts = (
            prompt for prompt in self._prompts.paid() if prompt.transaction_id not in notified
        )
        return (*self._by_receipt.values(), *map(_paid, prompts))

    def untold(self) -> tuple[SentPrompt, ...]:
        """Paid prompts that no notification has told of, in payment order."""
        paid = self._prompts.paid()
        return tuple(prompt for prompt in paid if prompt.transaction_id not in self._notified)

    def payments(self) -> tuple[PaybillPayment, ...]:
        """Payments that were notified, or that had no prompt."""
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
        """An open prompt, or a paid one not notified yet, with the same phone and amount."""
        fitting = [
            prompt
            for prompt in (*self._prompts.open(), *self._prompts.paid())
            if prompt.phone == phone
            and Money(prompt.amount_kes * 100) == amount
            and prompt.transaction_id not in self._notified
        ]
        return fitting[0] if fitting else None

    def _fields(
        self, payment: PaybillPayment, words: PurposeFields, forged_by: str | None = None
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
        key, password = self._proof(forged_by)
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
        forged_by: str | None = None,
        *,
        raw: bool = False,
    ) -> bytes:
        movement = Movement(
            kind, payment.receipt, payment.phone, payment.paid_at, payment.amount.decimal, paid_for
        )
        key, password = self._proof(forged_by)
        return movement_notification(
            self._credentials, movement, key=key, password=password, raw=raw
        )

    def _proof(self, forged_by: str | None) -> tuple[str, str]:
        """The signing key, and the password sent along."""
        credentials = self._credentials
        return (
            "another key" if forged_by == BAD_HASH else credentials.secret_key,
            "another" if forged_by == BAD_PASSWORD else credentials.password,
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
    """The same notification as XML."""
    return as_envelope(json.loads(body)).encode()
