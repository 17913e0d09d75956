"""Float purchases in a plain store, one transaction at a time and without a bank."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

from bot.security.keyring import Keyring
from services import approvals, float_purchases, float_quotes, float_settlement, spending
from services.approvals import AwaitingApproval
from services.domain.approval import Decision
from services.domain.bank import (
    Failed,
    FloatAnswer,
    NotSent,
    Rejected,
    StatusAnswer,
    Succeeded,
    Unknown,
)
from services.domain.fees import Fee, FeeKind, Quote
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.lease import Lease
from services.domain.ledger import Account, AccountKind, opening_balance
from services.domain.money import Money
from services.domain.operation import OperationType
from services.domain.partner import Role
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.domain.spending import Shortfall
from services.float_quotes import Requoted
from services.float_settlement import PurchaseChange
from services.otp import NotPassed
from services.policy import Policy
from services.spending import CodeSent
from storage.transaction import StoreTx
from tests.kit.plain_store import PlainStore

S = PurchaseState
LEASE = timedelta(seconds=120)
HELD = Lease("this run", LEASE)
CALL_MS = 250
AMOUNT = Money(1_000_000)
WALLET = Money(3_000_000)
SUCCESS = Succeeded("B-1", "Success")
REJECTED = Rejected("bank_refused", "Insufficient funds")
NOT_SENT = NotSent("connection refused")
FAILED = Failed("Failed")
NO_READABLE_ANSWER = Unknown("read timeout")


class FloatBuyer:
    """One person's purchases and their worker, one transaction at a time and without a bank."""

    def __init__(self, store: PlainStore) -> None:
        self.store = store
        self.keys = Keyring({"1": b"1" * 32})
        self.random = random.Random(1)
        self.policy = Policy(short_code="400187")
        self.person = store.person()
        self.events = 0
        self.codes: dict[str, str] = {}

    def fund(self, amount: Money = WALLET, partner: str = "DEMO") -> None:
        self.store.book(opening_balance(partner, AccountKind.WALLET, amount))

    def fee(self, kind: FeeKind, fixed: int = 0, ppm: int = 0) -> None:
        self.store.do(
            lambda tx: tx.fees.set(self.person.partner.code, Fee(kind, 0, Money(fixed), ppm), "t")
        )

    def limit(self, name: str, amount: Money, partner: str = "") -> None:
        ms = int(self.store.now.timestamp() * 1000)
        self.store.do(lambda tx: tx.limits.set(name, ms, amount, "t", partner))

    def needs_a_second(self) -> None:
        """From now on every purchase needs a second person, and one is linked."""
        partner = replace(self.person.partner, approve_above_cents=0)
        self.person = replace(self.person, partner=partner)

        def add(tx: StoreTx) -> None:
            second_id = tx.people.add_person(
                partner.code, "Baraka", Role.OPERATOR, Phone("254733123456"), None, "en"
            )
            tx.people.link("terminal", "second", second_id)
            tx.conn.execute("UPDATE addresses SET linked_at = 0")

        self.store.do(add)

    def decides(self, reference: str, decision: Decision) -> Purchase | Refusal:
        """The second person decides about the purchase."""
        second = self.store.tx.people.at("terminal", "second")
        assert second is not None
        return self.store.do(
            lambda tx: approvals.decide(tx, self.policy, second, reference, decision)
        )

    # The person ---------------------------------------------------------------------------

    def request(
        self, amount: Money = AMOUNT, address: str = "1", changes: str | None = None
    ) -> Purchase | Shortfall | Refusal:
        self.events += 1
        return self.store.do(
            lambda tx: float_quotes.request(
                tx, self.random, self.policy, self.person, "terminal", address,
                f"event-{self.events}", amount, changes,
            )
        )  # fmt: skip

    def quote(self, amount: Money = AMOUNT, address: str = "1", changes: str | None = None) -> str:
        purchase = self.request(amount, address, changes)
        assert isinstance(purchase, Purchase), purchase
        return purchase.reference

    def confirm(
        self, reference: str, shown: Quote | None = None
    ) -> CodeSent | AwaitingApproval | Requoted | Shortfall | Refusal:
        price = shown or self.get(reference).quote
        result = self.store.do(
            lambda tx: float_purchases.confirm(
                tx, self.keys, self.random, self.policy, self.person, reference,
                price.amount, price.fees, price.total,
            )
        )  # fmt: skip
        if isinstance(result, CodeSent):
            self.codes[reference] = result.issued.code
        return result

    def coded(self, amount: Money = AMOUNT, address: str = "1") -> str:
        reference = self.quote(amount, address)
        sent = self.confirm(reference)
        assert isinstance(sent, CodeSent), sent
        return reference

    def resend(self, reference: str) -> CodeSent[Purchase] | Purchase | Refusal:
        def again(tx: StoreTx) -> CodeSent[Purchase] | Purchase | Refusal:
            purchase = float_quotes.own_purchase(tx, self.person, reference)
            if purchase is None:
                return Refusal("float_over")
            return spending.resend(tx, self.keys, self.random, self.person, purchase)

        result = self.store.do(again)
        if isinstance(result, CodeSent):
            self.codes[reference] = result.issued.code
        return result

    def type(self, reference: str, code: str | None = None) -> Purchase | NotPassed | Refusal:
        """Type the right code, or the given one."""
        typed = code or self.codes[reference]
        return self.store.do(
            lambda tx: float_purchases.authorise(
                tx, self.keys, self.policy, self.person, reference, typed
            )
        )

    def mistype(self, reference: str) -> Purchase | NotPassed | Refusal:
        return self.type(reference, f"{(int(self.codes[reference]) + 1) % 10**6:06d}")

    def cancel(self, reference: str) -> Purchase | None:
        return self.store.do(lambda tx: spending.cancel(tx, self.person, reference))

    # The worker's steps -------------------------------------------------------------------

    def scan(self) -> tuple[list[Purchase], list[PurchaseChange]]:
        work, settled = self.store.do(lambda tx: float_settlement.claim(tx, HELD, 100, 100))
        return list(work), settled

    def claim(self, reference: str) -> Purchase:
        (claimed,) = (one for one in self.scan()[0] if one.reference == reference)
        return claimed

    def begin(self, claimed: Purchase) -> Purchase | None:
        return self.store.do(lambda tx: float_settlement.begin_submitting(tx, claimed, HELD))

    def submitting(self, reference: str) -> Purchase:
        submitting = self.begin(self.claim(reference))
        assert submitting is not None
        return submitting

    def answered(self, claimed: Purchase, answer: FloatAnswer) -> PurchaseChange | None:
        return self.store.do(
            lambda tx: float_settlement.record_purchase(tx, claimed, answer, CALL_MS)
        )

    def told(self, claimed: Purchase, answer: StatusAnswer) -> PurchaseChange | None:
        return self.store.do(
            lambda tx: float_settlement.record_status(tx, claimed, answer, CALL_MS)
        )

    def asked(self, reference: str, answer: StatusAnswer) -> PurchaseChange | None:
        """Wait until a status query is due, and deliver its answer."""
        due_at = self.get(reference).due_at
        assert due_at is not None
        self.store.now = max(self.store.now, due_at)
        return self.told(self.claim(reference), answer)

    def restart(self) -> int:
        return self.store.do(
            lambda tx: tx.claims.end_leases_of_others(OperationType.FLOAT, "the next run")
        )

    # What the database says ---------------------------------------------------------------

    def get(self, reference: str) -> Purchase:
        purchase = self.store.tx.purchases.get(reference)
        assert purchase is not None
        return purchase

    def posted(self, kind: AccountKind) -> int:
        account = Account(self.person.partner.code, kind)
        return self.store.tx.ledger.balance(account).posted.cents

    def available(self) -> int:
        account = Account(self.person.partner.code, AccountKind.WALLET)
        return self.store.tx.ledger.balance(account).available.cents

    def phases(self, reference: str) -> list[str]:
        return [
            f"{code} {phase}"
            for code, phase in self.store.conn.execute(
                "SELECT code, phase FROM transfers WHERE operation = ? ORDER BY seq",
                (reference,),
            )
        ]

    def reviews(self, reference: str) -> int:
        return self.store.count(
            "SELECT count(*) FROM review_items WHERE operation = ? AND closed_at IS NULL", reference
        )


