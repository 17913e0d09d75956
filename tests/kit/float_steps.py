"""Possible events of float purchases: people, workers, answers, crashes and time."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from services import spending, topup_settlement, topups
from services.domain.bank import (
    Accepted,
    Failed,
    FloatAnswer,
    NoAnswer,
    NotSent,
    Paid,
    Rejected,
    StatusAnswer,
    StillOpen,
    Succeeded,
    Unknown,
)
from services.domain.fees import FeeKind
from services.domain.float_purchase import HOLDS, Purchase, PurchaseState
from services.domain.money import Money
from services.domain.topup import TopUp
from services.spending import CodeSent
from tests.kit.float_buyer import HELD, LEASE, FloatBuyer
from tests.kit.plain_store import PHONE
from tests.kit.reopened_store import Reopened

S = PurchaseState
PURCHASES_MAX = 4
TOPUPS_MAX = 2

picks = st.integers(0, 30)
waits = st.sampled_from(
    [
        timedelta(seconds=1),
        timedelta(seconds=31),
        timedelta(seconds=61),
        LEASE,
        timedelta(minutes=10),
        timedelta(hours=1),
    ]
)
crashes = st.sampled_from([False, False, False, True])
amounts = st.sampled_from([1_000, 100_000, 250_000])
float_answers = st.sampled_from(
    [
        Succeeded("B-1", "Success"),
        Succeeded(None, "Success"),
        Rejected("bank_refused", "no"),
        NotSent("no route"),
        Unknown("read timeout"),
    ]
)
status_answers = st.sampled_from(
    [Succeeded("B-2", "Success"), Failed("Failed"), StillOpen("open"), NoAnswer("read timeout")]
)


@dataclass(eq=False)
class Call:
    """A worker with a claim or a request; ``answered`` once it has delivered an answer."""

    claimed: Purchase
    answered: bool = False


class FloatSteps(RuleBasedStateMachine):
    """Workers live for any length of time: they may be slow or late, answer twice, or disappear."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = Reopened(Path(self.folder.name) / "hazina.db")
        self.buyer = FloatBuyer(self.store)
        self.calls: list[Call] = []
        self.states: dict[str, PurchaseState] = {}
        self.quotes: dict[str, object] = {}
        self.passed: dict[str, int] = {}
        self.succeeded: set[str] = set()
        self.sent: dict[str, int] = {}  # requests that may have left the machine
        self.paid = 0
        self.keys = 0
        self.contracts = 0

    @initialize(with_fees=st.booleans(), funds=st.sampled_from([600_000, 120_000]))
    def begin(self, with_fees: bool, funds: int) -> None:
        self.buyer.fund(Money(funds))
        self.funds = funds
        if with_fees:
            self.buyer.fee(FeeKind.TRANSFER, fixed=500)
            self.buyer.fee(FeeKind.PROCESSING, ppm=1_500)
        self.store.commit()

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    # Events ---------------------------------------------------------------------------------

    def _all(self) -> list[Purchase]:
        return self.store.tx.purchases.every()

    def _in(self, *states: PurchaseState) -> list[str]:
        return [one.reference for one in self._all() if one.state in states]

    @precondition(lambda self: self._all())
    @rule(wait=waits)
    def time_passes(self, wait: timedelta) -> None:
        self.store.now += wait

    @precondition(lambda self: len(self._all()) < PURCHASES_MAX)
    @rule(cents=amounts, address=st.sampled_from(["1", "2"]))
    def a_person_asks_for_a_quote(self, cents: int, address: str) -> None:
        self.buyer.request(Money(cents), address)
        self.store.commit()

    @precondition(lambda self: len(self._all()) < PURCHASES_MAX)
    @rule(cents=amounts)
    def a_person_goes_all_the_way(self, cents: int) -> None:
        """Go straight to where the bank is asked, so that the later states are tested often."""
        quoted = self.buyer.request(Money(cents), "3")
        if isinstance(quoted, Purchase):
            reference = quoted.reference
            if isinstance(self.buyer.confirm(reference), CodeSent):
                self.buyer.type(reference)
                assert self.buyer.get(reference).state is S.AUTHORISED
                self.passed[reference] = self.passed.get(reference, 0) + 1
                self.quotes[reference] = quoted.quote
                self.states[reference] = S.AUTHORISED
        self.store.commit()

    @precondition(lambda self: self._all() and self.contracts < 3)
    @rule(fixed=st.sampled_from([0, 700, 50_000]))
    def the_contract_changes(self, fixed: int) -> None:
        self.contracts += 1
        self.buyer.fee(FeeKind.TRANSFER, fixed=fixed)
        self.store.commit()

    @precondition(lambda self: self._in(S.QUOTED))
    @rule(pick=picks)
    def a_person_says_yes(self, pick: int) -> None:
        found = self._in(S.QUOTED)
        self.buyer.confirm(found[pick % len(found)])
        self.store.commit()

    @precondition(lambda self: self._in(S.OTP_SENT))
    @rule(pick=picks)
    def a_person_asks_for_another_code(self, pick: int) -> None:
        found = self._in(S.OTP_SENT)
        self.buyer.resend(found[pick % len(found)])
        self.store.commit()

    @precondition(lambda self: self.buyer.codes)
    @rule(pick=picks, right=st.booleans(), crash=crashes)
    def a_person_types_a_code(self, pick: int, right: bool, crash: bool) -> None:
        found = sorted(self.buyer.codes)
        reference = found[pick % len(found)]
        before = self.buyer.get(reference)
        counted = self._checks(reference)
        answer = (self.buyer.type if right else self.buyer.mistype)(reference)
        if crash:
            self.store.crash()
            assert self.buyer.get(reference) == before
            assert self._checks(reference) == counted
            return
        self.store.commit()
        passed = isinstance(answer, Purchase) and before.state is S.OTP_SENT
        if passed and self.buyer.get(reference).state is S.AUTHORISED:
            assert right
            self.passed[reference] = self.passed.get(reference, 0) + 1

    def _checks(self, reference: str) -> int:
        return self.store.count(
            "SELECT coalesce(sum(attempts), 0) FROM otp_validations WHERE operation = ?", reference
        )

    @precondition(lambda self: len(self._all()) > 1)
    @rule(pick=picks)
    def a_person_cancels(self, pick: int) -> None:
        found = self._all()
        purchase = found[pick % len(found)]
        done = self.buyer.cancel(purchase.reference)
        self.store.commit()
        assert (done is not None) == (purchase.state in (S.QUOTED, S.OTP_SENT))

    @precondition(lambda self: self._in(S.OTP_SENT))
    @rule(pick=picks)
    def a_code_reaches_nobody(self, pick: int) -> None:
        found = self._in(S.OTP_SENT)
        self.store.do(lambda tx: spending.undeliverable(tx, found[pick % len(found)]))
        self.store.commit()

    @precondition(lambda self: self.paid < TOPUPS_MAX)
    @rule(cents=amounts)
    def money_is_paid_in(self, cents: int) -> None:
        self.keys += 1
        topup = self.store.do(
            lambda tx: topups.start(
                tx, self.buyer.random, self.buyer.person, "terminal", "1", f"top-{self.keys}",
                Money(cents), PHONE, again=True,
            )
        )  # fmt: skip
        assert isinstance(topup, TopUp)
        work, _ = self.store.do(lambda tx: topup_settlement.claim(tx, HELD, 100, 100))
        (claimed,) = (one for one in work if one.reference == topup.reference)
        sending = self.store.do(lambda tx: topup_settlement.begin_sending(tx, claimed, HELD))
        assert sending is not None
        accepted = Accepted(f"STK-{self.keys}", None, "ok")
        self.store.do(lambda tx: topup_settlement.record_initiate(tx, sending, accepted, 1, 0))
        for _ in range(2):
            self.store.do(
                lambda tx: topup_settlement.record_query(tx, sending, Paid("SUCCESS"), 1, 0)
            )
        self.store.commit()
        self.paid += 1
        self.funds += cents

    @precondition(lambda self: self._in(*HOLDS))
    @rule()
    def all_that_is_due_is_claimed(self) -> None:
        work, _ = self.buyer.scan()
        self.store.commit()
        self.calls += [Call(purchase) for purchase in work]

    @precondition(lambda self: self._all())
    @rule()
    def the_program_crashes_and_is_started_again(self) -> None:
        self.store.crash()
        self.buyer.restart()
        self.store.commit()

    def _calls(self, state: PurchaseState, *, answered: bool = False) -> list[Call]:
        return [c for c in self.calls if c.claimed.state is state and c.answered == answered]

    @precondition(lambda self: self._calls(S.AUTHORISED))
    @rule(pick=picks, crash=crashes)
    def a_worker_begins_to_submit(self, pick: int, crash: bool) -> None:
        found = self._calls(S.AUTHORISED)
        call = found[pick % len(found)]
        submitting = self.buyer.begin(call.claimed)
        if crash:
            self.store.crash()
            self.calls.remove(call)
            return
        self.store.commit()
        if submitting is None:
            call.answered = True
            return
        call.claimed = submitting
        reference = submitting.reference
        self.sent[reference] = self.sent.get(reference, 0) + 1
        assert self.sent[reference] == 1  # unless the previous request provably did not leave

    @precondition(lambda self: self._in(S.AUTHORISED))
    @rule()
    def workers_submit_all_that_is_due(self) -> None:
        for purchase in self.buyer.scan()[0]:
            call = Call(purchase)
            if purchase.state is S.AUTHORISED:
                submitting = self.buyer.begin(purchase)
                assert submitting is not None
                call.claimed = submitting
                self.sent[purchase.reference] = self.sent.get(purchase.reference, 0) + 1
                assert self.sent[purchase.reference] == 1
            self.calls.append(call)
        self.store.commit()

    @precondition(lambda self: self._calls(S.AUTHORISED))
    @rule(pick=picks)
    def a_worker_gets_no_token(self, pick: int) -> None:
        found = self._calls(S.AUTHORISED)
        call = found[pick % len(found)]
        call.answered = True
        self.buyer.answered(call.claimed, NotSent("no token"))
        self.store.commit()

    @precondition(lambda self: self._calls(S.SUBMITTING))
    @rule(pick=picks, answer=float_answers, crash=crashes)
    def the_bank_answers_the_request(self, pick: int, answer: FloatAnswer, crash: bool) -> None:
        found = self._calls(S.SUBMITTING)
        call = found[pick % len(found)]
        call.answered = True
        reference = call.claimed.reference
        before = self.buyer.get(reference)
        self.buyer.answered(call.claimed, answer)
        if crash:
            self.store.crash()
            assert self.buyer.get(reference) == before
            return
        self.store.commit()
        after = self.buyer.get(reference)
        if isinstance(answer, NotSent) and before.state is S.SUBMITTING is not after.state:
            self.sent[reference] -= 1
        self._evidence(before, after, isinstance(answer, Succeeded))

    @precondition(lambda self: self._calls(S.SUBMITTING, answered=True))
    @rule(pick=picks, answer=float_answers)
    def a_second_answer_is_not_taken(self, pick: int, answer: FloatAnswer) -> None:
        found = self._calls(S.SUBMITTING, answered=True)
        call = found[pick % len(found)]
        reference = call.claimed.reference
        before = self.buyer.get(reference)
        if isinstance(answer, NotSent) or self._money_calls(reference) == 0:
            return
        assert self.buyer.answered(call.claimed, answer) is None
        self.store.commit()
        assert self.buyer.get(reference) == before

    @precondition(lambda self: self._calls(S.UNKNOWN))
    @rule(pick=picks, answer=status_answers)
    def the_bank_answers_a_question(self, pick: int, answer: StatusAnswer) -> None:
        found = self._calls(S.UNKNOWN)
        claimed = found[pick % len(found)].claimed
        before = self.buyer.get(claimed.reference)
        self.buyer.told(claimed, answer)
        self.store.commit()
        self._evidence(before, self.buyer.get(claimed.reference), isinstance(answer, Succeeded))

    def _evidence(self, before: Purchase, after: Purchase, success: bool) -> None:
        if after.state is S.SUCCEEDED is not before.state:
            assert success
            self.succeeded.add(after.reference)

    def _money_calls(self, reference: str) -> int:
        return self.store.count(
            "SELECT count(*) FROM provider_calls WHERE operation = ? AND call = 'float'"
            " AND outcome <> 'not_sent'",
            reference,
        )
