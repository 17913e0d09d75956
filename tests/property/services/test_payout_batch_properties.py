"""Files, second persons, codes, rows, stops and time in any order: nothing runs that two people did
not agree to, each row is paid once at most, and what is not paid is free."""

from __future__ import annotations

import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from flows.parsers.payout_file import FileRow, read_payout_file, read_rows
from services import payout_freeze, payout_settlement
from services.domain.money import Money
from services.domain.payout import HOLDS, Payout
from services.domain.payout_batch import Batch, BatchRow, digest_of, doubled_in, total_of
from services.domain.refusal import Refusal
from services.spending import CodeSent
from tests.kit.batch_sender import B, BatchSender, rows_of
from tests.kit.payout_payer import NO_READABLE_ANSWER, NOT_SENT, TAKEN, S, failed, paid
from tests.kit.plain_store import PlainStore

FUNDS = Money(100_000_00)
picks = st.integers(0, 30)
shillings = st.lists(st.integers(10, 20_000), min_size=1, max_size=6)


class BatchMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = PlainStore(Path(self.folder.name) / "hazina.db")
        self.sender = BatchSender(self.store)
        self.sender.fund(FUNDS)
        self.agreed: dict[str, str] = {}  # batches that the colleague agreed to, with the digest
        self.claimed: list[Payout] = []
        self.sending: list[Payout] = []
        self.left: Counter[str] = Counter()  # orders that may have left the machine
        self.stopped: dict[str, set[str]] = {}  # what was on its way when a batch was stopped

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def _pick(self, pick: int, *states: B) -> Batch | None:
        found = [one for one in self.store.tx.payout_batches.every() if one.state in states]
        return found[pick % len(found)] if found else None

    # People -------------------------------------------------------------------------------

    @rule(amounts=shillings, at=st.sampled_from("12"))
    def a_file_is_sent(self, amounts: list[int], at: str) -> None:
        self.sender.sends(rows_of(*amounts), at)

    @rule(amounts=shillings)
    def a_file_goes_all_the_way(self, amounts: list[int]) -> None:
        """To its code, unless something stands in the way: a limit, a freeze, too little float."""
        sent = self.sender.sends(rows_of(*amounts), "1")
        if not isinstance(sent, tuple):
            return
        reference = sent[0].reference
        self.sender.takes_doubles(reference)
        self.sender.says_yes(reference)
        decided = self.sender.decides(reference)
        if not isinstance(decided, Refusal):
            self.agreed[reference] = sent[0].digest
        if isinstance(self.sender.says_yes(reference), CodeSent):
            self.sender.types_code(reference)

    @rule(pick=picks)
    def doubles_are_taken(self, pick: int) -> None:
        if (batch := self._pick(pick, B.QUOTED)) is not None:
            self.sender.takes_doubles(batch.reference)

    @rule(pick=picks)
    def its_maker_says_yes(self, pick: int) -> None:
        if (batch := self._pick(pick, *B)) is not None:
            sent = self.sender.says_yes(batch.reference)
            assert not isinstance(sent, CodeSent) or batch.reference in self.agreed

    @rule(pick=picks, by_maker=st.booleans(), agrees=st.booleans())
    def somebody_decides(self, pick: int, by_maker: bool, agrees: bool) -> None:
        batch = self._pick(pick, B.AWAITING_APPROVAL)
        if batch is None:
            return
        who = self.sender.person if by_maker else self.sender.colleague
        decided = self.sender.decides(batch.reference, who, agrees=agrees)
        if by_maker:
            assert isinstance(decided, Refusal)
        elif agrees and not isinstance(decided, Refusal):
            self.agreed[batch.reference] = batch.digest

    @rule(pick=picks, right=st.booleans())
    def a_code_is_typed(self, pick: int, right: bool) -> None:
        batch = self._pick(pick, B.OTP_SENT)
        if batch is not None:
            code = self.sender.codes[batch.reference]
            wrong = "000000" if code != "000000" else "111111"
            self.sender.types_code(batch.reference, code if right else wrong)

    @rule(pick=picks)
    def it_is_stopped(self, pick: int) -> None:
        batch = self._pick(pick, B.RUNNING)
        if batch is None:
            return
        assert not isinstance(self.sender.stops(batch.reference), Refusal)
        gone = {one.reference for one in self._rows() if one.batch == batch.reference}
        self.stopped[batch.reference] = {
            reference for reference in gone if self.sender.state(reference) is not S.CANCELLED
        }

    @rule(frozen=st.booleans())
    def payouts_are_frozen_or_thawed(self, frozen: bool) -> None:
        if frozen:
            self.store.do(lambda tx: payout_freeze.freeze(tx, self.sender.person))
        else:
            self.store.do(lambda tx: tx.people.freeze_payouts("DEMO", frozen=False))
            self.store.do(lambda tx: tx.payouts.thaw("DEMO"))

    # The worker and M-PESA ----------------------------------------------------------------

    @rule(sends=st.integers(0, 4))
    def the_worker_claims(self, sends: int) -> None:
        work, _ = self.sender.scan_some(sends)
        assert len([one for one in work if one.state is S.AUTHORISED]) <= sends
        self.claimed += [one for one in work if one.state is S.AUTHORISED]

    @rule(sends=st.integers(1, 4))
    def the_worker_claims_and_sends(self, sends: int) -> None:
        self.the_worker_claims(sends)
        self.the_worker_sends()

    @rule()
    def the_worker_sends(self) -> None:
        for claimed in self.claimed:
            sending = self.sender.begin(claimed)
            if sending is not None:
                self.sending.append(sending)
        self.claimed = []

    @rule(pick=picks, answer=st.sampled_from((TAKEN, NOT_SENT, NO_READABLE_ANSWER)))
    def an_answer_comes(self, pick: int, answer: object) -> None:
        if self.sending:
            sent = self.sending.pop(pick % len(self.sending))
            self.left[sent.reference] += answer is not NOT_SENT
            self.store.do(
                lambda tx: payout_settlement.record_order(tx, sent, answer, 10)  # type: ignore[arg-type]
            )

    @rule(pick=picks, is_paid=st.booleans())
    def a_result_comes(self, pick: int, is_paid: bool) -> None:
        """M-PESA tells the truth of each order once and for all."""
        waiting = [one for one in self._rows() if one.state in (S.ACCEPTED, S.UNKNOWN)]
        known = [one for one in waiting if self.left[one.reference]]
        if known:
            payout = known[pick % len(known)]
            receipt = f"SG{payout.reference.replace('-', '')}"
            self.sender.says(paid(payout, receipt) if is_paid else failed(payout))

    @rule()
    def the_program_dies(self) -> None:
        for lost in self.sending:  # they may have left
            self.left[lost.reference] += 1
        self.claimed, self.sending = [], []
        self.sender.restart()

    @rule(minutes=st.sampled_from((1, 5, 70, 1_500)))
    def time_passes(self, minutes: int) -> None:
        self.store.now += timedelta(minutes=minutes)

    # What always holds --------------------------------------------------------------------

    def _rows(self) -> list[Payout]:
        return list(self.store.tx.payouts.every())

    @invariant()
    def the_books_are_right(self) -> None:
        assert self.store.tx.invariants.violations() == []

    @invariant()
    def what_ran_is_what_another_person_agreed_to(self) -> None:
        for batch in self.store.tx.payout_batches.every():
            if batch.authorised_at is not None:
                rows = self.store.tx.payout_batches.rows(batch.reference)
                assert self.agreed[batch.reference] == digest_of(rows) == batch.digest

    @invariant()
    def no_order_leaves_twice(self) -> None:
        assert all(times <= 1 for times in self.left.values())

    @invariant()
    def float_is_gone_for_what_is_open_or_paid_and_for_nothing_else(self) -> None:
        spent = [one.quote.total.cents for one in self._rows() if one.state in HOLDS | {S.PAID}]
        owed = [one for one in self._rows() if one.state is S.PAID_AFTER_RETURN]
        assert owed == []
        assert self.sender.available() == FUNDS.cents - sum(spent) >= 0

    @invariant()
    def a_stopped_batch_sends_nothing_more(self) -> None:
        for reference, gone in self.stopped.items():
            for payout in self._rows():
                if payout.batch == reference and payout.reference not in gone:
                    assert payout.state is S.CANCELLED


