"""Files of payouts in a plain store: a maker, colleagues who may agree, and the worker's steps."""

from __future__ import annotations

from collections.abc import Sequence

from services import approvals, payout_batches
from services.approvals import AwaitingApproval
from services.domain.approval import Decision
from services.domain.ledger import AccountKind, opening_balance
from services.domain.money import Money
from services.domain.partner import Partner, Person, Role
from services.domain.payout_batch import Batch, BatchRow, BatchState, RowFault
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.domain.spending import Shortfall
from services.otp import NotPassed
from services.payout_batches import Doubles
from services.spending import CodeSent
from storage.transaction import StoreTx
from tests.kit.payout_payer import FLOAT, PayoutPayer
from tests.kit.plain_store import PlainStore

B = BatchState
COLLEAGUE = Phone("254733123456")
OTHERS = Phone("254733999888"), Phone("254733999777")
FIRST_PHONE = 254_722_000_000


def rows_of(*shillings: int, first_phone: int = FIRST_PHONE) -> list[BatchRow]:
    """A row for each amount, each to a phone of its own."""
    return [
        BatchRow(number, Phone(str(first_phone + number)), Money(amount * 100), f"S-{number}")
        for number, amount in enumerate(shillings, start=1)
    ]


class BatchSender(PayoutPayer):
    """The maker is the payer's person; ``colleague`` may agree."""

    def __init__(self, store: PlainStore) -> None:
        super().__init__(store)

        def settle_in(tx: StoreTx) -> Person:
            number = tx.people.add_person("DEMO", "Baraka", Role.OPERATOR, COLLEAGUE, None, "en")
            tx.people.link("terminal", "2", number)
            tx.people.link("terminal", "1", self.person.id)
            tx.conn.execute("UPDATE addresses SET linked_at = 0")
            found = tx.people.of_id(number)
            assert found is not None
            return found

        self.colleague = store.do(settle_in)

    def sends(
        self, rows: Sequence[BatchRow], address: str = "1"
    ) -> tuple[Batch, Doubles] | Sequence[RowFault] | Refusal:
        self.events += 1
        return self.store.do(
            lambda tx: payout_batches.request(
                tx, self.random, self.policy, self.person, self.channel, address,
                f"event-{self.events}", "staff.csv", rows,
            )
        )  # fmt: skip

    def quoted(self, *shillings: int, address: str = "1") -> Batch:
        sent = self.sends(rows_of(*shillings), address)
        assert isinstance(sent, tuple), sent
        return sent[0]

    def takes_doubles(self, reference: str) -> Batch | Refusal:
        return self.store.do(lambda tx: payout_batches.accept_doubles(tx, self.person, reference))

    def says_yes(
        self, reference: str
    ) -> CodeSent[Batch] | AwaitingApproval[Batch] | Shortfall | Refusal:
        result = self.store.do(
            lambda tx: payout_batches.confirm(
                tx, self.keys, self.random, self.policy, self.person, reference
            )
        )
        if isinstance(result, CodeSent):
            self.codes[reference] = result.issued.code
        return result

    def decides(self, reference: str, who: Person | None = None, *, agrees: bool = True) -> object:
        decision = Decision.APPROVED if agrees else Decision.DECLINED
        second = self.colleague if who is None else who
        return self.store.do(
            lambda tx: approvals.decide(tx, self.policy, second, reference, decision)
        )

    def types_code(self, reference: str, code: str | None = None) -> Batch | NotPassed | Refusal:
        typed = code or self.codes[reference]
        return self.store.do(
            lambda tx: payout_batches.authorise(
                tx, self.keys, self.random, self.policy, self.person, reference, typed
            )
        )

    def stops(self, reference: str) -> Batch | Refusal:
        return self.store.do(lambda tx: payout_batches.stop(tx, self.person.partner, reference))

    def running(self, *shillings: int, address: str = "1") -> str:
        """A batch whose code was right."""
        reference = self.quoted(*shillings, address=address).reference
        if not self.batch(reference).accepted:
            self.takes_doubles(reference)
        assert isinstance(self.says_yes(reference), AwaitingApproval)
        self.decides(reference)
        assert isinstance(self.says_yes(reference), CodeSent)
        assert self.types_code(reference) == self.batch(reference)
        assert self.batch(reference).state is B.RUNNING
        return reference

    def batch(self, reference: str) -> Batch:
        found = self.store.tx.payout_batches.get(reference)
        assert found is not None
        return found

    def payouts(self, reference: str) -> list[str]:
        results = self.store.tx.payout_batches.results(reference)
        return [result.payout for result in results if result.payout is not None]

    def running_of_another(self, *shillings: int) -> str:
        """A batch of another partner, whose code was right."""
        mine = self.person, self.colleague
        self.person, self.colleague = self.store.do(_another)
        self.store.book(opening_balance("OTHER", AccountKind.FLOAT, FLOAT))
        try:
            return self.running(*shillings, address="7")
        finally:
            self.person, self.colleague = mine


def _another(tx: StoreTx) -> tuple[Person, Person]:
    tx.people.add_partner(Partner("OTHER"))
    tx.ledger.open_accounts("OTHER", AccountKind, "KES")
    found = []
    for address, (name, phone) in enumerate((("Juma", OTHERS[0]), ("Zawadi", OTHERS[1])), start=7):
        number = tx.people.add_person("OTHER", name, Role.OWNER, phone, None, "en")
        tx.people.link("terminal", str(address), number)
        found.append(number)
    tx.conn.execute("UPDATE addresses SET linked_at = 0")
    juma, zawadi = (tx.people.of_id(number) for number in found)
    assert juma is not None
    assert zawadi is not None
    return juma, zawadi
