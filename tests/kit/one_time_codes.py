"""One-time codes in a plain store, one transaction at a time."""

import random

from bot.security.keyring import Keyring
from services import otp
from services.domain.money import Money
from services.domain.otp import CODE_LIMITS, Binding, CodeLimits, Otp, OtpStatus, Purpose
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.otp import Issued, NotPassed, Passed
from tests.kit.plain_store import PHONE, PlainStore

OLD, NEW = Keyring({"1": b"1" * 32}), Keyring({"2": b"2" * 32, "1": b"1" * 32})
PENDING, LOCKED, EXPIRED, REVOKED, USED = (
    OtpStatus.PENDING,
    OtpStatus.LOCKED,
    OtpStatus.EXPIRED,
    OtpStatus.REVOKED,
    OtpStatus.USED,
)


class Codes:
    """Draws and checks codes, each in its own transaction."""

    def __init__(self, store: PlainStore) -> None:
        self.store = store
        self.random = random.Random(1)
        self.keys = OLD
        self.people = {code: store.person(code).id for code in ("DEMO", "ACME", "THIRD", "FOUR")}

    def binding(self, operation: str = "FL-1", partner: str = "DEMO") -> Binding:
        return Binding(
            Purpose.FLOAT_PURCHASE,
            operation,
            partner,
            self.people[partner],
            Money(5_015_000),
            "400187",
        )

    def ask(
        self, binding: Binding, phone: Phone = PHONE, limits: CodeLimits = CODE_LIMITS
    ) -> Issued | Refusal:
        account = ("telegram", "1") if binding.purpose.proves else None
        return self.store.do(
            lambda tx: otp.generate(
                tx, self.keys, self.random, binding, phone, account, limits=limits
            )
        )

    def issue(self, binding: Binding, phone: Phone = PHONE) -> Issued:
        issued = self.ask(binding, phone)
        assert isinstance(issued, Issued), issued
        return issued

    def check(self, binding: Binding, code: str) -> Passed | NotPassed:
        return self.store.do(lambda tx: otp.validate(tx, self.keys, binding, code))

    def newest(self, operation: str = "FL-1") -> Otp:
        newest = self.store.do(lambda tx: tx.otps.newest(operation))
        assert newest is not None
        return newest

    def lock(self, operation: str, phone: Phone = PHONE, partner: str = "DEMO") -> None:
        """Lock this operation with three wrong codes."""
        binding = self.binding(operation, partner)
        issued = self.issue(binding, phone)
        for _ in range(3):
            self.check(binding, wrong(issued.code))
        assert self.newest(operation).status is LOCKED


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"
