"""Large purchases, second persons and time in any order: no code without another human's yes."""

from __future__ import annotations

import random
import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bot.security.keyring import Keyring
from services import access_removal, approvals, float_purchases, float_quotes, spending
from services.approvals import AwaitingApproval
from services.domain.approval import APPROVAL_LIFE, Decision
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.ledger import AccountKind, opening_balance
from services.domain.money import Money
from services.domain.partner import RIGHTS, Partner, Person, Role
from services.domain.phone import Phone
from services.policy import Policy
from services.spending import CodeSent
from storage.transaction import StoreTx
from tests.kit.plain_store import PlainStore

MARK = Money(20_000_00)
AMOUNTS = (Money(20_000_00), Money(20_001_00), Money(50_000_00))
POLICY = Policy(short_code="400187")
PEOPLE = (  # name, partner, role, number
    ("amina", "DEMO", Role.OWNER, "254712345678"),
    ("baraka", "DEMO", Role.OPERATOR, "254733123456"),
    ("twin", "DEMO", Role.OPERATOR, "254733123456"),  # the same person under another name
    ("neema", "DEMO", Role.VIEWER, "254722111222"),
    ("juma", "OTHER", Role.OWNER, "254733999888"),
)
people = st.integers(0, len(PEOPLE) - 1)
picks = st.integers(0, 20)


class ApprovalMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = PlainStore(Path(self.folder.name) / "hazina.db")
        self.keys = Keyring({"1": b"1" * 32})
        self.random = random.Random(4)
        self.events = 0
        self.agreed: dict[str, tuple[str, Money]] = {}  # who approved, and how much
        self.may_agree = {name for name, _, role, _ in PEOPLE if role is not Role.VIEWER}
        self.codes: dict[str, str] = {}

        def settle_in(tx: StoreTx) -> None:
            for code in ("DEMO", "OTHER"):
                tx.people.add_partner(Partner(code, approve_above_cents=MARK.cents))
                tx.ledger.open_accounts(code, AccountKind, "KES")
                tx.ledger.book(opening_balance(code, AccountKind.WALLET, Money(10_000_000_00)))
            for n, (name, code, role, phone) in enumerate(PEOPLE):
                person_id = tx.people.add_person(code, name, role, Phone(phone), None, "en")
                tx.people.link("terminal", str(n), person_id)
            tx.conn.execute("UPDATE addresses SET linked_at = 0")

        self.store.do(settle_in)

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def _person(self, n: int) -> Person:
        person = self.store.tx.people.at("terminal", str(n))
        assert person is not None
        return person

    def _pick(self, pick: int) -> Purchase | None:
        every = self.store.tx.purchases.every()
        return every[pick % len(every)] if every else None

    @rule(n=people, amount=st.sampled_from(AMOUNTS))
    def somebody_asks_for_a_price(self, n: int, amount: Money) -> None:
        self.events += 1
        key = str(self.events)
        self.store.do(
            lambda tx: float_quotes.request(
                tx, self.random, POLICY, self._person(n), "terminal", str(n), key, amount
            )
        )

    @rule(n=people, pick=picks)
    def somebody_confirms(self, n: int, pick: int) -> None:
        purchase = self._pick(pick)
        if purchase is None:
            return
        quote = purchase.quote
        result = self.store.do(
            lambda tx: float_purchases.confirm(
                tx, self.keys, self.random, POLICY, self._person(n), purchase.reference,
                quote.amount, quote.fees, quote.total,
            )
        )  # fmt: skip
        if isinstance(result, CodeSent) and purchase.amount > MARK:
            who, amount = self.agreed[purchase.reference]
            assert amount == purchase.amount
            assert PEOPLE[n][0] != who
            assert who in self.may_agree, "whoever agreed may agree still"
            self.codes[purchase.reference] = result.issued.code
        if isinstance(result, AwaitingApproval):
            assert purchase.amount > MARK

    @rule(n=people, pick=picks)
    def somebody_types_the_code(self, n: int, pick: int) -> None:
        purchase = self._pick(pick)
        code = None if purchase is None else self.codes.get(purchase.reference)
        if purchase is None or code is None or purchase.state is not PurchaseState.OTP_SENT:
            return
        self.store.do(
            lambda tx: float_purchases.authorise(
                tx, self.keys, POLICY, self._person(n), purchase.reference, code
            )
        )
        after = self.store.tx.purchases.get(purchase.reference)
        assert after is not None
        if after.state is PurchaseState.AUTHORISED:
            assert self.agreed[purchase.reference][0] in self.may_agree

    @rule(n=people, told=st.booleans())
    def somebody_becomes_a_viewer(self, n: int, told: bool) -> None:
        """Through an invitation, which ends what depended on the old role, or from the shell."""
        name, code, _, phone = PEOPLE[n]
        person = self._person(n)

        def change(tx: StoreTx) -> None:
            if told:
                access_removal.remove_rights(tx, person, RIGHTS[Role.VIEWER])
            tx.people.add_person(code, name, Role.VIEWER, Phone(phone), None, "en")

        self.store.do(change)
        self.may_agree.discard(name)
        if told:
            open_states = (PurchaseState.AWAITING_APPROVAL, PurchaseState.OTP_SENT)
            for purchase in self.store.tx.purchases.every():
                if self.agreed.get(purchase.reference, ("",))[0] == name:
                    assert purchase.state not in open_states

    @rule(n=people)
    def somebody_has_their_role_again(self, n: int) -> None:
        name, code, role, phone = PEOPLE[n]
        self.store.do(lambda tx: tx.people.add_person(code, name, role, Phone(phone), None, "en"))
        if role is not Role.VIEWER:
            self.may_agree.add(name)

    @rule(n=people, pick=picks, decision=st.sampled_from([Decision.APPROVED, Decision.DECLINED]))
    def somebody_decides(self, n: int, pick: int, decision: Decision) -> None:
        purchase = self._pick(pick)
        if purchase is None:
            return
        person = self._person(n)
        decided = self.store.do(
            lambda tx: approvals.decide(tx, POLICY, person, purchase.reference, decision)
        )
        if isinstance(decided, Purchase) and decision is Decision.APPROVED:
            maker = self.store.tx.people.of_id(purchase.person_id or 0)
            assert maker is not None
            assert purchase.reference not in self.agreed
            assert maker.phone != person.phone
            assert maker.partner.code == person.partner.code
            self.agreed[purchase.reference] = (person.name, purchase.amount)

    @rule(n=people, pick=picks)
    def somebody_cancels(self, n: int, pick: int) -> None:
        purchase = self._pick(pick)
        if purchase is not None:
            self.store.do(lambda tx: spending.cancel(tx, self._person(n), purchase.reference))

    @rule(hours=st.sampled_from([0.1, 1, 23, 24]))
    def time_passes(self, hours: float) -> None:
        self.store.now += timedelta(hours=hours)
        self.store.do(lambda tx: approvals.expire(tx, 100))

    @invariant()
    def large_ones_get_a_code_after_a_yes_only(self) -> None:
        for purchase in self.store.tx.purchases.every():
            coded = self.store.tx.otps.newest(purchase.reference) is not None
            if coded and purchase.amount > MARK:
                approval = self.store.tx.approvals.get(purchase.reference)
                assert approval is not None
                assert purchase.reference in self.agreed

    @invariant()
    def what_waits_waits_for_a_day_at_most(self) -> None:
        for purchase in self.store.tx.purchases.every():
            approval = self.store.tx.approvals.get(purchase.reference)
            waits = purchase.state is PurchaseState.AWAITING_APPROVAL
            if approval is not None and approval.decision is None:
                assert waits
            if waits:
                assert approval is not None
                assert self.store.now < approval.asked_at + APPROVAL_LIFE
                assert approval.decision in (None, Decision.APPROVED)


ApprovalMachine.TestCase.settings = settings(
    max_examples=30,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestOffice = ApprovalMachine.TestCase
