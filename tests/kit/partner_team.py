"""A partner with two people who join, purchase, approve and leave, one transaction at a time."""

from __future__ import annotations

import random

from bot.security.keyring import Keyring
from services import approvals, float_purchases, float_quotes, joining
from services.domain.approval import Decision
from services.domain.audit import by_admin
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.ledger import AccountKind, opening_balance
from services.domain.money import Money
from services.domain.partner import Partner, Person, Role
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.joining import Invited, Joined, Unlinked
from services.otp import Issued, NotPassed
from services.policy import Policy
from services.spending import CodeSent
from storage.transaction import StoreTx
from tests.kit.plain_store import PlainStore

S = PurchaseState
ADMIN = by_admin("telegram", "900")
POLICY = Policy(short_code="400187", topup_code_above=Money(100_000))
AMINA, BARAKA = Phone("254712345678"), Phone("254733123456")
NEW = Phone("254722111222")
AMOUNT = Money(1_000_000)


class PartnerTeam:
    """Partner DEMO with amina, its owner, and baraka, an operator; both write from the terminal."""

    def __init__(self, store: PlainStore) -> None:
        self.store = store
        self.keys = Keyring({"1": b"1" * 32})
        self.random = random.Random(1)
        self.admins = {ADMIN}
        self.events = 0

        def settle_in(tx: StoreTx) -> None:
            tx.people.add_partner(Partner("DEMO", approve_above_cents=AMOUNT.cents))
            tx.ledger.open_accounts("DEMO", AccountKind, "KES")
            tx.ledger.book(opening_balance("DEMO", AccountKind.WALLET, Money(100_000_000)))
            for name, role, phone in (
                ("amina", Role.OWNER, AMINA),
                ("baraka", Role.OPERATOR, BARAKA),
            ):
                person_id = tx.people.add_person("DEMO", name, role, phone, None, "en")
                tx.people.link("terminal", name, person_id)
            tx.conn.execute("UPDATE addresses SET linked_at = 0")

        store.do(settle_in)

    def person(self, address: str, channel: str = "terminal") -> Person:
        person = self.store.tx.people.at(channel, address)
        assert person is not None
        return person

    # Joining ------------------------------------------------------------------------------

    def invite(self, name: str, role: Role = Role.OPERATOR, by: str = ADMIN) -> Invited:
        invited = self.store.do(lambda tx: joining.invite(tx, self.random, "DEMO", role, name, by))
        assert isinstance(invited, Invited), invited
        return invited

    def opens(self, invited: Invited, address: str, channel: str = "terminal") -> object:
        return self.store.do(
            lambda tx: joining.claim_invite(tx, self.admins, invited.token, channel, address)
        )

    def asks_code(
        self, invited: Invited, phone: Phone, address: str, channel: str = "terminal"
    ) -> Issued | Refusal:
        return self.store.do(
            lambda tx: joining.send_code(
                tx, self.admins, self.keys, self.random, invited.invite.id, phone, channel, address
            )
        )

    def types(
        self, invited: Invited, code: str, address: str, channel: str = "terminal"
    ) -> Joined | NotPassed | Refusal:
        return self.store.do(
            lambda tx: joining.join(
                tx, self.admins, self.keys, invited.invite.id, code, channel, address
            )
        )

    def at_code(
        self, invited: Invited, phone: Phone, address: str, channel: str = "terminal"
    ) -> str:
        self.opens(invited, address, channel)
        issued = self.asks_code(invited, phone, address, channel)
        assert isinstance(issued, Issued), issued
        return issued.code

    def joins(
        self, invited: Invited, phone: Phone, address: str, channel: str = "terminal"
    ) -> Joined:
        code = self.at_code(invited, phone, address, channel)
        joined = self.types(invited, code, address, channel)
        assert isinstance(joined, Joined), joined
        return joined

    def unlinks(self, name: str, by: str = ADMIN) -> Unlinked:
        unlinked = self.store.do(lambda tx: joining.unlink(tx, "DEMO", name, by))
        assert isinstance(unlinked, Unlinked), unlinked
        return unlinked

    # Purchasing ---------------------------------------------------------------------------

    def quotes(self, address: str, amount: Money = AMOUNT, channel: str = "terminal") -> str:
        self.events += 1
        key, person = str(self.events), self.person(address, channel)
        quoted = self.store.do(
            lambda tx: float_quotes.request(
                tx, self.random, POLICY, person, channel, address, key, amount
            )
        )
        assert isinstance(quoted, Purchase), quoted
        return quoted.reference

    def confirms(self, address: str, reference: str) -> object:
        person, quote = self.person(address), self.get(reference).quote
        return self.store.do(
            lambda tx: float_purchases.confirm(
                tx, self.keys, self.random, POLICY, person, reference,
                quote.amount, quote.fees, quote.total,
            )
        )  # fmt: skip

    def code_of(self, address: str, reference: str) -> str:
        sent = self.confirms(address, reference)
        assert isinstance(sent, CodeSent), sent
        return sent.issued.code

    def authorises(self, address: str, reference: str, code: str) -> object:
        person = self.person(address)
        return self.store.do(
            lambda tx: float_purchases.authorise(tx, self.keys, POLICY, person, reference, code)
        )

    def agrees(self, address: str, reference: str) -> None:
        person = self.person(address)
        agreed = self.store.do(
            lambda tx: approvals.decide(tx, POLICY, person, reference, Decision.APPROVED)
        )
        assert isinstance(agreed, Purchase), agreed

    def get(self, reference: str) -> Purchase:
        purchase = self.store.tx.purchases.get(reference)
        assert purchase is not None
        return purchase

    def outcome(self, reference: str) -> tuple[PurchaseState, str | None]:
        purchase = self.get(reference)
        return purchase.state, purchase.reason

    def may_buy(self, address: str, channel: str = "terminal") -> Refusal | None:
        person = self.person(address, channel)
        return self.store.do(lambda tx: float_quotes.check_may_buy(tx, POLICY, person))
