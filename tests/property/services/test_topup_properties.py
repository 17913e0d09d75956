"""Claims, answers and time in any order: a top-up is credited once, on evidence, or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

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
from services.domain.ledger import Account, AccountKind
from services.domain.topup import (
    CREDITED,
    NOT_SENT_FOR,
    POLLED_FOR,
    SLOW_AFTER,
    TRANSITIONS,
    TopUp,
    TopUpState,
)
from services.topup_settlement import ChangeKind, TopUpChange
from services.topups import Duplicate
from tests.kit.plain_store import PlainStore
from tests.kit.topup_driver import LEASE, TopUpDriver

S = TopUpState
TOPUPS_MAX = 3
WAITS = [
    timedelta(seconds=1),
    timedelta(seconds=5),
    timedelta(seconds=31),
    LEASE,
    SLOW_AFTER,
    timedelta(hours=1),
    POLLED_FOR - timedelta(seconds=61),
    POLLED_FOR,
]
ALWAYS_DUE = {S.CREATED, S.SENDING, S.PENDING}
NEVER_DUE = {S.PAID, S.PAID_LATE, S.REJECTED, S.SEND_UNKNOWN}
TOLD = set(S) - {S.CREATED, S.SENDING}  # whoever began it is told when it reaches one of these

waits = st.sampled_from(WAITS)
spreads = st.sampled_from([-1.0, 0.0, 0.37, 1.0])
initiate_answers = st.sampled_from(
    [
        Accepted("", None, "ok"),
        Rejected("declined", "declined"),
        NotSent("no route"),
        Unknown("read timeout"),
    ]
)
query_answers = st.sampled_from(
    [
        Paid("Success"),
        NotPaid("cancelled", True, "cancelled"),
        NotPaid("expired", False, "expired"),
        StillOpen("still under processing"),
        NoAnswer("read timeout"),
    ]
)
picks = st.integers(0, 30)


@dataclass(eq=False)
class Call:
    """A worker with a claim: what it holds, and whether it has answered."""

    claimed: TopUp
    answered: bool = False


class TopUpMachine(RuleBasedStateMachine):
    """Workers live for any length of time: they may be slow or late, answer twice, or disappear."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = PlainStore(Path(self.folder.name) / "hazina.db")
        self.worker = TopUpDriver(self.store)
        self.calls: list[Call] = []
        self.seen: dict[str, TopUp] = {}
        self.paid: set[str] = set()

    def teardown(self) -> None:
        assert self.store.tx.invariants.violations() == []
        self.store.close()
        self.folder.cleanup()

    # One step, and what must hold after it --------------------------------------------------

    def _step(self, act: Callable[[], list[TopUpChange]], *, brings: str = "nothing") -> None:
        before = {topup.reference: topup for topup in self.store.tx.topups.every()}
        changes = act()
        for topup in self.store.tx.topups.every():
            was = before.get(topup.reference)
            told = [change for change in changes if change.topup.reference == topup.reference]
            assert len(told) <= 1
            if was is None:
                assert topup.state is S.CREATED
                assert told == []
                continue
            assert all(change.topup == topup for change in told)
            if was.state is topup.state:
                assert all(change.kind is ChangeKind.SLOW for change in told)
                assert bool(told) == (topup.slow and not was.slow)
                continue
            assert topup.state in TRANSITIONS[was.state]
            assert bool(told) == (topup.state in TOLD)
            self._may_change(was, topup, brings)

    def _may_change(self, was: TopUp, topup: TopUp, brings: str) -> None:
        age = self.store.now - (topup.sent_at or topup.created_at)
        if topup.state in CREDITED:
            assert brings == "paid"
            self.paid.add(topup.reference)
        elif topup.state is S.NOT_PAID:
            assert brings in ("not_paid", "not_paid_so_far")
            assert was.state is S.PENDING or brings == "not_paid"
        elif topup.state is S.UNKNOWN:
            assert brings in ("still_open", "no_answer", "not_paid_so_far")
            assert age >= POLLED_FOR
            assert self._reviews(topup, "unknown") == 1
        elif topup.state is S.SEND_UNKNOWN:
            assert brings == "unknown" or (brings == "claim" and was.due_at is not None)
            assert self._reviews(topup, "send_unknown") == 1
        elif topup.state is S.PENDING:
            assert brings == "accepted"
        elif topup.state is S.REJECTED:
            assert brings == "rejected" or (
                brings in ("not_sent", "claim")
                and self.store.now - topup.created_at >= NOT_SENT_FOR
            )
        elif topup.state is S.CREATED:
            assert brings == "not_sent"
        else:
            assert brings == "begin"

    def _reviews(self, topup: TopUp, why: str) -> int:
        return self.store.count(
            "SELECT count(*) FROM review_items WHERE operation = ? AND why = ?"
            " AND closed_at IS NULL",
            topup.reference,
            why,
        )

    def _calls(self, *, sent: bool, answered: bool = False) -> list[Call]:
        """Workers that hold a request (``sent``), or a claim to begin one."""
        state = S.SENDING if sent else S.CREATED
        return [
            call for call in self.calls if call.claimed.state is state and call.answered == answered
        ]

    def _queries(self) -> list[Call]:
        return [call for call in self.calls if call.claimed.bank_id is not None]

    # Events ---------------------------------------------------------------------------------

    @precondition(lambda self: len(self.store.tx.topups.every()) < TOPUPS_MAX)
    @rule(again=st.booleans())
    def a_person_begins_one(self, again: bool) -> None:
        def act() -> list[TopUpChange]:
            had = len(self.store.tx.topups.every())
            answer = self.worker.ask(again=again)
            assert isinstance(answer, TopUp | Duplicate)
            if isinstance(answer, Duplicate):
                assert not again
                assert answer.open.state not in (S.PAID, S.NOT_PAID, S.UNKNOWN, S.REJECTED)
            assert len(self.store.tx.topups.every()) == had + isinstance(answer, TopUp)
            return []

        self._step(act)

    @rule(wait=waits)
    def time_passes(self, wait: timedelta) -> None:
        self.store.now += wait

    @rule()
    def all_that_is_due_is_claimed(self) -> None:
        def act() -> list[TopUpChange]:
            work, changes = self.worker.scan()
            self.calls += [Call(topup) for topup in work]
            return changes

        self._step(act, brings="claim")

    @rule()
    def the_program_is_started_again(self) -> None:
        def act() -> list[TopUpChange]:
            self.worker.restart()
            return []

        self._step(act)

    @precondition(lambda self: self._calls(sent=False))
    @rule(pick=picks)
    def a_worker_begins_to_send(self, pick: int) -> None:
        calls = self._calls(sent=False)
        call = calls[pick % len(calls)]

        def act() -> list[TopUpChange]:
            sending = self.worker.begin(call.claimed)
            current = self.worker.get(call.claimed.reference)
            if sending is None:
                call.answered = True
            else:
                assert current.attempt == call.claimed.attempt
                call.claimed = sending
            return []

        self._step(act, brings="begin")

    @precondition(lambda self: self._calls(sent=False))
    @rule(pick=picks)
    def a_worker_gets_no_token(self, pick: int) -> None:
        calls = self._calls(sent=False)
        self._answer_initiate(calls[pick % len(calls)], NotSent("no token"), 0)

    @precondition(lambda self: self._calls(sent=True))
    @rule(pick=picks, answer=initiate_answers, spread=spreads)
    def the_bank_answers_the_request(
        self, pick: int, answer: InitiateAnswer, spread: float
    ) -> None:
        calls = self._calls(sent=True)
        self._answer_initiate(calls[pick % len(calls)], answer, spread)

    def _answer_initiate(self, call: Call, answer: InitiateAnswer, spread: float) -> None:
        reference = call.claimed.reference
        if isinstance(answer, Accepted):
            answer = Accepted(f"b-{reference}-{call.claimed.attempt}", None, "ok")
        call.answered = True
        before = self.worker.get(reference)

        def act() -> list[TopUpChange]:
            change = self.worker.initiated(call.claimed, answer, spread)
            return [] if change is None else [change]

        outcome = {Accepted: "accepted", Rejected: "rejected", NotSent: "not_sent"}
        self._step(act, brings=outcome.get(type(answer), "unknown"))
        if isinstance(answer, NotSent) and before.attempt != call.claimed.attempt:
            assert self.worker.get(reference) == before

    @precondition(lambda self: self._calls(sent=True, answered=True))
    @rule(pick=picks, answer=initiate_answers)
    def a_second_answer_to_the_request_is_not_taken(
        self, pick: int, answer: InitiateAnswer
    ) -> None:
        calls = self._calls(sent=True, answered=True)
        call = calls[pick % len(calls)]
        reference = call.claimed.reference
        money_calls = self._money_calls(reference)
        before = self.worker.get(reference)
        if isinstance(answer, NotSent) or money_calls == 0:
            return
        assert self.worker.initiated(call.claimed, answer) is None
        assert self.worker.get(reference) == before
        assert self._money_calls(reference) == money_calls

    @precondition(lambda self: self._queries())
    @rule(pick=picks, answer=query_answers, spread=spreads)
    def the_bank_answers_a_query(self, pick: int, answer: QueryAnswer, spread: float) -> None:
        queries = self._queries()
        self._answer_query(queries[pick % len(queries)].claimed, answer, spread)

    @precondition(lambda self: self._elsewhere())
    @rule(pick=picks)
    def success_is_learnt_without_the_banks_id(self, pick: int) -> None:
        topups = self._elsewhere()
        self._answer_query(topups[pick % len(topups)], Paid("Success"), 0)

    def _elsewhere(self) -> list[TopUp]:
        states = (S.SEND_UNKNOWN, S.REJECTED)
        return [topup for topup in self.store.tx.topups.every() if topup.state in states]

    def _answer_query(self, claimed: TopUp, answer: QueryAnswer, spread: float) -> None:
        before = self.worker.get(claimed.reference)

        def act() -> list[TopUpChange]:
            change = self.worker.queried(claimed, answer, spread)
            return [] if change is None else [change]

        match answer:
            case Paid():
                brings = "paid"
            case NotPaid(_, final, _):
                brings = "not_paid" if final else "not_paid_so_far"
            case StillOpen():
                brings = "still_open"
            case NoAnswer():
                brings = "no_answer"
        self._step(act, brings=brings)
        is_late = before.attempt != claimed.attempt
        if is_late and brings in ("still_open", "no_answer"):
            assert self.worker.get(claimed.reference) == before

    @precondition(lambda self: self.store.tx.topups.every())
    @rule(pick=picks)
    def a_person_asks_for_a_check(self, pick: int) -> None:
        topups = self.store.tx.topups.every()
        reference = topups[pick % len(topups)].reference

        def act() -> list[TopUpChange]:
            asked = self.worker.ask_now(reference)
            assert asked is None or asked.due_at == self.store.now
            return []

        self._step(act)

    @precondition(lambda self: self.calls)
    @rule(pick=picks)
    def a_worker_is_never_heard_of_again(self, pick: int) -> None:
        self.calls.pop(pick % len(self.calls))

    # Invariants -----------------------------------------------------------------------------

    def _money_calls(self, reference: str) -> int:
        return self.store.count(
            "SELECT count(*) FROM provider_calls WHERE operation = ? AND call = 'initiate'"
            " AND outcome <> 'not_sent'",
            reference,
        )

    @invariant()
    def what_is_credited_was_paid_and_only_once(self) -> None:
        topups = self.store.tx.topups.every()
        assert {t.reference for t in topups if t.state in CREDITED} == self.paid
        rows = self.store.conn.execute("SELECT operation, amount_cents FROM transfers").fetchall()
        assert sorted(rows) == sorted((ref, self.worker.get(ref).amount.cents) for ref in self.paid)
        wallet = Account(self.worker.person.partner.code, AccountKind.WALLET)
        assert self.store.tx.ledger.balance(wallet).posted.cents == sum(c for _, c in rows)
        evidence = "SELECT DISTINCT operation FROM evidence WHERE kind = 'paid'"
        assert {ref for (ref,) in self.store.conn.execute(evidence)} == self.paid

    @invariant()
    def at_most_one_request_left_the_machine(self) -> None:
        for topup in self.store.tx.topups.every():
            assert self._money_calls(topup.reference) <= 1

    @invariant()
    def what_is_open_is_never_forgotten_and_what_is_over_is_left_alone(self) -> None:
        for topup in self.store.tx.topups.every():
            if topup.state in ALWAYS_DUE:
                assert topup.due_at is not None, topup
            if topup.state in NEVER_DUE:
                assert topup.due_at is None, topup

    @invariant()
    def a_settled_one_says_when(self) -> None:
        for topup in self.store.tx.topups.every():
            assert (topup.settled_at is None) == (topup.state in ALWAYS_DUE), topup


TopUpMachine.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestDesk = TopUpMachine.TestCase
