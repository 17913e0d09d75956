"""Two admins decide about a payment before or after evidence shows whose it is."""

from __future__ import annotations

import pytest

from services import payment_matching, payments, proposal_decisions, proposals
from services.domain.bank import Accepted, StillOpen
from services.domain.payment import (
    PaymentState,
    SuspenseReason,
)
from services.domain.phone import Phone
from services.domain.proposal import Proposal, ProposalStatus, Resolution
from services.domain.reconciliation import FindingKind
from services.domain.refusal import Refusal
from services.domain.topup import TopUp, TopUpState
from services.proposal_decisions import Approved
from services.proposals import ReviewItem
from services.topup_settlement import TopUpChange
from tests.kit.evidence_bank import (
    CENTS,
    DAY,
    FIRST,
    SECOND,
    THIRD,
    Bank,
    approved,
    assigned,
)
from tests.kit.plain_store import PHONE


def _matched(bank: Bank, receipt: str, topup: TopUp) -> Approved | Refusal:
    """Two admins decide which top-up a payment in suspense has paid."""
    about = bank.payment(receipt).reference
    proposed = bank.store.do(
        lambda tx: proposals.propose_match(
            tx, bank.random, "admin:1", about, topup.reference, "the payer called us"
        )
    )
    return proposed if isinstance(proposed, Refusal) else approved(bank, proposed)


def test_what_paid_a_credited_top_up_is_not_credited_again(bank: Bank) -> None:
    topup = bank.prompt(CENTS)
    bank.is_asked(topup, paid=True)
    bank.has(FIRST, "Paybill payment")
    approved = _matched(bank, FIRST, topup)
    assert isinstance(approved, Approved)
    assert approved.effects == []  # nobody needs to be told
    assert bank.worker.get(topup.reference).receipt == FIRST
    assert (bank.collected, bank.wallet) == (1, 1)
    arrived = bank.payment(FIRST)
    assert (arrived.state, arrived.inferred) == (PaymentState.RELEASED, False)
    assert bank.store.tx.evidence.open_review_reasons(arrived.reference) == []


@pytest.mark.parametrize(
    ("paid", "state"), [(None, TopUpState.PAID), (False, TopUpState.PAID_LATE)]
)
def test_what_paid_a_top_up_that_is_not_credited_is_its_evidence(
    bank: Bank, paid: bool | None, state: TopUpState
) -> None:
    topup = bank.prompt(CENTS)
    if paid is not None:
        bank.is_asked(topup, paid=paid)
    bank.has(FIRST, "Paybill payment")
    near = SuspenseReason.AMBIGUOUS if paid is None else SuspenseReason.UNMATCHED
    assert bank.payment(FIRST).why is near
    approved = _matched(bank, FIRST, topup)
    assert isinstance(approved, Approved)
    assert [type(one) for one in approved.effects] == [TopUpChange]
    settled = bank.worker.get(topup.reference)
    assert (settled.state, settled.receipt) == (state, FIRST)
    assert (bank.collected, bank.wallet) == (1, 1)


def test_a_top_up_that_got_its_receipt_meanwhile_is_not_given_another(bank: Bank) -> None:
    topup = bank.prompt(CENTS)
    bank.has(SECOND, "Paybill payment")
    about = bank.payment(SECOND).reference
    proposed = bank.store.do(
        lambda tx: proposals.propose_match(
            tx, bank.random, "admin:1", about, topup.reference, "the payer called us"
        )
    )
    assert isinstance(proposed, Proposal)
    bank.tells(FIRST, bank.store.now, topup.reference)
    refused = Refusal.of("has_receipt", reference=topup.reference, receipt=FIRST)
    assert approved(bank, proposed) == refused
    assert bank.payment(SECOND).state is PaymentState.IN_SUSPENSE
    assert (bank.collected, bank.wallet) == (2, 1)
    still = bank.store.do(lambda tx: tx.proposals.get(proposed.id))
    assert still is not None
    assert still.status is ProposalStatus.OPEN


def test_what_admins_said_stands_beside_a_payment_that_names_the_top_up(bank: Bank) -> None:
    topup = bank.prompt(CENTS)
    bank.is_asked(topup, paid=True)
    bank.has(FIRST, "Paybill payment")
    assert isinstance(_matched(bank, FIRST, topup), Approved)
    bank.tells(SECOND, bank.store.now, topup.reference)
    assert bank.worker.get(topup.reference).receipt == FIRST
    assert bank.payment(SECOND).why is SuspenseReason.PAID_AGAIN
    assert (bank.collected, bank.wallet) == (2, 1)


