"""Possible events of payouts: people, workers, answers, what is posted, crashes and time."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from services import payout_settlement, spending
from services.domain.bank import NoAnswer
from services.domain.money import Money
from services.domain.payout import HOLDS, Payout, PayoutState
from services.domain.payout_answers import Acknowledged, Asked, PayoutAnswer, Refused
from services.spending import CodeSent
from tests.kit.payout_payer import (
    LEASE,
    NO_READABLE_ANSWER,
    NOT_SENT,
    OTHER_PAYEE,
    PAYEE,
    REFUSED,
    PayoutPayer,
    failed,
    occasion,
    paid,
    status,
)
from tests.kit.reopened_store import Reopened

S = PayoutState
PAYOUTS_MAX = 4

picks = st.integers(0, 30)
waits = st.sampled_from(
    [
        timedelta(seconds=1),
        timedelta(seconds=61),
        timedelta(minutes=2),
        LEASE,
        timedelta(hours=1),
        timedelta(hours=25),
        timedelta(seconds=-3),
    ]
)
crashes = st.sampled_from([False, False, False, True])
amounts = st.sampled_from([10_00, 1_500_00, 100_000_00, 150_000_00])
payees = st.sampled_from([PAYEE, OTHER_PAYEE])
# "taken" is an acknowledgement with an id of its own.
answers = st.sampled_from(["taken", "taken", REFUSED, NOT_SENT, NO_READABLE_ANSWER])
codes = st.sampled_from(["2040", "8", "17", "26", "R999", 4])
receipts = st.sampled_from(["SG632NMUAA", "SG632NMUAB", "SG632NMUAC", "SG632NMUAD"])


@dataclass(eq=False)
class Call:
    """A worker with a claim or an order; ``answered`` once it has delivered an answer."""

    claimed: Payout
    answered: bool = False


class PayoutSteps(RuleBasedStateMachine):
    """Workers live for any length of time: they may be slow or late, answer twice, or disappear.
    What is posted comes in any order, twice, late, or about something else."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = Reopened(Path(self.folder.name) / "hazina.db")
        self.payer = PayoutPayer(self.store)
        self.calls: list[Call] = []
        self.states: dict[str, PayoutState] = {}
        self.sent: Counter[str] = Counter()  # orders that may have left the machine
        self.proved: set[str] = set()  # M-PESA or two admins said that it was paid
        self.denied: set[str] = set()  # they, or nothing having left, said that it was not
        self.posted: list[dict[str, Any]] = []
        self.told = 0

    @initialize(funds=st.sampled_from([400_000_00, 2_000_00]))
    def begin(self, funds: int) -> None:
        self.payer.fund(Money(funds))
        self.payer.lift_the_limit_of_new_numbers()
        self.funds = funds
        self.store.commit()

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def _all(self) -> list[Payout]:
        return self.store.tx.payouts.every()

    def _in(self, *states: PayoutState) -> list[Payout]:
        return [one for one in self._all() if one.state in states]

    def _order_id(self, payout: Payout) -> str:
        return f"AG_order_{payout.reference}"

    def _query_id(self, payout: Payout) -> str:
        return f"AG_query_{payout.reference}"

    # People ---------------------------------------------------------------------------------

    @precondition(lambda self: self._all())
    @rule(wait=waits)
    def time_passes(self, wait: timedelta) -> None:
        self.store.now += wait

    @precondition(lambda self: len(self._all()) < PAYOUTS_MAX)
    @rule(cents=amounts, payee=payees, types=st.sampled_from([True, True, False]))
    def a_person_pays(self, cents: int, payee: Any, types: bool) -> None:
        quoted = self.payer.request(Money(cents), payee)
        if isinstance(quoted, Payout):
            sent = self.payer.confirm(quoted.reference)
            if isinstance(sent, CodeSent) and types:
                self.payer.type(quoted.reference)
        self.store.commit()

    @precondition(lambda self: self._in(S.OTP_SENT))
    @rule(pick=picks)
    def a_person_types_the_code_later(self, pick: int) -> None:
        found = self._in(S.OTP_SENT)
        self.payer.type(found[pick % len(found)].reference)
        self.store.commit()

    @precondition(lambda self: self._all())
    @rule(pick=picks)
    def a_person_cancels(self, pick: int) -> None:
        found = self._all()
        payout = found[pick % len(found)]
        done = self.store.do(lambda tx: spending.cancel(tx, self.payer.person, payout.reference))
        self.store.commit()
        assert (done is not None) == (payout.state in (S.QUOTED, S.OTP_SENT))

    @precondition(lambda self: self._in(S.UNKNOWN))
    @rule(pick=picks)
    def a_person_asks_now(self, pick: int) -> None:
        found = self._in(S.UNKNOWN)
        reference = found[pick % len(found)].reference
        self.store.do(lambda tx: payout_settlement.query_now(tx, reference))
        self.store.commit()

    # Workers --------------------------------------------------------------------------------

    @precondition(lambda self: self._in(*HOLDS))
    @rule()
    def all_that_is_due_is_claimed(self) -> None:
        work, settled = self.payer.scan()
        self._denied_by_time(settled)
        self.store.commit()
        self.calls += [Call(payout) for payout in work]

    def _denied_by_time(self, settled: list[Any]) -> None:
        for change in settled:
            if change.payout.state is S.RETURNED:
                assert self.sent[change.payout.reference] == 0
                self.denied.add(change.payout.reference)

    @precondition(lambda self: self._in(S.AUTHORISED))
    @rule()
    def workers_order_all_that_is_due(self) -> None:
        work, settled = self.payer.scan()
        self._denied_by_time(settled)
        for payout in work:
            call = Call(payout)
            if payout.state is S.AUTHORISED:
                self._begin(call)
            self.calls.append(call)
        self.store.commit()

    def _calls(self, *states: PayoutState, answered: bool = False) -> list[Call]:
        return [c for c in self.calls if c.claimed.state in states and c.answered == answered]

    def _begin(self, call: Call) -> None:
        submitting = self.payer.begin(call.claimed)
        if submitting is None:
            call.answered = True
            return
        call.claimed = submitting
        self.sent[submitting.reference] += 1
        assert submitting.claimed_paid_at is None
        assert self.sent[submitting.reference] == 1  # unless the one before provably did not leave

    @precondition(lambda self: self._calls(S.AUTHORISED))
    @rule(pick=picks, crash=crashes)
    def a_worker_begins_to_order(self, pick: int, crash: bool) -> None:
        found = self._calls(S.AUTHORISED)
        call = found[pick % len(found)]
        if crash:
            self.payer.begin(call.claimed)
            self.store.crash()
            self.calls.remove(call)
            return
        self._begin(call)
        self.store.commit()

    @precondition(lambda self: self._calls(S.AUTHORISED))
    @rule(pick=picks)
    def a_worker_gets_no_token(self, pick: int) -> None:
        found = self._calls(S.AUTHORISED)
        call = found[pick % len(found)]
        call.answered = True
        self._record(call, NOT_SENT)

    @precondition(lambda self: self._calls(S.SUBMITTING))
    @rule(pick=picks, answer=answers, crash=crashes)
    def the_gateway_answers_the_order(self, pick: int, answer: Any, crash: bool) -> None:
        found = self._calls(S.SUBMITTING)
        call = found[pick % len(found)]
        call.answered = True
        if answer == "taken":
            answer = Acknowledged(self._order_id(call.claimed))
        if crash:
            before = self.payer.get(call.claimed.reference)
            self.payer.answered(call.claimed, answer)
            self.store.crash()
            assert self.payer.get(before.reference) == before
            return
        self._record(call, answer)

    def _record(self, call: Call, answer: PayoutAnswer) -> None:
        reference = call.claimed.reference
        before = self.payer.get(reference)
        self.payer.answered(call.claimed, answer)
        self.store.commit()
        after = self.payer.get(reference)
        was_sent = call.claimed.state is S.SUBMITTING and before.state in (S.SUBMITTING, S.UNKNOWN)
        if answer is NOT_SENT and was_sent and after.state in (S.AUTHORISED, S.RETURNED):
            self.sent[reference] -= 1
        if after.state is S.RETURNED is not before.state:
            assert answer is NOT_SENT or isinstance(answer, Refused)
            self.denied.add(reference)

    @precondition(lambda self: self._calls(S.SUBMITTING, answered=True))
    @rule(pick=picks, answer=answers)
    def a_second_answer_is_not_taken(self, pick: int, answer: Any) -> None:
        found = self._calls(S.SUBMITTING, answered=True)
        call = found[pick % len(found)]
        reference = call.claimed.reference
        before = self.payer.get(reference)
        if answer == "taken" or answer is NOT_SENT or self.money_calls(reference) == 0:
            return
        assert self.payer.answered(call.claimed, answer) is None
        self.store.commit()
        assert self.payer.get(reference) == before

    @precondition(lambda self: self._calls(S.ACCEPTED, S.UNKNOWN))
    @rule(pick=picks, is_taken=st.booleans())
    def mpesa_is_asked(self, pick: int, is_taken: bool) -> None:
        found = self._calls(S.ACCEPTED, S.UNKNOWN)
        call = found[pick % len(found)]
        call.answered = True
        before = self.payer.get(call.claimed.reference)
        asked = Asked(self._query_id(before)) if is_taken else NoAnswer("read timeout")
        self.payer.told(call.claimed, asked)
        self.store.commit()
        assert self.payer.get(before.reference).state is before.state

    @precondition(lambda self: self._all())
    @rule()
    def the_program_crashes_and_is_started_again(self) -> None:
        self.store.crash()
        self.payer.restart()
        self.store.commit()

    # What is posted -------------------------------------------------------------------------

    def _post(self, payout: Payout, result: dict[str, Any]) -> tuple[Payout, Payout]:
        before = self.payer.get(payout.reference)
        others = [one for one in self._all() if one.reference != payout.reference]
        self.payer.says(result)
        self.store.commit()
        self.posted.append(result)
        assert [one for one in self._all() if one.reference != payout.reference] == others
        return before, self.payer.get(payout.reference)

    def _unlike(self, result: dict[str, Any]) -> dict[str, Any]:
        """In bytes of its own."""
        self.told += 1
        return {**result, "ResultDesc": f"{result['ResultDesc']} Entry {self.told}."}

    @precondition(lambda self: self._all())
    @rule(pick=picks, receipt=receipts)
    def mpesa_says_that_it_was_paid(self, pick: int, receipt: str) -> None:
        found = self._all()
        payout = found[pick % len(found)]
        result = self._unlike(paid(payout, receipt, ConversationID=self._order_id(payout)))
        is_taken = any(one.receipt == receipt for one in found)
        before, after = self._post(payout, result)
        if before.submitted_at is not None and not is_taken and before.state is S.RETURNED:
            assert after.state is S.PAID_AFTER_RETURN  # never lost, whatever its amount
        self._judged(before, after, True)

    @precondition(lambda self: self._all())
    @rule(pick=picks, code=codes, ids=st.sampled_from(["order", "query", "other", "occasion"]))
    def mpesa_says_that_something_failed(self, pick: int, code: Any, ids: str) -> None:
        found = self._all()
        payout = found[pick % len(found)]
        named = {"order": self._order_id, "query": self._query_id}
        conversation = named[ids](payout) if ids in named else "AG_other"
        result = failed(payout, code, ConversationID=conversation)
        if ids == "occasion":
            result |= occasion(payout)
        was_asked = self.store.tx.evidence.asked_at(payout.reference) is not None
        before, after = self._post(payout, self._unlike(result))
        if after.state is not before.state:
            assert code in ("2040", "8", 4)
            assert before.claimed_paid_at is None
            assert ids == "order" or before.conversation_id is None
            assert not was_asked or before.conversation_id == conversation
            self.denied.add(payout.reference)
        self._judged(before, after, False)

    @precondition(lambda self: self._all())
    @rule(
        pick=picks,
        receipt=receipts,
        said=st.sampled_from(["Completed", "Failed", "Pending"]),
        code=st.sampled_from([0, 0, 21, 2032]),
    )
    def mpesa_answers_a_question(self, pick: int, receipt: str, said: str, code: int) -> None:
        found = self._all()
        payout = found[pick % len(found)]
        result = status(
            payout,
            receipt,
            ResultCode=code,
            ConversationID=self._query_id(payout),
            _TransactionStatus=said,
            _ConversationID=self._order_id(payout),
        )
        before, after = self._post(payout, self._unlike(result | occasion(payout)))
        self._judged(before, after, said == "Completed" and code == 0)

    @precondition(lambda self: self._all())
    @rule(pick=picks, receipt=receipts, other=st.sampled_from(["amount", "phone", "ids", "more"]))
    def mpesa_says_something_else_was_paid(self, pick: int, receipt: str, other: str) -> None:
        found = self._all()
        payout = found[pick % len(found)]
        told = payout
        if other == "amount":
            told = replace(payout, quote=replace(payout.quote, amount=Money(77_00)))
        elif other == "phone":
            told = replace(payout, recipient=OTHER_PAYEE if payout.recipient == PAYEE else PAYEE)
        result = paid(told, receipt, ConversationID=self._order_id(payout))
        if other == "ids":
            result |= {"OriginatorConversationID": "HZPO222222", "ConversationID": "AG_other"}
        elif other == "more":
            result |= {"ResultType": 1}
        before, after = self._post(payout, self._unlike(result))
        assert after == before

    @precondition(lambda self: self._all())
    @rule(pick=picks)
    def mpesa_says_that_it_was_too_slow(self, pick: int) -> None:
        found = self._all()
        payout = found[pick % len(found)]
        before = self.payer.get(payout.reference)
        result = self._unlike(failed(payout, "1037", ConversationID=self._order_id(payout)))
        self.payer.time_out(result)
        self.store.commit()
        after = self.payer.get(payout.reference)
        if before.state is S.ACCEPTED:
            assert after.state is S.UNKNOWN
        else:
            assert after == before

    @precondition(lambda self: self.posted)
    @rule(pick=picks)
    def mpesa_repeats_itself(self, pick: int) -> None:
        before = self._all()
        assert self.payer.says(self.posted[pick % len(self.posted)]) is None
        self.store.commit()
        assert self._all() == before

    def _judged(self, before: Payout, after: Payout, is_success: bool) -> None:
        paid_states = (S.PAID, S.PAID_AFTER_RETURN)
        if after.state in paid_states and before.state not in paid_states:
            assert is_success
            assert after.receipt is not None
            self.proved.add(after.reference)
        if before.state in paid_states:
            assert after == before

    def money_calls(self, reference: str) -> int:
        return self.store.count(
            "SELECT count(*) FROM provider_calls WHERE operation = ? AND call = 'payout'"
            " AND outcome <> 'not_sent'",
            reference,
        )
