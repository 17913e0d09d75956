"""Files of payouts: what is taken, who agrees, what the code holds, and what stopping frees."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services import payout_batches, payout_freeze
from services.approvals import AwaitingApproval
from services.domain.approval import APPROVAL_LIFE
from services.domain.bank import NotSent
from services.domain.money import Money
from services.domain.payout_batch import BatchState, digest_of
from services.domain.refusal import Refusal
from services.domain.spending import Shortfall
from services.otp import NotPassed
from services.spending import CodeSent
from tests.kit.batch_sender import B, BatchSender, rows_of
from tests.kit.payout_payer import OTHER_RECEIPT, TAKEN, S, failed, paid
from tests.kit.refusals import REFUSED, drop_trigger

FUNDS = 100_000_000


def test_nothing_is_held_before_the_code_and_everything_with_it(sender: BatchSender) -> None:
    batch = sender.quoted(1_500, 700, 50)
    total = batch.quote.total.cents
    assert total == (1_500 + 5 + 700 + 5 + 50) * 100
    assert isinstance(sender.says_yes(batch.reference), AwaitingApproval)
    sender.decides(batch.reference)
    assert isinstance(sender.says_yes(batch.reference), CodeSent)
    assert sender.available() == FUNDS
    sender.types_code(batch.reference)
    assert sender.available() == FUNDS - total
    assert len(set(sender.payouts(batch.reference))) == 3


def test_its_maker_does_not_agree_to_it(sender: BatchSender) -> None:
    batch = sender.quoted(1_500)
    sender.says_yes(batch.reference)
    assert sender.decides(batch.reference, sender.person) == Refusal("not_your_own")
    again = sender.says_yes(batch.reference)
    assert isinstance(again, AwaitingApproval)
    assert not again.fresh


def test_where_nobody_may_agree_nothing_is_stored(sender: BatchSender) -> None:
    sender.store.do(lambda tx: tx.people.unlink("terminal", "2"))
    assert sender.sends(rows_of(100)) == Refusal("no_second_for_file")
    assert sender.store.tx.payout_batches.every() == []


def test_rows_below_and_above_the_limits_are_named_and_nothing_is_stored(
    sender: BatchSender,
) -> None:
    faults = sender.sends(rows_of(9, 100, 250_001))
    assert isinstance(faults, list)
    assert [(fault.number, fault.code) for fault in faults] == [
        (1, "below_minimum"),
        (3, "above_maximum"),
    ]
    assert sender.store.tx.payout_batches.every() == []


def test_a_number_gets_no_more_in_a_day_than_mpesa_lets_it(sender: BatchSender) -> None:
    rows = [replace(row, phone=rows_of(1)[0].phone) for row in rows_of(250_000, 250_000, 10)]
    faults = sender.sends(rows)
    assert isinstance(faults, list)
    assert [(fault.number, fault.code) for fault in faults] == [(3, "recipient_day")]


def test_a_new_number_may_get_more_than_alone_since_two_people_agree(sender: BatchSender) -> None:
    reference = sender.running(60_000)
    assert sender.batch(reference).state is B.RUNNING


def test_repeated_rows_need_a_yes_of_their_own(sender: BatchSender) -> None:
    rows = rows_of(500, 500)
    rows[1] = replace(rows[1], phone=rows[0].phone)
    sent = sender.sends(rows)
    assert isinstance(sent, tuple)
    batch, doubles = sent
    assert ([row.number for row in doubles.in_file], batch.doubles) == ([2], 1)
    assert sender.says_yes(batch.reference) == Refusal("batch_doubles")
    sender.takes_doubles(batch.reference)
    assert isinstance(sender.says_yes(batch.reference), AwaitingApproval)


def test_what_was_paid_within_a_day_is_a_repetition(sender: BatchSender) -> None:
    first = sender.running(500)
    payout = sender.submitting(sender.payouts(first)[0])
    sender.answered(payout, TAKEN)
    sender.says(paid(payout))
    sent = sender.sends(rows_of(500))
    assert isinstance(sent, tuple)
    assert [found.reference for _, found in sent[1].paid] == [payout.reference]
    assert sent[1].same_rows == sender.batch(first)
    sender.store.now += timedelta(hours=24, seconds=1)
    later = sender.sends(rows_of(500))
    assert isinstance(later, tuple)
    assert not later[1]


def test_a_batch_that_was_cancelled_is_no_repetition(sender: BatchSender) -> None:
    batch = sender.quoted(500)
    sender.says_yes(batch.reference)
    sender.decides(batch.reference, agrees=False)
    assert sender.batch(batch.reference).state is B.REFUSED
    sent = sender.sends(rows_of(500))
    assert isinstance(sent, tuple)
    assert not sent[1]


def test_another_file_forgets_the_one_that_nobody_confirmed(sender: BatchSender) -> None:
    first = sender.quoted(500)
    second = sender.quoted(600)
    assert sender.batch(first.reference).state is B.CANCELLED
    assert sender.store.tx.payout_batches.rows(first.reference) == []
    assert sender.says_yes(first.reference) == Refusal("batch_over")
    assert isinstance(sender.says_yes(second.reference), AwaitingApproval)


def test_too_little_float_is_said_before_and_ends_it_after(sender: BatchSender) -> None:
    batch = sender.quoted(600_000 // 3, 600_000 // 3, 600_000 // 3)
    sender.says_yes(batch.reference)
    sender.decides(batch.reference)
    sender.says_yes(batch.reference)
    sender.running(250_000, 250_000, address="other")
    ended = sender.types_code(batch.reference)
    assert isinstance(ended, type(batch))
    assert (ended.state, ended.reason) == (B.REFUSED, "float_short")
    short = sender.quoted(250_000, 240_000, 20_000)
    sender.takes_doubles(short.reference)
    assert isinstance(sender.says_yes(short.reference), Shortfall)


def test_a_wrong_code_holds_nothing(sender: BatchSender) -> None:
    batch = sender.quoted(500)
    sender.says_yes(batch.reference)
    sender.decides(batch.reference)
    sender.says_yes(batch.reference)
    wrong = "000000" if sender.codes[batch.reference] != "000000" else "111111"
    assert isinstance(sender.types_code(batch.reference, wrong), NotPassed)
    assert isinstance(sender.types_code(batch.reference, wrong), NotPassed)
    sender.types_code(batch.reference, wrong)
    assert sender.batch(batch.reference).state is B.OTP_LOCKED
    assert sender.payouts(batch.reference) == []


def test_an_approver_who_leaves_takes_the_approval_along(sender: BatchSender) -> None:
    batch = sender.quoted(500)
    sender.says_yes(batch.reference)
    sender.decides(batch.reference)
    sender.says_yes(batch.reference)
    sender.store.do(lambda tx: tx.people.unlink("terminal", "2"))
    ended = sender.types_code(batch.reference)
    assert isinstance(ended, type(batch))
    assert (ended.state, ended.reason) == (B.REFUSED, "second_left")


def test_an_approval_that_nobody_used_lapses(sender: BatchSender) -> None:
    batch = sender.quoted(500)
    sender.says_yes(batch.reference)
    sender.decides(batch.reference)
    sender.store.now += APPROVAL_LIFE
    assert sender.says_yes(batch.reference) == Refusal("approval_over")


def test_rows_that_are_not_those_that_were_read_are_not_approved(sender: BatchSender) -> None:
    batch = sender.quoted(500, 600)
    sender.says_yes(batch.reference)
    with pytest.raises(REFUSED, match="never edited"):
        sender.store.run("UPDATE payout_batch_rows SET amount_cents = 1")
    drop_trigger(sender.store, "payout_batch_rows_keep", "payout_batch_rows")
    sender.store.conn.execute("SAVEPOINT tampered")
    sender.store.conn.execute("UPDATE payout_batch_rows SET amount_cents = 70000 WHERE number = 1")
    assert sender.decides(batch.reference) == Refusal("approval_over")
    sender.store.conn.execute("ROLLBACK TO tampered")
    sender.decides(batch.reference)
    sender.says_yes(batch.reference)
    sender.store.conn.execute("UPDATE payout_batch_rows SET amount_cents = 70000 WHERE number = 1")
    ended = sender.types_code(batch.reference)
    assert isinstance(ended, type(batch))
    assert ended.state is B.REFUSED
    sender.store.conn.execute("ROLLBACK TO tampered")


def test_stopping_frees_what_is_not_on_its_way_and_nothing_else(sender: BatchSender) -> None:
    reference = sender.running(100, 200, 300)
    work, _ = sender.scan()
    sent = sender.begin(work[0])
    assert sent is not None
    stopped = sender.stops(reference)
    assert not isinstance(stopped, Refusal)
    assert stopped.state is BatchState.STOPPED
    counts = sender.store.tx.payout_batches.counts(reference)
    assert (counts.cancelled, counts.waiting, counts.sent) == (2, 0, 1)
    assert sender.available() == FUNDS - sent.quote.total.cents
    assert [sender.begin(late) for late in work[1:]] == [None, None]
    assert sender.scan() == ([], [])
    assert sender.stops(reference) == Refusal("batch_not_running")
    sender.answered(sent, TAKEN)
    sender.says(paid(sent))
    assert sender.batch(reference).state is BatchState.STOPPED
    counts = sender.store.tx.payout_batches.counts(reference)
    assert (counts.waiting, counts.sent, counts.unknown) == (0, 0, 0)


def test_a_row_that_never_left_is_not_sent_again_after_a_stop(sender: BatchSender) -> None:
    reference = sender.running(100)
    sent = sender.begin(sender.scan()[0][0])
    assert sent is not None
    sender.stops(reference)
    change = sender.answered(sent, NotSent("connection refused"))
    assert change is not None
    assert (change.payout.state, change.ends_batch) == (S.CANCELLED, True)
    assert sender.available() == FUNDS
    sender.store.now += timedelta(hours=1)
    assert sender.scan() == ([], [])
    assert sender.batch(reference).state is BatchState.STOPPED


def test_it_is_done_when_every_row_has_ended(sender: BatchSender) -> None:
    reference = sender.running(100, 200)
    one, other = (sender.begin(claimed) for claimed in sender.scan()[0])
    assert one is not None
    assert other is not None
    sender.answered(one, TAKEN)
    sender.answered(other, TAKEN)
    change = sender.says(paid(one))
    assert change is not None
    assert change.batch == sender.batch(reference)
    assert sender.batch(reference).state is B.RUNNING
    change = sender.says(failed(other))
    assert change is not None
    assert change.batch is not None
    assert change.batch.state is B.DONE
    assert sender.available() == FUNDS - one.quote.total.cents
    again = sender.store.do(lambda tx: payout_batches.failed_rows(tx, sender.batch(reference)))
    assert [(row.number, row.amount) for row in again] == [(1, other.amount)]


def test_a_row_that_was_paid_otherwise_since_is_not_paid_again(sender: BatchSender) -> None:
    reference = sender.running(200)
    (claimed,) = sender.scan()[0]
    sent = sender.begin(claimed)
    assert sent is not None
    sender.answered(sent, TAKEN)
    sender.says(failed(sent))
    alone = sender.submitting(sender.authorised(sent.amount, sent.recipient, "3"))
    sender.answered(alone, TAKEN)
    sender.says(paid(alone, OTHER_RECEIPT))
    failed_rows = payout_batches.failed_rows(sender.store.tx, sender.batch(reference))
    assert failed_rows == []


def test_single_payouts_go_before_rows(sender: BatchSender) -> None:
    reference = sender.running(*range(100, 130))
    alone = sender.authorised(Money(60_000), address="3")
    work, _ = sender.scan_some(3)
    assert work[0].reference == alone
    assert all(claimed.batch == reference for claimed in work[1:])
    assert len(work) == 3


def test_partners_take_turns(sender: BatchSender) -> None:
    mine, other = sender.running(*range(100, 120)), sender.running_of_another(*range(100, 120))
    taken = [claimed.batch for _ in range(6) for claimed in sender.scan_some(1)[0]]
    assert sorted(taken) == sorted([mine, other] * 3)


def test_frozen_and_paused_rows_are_not_taken_up(sender: BatchSender) -> None:
    reference = sender.running(100, 200)
    sender.store.do(lambda tx: payout_freeze.freeze(tx, sender.person))
    assert sender.scan() == ([], [])
    sender.store.now += timedelta(hours=3)
    sender.store.do(lambda tx: tx.people.freeze_payouts("DEMO", frozen=False))
    sender.store.do(payout_freeze.pause_all)
    assert sender.scan() == ([], [])
    sender.store.do(lambda tx: payout_freeze.resume_all(tx, "admin:1"))
    assert len(sender.scan()[0]) == 2
    assert sender.batch(reference).state is B.RUNNING


def test_a_row_that_waited_for_an_hour_still_has_its_minute(sender: BatchSender) -> None:
    sender.running(*range(100, 120))
    sender.store.now += timedelta(hours=1)
    work, settled = sender.scan_some(2)
    assert (len(work), settled) == (2, [])
    assert all(claimed.state is S.AUTHORISED for claimed in work)


def test_the_digest_is_of_everything_that_rows_say() -> None:
    rows = rows_of(100, 200)
    digest = digest_of(rows)
    assert digest == digest_of(rows_of(100, 200))
    for changed in (
        replace(rows[0], amount=Money(10_100)),
        replace(rows[0], phone=rows[1].phone),
        replace(rows[0], reference="S-9"),
        replace(rows[0], name="Asha"),
        replace(rows[0], remarks="Salary"),
    ):
        assert digest_of([changed, rows[1]]) != digest
    assert digest_of(rows[::-1]) != digest