def test_what_admins_said_displaces_what_was_inferred(bank: Bank) -> None:
    topup = bank.prompt(CENTS)
    bank.tells(SECOND, bank.store.now)
    assert bank.worker.get(topup.reference).receipt == SECOND
    bank.store.wait(hours=30)  # too late to be matched to the prompt automatically
    bank.tells(FIRST, bank.store.now, "SOMETHING")
    assert isinstance(_matched(bank, FIRST, topup), Approved)
    assert bank.worker.get(topup.reference).receipt == FIRST
    assert bank.payment(SECOND).why is SuspenseReason.UNMATCHED
    assert (bank.collected, bank.wallet) == (2, 1)


def test_a_nameless_payment_may_have_paid_a_top_up_whose_receipt_was_inferred(bank: Bank) -> None:
    first, paid_at = bank.prompt(CENTS), bank.store.now
    bank.is_asked(first, paid=True)
    bank.store.wait(hours=5)
    second = bank.prompt(CENTS)
    bank.tells(SECOND, bank.store.now)  # pays the second, but is taken for the first one's
    assert bank.worker.get(first.reference).receipt == SECOND
    bank.tells(FIRST, paid_at, "DEMO", payer="")
    assert bank.payment(FIRST).why is SuspenseReason.AMBIGUOUS
    assert bank.wallet == 1
    bank.is_asked(second, paid=True)
    assert isinstance(_matched(bank, FIRST, first), Approved)
    assert bank.worker.get(first.reference).receipt == FIRST
    assert bank.worker.get(second.reference).receipt == SECOND
    assert (bank.collected, bank.wallet) == (2, 2)


def test_a_nameless_payment_is_taken_back_when_it_is_known_what_it_paid(bank: Bank) -> None:
    topup = bank.prompt(CENTS)
    bank.is_asked(topup, paid=True)
    bank.has(FIRST, "Paybill payment")
    bank.takes_back(FIRST)
    assert bank.payment(FIRST).state is PaymentState.IN_SUSPENSE
    assert isinstance(_matched(bank, FIRST, topup), Approved)
    bank.takes_back(FIRST)  # the day is still open and is read again
    assert bank.payment(FIRST).state is PaymentState.REVERSED
    assert (bank.collected, bank.wallet) == (0, 0)


def test_what_admins_said_does_not_move_when_what_stood_there_is_placed_anew(bank: Bank) -> None:
    topup = bank.prompt(CENTS)
    bank.tells(SECOND, bank.store.now)
    bank.store.wait(minutes=10)
    later = bank.prompt(CENTS)
    bank.is_asked(later, paid=True)
    other = bank.worker.ask(2 * CENTS, PHONE, again=True)
    assert isinstance(other, TopUp)
    bank.tells(FIRST, bank.store.now, other.reference)
    assert bank.payment(FIRST).why is SuspenseReason.OTHER_AMOUNT
    assert isinstance(_matched(bank, FIRST, topup), Approved)
    assert bank.worker.get(topup.reference).receipt == FIRST
    assert bank.worker.get(later.reference).receipt is None
    assert bank.payment(SECOND).state is PaymentState.IN_SUSPENSE  # it predates the later prompt
    assert (bank.collected, bank.wallet) == (3, 2)


def test_a_dismissal_of_what_has_come_to_be_in_suspense_gives_it_to_nobody(bank: Bank) -> None:
    topup = bank.prompt(CENTS)
    bank.tells(SECOND, bank.store.now)
    about = bank.payment(SECOND).reference
    bank.store.do(lambda tx: tx.evidence.open_review(about, payments.DIFFERS))
    proposed = bank.store.do(
        lambda tx: proposals.propose_dismissal(
            tx, bank.random, "admin:1", about, "the amounts were compared"
        )
    )
    assert isinstance(proposed, Proposal)
    bank.tells(FIRST, bank.store.now, topup.reference)
    assert bank.payment(SECOND).state is PaymentState.IN_SUSPENSE
    overtaken = Refusal.of("proposal_overtaken", reference=about)
    assert approved(bank, proposed) == overtaken
    assert bank.payment(SECOND).state is PaymentState.IN_SUSPENSE
    assert bank.wallet == 1
    assert isinstance(assigned(bank, SECOND), Proposal)  # nothing prevents it


