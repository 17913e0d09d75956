"""Random transfers, valid and invalid, compared with a simple model of the sums."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
)

from services.domain.ledger import (
    NO_OVERDRAFT,
    NORMAL_SIDE,
    Account,
    AccountKind,
    Phase,
    Side,
    Transfer,
    TransferCode,
)
from services.domain.money import Money
from services.domain.partner import Partner
from tests.kit.plain_store import PlainStore
from tests.kit.refusals import REFUSED

PARTNERS = ("DEMO", "ACME")
KINDS = (AccountKind.WALLET, AccountKind.FLOAT, AccountKind.COLLECTION)
CURRENCIES = ("KES", "USD")  # ACME has no accounts in USD
COLUMNS = ("debits_pending", "debits_posted", "credits_pending", "credits_posted")

accounts = st.builds(Account, st.sampled_from(PARTNERS), st.sampled_from(KINDS))
amounts = st.builds(Money, st.integers(1, 50), st.sampled_from(CURRENCIES))
resolutions = st.sampled_from([Phase.POST, Phase.VOID])


@dataclass
class Sums:
    """One account in the model."""

    debits_pending: int = 0
    debits_posted: int = 0
    credits_pending: int = 0
    credits_posted: int = 0

    def allows(self, kind: AccountKind) -> bool:
        if kind not in NO_OVERDRAFT:
            return True
        assert NORMAL_SIDE[kind] is Side.CREDIT
        return self.credits_posted - self.debits_posted - self.debits_pending >= 0


def _facts(transfer: Transfer) -> tuple[object, ...]:
    """The facts in which a resolution must equal the hold it resolves."""
    return transfer.operation, transfer.debit, transfer.credit, transfer.amount


@dataclass
class Model:
    sums: dict[tuple[str, AccountKind, str], Sums] = field(default_factory=dict)
    booked: dict[str, Transfer] = field(default_factory=dict)
    resolved: set[str] = field(default_factory=set)

    def takes(self, transfer: Transfer) -> bool:
        """Whether the books accept the transfer; if so it is booked, a known leg only once."""
        if transfer.debit == transfer.credit:
            return False
        if transfer.pending_id is not None:
            held = self.booked.get(transfer.pending_id)
            if held is None or held.phase is not Phase.PENDING or _facts(held) != _facts(transfer):
                return False
        if transfer.id in self.booked:
            return True
        if transfer.pending_id in self.resolved:
            return False
        sides = [
            (account.partner, account.kind, transfer.amount.currency)
            for account in (transfer.debit, transfer.credit)
        ]
        if not all(side in self.sums for side in sides):
            return False
        debit, credit = (replace(self.sums[side]) for side in sides)
        cents = transfer.amount.cents
        if transfer.phase is not Phase.SINGLE:
            held_cents = cents if transfer.phase is Phase.PENDING else -cents
            debit.debits_pending += held_cents
            credit.credits_pending += held_cents
        if transfer.phase in (Phase.SINGLE, Phase.POST):
            debit.debits_posted += cents
            credit.credits_posted += cents
        if not (debit.allows(transfer.debit.kind) and credit.allows(transfer.credit.kind)):
            return False
        self.sums[sides[0]], self.sums[sides[1]] = debit, credit
        self.booked[transfer.id] = transfer
        if transfer.pending_id is not None:
            self.resolved.add(transfer.pending_id)
        return True


class Books(RuleBasedStateMachine):
    """Each rule offers one transfer to the database and to the model, and both must agree."""

    transfers = Bundle("transfers")
    holds = Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = PlainStore(Path(self.folder.name) / "hazina.db")
        self.model = Model()
        self.legs = 0

    def teardown(self) -> None:
        assert self.store.tx.invariants.violations() == []
        self.store.close()
        self.folder.cleanup()

    @initialize()
    def open_accounts(self) -> None:
        for partner in PARTNERS:
            self.store.do(lambda tx, code=partner: tx.people.add_partner(Partner(code)))
            for currency in CURRENCIES if partner == "DEMO" else CURRENCIES[:1]:
                self.store.do(
                    lambda tx, of=(partner, KINDS, currency): tx.ledger.open_accounts(*of)
                )
                for kind in KINDS:
                    self.model.sums[partner, kind, currency] = Sums()

    def _offer(self, transfer: Transfer) -> bool:
        try:
            self.store.book(transfer)
        except REFUSED:
            taken = False
        else:
            taken = True
        assert taken == self.model.takes(transfer), transfer
        return taken

    def _new(self, phase: Phase, debit: Account, credit: Account, amount: Money) -> Transfer:
        self.legs += 1
        return Transfer(
            f"leg-{self.legs}", "OP-2", phase, debit, credit, amount, TransferCode.OPENING
        )

    @rule(target=transfers, partner=st.sampled_from(PARTNERS), amount=amounts)
    def money_arrives(self, partner: str, amount: Money) -> Transfer:
        wallet, bank = (Account(partner, kind) for kind in (KINDS[0], KINDS[2]))
        transfer = self._new(Phase.SINGLE, bank, wallet, amount)
        self._offer(transfer)
        return transfer

    @rule(target=transfers, debit=accounts, credit=accounts, amount=amounts)
    def money_moves(self, debit: Account, credit: Account, amount: Money) -> Transfer:
        transfer = self._new(Phase.SINGLE, debit, credit, amount)
        self._offer(transfer)
        return transfer

    @rule(target=holds, debit=accounts, credit=accounts, amount=amounts)
    def money_is_held(self, debit: Account, credit: Account, amount: Money) -> object:
        transfer = self._new(Phase.PENDING, debit, credit, amount)
        return transfer if self._offer(transfer) else multiple()

    @rule(target=transfers, held=holds, phase=resolutions)
    def a_hold_is_resolved(self, held: Transfer, phase: Phase) -> Transfer:
        self.legs += 1
        transfer = replace(held, id=f"leg-{self.legs}", phase=phase, pending_id=held.id)
        self._offer(transfer)
        return transfer

    @rule(held=holds, phase=resolutions, debit=accounts, credit=accounts, amount=amounts)
    def a_hold_is_resolved_with_other_facts(
        self, held: Transfer, phase: Phase, debit: Account, credit: Account, amount: Money
    ) -> None:
        changed = self._new(Phase.PENDING, debit, credit, amount)
        self._offer(replace(changed, phase=phase, pending_id=held.id))

    @rule(transfer=transfers, phase=resolutions)
    def what_is_no_hold_is_resolved(self, transfer: Transfer, phase: Phase) -> None:
        self.legs += 1
        self._offer(replace(transfer, id=f"leg-{self.legs}", phase=phase, pending_id=transfer.id))

    @rule(transfer=st.one_of(transfers, holds))
    def the_same_leg_comes_again(self, transfer: Transfer) -> None:
        self._offer(transfer)

    @rule(transfer=transfers, amount=amounts)
    def a_known_leg_comes_with_another_amount(self, transfer: Transfer, amount: Money) -> None:
        self._offer(replace(transfer, amount=amount))

    @rule(
        account=accounts,
        currency=st.sampled_from(CURRENCIES),
        column=st.sampled_from(COLUMNS),
        moves=st.integers(-1, 2),
        transfer=st.integers(0, 60),
    )
    def a_balance_is_changed_directly(
        self, account: Account, currency: str, column: str, moves: int, transfer: int
    ) -> None:
        """Whatever transfer and number the change names, it is refused."""
        change = f"UPDATE accounts SET {column} = {column} + 1"  # noqa: S608 - one of COLUMNS
        try:
            changed = self.store.run(
                f"{change}, moves = moves + ?, last_transfer = ?"
                " WHERE partner = ? AND kind = ? AND currency = ?",
                *(moves, transfer, account.partner, account.kind, currency),
            )
        except REFUSED:
            changed = 0
        assert changed == 0

    @invariant()
    def every_account_is_what_the_model_says(self) -> None:
        rows = self.store.conn.execute(
            "SELECT partner, kind, currency, debits_pending, debits_posted, credits_pending,"
            " credits_posted FROM accounts WHERE partner <> 'HOUSE'"
        ).fetchall()
        assert {(row[0], AccountKind(row[1]), row[2]): Sums(*row[3:]) for row in rows} == (
            self.model.sums
        )

    @invariant()
    def each_leg_stands_once(self) -> None:
        rows = self.store.conn.execute("SELECT id FROM transfers ORDER BY seq").fetchall()
        assert [transfer_id for (transfer_id,) in rows] == list(self.model.booked)


Books.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestBooks = Books.TestCase
