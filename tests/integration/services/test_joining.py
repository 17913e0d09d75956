"""Invitations and accounts at the use cases themselves: who comes in, as what, and what rests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from services import contacts, joining, topups
from services.approvals import AwaitingApproval
from services.domain.audit import by_person
from services.domain.ledger import Account, AccountKind
from services.domain.money import Money
from services.domain.otp import OtpStatus
from services.domain.partner import Role
from services.domain.refusal import Refusal
from services.joining import Joined
from storage.transaction import SqliteTx
from tests.kit.house import ADMIN, AMINA, AMOUNT, BARAKA, NEW, POLICY, House, S
from tests.kit.plain_store import PlainStore

OVER = Refusal("invite_over")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainStore]:
    store = PlainStore(tmp_path_factory.mktemp("joining") / "hazina.db")
    yield store
    store.close()


@pytest.fixture
def house(store: PlainStore) -> Iterator[House]:
    yield House(store)
    store.undo()


# An account that is not the first ------------------------------------------------------------


def test_the_first_account_does_not_rest(house: House) -> None:
    house.joins(house.invite("neema"), NEW, "neema")
    assert house.may_buy("neema") is None


def test_a_further_account_rests_a_day_and_the_older_one_goes_on(house: House) -> None:
    joined = house.joins(house.invite("baraka"), BARAKA, "7", "telegram")
    rests = Refusal.of("account_rests", until=house.store.now + timedelta(hours=24))
    assert house.may_buy("7", "telegram") == rests
    assert house.may_buy("baraka") is None
    assert (joined.left, joined.other_accounts) == ([], [("terminal", "baraka")])
    house.store.wait(hours=24)
    assert house.may_buy("7", "telegram") is None


def test_a_replaced_account_rests(house: House) -> None:
    joined = house.joins(house.invite("baraka"), BARAKA, "other")
    assert (joined.left, joined.other_accounts) == ([("terminal", "baraka")], [])
    assert isinstance(house.may_buy("other"), Refusal)


def test_whoever_had_an_account_once_rests_with_the_next_also_after_months(house: House) -> None:
    house.unlinks("baraka")
    house.store.wait(days=100)
    house.joins(house.invite("baraka"), BARAKA, "baraka")
    assert isinstance(house.may_buy("baraka"), Refusal)


def test_the_own_account_invited_again_rests_as_it_did(house: House) -> None:
    house.joins(house.invite("baraka"), BARAKA, "baraka")
    assert house.may_buy("baraka") is None
    house.joins(house.invite("baraka"), BARAKA, "other")
    until = house.store.now + timedelta(hours=24)
    house.store.wait(hours=23)
    house.joins(house.invite("baraka"), BARAKA, "other")
    assert house.may_buy("other") == Refusal.of("account_rests", until=until)


def test_a_number_that_is_somebodys_under_another_name_rests_whoever_comes_by_it(
    house: House,
) -> None:
    joined = house.joins(house.invite("neema"), BARAKA, "neema")
    assert isinstance(house.may_buy("neema"), Refusal)
    assert joined.other_accounts == [("terminal", "baraka")]
    assert house.may_buy("baraka") is None


def test_an_account_from_the_shell_does_not_rest(house: House) -> None:
    def add(tx: SqliteTx) -> None:
        tx.people.link("telegram", "7", house.person("baraka").id)

    house.store.do(add)
    assert house.may_buy("7", "telegram") is None


def test_what_needs_a_code_rests_for_top_ups_and_contacts_too(house: House) -> None:
    house.joins(house.invite("baraka"), BARAKA, "other")
    person, large, small = house.person("other"), Money(100_100), Money(100_000)
    rests = Refusal.of("account_rests", until=house.store.now + timedelta(hours=24))

    def everything(tx: SqliteTx) -> list[object]:
        rest, account = (POLICY, person), ("terminal", "other")
        return [
            topups.issue_code(tx, house.keys, house.random, *rest, large, BARAKA),
            topups.start(
                tx, house.random, person, "terminal", "other", "e", large, BARAKA, policy=POLICY
            ),
            contacts.request_change(tx, house.keys, house.random, *rest, account, NEW),
            contacts.request_change(tx, house.keys, house.random, *rest, account, "b@demo.example"),
        ]

    assert house.store.do(everything) == [rests] * 4
    begun = house.store.do(
        lambda tx: topups.start(
            tx, house.random, person, "terminal", "other", "e", small, BARAKA, policy=POLICY
        )
    )
    assert not isinstance(begun, Refusal)


def test_a_code_that_was_out_already_passes_no_more_for_a_resting_account(house: House) -> None:
    """The same account, let go and invited anew, while its code is on the way."""
    reference = house.quotes("baraka")
    code = house.code_of("baraka", reference)
    house.unlinks("baraka")
    house.joins(house.invite("baraka"), BARAKA, "baraka")
    house.authorises("baraka", reference, code)
    assert house.outcome(reference) == (S.CANCELLED, None)
    wallet = house.store.tx.ledger.balance(Account("DEMO", AccountKind.WALLET))
    assert wallet.available == wallet.posted


def test_what_a_replaced_account_began_is_over_and_the_other_channels_goes_on(house: House) -> None:
    house.joins(house.invite("baraka"), BARAKA, "7", "telegram")
    house.store.wait(days=2)
    large = AMOUNT + Money(100)
    waiting, coded = house.quotes("baraka", large), None
    assert isinstance(house.confirms("baraka", waiting), AwaitingApproval)
    coded = house.quotes("baraka")
    house.code_of("baraka", coded)
    beside = house.quotes("7", channel="telegram")
    house.joins(house.invite("baraka"), BARAKA, "other")
    assert [house.get(one).state for one in (waiting, coded, beside)] == [
        S.CANCELLED, S.CANCELLED, S.QUOTED,
    ]  # fmt: skip
    newest = house.store.tx.otps.newest(coded)
    assert newest is not None
    assert newest.status is OtpStatus.REVOKED


# Before the code has passed ------------------------------------------------------------------


def test_who_is_invited_is_nobody_before_the_code_has_passed(house: House) -> None:
    invited = house.invite("neema", Role.OWNER)
    code = house.at_code(invited, NEW, "neema")
    people = house.store.tx.people
    assert [person.name for person in people.of("DEMO")] == ["amina", "baraka"]
    assert [person.name for person in people.owners("DEMO")] == ["amina"]
    assert people.of_name("DEMO", "neema") is None
    assert people.named("DEMO", "neema") is None
    joined = house.types(invited, code, "neema")
    assert isinstance(joined, Joined)
    assert (joined.person.role, joined.person.phone) == (Role.OWNER, NEW)
    assert (joined.old_phone, joined.person.phone_changed_at) == (None, None)


def test_another_number_than_an_earlier_try_named_is_no_changed_number(house: House) -> None:
    house.at_code(house.invite("neema", Role.VIEWER), BARAKA, "thief")
    joined = house.joins(house.invite("neema"), NEW, "neema")
    assert (joined.person.role, joined.person.phone) == (Role.OPERATOR, NEW)
    assert house.may_buy("neema") is None


def test_somebody_who_is_there_stays_as_they_are_until_then(house: House) -> None:
    before = house.person("baraka")
    invited = house.invite("baraka", Role.VIEWER)
    code = house.at_code(invited, NEW, "other")
    assert house.person("baraka") == before
    assert house.store.tx.people.addresses(before.id) == [("terminal", "baraka")]
    house.types(invited, code, "other")
    after = house.person("other")
    assert (after.id, after.role, after.phone) == (before.id, Role.VIEWER, NEW)


# Whoever made the invitation ------------------------------------------------------------------


def owner_loses_role(house: House) -> None:
    house.store.do(
        lambda tx: tx.people.add_person("DEMO", "amina", Role.OPERATOR, AMINA, None, "en")
    )


def owner_loses_account(house: House) -> None:
    house.store.do(lambda tx: tx.people.unlink("terminal", "amina"))


def target_becomes_owner(house: House) -> None:
    house.store.do(
        lambda tx: tx.people.add_person("DEMO", "baraka", Role.OWNER, BARAKA, None, "en")
    )


@pytest.mark.parametrize("happens", [owner_loses_role, owner_loses_account, target_becomes_owner])
@pytest.mark.parametrize("step", ["open", "send", "join"])
def test_an_invitation_is_over_with_what_its_maker_might(
    house: House, happens: object, step: str
) -> None:
    """In whatever way: each step asks again."""
    assert callable(happens)
    by = by_person(house.person("amina").id)
    invited = house.invite("baraka", Role.VIEWER, by)
    if step == "open":
        happens(house)
        assert house.opens(invited, "other") == OVER
        return
    house.opens(invited, "other")
    if step == "send":
        happens(house)
        assert house.asks_code(invited, BARAKA, "other") == OVER
        return
    code = house.at_code(invited, BARAKA, "other")
    happens(house)
    assert house.types(invited, code, "other") == OVER


def test_a_former_admins_invitation_is_over(house: House) -> None:
    invited = house.invite("neema")
    house.opens(invited, "neema")
    house.admins.clear()
    assert house.asks_code(invited, NEW, "neema") == OVER


def test_an_unlinked_owners_invitations_stay_over_when_they_come_back(house: House) -> None:
    invited = house.invite("neema", by=by_person(house.person("amina").id))
    code = house.at_code(invited, NEW, "neema")
    house.unlinks("amina")
    house.joins(house.invite("amina", Role.OWNER), AMINA, "amina")
    assert house.types(invited, code, "neema") == OVER
    newest = house.store.tx.otps.newest(invited.invite.id)
    assert newest is not None
    assert newest.status is OtpStatus.REVOKED


def test_nobody_joins_under_a_name_that_somebody_took_in_another_way(house: House) -> None:
    invited = house.invite("neema")
    code = house.at_code(invited, NEW, "neema")
    house.store.do(lambda tx: tx.people.add_person("DEMO", "Neema", Role.OWNER, NEW, None, "en"))
    assert house.types(invited, code, "neema") == OVER


def test_an_account_that_became_somebody_elses_meanwhile_joins_nothing(house: House) -> None:
    invited = house.invite("neema")
    code = house.at_code(invited, NEW, "new")
    house.store.do(lambda tx: tx.people.link("terminal", "new", house.person("baraka").id))
    taken = Refusal.of("linked_elsewhere", partner="DEMO")
    assert house.types(invited, code, "new") == taken
    assert house.person("new").name == "baraka"


# Owners ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["amina", " amina ", "ami\u200bna", "\u202eamina"])
def test_an_owner_neither_invites_nor_lets_go_an_owner(house: House, typed: str) -> None:
    house.store.do(
        lambda tx: tx.people.add_person("DEMO", "baraka", Role.OWNER, BARAKA, None, "en")
    )
    by = by_person(house.person("baraka").id)
    refused = Refusal("owner_by_admin")
    for role in Role:
        invited = house.store.do(
            lambda tx, role=role: joining.invite(tx, house.random, "DEMO", role, typed, by)
        )
        assert invited == refused
    assert house.store.do(lambda tx: joining.unlink(tx, "DEMO", typed, by)) == refused
    assert house.store.do(lambda tx: joining.unlink(tx, "DEMO", "baraka", by)) == refused


def test_an_owner_makes_nobody_an_owner(house: House) -> None:
    by = by_person(house.person("amina").id)
    for name in ("neema", "baraka"):
        invited = house.store.do(
            lambda tx, name=name: joining.invite(tx, house.random, "DEMO", Role.OWNER, name, by)
        )
        assert invited == Refusal("owner_by_admin")


@pytest.mark.parametrize("typed", ["AMINA", "am1na", "\u0430mina"])
def test_a_look_alike_of_an_owner_is_nobody_to_let_go_and_nobody_to_invite(
    house: House, typed: str
) -> None:
    by = by_person(house.person("amina").id)
    nobody = Refusal("nobody_of_that_name")
    assert house.store.do(lambda tx: joining.unlink(tx, "DEMO", typed, by)) == nobody
    invited = house.store.do(
        lambda tx: joining.invite(tx, house.random, "DEMO", Role.VIEWER, typed, by)
    )
    assert isinstance(invited, Refusal)


def test_a_look_alike_of_somebody_who_is_only_invited_is_refused(house: House) -> None:
    house.invite("neema")
    invited = house.store.do(
        lambda tx: joining.invite(tx, house.random, "DEMO", Role.VIEWER, "Neema", ADMIN)
    )
    assert invited == Refusal.of("name_alike", known="neema")
    house.store.wait(minutes=30)
    house.invite("Neema")


def test_a_name_from_before_names_were_tidied_is_still_found(house: House) -> None:
    odd = "Ja\u200bne (till 2)"

    def add(tx: SqliteTx) -> None:
        tx.people.add_person("DEMO", odd, Role.VIEWER, NEW, None, "en")
        tx.people.add_person("DEMO", "ami\u200bna", Role.VIEWER, NEW, None, "en")

    house.store.do(add)
    joined = house.joins(house.invite("Jane (till 2)"), NEW, "jane")
    assert joined.person.name == odd
    # Two that read the same: each by its very own name, as its button has it.
    assert house.unlinks("ami\u200bna").person.role is Role.VIEWER
    assert house.unlinks("amina").person.role is Role.OWNER
