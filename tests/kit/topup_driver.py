"""Drives top-ups as the top-up worker does, one transaction at a time and without a bank."""

from __future__ import annotations

import random
from datetime import timedelta

from services import payments, topup_settlement, topups
from services.domain.bank import (
    Accepted,
    InitiateAnswer,
    NoAnswer,
    NotPaid,
    NotSent,
    Paid,
    QueryAnswer,
    Rejected,
    StillOpen,
    Unknown,
)
from services.domain.lease import Lease
from services.domain.ledger import Account, AccountKind
from services.domain.money import Money
from services.domain.operation import OperationType
from services.domain.otp import CHECKS_MAX, DIGITS, LIFE
from services.domain.payment import Payer, Payment
from services.domain.phone import Phone
from services.domain.topup import PaymentMethod, TopUp, TopUpState
from services.policy import NO_CODES
from services.topup_settlement import TopUpChange
from services.topups import Duplicate
from tests.kit.one_time_codes import OLD
from tests.kit.plain_store import PHONE, PlainStore

S = TopUpState
LEASE = timedelta(seconds=60)
HELD = Lease("this run", LEASE)
CALL_MS = 250
BEFORE_CODE = frozenset({S.OTP_SENT, S.OTP_EXPIRED, S.OTP_LOCKED, S.CANCELLED})


class TopUpDriver:
    """Begins top-ups for one person, claims them, and delivers the answers a test provides."""

    def __init__(self, store: PlainStore) -> None:
        self.store = store
        self.person = store.person()
        self.random = random.Random(1)
        self.events = 0
        self.codes: dict[str, str] = {}  # of top-ups that wait for one

    def ask(
        self, cents: int = 150_000, phone: Phone = PHONE, *, again: bool = False
    ) -> TopUp | Duplicate | object:
        """Ask for a top-up with a new event; returns the result."""
        self.events += 1
        key = f"event-{self.events}"
        return self.store.do(
            lambda tx: topups.start(
                tx, self.random, self.person, "terminal", "1", key, Money(cents), phone,
                again=again,
            )
        )  # fmt: skip

    def expect(self, cents: int = 150_000) -> TopUp | object:
        """Announce a payment that the person will make at the paybill."""
        self.events += 1
        key = f"event-{self.events}"
        return self.store.do(
            lambda tx: topups.start_by_hand(
                tx,
                self.random,
                self.person,
                "terminal",
                "1",
                key,
                Money(cents),
                PaymentMethod.PAYBILL,
            )
        )

    def start(self, cents: int = 150_000) -> str:
        """Start a top-up; returns its reference."""
        topup = self.ask(cents, again=True)
        assert isinstance(topup, TopUp)
        return topup.reference

    def get(self, reference: str) -> TopUp:
        topup = self.store.tx.topups.get(reference)
        assert topup is not None
        return topup

    def scan(self) -> tuple[list[TopUp], list[TopUpChange]]:
        work, changes = self.store.do(lambda tx: topup_settlement.claim(tx, HELD, 100, 100))
        return list(work), changes

    def claim(self, reference: str) -> TopUp:
        """Claim this top-up; any others that are due are claimed too and dropped."""
        (claimed,) = (topup for topup in self.scan()[0] if topup.reference == reference)
        return claimed

    def begin(self, claimed: TopUp) -> TopUp | None:
        return self.store.do(lambda tx: topup_settlement.begin_sending(tx, claimed, HELD))

    def sending(self, reference: str) -> TopUp:
        """Claim it and begin its single request."""
        sending = self.begin(self.claim(reference))
        assert sending is not None
        return sending

    def initiated(
        self, claimed: TopUp, answer: InitiateAnswer, spread: float = 0
    ) -> TopUpChange | None:
        return self.store.do(
            lambda tx: topup_settlement.record_initiate(tx, claimed, answer, CALL_MS, spread)
        )

    def queried(self, claimed: TopUp, answer: QueryAnswer, spread: float = 0) -> TopUpChange | None:
        return self.store.do(
            lambda tx: topup_settlement.record_query(tx, claimed, answer, CALL_MS, spread)
        )

    def no_token(self, reference: str) -> TopUpChange | None:
        """Claim it; nothing is sent, not even a token request."""
        return self.initiated(self.claim(reference), NotSent("no route"))

    def sent(self, reference: str, answer: InitiateAnswer) -> TopUpChange | None:
        return self.initiated(self.sending(reference), answer)

    def asked(self, reference: str, answer: QueryAnswer) -> TopUpChange | None:
        """Wait until it is due, claim it, and deliver the bank's answer."""
        due_at = self.get(reference).due_at
        assert due_at is not None, "nobody will ask about it"
        self.store.now = max(self.store.now, due_at)
        return self.queried(self.claim(reference), answer)

    def restart(self) -> int:
        """Restart the program; returns how many leases of the previous run were ended."""
        return self.store.do(
            lambda tx: tx.claims.end_leases_of_others(OperationType.TOPUP, "the next run")
        )

    def ask_now(self, reference: str) -> TopUp | None:
        return self.store.do(lambda tx: topup_settlement.query_now(tx, reference))


