"""Two admins decide by hand; the self-check reports where the books differ from their decision."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

import pytest

from bot.context import AppContext as Parts
from bot.context import TurnContext
from bot.handlers.admin import decisions
from bot.security.keyring import Keyring
from flows.engine.event import Event, EventKind
from flows.engine.texts import Texts
from services import proposal_decisions, proposals
from services.domain.adjustment import Adjustment
from services.domain.bank import Accepted, Failed, NoAnswer, Paid, Succeeded, Unknown
from services.domain.float_purchase import PurchaseState
from services.domain.ledger import HOUSE
from services.domain.money import Money
from services.domain.payment import Payer, Payment, PaymentState, RecordedPayment
from services.domain.proposal import Proposal, ProposalStatus, Resolution
from services.domain.refusal import Refusal
from services.domain.topup import TopUpState
from services.float_settlement import PurchaseChange
from services.policy import NO_CODES
from services.proposal_decisions import Approved
from services.proposals import ReviewItem
from services.topup_settlement import TopUpChange
from storage.transaction import StoreTx
from tests.kit.float_buyer import FloatBuyer, in_state
from tests.kit.plain_store import PHONE, START, PlainStore
from tests.kit.refusals import drop_guards
from tests.kit.topup_driver import TopUpDriver

ROOT, RITA = "admin:telegram:1", "admin:telegram:2"
REASON = "line 14 of the bank's statement"


class TwoAdmins:
    def __init__(self, store: PlainStore) -> None:
        self.store = store
        self.worker = TopUpDriver(store)
        self.worker.events = 1_000  # so that its event keys differ from those of FloatBuyer
        self.buyer = FloatBuyer(store)
        self.buyer.fund()
        self.random = random.Random(1)

    def resolve(self, reference: str, outcome: Resolution, by: str = ROOT) -> Proposal | Refusal:
        return self.store.do(
            lambda tx: proposals.propose_resolution(tx, self.random, by, reference, outcome, REASON)
        )

    def adjust(self, outcome: Resolution, cents: int, by: str = ROOT) -> Proposal | Refusal:
        return self.store.do(
            lambda tx: proposals.propose_adjustment(
                tx, self.random, by, "DEMO", outcome, Money(cents), REASON
            )
        )

    def approve(self, proposal: object, by: str = RITA) -> Approved | Refusal:
        assert isinstance(proposal, Proposal)
        return self.store.do(
            lambda tx: proposal_decisions.approve(
                tx, by, "telegram", by.rpartition(":")[2], proposal.id
            )
        )

    def status(self, proposal: object) -> ProposalStatus:
        assert isinstance(proposal, Proposal)
        found = self.store.tx.proposals.get(proposal.id)
        assert found is not None
        return found.status

    def unsent(self, cents: int = 150_000) -> str:
        reference = self.worker.start(cents)
        self.worker.sent(reference, Unknown("read timeout"))
        return reference

    def problems(self, *statements: str) -> list[str]:
        """Return what the self-check reports after these statements run without guards."""
        drop_guards(self.store)
        for sql in statements:
            assert self.store.conn.execute(sql).rowcount > 0, sql
        return self.store.tx.invariants.violations()


@pytest.fixture
def two_admins(fresh_store: PlainStore) -> TwoAdmins:
    return TwoAdmins(fresh_store)


def test_a_topup_that_admins_found_paid_is_credited_like_any_other(two_admins: TwoAdmins) -> None:
    reference = two_admins.unsent()
    proposal = two_admins.resolve(reference, Resolution.PAID)
    approved = two_admins.approve(proposal)
    assert isinstance(approved, Approved)
    assert [type(one) for one in approved.effects] == [TopUpChange]
    assert two_admins.worker.get(reference).state is TopUpState.PAID
    assert two_admins.store.tx.evidence.last(reference, 1)[0][1:] == ("paid", "admins", REASON)
    assert two_admins.buyer.reviews(reference) == 0
    assert two_admins.store.tx.invariants.violations() == []


def test_what_somebody_proposed_who_is_no_admin_any_more_can_only_be_declined(
    two_admins: TwoAdmins,
) -> None:
    proposal = two_admins.adjust(Resolution.CREDIT, 100_000)
    assert isinstance(proposal, Proposal)

    def decide(tx: StoreTx, admins: set[str]) -> object:
        return proposal_decisions.approve(tx, RITA, "telegram", "2", proposal.id, admins=admins)

    gone = Refusal.of("proposer_gone", proposal=proposal.id)
    assert two_admins.store.do(lambda tx: decide(tx, {RITA, "admin:telegram:3"})) == gone
    assert two_admins.status(proposal) is ProposalStatus.OPEN
    assert isinstance(two_admins.store.do(lambda tx: decide(tx, {RITA, ROOT})), Approved)
    other = two_admins.adjust(Resolution.CREDIT, 100_000)
    assert isinstance(other, Proposal)
    two_admins.store.do(lambda tx: proposal_decisions.decline(tx, RITA, other.id))
    assert two_admins.status(other) is ProposalStatus.DECLINED


@pytest.mark.parametrize(
    "choice",
    [partial(decisions.open_proposal, choice="approve"), decisions.approve],
    ids=["open", "approve"],
)
def test_the_desk_asks_who_is_an_admin_now(
    two_admins: TwoAdmins, choice: Callable[..., object]
) -> None:
    proposal = two_admins.adjust(Resolution.CREDIT, 100_000)
    assert isinstance(proposal, Proposal)
    parts = Parts(
        Texts.load(),
        two_admins.random,
        Keyring({"1": bytes(32)}),
        NO_CODES,
        admins=(("telegram", "2"),),
    )

    def decide(tx: StoreTx) -> object:
        turn = TurnContext(
            parts, tx, Event("telegram", "2", "1", EventKind.TEXT), None, is_admin=True
        )
        return choice(turn, proposal=proposal.id)

    assert two_admins.store.do(decide) == Refusal.of("proposer_gone", proposal=proposal.id)


def test_a_topup_called_failed_is_credited_late_when_the_bank_says_paid(
    two_admins: TwoAdmins,
) -> None:
    reference = two_admins.worker.start()
    two_admins.worker.sent(reference, Accepted("STK-1", None, "ok"))
    two_admins.store.wait(hours=24)
    asked = two_admins.worker.claim(reference)
    two_admins.worker.queried(asked, NoAnswer("read timeout"))
    assert isinstance(
        two_admins.approve(two_admins.resolve(reference, Resolution.FAILED)), Approved
    )
    topup = two_admins.worker.get(reference)
    assert (topup.state, topup.reason) == (TopUpState.NOT_PAID, "by_admins")
    two_admins.worker.queried(asked, Paid("Success"))
    assert two_admins.worker.get(reference).state is TopUpState.PAID_LATE
    assert two_admins.store.tx.invariants.violations() == []


def test_an_accepted_prompt_that_admins_called_failed_is_looked_at_again(
    two_admins: TwoAdmins,
) -> None:
    reference = two_admins.worker.start()
    sending = two_admins.worker.sending(reference)
    two_admins.store.wait(seconds=61)
    two_admins.worker.scan()  # its lease is over and the outcome unknown
    assert isinstance(
        two_admins.approve(two_admins.resolve(reference, Resolution.FAILED)), Approved
    )
    topup = two_admins.worker.get(reference)
    assert (topup.state, topup.reason) == (TopUpState.REJECTED, "by_admins")
    assert two_admins.worker.initiated(sending, Accepted("STK-1", None, "ok")) is None
    assert two_admins.worker.get(reference).state is TopUpState.REJECTED
    assert two_admins.buyer.reviews(reference) == 1


@pytest.mark.parametrize(
    ("outcome", "state"),
    [(Resolution.PAID, PurchaseState.SUCCEEDED), (Resolution.FAILED, PurchaseState.FAILED)],
)
def test_a_purchase_is_settled_as_two_admins_say(
    two_admins: TwoAdmins, outcome: Resolution, state: PurchaseState
) -> None:
    reference = in_state(two_admins.buyer, PurchaseState.UNKNOWN)
    approved = two_admins.approve(two_admins.resolve(reference, outcome))
    assert isinstance(approved, Approved)
    assert [type(one) for one in approved.effects] == [PurchaseChange]
    assert two_admins.buyer.get(reference).state is state
    assert two_admins.store.tx.invariants.violations() == []


def test_a_sale_that_admins_called_failed_is_looked_at_again(two_admins: TwoAdmins) -> None:
    reference = in_state(two_admins.buyer, PurchaseState.UNKNOWN)
    two_admins.store.wait(seconds=15)
    asked = two_admins.buyer.claim(reference)
    assert isinstance(
        two_admins.approve(two_admins.resolve(reference, Resolution.FAILED)), Approved
    )
    assert two_admins.buyer.told(asked, Succeeded("B-1", "Success")) is None
    assert two_admins.buyer.get(reference).state is PurchaseState.FAILED
    assert two_admins.buyer.reviews(reference) == 1
    assert two_admins.store.tx.invariants.violations() == []


@pytest.mark.parametrize("answer", [Succeeded("B-1", "Success"), Failed("Failed")])
def test_the_banks_word_overtakes_what_was_proposed(
    two_admins: TwoAdmins, answer: Succeeded | Failed
) -> None:
    reference = in_state(two_admins.buyer, PurchaseState.UNKNOWN)
    proposal = two_admins.resolve(reference, Resolution.PAID)
    two_admins.buyer.asked(reference, answer)
    assert two_admins.status(proposal) is ProposalStatus.OVERTAKEN
    assert two_admins.approve(proposal) == Refusal.of("proposal_overtaken", reference=reference)
    assert two_admins.store.tx.invariants.violations() == []


def test_whoever_proposes_may_take_it_back_and_not_approve_it(two_admins: TwoAdmins) -> None:
    proposal = two_admins.adjust(Resolution.CREDIT, 500)
    assert two_admins.approve(proposal, ROOT) == Refusal("own_proposal")
    assert isinstance(proposal, Proposal)
    two_admins.store.do(lambda tx: proposal_decisions.decline(tx, ROOT, proposal.id))
    assert two_admins.status(proposal) is ProposalStatus.DECLINED
    assert two_admins.approve(proposal) == Refusal.of("proposal_decided", proposal=proposal.id)


@pytest.mark.parametrize("about", ["adjust", "assign"])
def test_nothing_is_proposed_for_a_partner_who_is_not_there(
    two_admins: TwoAdmins, about: str
) -> None:
    def propose(tx: StoreTx) -> Proposal | Refusal:
        if about == "assign":
            return proposals.propose_assignment(
                tx, two_admins.random, ROOT, "PM-222222", "NOBODY", REASON
            )
        return proposals.propose_adjustment(
            tx, two_admins.random, ROOT, "NOBODY", Resolution.CREDIT, Money(100), REASON
        )

    assert two_admins.store.do(propose) == Refusal("no_partner")


def test_nothing_is_proposed_twice_at_once(two_admins: TwoAdmins) -> None:
    reference = two_admins.unsent()
    first = two_admins.resolve(reference, Resolution.PAID)
    assert isinstance(first, Proposal)
    again = two_admins.resolve(reference, Resolution.FAILED, RITA)
    assert again == Refusal.of("proposal_there", proposal=first.id)


def test_what_waits_is_listed_the_newest_first_and_turns_pages(two_admins: TwoAdmins) -> None:
    ids = []
    for cents in (100, 200, 300, 400):
        proposal = two_admins.adjust(Resolution.CREDIT, cents)
        assert isinstance(proposal, Proposal)
        ids.insert(0, proposal.id)
        two_admins.store.wait(seconds=1)
    two_admins.store.do(lambda tx: proposal_decisions.decline(tx, RITA, ids.pop(1)))
    pages = [two_admins.store.tx.proposals.open_page(before, 2) for before in (None, *ids[1:])]
    assert [[one.id for one in page] for page in pages] == [ids[:2], ids[2:], []]


def test_what_was_proposed_in_one_moment_has_one_order(two_admins: TwoAdmins) -> None:
    made = [two_admins.adjust(Resolution.CREDIT, cents) for cents in (100, 200, 300)]
    ids = sorted((one.id for one in made if isinstance(one, Proposal)), reverse=True)
    assert [one.id for one in two_admins.store.tx.proposals.open_page(None, 9)] == ids
    assert [one.id for one in two_admins.store.tx.proposals.open_page(ids[0], 9)] == ids[1:]


def test_what_is_nobodys_is_decided_for_the_house(two_admins: TwoAdmins) -> None:
    payment = Payment(
        "UF4OR6RP9Q", Money(100), START, "774451", Payer(PHONE.msisdn), "ncba.notification"
    )
    reversed_ = RecordedPayment("PM-ABC234", payment, PaymentState.REVERSED, START)

    def write(tx: StoreTx) -> object:
        tx.payments.add(reversed_)
        tx.evidence.open_review(reversed_.reference, "reversed")
        return proposals.find(tx, reversed_.reference)

    found = two_admins.store.do(write)
    assert isinstance(found, ReviewItem)
    assert found.partner == HOUSE


@pytest.mark.parametrize(
    ("outcome", "cents"), [(Resolution.CREDIT, 3_000_500), (Resolution.DEBIT, 2_999_500)]
)
def test_an_adjustment_is_booked_once(
    two_admins: TwoAdmins, outcome: Resolution, cents: int
) -> None:
    proposal = two_admins.adjust(outcome, 500)
    approved = two_admins.approve(proposal)
    assert isinstance(approved, Approved)
    (booked,) = approved.effects
    assert isinstance(booked, Adjustment)
    assert two_admins.store.tx.adjustments.get(booked.reference) == booked
    assert isinstance(two_admins.approve(proposal), Refusal)
    assert two_admins.buyer.available() == cents
    assert two_admins.store.tx.invariants.violations() == []


def test_a_debit_takes_no_held_money(two_admins: TwoAdmins) -> None:
    proposal = two_admins.adjust(Resolution.DEBIT, 2_500_000)
    in_state(two_admins.buyer, PurchaseState.UNKNOWN)
    refused = two_admins.approve(proposal)
    assert isinstance(refused, Refusal)
    assert refused.code == "adjust_short"
    assert two_admins.status(proposal) is ProposalStatus.OPEN
    assert isinstance(two_admins.adjust(Resolution.DEBIT, 2_500_000), Refusal)


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("UPDATE proposals SET decided_by = proposed_by", "is not what two admins agreed on"),
        ("UPDATE proposals SET amount_cents = 501", "is not what two admins agreed on"),
        ("UPDATE proposals SET status = 'declined'", "booked and not approved"),
        ("UPDATE proposals SET outcome = 'debit'", "is not the booking of an adjustment"),
        ("DELETE FROM transfers WHERE code = 'adjustment'", "has 0 bookings"),
        (
            "INSERT INTO transfers SELECT 99, id || '2', operation, phase, debit_partner,"
            " debit_kind, credit_partner, credit_kind, currency, amount_cents, code, pending_id,"
            " booked_at, NULL, NULL FROM transfers WHERE code = 'adjustment'",
            "has 2 bookings",
        ),
        (
            "UPDATE transfers SET amount_cents = 499 WHERE code = 'adjustment'",
            "is not the booking of an adjustment",
        ),
        (
            "UPDATE transfers SET operation = 'AD-GHOST2' WHERE code = 'adjustment'",
            "is not the booking of an adjustment",
        ),
    ],
)
def test_an_adjustment_that_is_not_what_was_agreed(
    two_admins: TwoAdmins, sql: str, problem: str
) -> None:
    assert isinstance(two_admins.approve(two_admins.adjust(Resolution.CREDIT, 500)), Approved)
    assert two_admins.store.tx.invariants.violations() == []
    assert any(problem in line for line in two_admins.problems(sql))


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("UPDATE proposals SET decided_by = proposed_by", "nothing came of it"),
        ("UPDATE proposals SET outcome = 'failed'", "nothing came of it"),
        ("DELETE FROM evidence WHERE source = 'admins'", "nothing came of it"),
        ("UPDATE proposals SET status = 'declined'", "approved or not"),
        ("UPDATE proposals SET status = 'open'", "waits for what is known already"),
    ],
)
def test_a_resolution_that_is_not_what_was_agreed(
    two_admins: TwoAdmins, sql: str, problem: str
) -> None:
    assert isinstance(
        two_admins.approve(two_admins.resolve(two_admins.unsent(), Resolution.PAID)), Approved
    )
    assert two_admins.store.tx.invariants.violations() == []
    assert any(problem in line for line in two_admins.problems(sql))
