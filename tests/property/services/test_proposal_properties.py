"""Proposals, admins' decisions and bank answers in any order: each takes effect at most once."""

from __future__ import annotations

import random
import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services import proposal_decisions, proposals
from services.domain.adjustment import Adjustment
from services.domain.bank import (
    Accepted,
    Failed,
    NoAnswer,
    NotPaid,
    Paid,
    QueryAnswer,
    StatusAnswer,
    StillOpen,
    Succeeded,
    Unknown,
)
from services.domain.float_purchase import HOLDS, Purchase, PurchaseState
from services.domain.money import Money
from services.domain.proposal import Proposal, ProposalStatus, Resolution
from services.domain.refusal import Refusal
from services.domain.topup import CREDITED, POLLED_FOR, TopUp, TopUpState
from services.proposal_decisions import Approved
from storage.transaction import StoreTx
from tests.kit.float_buyer import FloatBuyer
from tests.kit.plain_store import PlainStore
from tests.kit.topup_driver import TopUpDriver

ADMINS = ("admin:telegram:1", "admin:telegram:2", "admin:telegram:3")
REASON = "a line on the bank's statement"
FUNDS = 600_000
TOPUPS_MAX, PURCHASES_MAX, PROPOSALS_MAX = 4, 3, 12

picks = st.integers(0, 30)
admins = st.sampled_from(ADMINS)
crashes = st.sampled_from([False, False, False, True])
query_answers = st.sampled_from(
    [
        Paid("Success"),
        NotPaid("cancelled", True, "cancelled"),
        NotPaid("expired", False, "expired"),
        StillOpen("still under processing"),
        NoAnswer("read timeout"),
    ]
)
status_answers = st.sampled_from(
    [Succeeded("B-2", "Success"), Failed("Failed"), StillOpen("open"), NoAnswer("read timeout")]
)


@dataclass
class Known:
    """What should be true: money added less taken by hand, and what each approval was about."""

    adjusted: int = 0
    done: dict[str, str] = field(default_factory=dict)


