"""Prompts, queries and notifications in any order: every payment counts once, for one partner."""

from __future__ import annotations

import hashlib
import random
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services import payments, proposal_decisions, proposals
from services.domain import payment_purpose
from services.domain.bank import Accepted, NotPaid, Paid
from services.domain.ledger import HOUSE, Account, AccountKind
from services.domain.money import Money
from services.domain.payment import AFTER_PROMPT, Payer, Payment, PaymentState
from services.domain.refusal import Refusal
from services.domain.topup import CREDITED, TopUpState
from tests.kit.plain_store import OTHER_PHONE, PHONE, PlainStore
from tests.kit.topup_driver import TopUpDriver

ACCOUNT = "774451"
AMOUNTS = (100_000, 150_000)
picks = st.integers(0, 30)


@dataclass
class Truth:
    """A payment as M-PESA records it; ``prompt`` is the top-up whose prompt it answered."""

    receipt: str
    cents: int
    phone: str
    at: datetime
    prompt: str | None = None


class PaymentMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = PlainStore(Path(self.folder.name) / "hazina.db")
        self.worker = TopUpDriver(self.store)
        self.store.person("ACME")
        self.prompts: list[str] = []
        self.truth: list[Truth] = []
        self.over: set[str] = set()  # prompts that can no longer be paid
        self.random = random.Random(7)

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def _pay(self, cents: int, phone: str, prompt: str | None = None) -> Truth:
        truth = Truth(f"RCPT{len(self.truth):06}", cents, phone, self.store.now, prompt)
        self.truth.append(truth)
        return truth

    @rule(cents=st.sampled_from(AMOUNTS), phone=st.sampled_from((PHONE, OTHER_PHONE)))
    def a_prompt_goes_out(self, cents: int, phone: object) -> None:
        topup = self.worker.ask(cents, phone, again=True)  # type: ignore[arg-type]
        reference = topup.reference  # type: ignore[union-attr]
        self.worker.sent(reference, Accepted(f"b-{reference}", None, "ok"))
        self.prompts.append(reference)

    @precondition(lambda self: self.prompts)
    @rule(pick=picks)
    def a_prompt_is_paid(self, pick: int) -> None:
        reference = self.prompts[pick % len(self.prompts)]
        if reference in self.over:
            return  # the bank's final refusal is final
        topup = self.worker.get(reference)
        if self.store.now - topup.began_at > AFTER_PROMPT:
            return  # no prompt stays on a phone that long
        if all(truth.prompt != reference for truth in self.truth):
            self._pay(topup.amount.cents, topup.phone.msisdn, reference)

    @rule(cents=st.sampled_from(AMOUNTS), phone=st.sampled_from((PHONE, OTHER_PHONE)))
    def somebody_pays_without_a_prompt(self, cents: int, phone: object) -> None:
        self._pay(cents, phone.msisdn)  # type: ignore[attr-defined]

    @precondition(lambda self: self.prompts)
    @rule(pick=picks, final=st.booleans())
    def the_bank_is_asked(self, pick: int, final: bool) -> None:
        reference = self.prompts[pick % len(self.prompts)]
        if any(truth.prompt == reference for truth in self.truth):
            answer: Paid | NotPaid = Paid("Success")
        else:
            answer = NotPaid("cancelled" if final else "expired", final, "no")
            if final:
                self.over.add(reference)
        self.worker.queried(self.worker.get(reference), answer)

    @precondition(lambda self: self.truth)
    @rule(pick=picks, words=st.sampled_from(("own", "DEMO", "acme", "junk")), hashed=st.booleans())
    def the_bank_tells_of_a_payment(self, pick: int, words: str, hashed: bool) -> None:
        truth = self.truth[pick % len(self.truth)]
        said = truth.prompt if words == "own" and truth.prompt else words
        if truth.prompt is not None and said in ("acme", "junk"):
            said = ACCOUNT  # a prompt of DEMO's never names another partner or carries other words
        phone = truth.phone
        payer = Payer(hashlib.sha256(phone.encode()).hexdigest() if hashed else phone)
        typed = payment_purpose.typed([said], [ACCOUNT])
        payment = Payment(truth.receipt, Money(truth.cents), truth.at, said, payer, "bank", typed)
        self.store.do(lambda tx: payments.record(tx, self.random, payment))

    @rule(hours=st.sampled_from((0.01, 1, 23, 30)))
    def time_passes(self, hours: float) -> None:
        self.store.now += timedelta(hours=hours)

    @rule()
    def admins_find_an_owner(self) -> None:
        for arrived in self.store.tx.payments.every():
            if arrived.state is PaymentState.IN_SUSPENSE:
                about = arrived.reference
                proposal = self.store.do(
                    lambda tx, about=about: proposals.propose_assignment(
                        tx, self.random, "admin:1", about, "ACME", "the payer called"
                    )
                )
                if isinstance(proposal, Refusal):
                    continue
                one = proposal.id
                self.store.do(
                    lambda tx, one=one: proposal_decisions.approve(
                        tx, "admin:2", "terminal", "2", one
                    )
                )
                return

    @invariant()
    def the_books_hold(self) -> None:
        assert self.store.tx.invariants.violations() == []

    @invariant()
    def never_more_than_was_paid(self) -> None:
        received = sum(truth.cents for truth in self.truth)
        assert self.store.tx.payments.collected().cents <= received

    @invariant()
    def wallets_hold_what_was_collected(self) -> None:
        balance = self.store.tx.ledger.balance
        wallets = sum(
            balance(Account(code, AccountKind.WALLET)).posted.cents for code in ("DEMO", "ACME")
        )
        suspense = balance(Account(HOUSE, AccountKind.SUSPENSE)).posted.cents
        assert wallets + suspense == self.store.tx.payments.collected().cents

    @invariant()
    def each_known_payment_stands_once(self) -> None:
        known = self.store.tx.payments.every()
        receipts = [arrived.payment.receipt for arrived in known]
        assert len(receipts) == len(set(receipts))
        for arrived in known:
            if arrived.state in (PaymentState.MATCHED, PaymentState.RELEASED):
                topup = self.worker.get(arrived.operation or "")
                assert topup.state in CREDITED
                assert topup.receipt == arrived.payment.receipt

    @invariant()
    def words_that_are_nobodys_pay_no_top_up(self) -> None:
        for arrived in self.store.tx.payments.every():
            if arrived.payment.typed == "JUNK":
                assert arrived.state in (PaymentState.IN_SUSPENSE, PaymentState.CREDITED)

    @invariant()
    def only_what_was_paid_is_credited(self) -> None:
        credited = [topup for topup in self.store.tx.topups.every() if topup.state in CREDITED]
        told = {arrived.payment.receipt for arrived in self.store.tx.payments.every()}
        prompts = {truth.prompt for truth in self.truth}
        for topup in credited:
            assert topup.reference in prompts or topup.receipt in told
            assert topup.state is not TopUpState.NOT_PAID


PaymentMachine.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestTill = PaymentMachine.TestCase
