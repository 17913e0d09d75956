"""Desk PINs in a plain store, one transaction at a time."""

from __future__ import annotations

import random

from bot.security.keyring import Keyring
from services import desk_pins, otp
from services.desk_pins import ChangeOver, Chosen, Different, NotPassed, PinSet
from services.domain.desk_pin import DeskPin
from services.domain.partner import Person
from services.domain.refusal import Refusal
from services.otp import Issued, Passed
from services.policy import Policy
from tests.kit.plain_store import PlainStore

PIN = "2580"
WRONG = "9731"
OLD, NEW = Keyring({"1": b"1" * 32}), Keyring({"2": b"2" * 32, "1": b"1" * 32})


class PinHolder:
    """One person who sets a desk PIN and types it."""

    def __init__(self, store: PlainStore, partner: str = "DEMO") -> None:
        self.store = store
        self.person: Person = store.person(partner)
        self.random = random.Random(1)
        self.keys = OLD
        self.policy = Policy(short_code="400187")

    def begin(self) -> Issued:
        issued = self.ask()
        assert isinstance(issued, Issued), issued
        return issued

    def ask(self) -> Issued | Refusal:
        return self.store.do(
            lambda tx: desk_pins.request_change(
                tx, self.keys, self.random, self.policy, self.person
            )
        )

    def prove(self, change: str, code: str) -> Passed | otp.NotPassed:
        return self.store.do(
            lambda tx: desk_pins.prove(tx, self.keys, self.policy, self.person, change, code)
        )

    def proved(self) -> str:
        """The reference of a change whose code was right."""
        issued = self.begin()
        change = issued.otp.binding.operation
        assert isinstance(self.prove(change, issued.code), Passed)
        return change

    def choose(self, change: str, pin: str) -> Chosen | ChangeOver | Refusal:
        return self.store.do(
            lambda tx: desk_pins.choose(tx, self.keys, self.policy, self.person, change, pin)
        )

    def repeat(self, change: str, pin: str) -> PinSet | Different | ChangeOver | Refusal:
        return self.store.do(
            lambda tx: desk_pins.repeat(tx, self.keys, self.policy, self.person, change, pin)
        )

    def set(self, pin: str = PIN) -> None:
        change = self.proved()
        assert self.choose(change, pin) == Chosen()
        assert self.repeat(change, pin) == PinSet()

    def check(self, pin: str) -> Passed | NotPassed | Refusal:
        return self.store.do(
            lambda tx: desk_pins.check(tx, self.keys, self.policy, self.person, pin)
        )

    @property
    def stored(self) -> DeskPin | None:
        return self.store.tx.desk_pins.find(self.person.id)