BatchMachine.TestCase.settings = settings(
    max_examples=30,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestBatches = BatchMachine.TestCase

cells = st.text(max_size=30)


@given(st.lists(st.fixed_dictionaries({"phone": cells, "amount": cells, "reference": cells})))
def test_every_row_is_read_or_has_a_fault(said: list[dict[str, str]]) -> None:
    rows = [FileRow(number, number + 1, cells) for number, cells in enumerate(said, start=1)]
    read = read_rows(rows)
    good = {row.number for row in read.rows}
    bad = {fault.number for fault in read.faults}
    assert good.isdisjoint(bad)
    assert good | bad == {row.number for row in rows}
    assert len({row.reference for row in read.rows}) == len(read.rows)
    assert all(row.amount.is_whole and row.amount.cents > 0 for row in read.rows)


@given(st.binary(max_size=2_000))
def test_any_bytes_are_a_file_or_are_refused(content: bytes) -> None:
    read = read_payout_file(content)
    if not isinstance(read, Refusal):
        read_rows(read)


@given(st.lists(st.integers(10, 250_000), min_size=1, max_size=40))
def test_the_whole_costs_what_its_rows_cost(amounts: list[int]) -> None:
    rows = rows_of(*amounts)
    total = total_of(rows)
    assert total.amount.cents == sum(amounts) * 100
    assert total.total.cents == sum(row.quote.total.cents for row in rows)


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(10, 12)), max_size=12))
def test_a_double_is_each_row_after_the_first_of_its_kind(drawn: list[tuple[int, int]]) -> None:
    rows = [
        BatchRow(number, rows_of(1, 1, 1)[phone - 1].phone, Money(amount * 100), f"S-{number}")
        for number, (phone, amount) in enumerate(drawn, start=1)
    ]
    assert len(doubled_in(rows)) == len(drawn) - len(set(drawn))
