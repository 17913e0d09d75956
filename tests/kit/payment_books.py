"""Top-ups and payments in a plain store, for tests of which partner a payment belongs to."""

from __future__ import annotations

import random
from datetime import datetime

from services import payments
from services.domain.bank import Accepted
from services.domain.ledger import Account, AccountKind
from services.domain.money import Money
from services.domain.payment import Payer, Payment, RecordedPayment
from services.domain.topup import TopUp
from tests.kit.plain_store import PHONE, PlainStore
from tests.kit.topup_driver import TopUpDriver


class PaymentBooks:
    """Partner DEMO, whose top-ups ``worker`` drives; the bank reports payments."""

    def __init__(self, store: PlainStore) -> None:
        self.store = store
        self.worker = TopUpDriver(store)
        self.random = random.Random(5)

    def prompt(self, cents: int) -> TopUp:
        """Send a prompt to the phone."""
        topup = self.worker.ask(cents, PHONE, again=True)
        assert isinstance(topup, TopUp)
        self.worker.sent(topup.reference, Accepted(f"b-{topup.reference}", None, "ok"))
        return self.worker.get(topup.reference)

    def notify(
        self,
        receipt: str,
        cents: int,
        words: str = "DEMO",
        at: datetime | None = None,
        payer: str = PHONE.msisdn,
    ) -> RecordedPayment:
        """Record a notification of a payment, made now unless ``at`` says otherwise."""
        payment = Payment(
            receipt, Money(cents), at or self.store.now, words, Payer(payer), "ncba.notification"
        )
        self.store.do(lambda tx: payments.record(tx, self.random, payment))
        return self.payment(receipt)

    def payment(self, receipt: str) -> RecordedPayment:
        payment = self.store.tx.payments.get(receipt)
        assert payment is not None
        return payment

    def balance(self, kind: AccountKind, partner: str = "DEMO") -> int:
        """The posted balance in cents, without held amounts."""
        return self.store.tx.ledger.balance(Account(partner, kind)).posted.cents
