"""The simulated bank's paybill: every payment to it, and the notifications that tell of them.

A notification that is signed as it should be tells of one payment per receipt; one that is not is
somebody's invention, and no payment stands behind it (docs/conversation-scripts.md).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from xml.sax.saxutils import escape

from bot.simulator.prompts import PromptBook, PromptState, SentPrompt
from services.domain.days import NAIROBI
from services.domain.money import Money
from services.gateways.ncba_notification import REQUEST, NotifyCredentials, notification_hash
from services.ports import Clock

BAD_HASH, BAD_PASSWORD = "bad-hash", "bad-password"


@dataclass(slots=True)
class PaybillPayment:
    """One payment. ``told_at`` is when a notification of it was first answered as received: from
    then on the product knows of it. ``prompt`` is the one it answered, if it did."""

    receipt: str
    phone: str
    amount: Money
    account_reference: str
    paid_at: datetime
    prompt: SentPrompt | None = None
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification as it travels, and the payment behind it, if there is one."""

    body: bytes
    payment: PaybillPayment | None


class Paybill:
    def __init__(self, clock: Clock, prompts: PromptBook, credentials: NotifyCredentials) -> None:
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
    ) -> Notice:
        """Book what it tells of, where it is signed, and sign it."""
        payment: PaybillPayment | None
        if spoiled is None:
            payment = self._by_receipt.get(receipt or "") or self._pay(
                phone, amount, reference, receipt
            )
            told = payment
        else:
            payment = None
            receipt = receipt or self._prompts.new_receipt()
            told = PaybillPayment(receipt, phone, amount, reference, self._clock.now())
        return Notice(json.dumps(self._fields(told, spoiled)).encode(), payment)

    def pay(self, phone: str, amount: Money, reference: str) -> PaybillPayment:
        """The payer types the paybill's number by themselves; nobody is told yet."""
        payment = PaybillPayment(
            self._prompts.new_receipt(), phone, amount, reference, self._clock.now()
        )
        self._by_receipt[payment.receipt] = payment
        return payment

    def notify_of(self, prompt: SentPrompt, account: str) -> Notice:
        """Tell of the payment of this very prompt, by that account number."""
        assert prompt.receipt is not None, "only a payment is told of"
        self._notified.add(prompt.transaction_id)
        payment = self._by_receipt.setdefault(
            prompt.receipt, replace(_paid(prompt), account_reference=account)
        )
        return self.notice_of(payment)

    def notice_of(self, payment: PaybillPayment) -> Notice:
        return Notice(json.dumps(self._fields(payment, None)).encode(), payment)

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

    def _fields(self, payment: PaybillPayment, spoiled: str | None) -> Mapping[str, str]:
        credentials = self._credentials
        fields = {
            "TransType": "Pay Bill",
            "TransID": payment.receipt,
            "FTRef": f"FT{payment.receipt}",
            "TransTime": payment.paid_at.astimezone(NAIROBI).strftime("%Y%m%d%H%M%S"),
            "TransAmount": payment.amount.decimal,
            "BusinessShortCode": credentials.paybill_no,
            "BillRefNumber": payment.account_reference,
            "Narrative": "Paybill payment",
            "Mobile": payment.phone,
            "name": "Asha Example",
        }
        key = "another key" if spoiled == BAD_HASH else credentials.secret_key
        signed = notification_hash(key, fields, credentials.paybill_no, payment.account_reference)
        password = "another" if spoiled == BAD_PASSWORD else credentials.password
        return fields | {
            "Username": credentials.username,
            "Password": password,
            "Hash": signed,
        }


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
    fields = json.loads(body)
    elements = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    return (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
        f"<soapenv:Body><{REQUEST}>{elements}</{REQUEST}></soapenv:Body></soapenv:Envelope>"
    ).encode()