REJECTED = Rejected("declined", "Request declined")
ACCEPTED = Accepted("b1", None, "Success. Request accepted")
NOT_SENT = NotSent("connection refused")
CANCELLED = NotPaid("cancelled", True, "Request cancelled by user")
SILENCE = NoAnswer("read timeout")
NO_READABLE_ANSWER = Unknown("read timeout")
SUCCESS = Paid("Success")
EXPIRED = NotPaid("expired", False, "Request expired")
PROCESSING = StillOpen("The transaction is still under processing")


def waiting_for_code(worker: TopUpDriver, cents: int = 150_000) -> str:
    """The reference of a partner system's top-up, which waits for its code."""
    worker.events += 1
    key = f"event-{worker.events}"
    sent = worker.store.do(
        lambda tx: topups.open_with_code(
            tx, OLD, worker.random, NO_CODES, worker.person, "api", "hz_222222", key,
            Money(cents), PHONE,
        )
    )  # fmt: skip
    assert isinstance(sent, topups.CodeSent)
    worker.codes[sent.topup.reference] = sent.issued.code
    return sent.topup.reference


def give_code(worker: TopUpDriver, reference: str) -> None:
    _type(worker, reference, worker.codes[reference])


def give_wrong_codes(worker: TopUpDriver, reference: str) -> None:
    wrong = (int(worker.codes[reference]) + 1) % 10**DIGITS
    for _ in range(CHECKS_MAX):
        _type(worker, reference, f"{wrong:0{DIGITS}d}")


def _type(worker: TopUpDriver, reference: str, code: str) -> None:
    topup = worker.get(reference)
    worker.store.do(lambda tx: topups.authorise(tx, OLD, NO_CODES, worker.person, topup, code))


def code_expires(worker: TopUpDriver, reference: str) -> None:
    worker.store.wait(seconds=LIFE.total_seconds())
    worker.store.do(lambda tx: topups.expire(tx, [reference]))


def code_is_lost(worker: TopUpDriver, reference: str) -> None:
    worker.store.do(lambda tx: topups.undeliverable(tx, reference))


def in_state(worker: TopUpDriver, state: TopUpState, cents: int = 150_000) -> str:
    """The reference of a top-up brought to ``state`` by the shortest path."""
    if state in BEFORE_CODE:
        reference = waiting_for_code(worker, cents)
        if state is S.OTP_LOCKED:
            give_wrong_codes(worker, reference)
        elif state is S.OTP_EXPIRED:
            code_expires(worker, reference)
        elif state is S.CANCELLED:
            code_is_lost(worker, reference)
        assert worker.get(reference).state is state
        return reference
    reference = worker.start(cents)
    accepted = Accepted(f"b-{reference}", None, "ok")
    answers: dict[TopUpState, tuple[InitiateAnswer | None, QueryAnswer | None]] = {
        S.CREATED: (None, None),
        S.PENDING: (accepted, None),
        S.REJECTED: (REJECTED, None),
        S.SEND_UNKNOWN: (NO_READABLE_ANSWER, None),
        S.PAID: (accepted, SUCCESS),
        S.NOT_PAID: (accepted, EXPIRED),
        S.UNKNOWN: (accepted, PROCESSING),
    }
    if state is S.SENDING:
        worker.sending(reference)
        return reference
    if state is S.PAID_LATE:
        worker.sent(reference, REJECTED)
        worker.queried(worker.get(reference), SUCCESS)
        return reference
    initiate, query = answers[state]
    if initiate is not None:
        worker.sent(reference, initiate)
    if state is S.UNKNOWN:
        worker.store.wait(hours=24)
    if query is not None:
        worker.asked(reference, query)
    assert worker.get(reference).state is state
    return reference


def wallet(worker: TopUpDriver) -> int:
    account = Account(worker.person.partner.code, AccountKind.WALLET)
    return worker.store.tx.ledger.balance(account).posted.cents


def open_reviews(worker: TopUpDriver, why: str) -> int:
    return worker.store.count(
        "SELECT count(*) FROM review_items WHERE why = ? AND closed_at IS NULL", why
    )


def lease_ends(worker: TopUpDriver, reference: str) -> None:
    worker.store.wait(seconds=LEASE.total_seconds())
    worker.scan()


def payment_arrives(worker: TopUpDriver, reference: str) -> None:
    topup = worker.get(reference)
    payment = Payment(
        "UF4OR6RP9Q", topup.amount, worker.store.now, reference, Payer(PHONE.msisdn), "notification"
    )
    worker.store.do(lambda tx: payments.record(tx, worker.random, payment))
