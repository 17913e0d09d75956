"""A top-up is claimed, and its prompt requested, at most once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services import topup_settlement
from services.domain.bank import (
    InitiateAnswer,
)
from services.domain.operation import OperationType
from services.topup_settlement import ChangeKind, TopUpChange
from tests.kit.refusals import REFUSED
from tests.kit.topup_driver import (
    ACCEPTED,
    HELD,
    LEASE,
    NO_READABLE_ANSWER,
    NOT_SENT,
    PROCESSING,
    REJECTED,
    SUCCESS,
    S,
    TopUpDriver,
    in_state,
    lease_ends,
    open_reviews,
    payment_arrives,
    wallet,
)

# Claims -------------------------------------------------------------------------------------


def test_a_claim_holds_until_its_lease_ends(worker: TopUpDriver) -> None:
    reference = in_state(worker, S.PENDING)
    worker.store.wait(seconds=5)
    first = worker.claim(reference)
    worker.store.wait(seconds=LEASE.total_seconds(), milliseconds=-1)
    assert worker.scan() == ([], [])
    worker.store.wait(milliseconds=1)
    assert worker.claim(reference).attempt == first.attempt + 1


def test_what_is_not_due_is_not_claimed(worker: TopUpDriver) -> None:
    reference = in_state(worker, S.PENDING)
    worker.store.wait(seconds=4.999)
    assert worker.scan() == ([], [])
    worker.store.wait(seconds=0.001)
    assert worker.claim(reference).state is S.PENDING


def test_the_longest_due_is_claimed_first_and_no_more_than_asked(worker: TopUpDriver) -> None:
    references = []
    for _ in range(3):
        references.append(worker.start())
        worker.store.wait(seconds=1)
    work, _ = worker.store.do(lambda tx: topup_settlement.claim(tx, HELD, 2, 2))
    assert [topup.reference for topup in work] == references[:2]


def test_what_is_to_be_sent_and_what_is_to_be_asked_about_have_each_their_own_room(
    worker: TopUpDriver,
) -> None:
    pending = [in_state(worker, S.PENDING) for _ in range(2)]
    worker.store.wait(seconds=60)
    created = [worker.start() for _ in range(2)]
    work, _ = worker.store.do(lambda tx: topup_settlement.claim(tx, HELD, 2, 1))
    assert [topup.reference for topup in work] == [*created, pending[0]]


def test_the_next_due_moment_is_the_earliest(worker: TopUpDriver) -> None:
    assert worker.store.tx.claims.next_due(OperationType.TOPUP) is None
    in_state(worker, S.PENDING)
    worker.store.wait(seconds=60)
    worker.start()
    worker.claim(worker.store.tx.topups.newest().reference)  # type: ignore[union-attr]
    assert worker.store.tx.claims.next_due(OperationType.TOPUP) == worker.store.now + LEASE


def test_a_lost_claim_sends_nothing(worker: TopUpDriver) -> None:
    reference = worker.start()
    late = worker.claim(reference)
    worker.restart()
    worker.claim(reference)
    assert worker.begin(late) is None
    assert worker.get(reference).state is S.CREATED


def test_a_claim_sends_once(worker: TopUpDriver) -> None:
    reference = worker.start()
    claimed = worker.claim(reference)
    assert worker.begin(claimed) is not None
    assert worker.begin(claimed) is None


def test_sending_is_committed_with_its_moment_and_a_fresh_lease(worker: TopUpDriver) -> None:
    reference = worker.start()
    claimed = worker.claim(reference)
    worker.store.wait(seconds=20)
    worker.begin(claimed)
    topup = worker.get(reference)
    assert topup.sent_at == worker.store.now
    assert topup.due_at == worker.store.now + LEASE


def test_a_worker_that_never_came_back_leaves_it_unknown_and_to_the_admins(
    worker: TopUpDriver,
) -> None:
    reference = in_state(worker, S.SENDING)
    worker.store.wait(seconds=LEASE.total_seconds())
    work, (change,) = worker.scan()
    assert work == []
    assert change == TopUpChange(worker.get(reference), ChangeKind.OUTCOME)
    assert change.topup.state is S.SEND_UNKNOWN
    assert open_reviews(worker, "send_unknown") == 1


def test_at_start_up_the_leases_of_the_last_run_end(worker: TopUpDriver) -> None:
    sending, created = in_state(worker, S.SENDING), worker.start()
    worker.claim(created)
    pending = in_state(worker, S.PENDING)
    due_at = worker.get(pending).due_at
    assert worker.restart() == 2
    assert worker.get(pending).due_at == due_at  # it was not being queried
    work, changes = worker.scan()
    assert [topup.reference for topup in work] == [created]
    assert [change.topup.reference for change in changes] == [sending]


def test_at_start_up_what_was_being_asked_about_is_due_at_once(worker: TopUpDriver) -> None:
    pending = in_state(worker, S.PENDING)
    worker.store.wait(seconds=10)
    worker.claim(pending)
    assert worker.restart() == 1
    assert worker.claim(pending).reference == pending


def test_what_was_answered_is_claimed_no_more(worker: TopUpDriver) -> None:
    pending = in_state(worker, S.PENDING)
    worker.asked(pending, PROCESSING)
    assert worker.restart() == 0


# The prompt request -------------------------------------------------------------------------


def test_what_was_not_sent_is_tried_again_every_five_seconds(worker: TopUpDriver) -> None:
    reference = worker.start()
    assert worker.no_token(reference) is None
    topup = worker.get(reference)
    assert (topup.state, topup.sent_at) == (S.CREATED, None)
    assert topup.due_at == worker.store.now + timedelta(seconds=5)


def test_the_last_try_is_at_the_end_of_the_minute(worker: TopUpDriver) -> None:
    reference = worker.start()
    worker.store.wait(seconds=58)
    worker.no_token(reference)
    topup = worker.get(reference)
    assert topup.due_at == topup.created_at + timedelta(seconds=60)


def test_after_a_minute_of_not_sending_it_is_rejected_as_bank_down(worker: TopUpDriver) -> None:
    reference = worker.start()
    claimed = worker.claim(reference)
    worker.store.wait(seconds=60)
    change = worker.initiated(claimed, NOT_SENT)
    assert change == TopUpChange(worker.get(reference), ChangeKind.OUTCOME)
    assert (change.topup.state, change.topup.reason) == (S.REJECTED, "bank_down")


def test_a_prompt_that_nobody_expects_any_more_is_not_sent(worker: TopUpDriver) -> None:
    """The program was down overnight."""
    reference = worker.start()
    worker.store.wait(hours=9)
    work, (change,) = worker.scan()
    assert work == []
    assert change == TopUpChange(worker.get(reference), ChangeKind.OUTCOME)
    assert (change.topup.state, change.topup.reason) == (S.REJECTED, "bank_down")


def test_a_request_that_never_left_may_be_made_again(worker: TopUpDriver) -> None:
    reference = worker.start()
    assert worker.sent(reference, NOT_SENT) is None
    assert worker.get(reference).sent_at is None
    worker.store.wait(seconds=5)
    assert worker.sent(reference, ACCEPTED) is not None
    assert worker.get(reference).state is S.PENDING


def test_a_late_worker_that_sent_nothing_does_not_move_the_schedule(worker: TopUpDriver) -> None:
    reference = worker.start()
    late = worker.claim(reference)
    worker.restart()
    worker.sending(reference)
    before = worker.get(reference)
    assert worker.initiated(late, NOT_SENT) is None
    assert worker.get(reference) == before


def test_accepted_is_not_paid(worker: TopUpDriver) -> None:
    reference = in_state(worker, S.PENDING)
    assert worker.get(reference).bank_id == f"b-{reference}"
    assert wallet(worker) == 0


def test_an_accepted_prompt_is_progress_and_first_asked_about_after_five_seconds(
    worker: TopUpDriver,
) -> None:
    reference = worker.start()
    sending = worker.sending(reference)
    worker.store.wait(seconds=2)
    change = worker.initiated(sending, ACCEPTED)
    assert change == TopUpChange(worker.get(reference), ChangeKind.PROGRESS)
    assert change.topup.due_at == worker.store.now + timedelta(seconds=5)


def test_a_rejection_is_told_with_its_reason_and_never_tried_again(worker: TopUpDriver) -> None:
    reference = worker.start()
    change = worker.sent(reference, REJECTED)
    assert change == TopUpChange(worker.get(reference), ChangeKind.OUTCOME)
    assert (change.topup.reason, change.topup.due_at) == ("declined", None)


def test_an_unreadable_answer_is_unknown_never_failed(worker: TopUpDriver) -> None:
    reference = worker.start()
    change = worker.sent(reference, NO_READABLE_ANSWER)
    assert change == TopUpChange(worker.get(reference), ChangeKind.OUTCOME)
    assert (change.topup.state, change.topup.due_at) == (S.SEND_UNKNOWN, None)
    assert open_reviews(worker, "send_unknown") == 1


@pytest.mark.parametrize("answer", [REJECTED, NOT_SENT, NO_READABLE_ANSWER])
def test_an_answer_after_the_lease_that_brings_no_id_changes_nothing(
    worker: TopUpDriver, answer: InitiateAnswer
) -> None:
    reference = worker.start()
    late = worker.sending(reference)
    lease_ends(worker, reference)
    before = worker.get(reference)
    assert worker.initiated(late, answer) is None
    assert worker.get(reference) == before


def test_an_answer_after_the_lease_that_brings_the_id_lets_the_bank_be_asked(
    worker: TopUpDriver,
) -> None:
    reference = worker.start()
    late = worker.sending(reference)
    lease_ends(worker, reference)
    change = worker.initiated(late, ACCEPTED)
    topup = worker.get(reference)
    assert change == TopUpChange(topup, ChangeKind.PROGRESS)
    assert (topup.bank_id, topup.settled_at, topup.can_be_queried) == ("b1", None, True)
    assert topup.due_at == worker.store.now + timedelta(seconds=10)  # pace one minute after sending
    assert open_reviews(worker, "send_unknown") == 0


@pytest.mark.parametrize("answer", [NOT_SENT, ACCEPTED, REJECTED, NO_READABLE_ANSWER])
@pytest.mark.parametrize("sent", [False, True])
def test_no_answer_moves_what_was_paid_before_it_came(
    worker: TopUpDriver, answer: InitiateAnswer, sent: bool
) -> None:
    """The payment arrived by another route while the request or its token was in flight."""
    reference = worker.start()
    claimed = worker.sending(reference) if sent else worker.claim(reference)
    payment_arrives(worker, reference)
    before = worker.get(reference)
    assert before.state is S.PAID
    assert worker.initiated(claimed, answer) is None
    assert worker.get(reference) == before
    assert worker.store.tx.evidence.open_review_reasons(reference) == []
    worker.store.wait(minutes=2)
    assert worker.scan() == ([], [])
    assert wallet(worker) == 150_000


def test_a_late_id_does_not_reopen_what_was_paid(worker: TopUpDriver) -> None:
    reference = worker.start()
    late = worker.sending(reference)
    lease_ends(worker, reference)
    worker.queried(worker.get(reference), SUCCESS)
    before = worker.get(reference)
    assert worker.initiated(late, ACCEPTED) is None
    assert worker.get(reference) == before


@pytest.mark.parametrize("second", [ACCEPTED, REJECTED, NO_READABLE_ANSWER])
def test_a_second_answer_to_the_one_request_changes_nothing(
    worker: TopUpDriver, second: InitiateAnswer
) -> None:
    reference = worker.start()
    sending = worker.sending(reference)
    worker.initiated(sending, ACCEPTED)
    before = worker.get(reference)
    assert worker.initiated(sending, second) is None
    assert worker.get(reference) == before


def test_a_second_money_call_cannot_be_noted(worker: TopUpDriver) -> None:
    reference = worker.start()
    worker.sent(reference, ACCEPTED)
    with pytest.raises(REFUSED, match="provider_calls"):
        worker.store.do(
            lambda tx: tx.evidence.call(reference, "initiate", 1, "accepted", "again", 250)
        )