def test_what_was_taken_back_from_suspense_cannot_be_called_looked_into(bank: Bank) -> None:
    topup = bank.prompt(CENTS)
    bank.is_asked(topup, paid=True)
    bank.has(FIRST, "Paybill payment")
    bank.takes_back(FIRST)
    about = bank.payment(FIRST).reference
    findings = bank.store.do(lambda tx: tx.reconciliations.findings(DAY)).values()
    (debit,) = (one for one in findings if one.kind is FindingKind.UNKNOWN_DEBIT)
    refused = Refusal.of("suspended_debit", reference=debit.id, payment=about)
    assert bank.store.do(lambda tx: proposals.find(tx, debit.id)) == refused
    assert isinstance(_matched(bank, FIRST, topup), Approved)
    assert isinstance(bank.store.do(lambda tx: proposals.find(tx, debit.id)), ReviewItem)
    bank.takes_back(FIRST)
    assert (bank.collected, bank.wallet) == (0, 0)


def test_what_may_have_paid_a_top_up_that_was_credited_meanwhile_is_looked_at_again(
    bank: Bank,
) -> None:
    topup = bank.prompt(CENTS)
    bank.has(FIRST, "Paybill payment")
    about = bank.payment(FIRST).reference
    proposed = bank.store.do(
        lambda tx: proposals.propose_assignment(
            tx, bank.random, "admin:1", about, "DEMO", "the payer called us"
        )
    )
    assert isinstance(proposed, Proposal)
    bank.store.wait(seconds=5)
    bank.is_asked(topup, paid=True)
    refused = Refusal.of("credited_since", reference=about, topup=topup.reference)
    assert approved(bank, proposed) == refused
    assert bank.wallet == 1
    bank.store.do(lambda tx: proposal_decisions.decline(tx, "admin:2", proposed.id))
    assert isinstance(_matched(bank, FIRST, topup), Approved)
    assert (bank.collected, bank.wallet) == (1, 1)


def test_what_is_in_suspense_and_on_no_statement_can_be_called_looked_into(bank: Bank) -> None:
    bank.tells(FIRST, bank.store.now, "SOMETHING", payer="254733000001")
    bank.has("UC2OTHER01", "DEMO", "254733000002")
    findings = bank.store.do(lambda tx: tx.reconciliations.findings(DAY)).values()
    missing = [one.id for one in findings if one.kind is FindingKind.NOT_ON_STATEMENT]
    assert missing
    for one in missing:
        found = bank.store.do(lambda tx, one=one: proposals.find(tx, one))
        assert isinstance(found, ReviewItem)


def test_what_waits_leaves_by_way_of_a_payment_that_names_another_top_up(bank: Bank) -> None:
    """A payment that names an old top-up is the inferred receipt of a newer one, days later."""
    old, open_one = bank.prompt(CENTS), bank.prompt(CENTS)
    bank.tells(THIRD, bank.store.now)
    bank.is_asked(old, paid=True)
    assert bank.worker.get(old.reference).receipt == THIRD
    bank.store.wait(hours=24, minutes=1)
    bank.worker.queried(bank.worker.get(open_one.reference), StillOpen("open"))
    bank.store.wait(days=3)
    new = bank.prompt(CENTS)
    bank.is_asked(new, paid=True)
    bank.tells(SECOND, bank.store.now, old.reference)
    assert bank.worker.get(new.reference).receipt == SECOND
    waiting = bank.tells(FIRST, bank.store.now)
    assert waiting.state is PaymentState.IN_SUSPENSE
    proposed = bank.store.do(
        lambda tx: proposals.propose_resolution(
            tx, bank.random, "admin:1", open_one.reference, Resolution.PAID, "the statement has it"
        )
    )
    assert isinstance(proposed, Proposal)
    assert isinstance(approved(bank, proposed), Approved)
    receipts = [bank.worker.get(one.reference).receipt for one in (new, old, open_one)]
    assert receipts == [FIRST, SECOND, THIRD]
    assert (bank.collected, bank.wallet) == (3, 3)


def test_beside_many_inferred_receipts_a_nameless_payment_is_not_given_away(bank: Bank) -> None:
    for n in range(payment_matching.LOOKED_AT + 1):
        phone = Phone(f"2547{n:08}")
        topup = bank.worker.ask(CENTS, phone, again=True)
        assert isinstance(topup, TopUp)
        bank.worker.sent(topup.reference, Accepted(f"b-{topup.reference}", None, "ok"))
        bank.tells(f"UC2MANY{n:03}", bank.store.now, payer=phone.msisdn)
    assert bank.tells(FIRST, bank.store.now, "DEMO", payer="").why is SuspenseReason.AMBIGUOUS