def in_state(buyer: FloatBuyer, state: PurchaseState) -> str:
    """The reference of a purchase brought to ``state`` by the shortest path."""
    reference = buyer.quote()
    if state is S.QUOTED:
        return reference
    if state is S.AWAITING_APPROVAL:
        buyer.needs_a_second()
    buyer.confirm(reference)
    if state is S.AWAITING_APPROVAL:
        assert buyer.get(reference).state is state
        return reference
    if state is S.OTP_SENT:
        return reference
    if state is S.OTP_EXPIRED:
        buyer.store.wait(minutes=10)
        buyer.type(reference)
    elif state is S.OTP_LOCKED:
        for _ in range(3):
            buyer.mistype(reference)
    elif state is S.CANCELLED:
        buyer.cancel(reference)
    elif state is S.REFUSED:
        buyer.store.do(lambda tx: spending.undeliverable(tx, reference))
    else:
        buyer.type(reference)
        if state is not S.AUTHORISED:
            claimed = buyer.submitting(reference)
            answers: dict[PurchaseState, FloatAnswer] = {
                S.SUCCEEDED: SUCCESS, S.FAILED: REJECTED, S.UNKNOWN: NO_READABLE_ANSWER,
            }  # fmt: skip
            if state in answers:
                buyer.answered(claimed, answers[state])
    assert buyer.get(reference).state is state
    return reference


def spend(buyer: FloatBuyer, cents: int) -> None:
    """Another purchase uses up the money in the meantime."""
    reference = buyer.coded(Money(cents), address="2")
    purchase = buyer.type(reference)
    assert isinstance(purchase, Purchase)
    assert purchase.state is S.AUTHORISED


def short_meanwhile(buyer: FloatBuyer, reference: str) -> None:
    spend(buyer, 2_500_000)
    buyer.type(reference)


def lease_ends(buyer: FloatBuyer, reference: str) -> None:
    buyer.store.wait(seconds=LEASE.total_seconds())
    buyer.scan()
