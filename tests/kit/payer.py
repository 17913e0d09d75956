"""Payouts in a plain store, one transaction at a time and without M-PESA."""

from __future__ import annotations

import random
from datetime import timedelta

from bot.security.keyring import Keyring
from services import payout_quotes, payout_settlement, payouts
from services.domain.lease import Lease
from services.domain.ledger import AccountKind, opening_balance
from services.domain.money import Money
from services.domain.payout import Payout, PayoutState
from services.domain.payout_answers import Acknowledged, PaidOut, PayoutReason, Returned
from services.domain.phone import Phone
from services.policy import Policy
from services.spending import CodeSent
from tests.kit.plain_store import PlainStore

S = PayoutState
HELD = Lease("this run", timedelta(seconds=120))
CALL_MS = 250
AMOUNT = Money(150_000)
FLOAT = Money(3_000_000)
RECIPIENT = Phone("254722000111")
RETURNED = Returned(PayoutReason.NO_SUCH_NUMBER, "The initiator information is invalid.")


class Payer:
    """One person's payouts and their worker. Its partner has ``FLOAT``, and nothing else."""

    def __init__(self, store: PlainStore) -> None:
        self.store = store
        self.keys = Keyring({"1": b"1" * 32})
        self.random = random.Random(3)
        self.policy = Policy(short_code="400187", payout_short_code="600999")
        self.person = store.person()
        self.events = 0
        store.book(opening_balance(self.person.partner.code, AccountKind.FLOAT, FLOAT))

    def quoted(self, amount: Money = AMOUNT, recipient: Phone = RECIPIENT) -> Payout:
        self.events += 1
        payout = self.store.do(
            lambda tx: payout_quotes.request(
                tx, self.random, self.policy, self.person, "terminal", "1",
                f"payout-{self.events}", recipient, amount,
            )
        )  # fmt: skip
        assert isinstance(payout, Payout), payout
        return payout

    def authorised(self, amount: Money = AMOUNT, recipient: Phone = RECIPIENT) -> str:
        """Quoted, confirmed, and approved by its code."""
        quote = self.quoted(amount, recipient)
        sent = self.store.do(
            lambda tx: payouts.confirm(
                tx, self.keys, self.random, self.policy, self.person, quote.reference,
                recipient, amount, quote.quote.fees,
            )
        )  # fmt: skip
        assert isinstance(sent, CodeSent), sent
        code = sent.issued.code
        held = self.store.do(
            lambda tx: payouts.authorise(
                tx, self.keys, self.policy, self.person, quote.reference, code
            )
        )
        assert isinstance(held, Payout), held
        return quote.reference

    def accepted(self, reference: str) -> None:
        """Its one order is sent, and taken by the gateway."""
        work, _ = self.store.do(lambda tx: payout_settlement.claim(tx, HELD, 100, 0))
        (claimed,) = (one for one in work if one.reference == reference)
        sending = self.store.do(lambda tx: payout_settlement.begin_submitting(tx, claimed, HELD))
        assert sending is not None
        answer = Acknowledged(f"AG_20260302_{reference.removeprefix('PO-')}")
        self.store.do(lambda tx: payout_settlement.record_order(tx, sending, answer, CALL_MS))

    def paid(self, reference: str, name: str | None = None) -> None:
        paid = PaidOut(f"UC{reference.removeprefix('PO-')}98", name)
        payout = self.get(reference)
        self.store.do(lambda tx: payout_settlement.settle_paid(tx, payout, paid, "daraja.result"))

    def returned(self, reference: str) -> None:
        payout = self.get(reference)
        self.store.do(
            lambda tx: payout_settlement.settle_returned(tx, payout, RETURNED, "daraja.result")
        )

    def get(self, reference: str) -> Payout:
        payout = self.store.tx.payouts.get(reference)
        assert payout is not None
        return payout


def in_state(
    payer: Payer, state: PayoutState, amount: Money = AMOUNT, name: str | None = None
) -> str:
    """The reference of a payout that was brought to ``state`` from its code on."""
    reference = payer.authorised(amount)
    if state is S.AUTHORISED:
        return reference
    payer.accepted(reference)
    if state is S.UNKNOWN:
        payout = payer.get(reference)
        payer.store.do(
            lambda tx: payout_settlement.doubt(tx, payout, "timed out", "daraja.timeout")
        )
    elif state is S.PAID:
        payer.paid(reference, name)
    elif state in (S.RETURNED, S.PAID_AFTER_RETURN):
        payer.returned(reference)
        if state is S.PAID_AFTER_RETURN:
            payer.paid(reference, name)
    assert payer.get(reference).state is state
    return reference