class ProposalMachine(RuleBasedStateMachine):
    """Answers come from workers that asked long ago, before or after any decision."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = PlainStore(Path(self.folder.name) / "hazina.db")
        self.worker = TopUpDriver(self.store)
        self.worker.events = 1_000  # distinct from the keys of ``FloatBuyer``
        self.buyer = FloatBuyer(self.store)
        self.buyer.fund(Money(FUNDS))
        self.random = random.Random(2)
        self.asking: list[TopUp] = []
        self.questions: list[Purchase] = []
        self.proposed: list[str] = []
        self.known = Known()

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def _topups(self) -> list[TopUp]:
        return self.store.tx.topups.every()

    def _purchases(self) -> list[Purchase]:
        return self.store.tx.purchases.every()

    def _unknown(self) -> list[str]:
        states = (TopUpState.UNKNOWN, TopUpState.SEND_UNKNOWN)
        found = [topup.reference for topup in self._topups() if topup.state in states]
        return found + [
            one.reference for one in self._purchases() if one.state is PurchaseState.UNKNOWN
        ]

    # Events ----------------------------------------------------------------------------------

    @precondition(lambda self: len(self._topups()) < TOPUPS_MAX)
    @rule(cents=st.sampled_from([5_000, 70_000]), sent=st.booleans())
    def a_topup_becomes_unknown(self, cents: int, sent: bool) -> None:
        """Without a readable answer to the request, or without an answer for a day."""
        reference = self.worker.start(cents)
        if not sent:
            self.worker.sent(reference, Unknown("read timeout"))
            assert self.worker.get(reference).state is TopUpState.SEND_UNKNOWN
            return
        self.worker.sent(reference, Accepted(f"STK-{reference}", None, "ok"))
        self.store.now += POLLED_FOR
        claimed = self.worker.claim(reference)
        self.asking.append(claimed)  # another worker that has asked and may answer at any time
        self.worker.queried(claimed, NoAnswer("read timeout"))
        assert self.worker.get(reference).state is TopUpState.UNKNOWN

    @precondition(lambda self: len(self._purchases()) < PURCHASES_MAX)
    @rule(cents=st.sampled_from([20_000, 100_000]))
    def a_purchase_becomes_unknown(self, cents: int) -> None:
        quoted = self.buyer.request(Money(cents))
        if not isinstance(quoted, Purchase):
            return
        self.buyer.confirm(quoted.reference)
        self.buyer.type(quoted.reference)
        self.buyer.answered(self.buyer.submitting(quoted.reference), Unknown("read timeout"))
        self.store.now += timedelta(seconds=15)
        self.questions.append(self.buyer.claim(quoted.reference))

    @precondition(lambda self: self._unknown() and len(self.proposed) < PROPOSALS_MAX)
    @rule(pick=picks, by=admins, resolution=st.sampled_from([Resolution.PAID, Resolution.FAILED]))
    def an_admin_says_what_became_of_it(self, pick: int, by: str, resolution: Resolution) -> None:
        found = self._unknown()
        reference = found[pick % len(found)]
        standing = self.store.tx.proposals.open_about(reference)
        result = self.store.do(
            lambda tx: proposals.propose_resolution(
                tx, self.random, by, reference, resolution, REASON
            )
        )
        if standing is not None:
            assert isinstance(result, Refusal)
            return
        assert isinstance(result, Proposal)
        self.proposed.append(result.id)

    @precondition(lambda self: len(self.proposed) < PROPOSALS_MAX)
    @rule(
        by=admins,
        resolution=st.sampled_from([Resolution.CREDIT, Resolution.DEBIT]),
        cents=st.sampled_from([50, 300_000]),
    )
    def an_admin_would_correct_the_wallet(
        self, by: str, resolution: Resolution, cents: int
    ) -> None:
        short = resolution is Resolution.DEBIT and self.buyer.available() < cents
        result = self.store.do(
            lambda tx: proposals.propose_adjustment(
                tx, self.random, by, "DEMO", resolution, Money(cents), REASON
            )
        )
        assert isinstance(result, Refusal) == short
        if isinstance(result, Proposal):
            self.proposed.append(result.id)

    @precondition(lambda self: self.proposed)
    @rule(pick=picks, by=admins, crash=crashes)
    def an_admin_approves(self, pick: int, by: str, crash: bool) -> None:
        proposal_id = self.proposed[pick % len(self.proposed)]
        before = self.store.tx.proposals.get(proposal_id)
        assert before is not None
        available = self.buyer.available()

        def approve(tx: StoreTx) -> Approved | Refusal:
            result = proposal_decisions.approve(tx, by, "telegram", "1", proposal_id)
            if crash:
                raise ZeroDivisionError
            return result

        try:
            result = self.store.do(approve)
        except ZeroDivisionError:
            assert self.store.tx.proposals.get(proposal_id) == before
            return
        may = before.status is ProposalStatus.OPEN and before.proposed_by != by
        short = before.resolution is Resolution.DEBIT and available < before.amount.cents
        assert isinstance(result, Approved) == (may and not short)
        if not isinstance(result, Approved):
            return
        assert result.proposal.decided_by == by
        assert proposal_id not in self.known.done
        self.known.done[proposal_id] = before.about
        (effects,) = result.effects
        if isinstance(effects, Adjustment):
            sign = 1 if effects.is_credit else -1
            self.known.adjusted += sign * before.amount.cents

    @precondition(lambda self: self.proposed)
    @rule(pick=picks, by=admins)
    def an_admin_declines(self, pick: int, by: str) -> None:
        proposal_id = self.proposed[pick % len(self.proposed)]
        before = self.store.tx.proposals.get(proposal_id)
        assert before is not None
        result = self.store.do(lambda tx: proposal_decisions.decline(tx, by, proposal_id))
        assert isinstance(result, Proposal) == (before.status is ProposalStatus.OPEN)

    @precondition(lambda self: self.asking)
    @rule(pick=picks, answer=query_answers)
    def the_bank_tells_of_a_topup(self, pick: int, answer: QueryAnswer) -> None:
        claimed = self.asking[pick % len(self.asking)]
        was = self.worker.get(claimed.reference)
        self.worker.queried(claimed, answer)
        now = self.worker.get(claimed.reference)
        if isinstance(answer, Paid) and was.state in (TopUpState.NOT_PAID, TopUpState.REJECTED):
            assert now.state is TopUpState.PAID_LATE  # even if two admins had marked it as failed

    @precondition(lambda self: self.questions)
    @rule(pick=picks, answer=status_answers)
    def the_bank_tells_of_a_purchase(self, pick: int, answer: StatusAnswer) -> None:
        claimed = self.questions[pick % len(self.questions)]
        was = self.buyer.get(claimed.reference)
        self.buyer.told(claimed, answer)
        if isinstance(answer, Succeeded) and was.state is PurchaseState.FAILED:
            assert self.buyer.get(claimed.reference).state is PurchaseState.FAILED
            assert self._contradicted(claimed.reference) == 1

    def _contradicted(self, reference: str) -> int:
        return self.store.count(
            "SELECT count(*) FROM review_items WHERE operation = ? AND why = 'contradicted'",
            reference,
        )

    # Invariants ------------------------------------------------------------------------------

    @invariant()
    def the_books_are_right(self) -> None:
        assert self.store.tx.invariants.violations() == []

    @invariant()
    def a_topup_is_credited_once_or_not_at_all(self) -> None:
        for topup in self._topups():
            booked = self.store.count(
                "SELECT count(*) FROM transfers WHERE operation = ?", topup.reference
            )
            assert booked == (1 if topup.state in CREDITED else 0)

    @invariant()
    def the_wallet_is_what_came_in_and_went_out(self) -> None:
        paid = sum(topup.amount.cents for topup in self._topups() if topup.state in CREDITED)
        gone = sum(
            one.quote.total.cents
            for one in self._purchases()
            if one.state in HOLDS | {PurchaseState.SUCCEEDED}
        )
        assert self.buyer.available() == FUNDS + paid - gone + self.known.adjusted
        assert self.buyer.available() >= 0

    @invariant()
    def whoever_proposes_never_approves(self) -> None:
        assert (
            self.store.count(
                "SELECT count(*) FROM proposals WHERE status = 'done'"
                " AND (decided_by IS NULL OR decided_by = proposed_by)"
            )
            == 0
        )

    @invariant()
    def what_is_known_waits_for_nobody(self) -> None:
        unknown = set(self._unknown())
        for proposal in self.store.tx.proposals.open_page(None, 100):
            assert proposal.about in unknown or proposal.about.startswith("AD-")
        reviewed = self.store.conn.execute(
            "SELECT operation FROM review_items WHERE closed_at IS NULL"
            " AND why IN ('unknown', 'send_unknown')"
        )
        assert {operation for (operation,) in reviewed} == unknown


ProposalMachine.TestCase.settings = settings(
    max_examples=50,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestDesk = ProposalMachine.TestCase
