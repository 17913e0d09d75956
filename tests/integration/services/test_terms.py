"""Setting fees and limits as an admin: a refused change leaves the old values in force."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services import terms
from services.domain.fees import Fee, FeeKind
from services.domain.limits import EVERYBODY, LEAST
from services.domain.money import Money
from services.domain.refusal import Refusal
from tests.kit.plain_store import PlainStore

FEE = Fee(FeeKind.TRANSFER, 0, Money(5_000))


@pytest.fixture
def desk(store: PlainStore) -> PlainStore:
    store.undo()
    store.person("DEMO")
    store.person("ACME")
    return store


def set_fee(desk: PlainStore, fee: Fee, partner: str = "DEMO", over: Fee | None = None) -> object:
    return desk.do(lambda tx: terms.set_fee(tx, partner, fee, "test", instead_of=over))


def fee_of(desk: PlainStore, partner: str = "DEMO") -> Fee:
    return desk.do(lambda tx: tx.fees.in_force(partner, FeeKind.TRANSFER))


def set_limit(desk: PlainStore, name: str, cents: int, partner: str = EVERYBODY) -> object:
    return desk.do(lambda tx: terms.set_limit(tx, name, Money(cents), "test", partner))


def limit_of(desk: PlainStore, name: str, partner: str = EVERYBODY) -> Money | None:
    return desk.do(lambda tx: tx.limits.find(name, partner))


# Fees -------------------------------------------------------------------------------------------


def test_a_fee_is_the_next_version_of_that_partner_alone(desk: PlainStore) -> None:
    first = set_fee(desk, FEE)
    assert first == replace(FEE, version=1) == fee_of(desk)
    desk.wait(seconds=1)
    second = set_fee(desk, replace(FEE, fixed=Money(7_000)), over=replace(FEE, version=1))
    assert second == replace(FEE, version=2, fixed=Money(7_000)) == fee_of(desk)
    assert fee_of(desk, "ACME").version == 0


def test_nobody_has_no_fee(desk: PlainStore) -> None:
    assert set_fee(desk, FEE, "NOBODY") == Refusal("no_partner")


def test_a_fee_that_another_has_changed_meanwhile_is_shown_first(desk: PlainStore) -> None:
    looked_at = fee_of(desk)
    set_fee(desk, FEE)
    standing = fee_of(desk)
    assert set_fee(desk, replace(FEE, fixed=Money(1)), over=looked_at) == Refusal.of(
        "fee_changed", version=1, terms=standing
    )
    assert fee_of(desk) == standing


def test_the_same_fee_again_is_no_new_version(desk: PlainStore) -> None:
    set_fee(desk, FEE)
    standing = fee_of(desk)
    assert set_fee(desk, FEE, over=standing) == Refusal("fee_same")
    assert fee_of(desk) == standing


# Limits -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "cents", "partner", "refusal"),
    [
        ("c2b.day", 100, "NOBODY", Refusal("no_partner")),
        ("float.day.desk", 100, "DEMO", Refusal("limit_of_desk")),
        ("c2b.min", 0, EVERYBODY, Refusal.of("limit_least", minimum=LEAST)),
        ("float.min", LEAST.cents - 1, "DEMO", Refusal.of("limit_least", minimum=LEAST)),
        ("c2b.min", 25_000_100, "DEMO", Refusal.of("limit_crossed", other=Money(25_000_000))),
        ("c2b.max", 99, EVERYBODY, Refusal.of("limit_crossed", other=Money(100))),
    ],
)
def test_a_limit_that_cannot_be_so_is_refused_and_leaves_what_stood(
    desk: PlainStore, name: str, cents: int, partner: str, refusal: Refusal
) -> None:
    before = limit_of(desk, name, partner)
    assert set_limit(desk, name, cents, partner) == refusal
    assert limit_of(desk, name, partner) == before


@pytest.mark.parametrize(
    ("name", "cents"),
    [
        ("c2b.min", LEAST.cents),
        ("c2b.min", 25_000_000),
        ("c2b.max", 100),
        ("c2b.day", 0),
        ("float.day.desk", 100),
    ],
)
def test_the_edges_themselves_can_be_set(desk: PlainStore, name: str, cents: int) -> None:
    assert set_limit(desk, name, cents) is None
    assert limit_of(desk, name) == Money(cents)


def test_a_partners_own_limit_is_no_other_partners(desk: PlainStore) -> None:
    assert set_limit(desk, "c2b.max", 500_000, "DEMO") is None
    assert limit_of(desk, "c2b.max", "DEMO") == Money(500_000)
    assert limit_of(desk, "c2b.max", "ACME") == limit_of(desk, "c2b.max") == Money(25_000_000)
