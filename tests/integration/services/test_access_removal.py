"""What ends with a role or an account, told or found out where it is used."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services import approvals, topups
from services.approvals import AwaitingApproval
from services.domain.ledger import Account, AccountKind
from services.domain.money import Money
from services.domain.partner import Role
from services.domain.refusal import Refusal
from services.joining import Joined
from services.otp import Issued
from storage.stores.outbox import BEFORE_ALL
from storage.transaction import SqliteTx
from tests.kit.house import AMOUNT, BARAKA, NEW, POLICY, House, S
from tests.kit.plain_store import PlainStore


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainStore]:
    store = PlainStore(tmp_path_factory.mktemp("joining") / "hazina.db")
    yield store
    store.close()


@pytest.fixture
def house(store: PlainStore) -> Iterator[House]:
    yield House(store)
    store.undo()


def asked_and_agreed(house: House, above: int = 1) -> str:
    """So many shillings above what one may buy alone."""
    reference = house.quotes("amina", AMOUNT + Money(above * 100))
    assert isinstance(house.confirms("amina", reference), AwaitingApproval)
    house.agrees("baraka", reference)
    return reference


def second_loses_role(house: House) -> None:
    house.store.do(
        lambda tx: tx.people.add_person("DEMO", "baraka", Role.VIEWER, BARAKA, None, "en")
    )


def second_loses_account(house: House) -> None:
    house.store.do(lambda tx: tx.people.unlink("terminal", "baraka"))


@pytest.mark.parametrize("happens", [second_loses_role, second_loses_account])
def test_a_yes_is_asked_for_again_where_it_is_used(house: House, happens: object) -> None:
    """Also where nobody told the desk, as from the shell."""
    assert callable(happens)
    waits, coded = asked_and_agreed(house, 1), asked_and_agreed(house, 2)
    code = house.code_of("amina", coded)
    happens(house)
    assert house.confirms("amina", waits) == Refusal("second_left")
    house.authorises("amina", coded, code)
    assert [house.outcome(one) for one in (waits, coded)] == [(S.REFUSED, "second_left")] * 2
    wallet = house.store.tx.ledger.balance(Account("DEMO", AccountKind.WALLET))
    assert wallet.available == wallet.posted


def test_a_yes_of_somebody_who_stays_in_the_right_counts(house: House) -> None:
    reference = asked_and_agreed(house)
    house.joins(house.invite("baraka", Role.OWNER), BARAKA, "baraka")
    code = house.code_of("amina", reference)
    house.authorises("amina", reference, code)
    assert house.outcome(reference) == (S.AUTHORISED, None)


def queued(house: House) -> list[str]:
    return [row.text for row in sorted(house.store.tx.outbox.queued(BEFORE_ALL, 100))]


def tell_baraka(house: House) -> None:
    """Something waits at each of the accounts, and at the number."""

    def tell(tx: SqliteTx) -> None:
        for channel, address in (("terminal", "baraka"), ("telegram", "7"), ("sms", BARAKA.msisdn)):
            for kind in ("answer", "notice", "receipt"):
                tx.outbox.add(channel, address, kind=kind, text=channel)
        tx.outbox.add("terminal", "baraka", kind="wipe", text="wipe", target="1")
        tx.outbox.add("terminal", "amina", kind="notice", text="amina")

    house.store.do(tell)


def test_what_waits_for_somebody_let_go_is_not_sent_nor_texted(house: House) -> None:
    house.joins(house.invite("baraka"), BARAKA, "7", "telegram")
    tell_baraka(house)
    house.unlinks("baraka")
    assert queued(house) == ["wipe", "amina"]


def test_what_waits_for_a_replaced_account_comes_to_the_other_ones_only(house: House) -> None:
    house.joins(house.invite("baraka"), BARAKA, "7", "telegram")
    tell_baraka(house)
    house.joins(house.invite("baraka"), BARAKA, "other")
    assert queued(house) == ["telegram"] * 3 + ["sms"] * 3 + ["wipe", "amina"]


def test_what_waits_for_the_number_that_was_replaced_by_joining_is_not_texted(house: House) -> None:
    tell_baraka(house)
    house.joins(house.invite("baraka"), NEW, "other")
    assert queued(house) == ["telegram"] * 3 + ["wipe", "amina"]


def test_somebody_elses_texts_to_the_same_number_are_sent(house: House) -> None:
    house.joins(house.invite("neema"), BARAKA, "neema")
    tell_baraka(house)
    house.unlinks("baraka")
    assert queued(house) == ["telegram"] * 3 + ["sms"] * 3 + ["wipe", "amina"]


def test_letting_go_ends_only_what_rested_on_it(house: House) -> None:
    used = asked_and_agreed(house, 3)
    house.authorises("amina", used, house.code_of("amina", used))
    waits, coded = asked_and_agreed(house, 1), asked_and_agreed(house, 2)
    house.code_of("amina", coded)
    asked = house.quotes("amina", AMOUNT + Money(400))
    house.confirms("amina", asked)
    ended = house.unlinks("baraka").ended
    assert house.store.tx.otps.pending_of("DEMO") == []
    assert sorted(one.reference for one in ended) == sorted([waits, coded])
    assert [house.outcome(one) for one in (used, waits, coded, asked)] == [
        (S.AUTHORISED, None),
        (S.REFUSED, "second_left"),
        (S.REFUSED, "second_left"),
        (S.AWAITING_APPROVAL, None),
    ]


def test_letting_go_ends_what_the_person_began_and_its_codes(house: House) -> None:
    large = AMOUNT + Money(100)
    waiting = house.quotes("baraka", large)
    house.confirms("baraka", waiting)
    coded = house.quotes("baraka")
    house.code_of("baraka", coded)
    person = house.person("baraka")
    secured = house.store.do(
        lambda tx: topups.issue_code(
            tx, house.keys, house.random, POLICY, person, Money(200_000), BARAKA
        )
    )
    assert isinstance(secured, Issued)
    quoted = house.quotes("baraka", Money(500_000))
    house.unlinks("baraka")
    assert [house.get(one).state for one in (waiting, coded, quoted)] == [S.CANCELLED] * 3
    assert house.store.tx.otps.pending_of("DEMO") == []
    assert house.store.do(lambda tx: approvals.undecided_for(tx, house.person("amina"))) == []


def test_a_lower_role_ends_what_it_does_not_allow_once_it_is_proved(house: House) -> None:
    reference = asked_and_agreed(house)
    own = house.quotes("baraka")
    invited = house.invite("baraka", Role.VIEWER)
    code = house.at_code(invited, BARAKA, "baraka")
    assert house.get(reference).state is S.AWAITING_APPROVAL
    joined = house.types(invited, code, "baraka")
    assert isinstance(joined, Joined)
    assert [one.reference for one in joined.ended] == [reference]
    assert [house.outcome(one) for one in (reference, own)] == [
        (S.REFUSED, "second_left"),
        (S.CANCELLED, None),
    ]


def test_what_waited_for_a_day_is_no_more_to_decide(house: House) -> None:
    reference = house.quotes("amina", AMOUNT + Money(100))
    house.confirms("amina", reference)
    second = house.person("baraka")

    def waiting() -> list[str]:
        found = house.store.do(lambda tx: approvals.undecided_for(tx, second))
        return [one.purchase for one in found]

    house.store.wait(hours=23)
    assert waiting() == [reference]
    house.store.wait(hours=1)
    assert waiting() == []
