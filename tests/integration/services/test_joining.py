"""Invitations and accounts through the use cases: who joins, in which role, and what is frozen."""

from __future__ import annotations

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
from storage.transaction import StoreTx
from tests.kit.partner_team import ADMIN, AMINA, AMOUNT, BARAKA, NEW, POLICY, PartnerTeam, S

OVER = Refusal("invite_over")


# Additional accounts -------------------------------------------------------------------------


def test_the_first_account_does_not_rest(team: PartnerTeam) -> None:
    team.joins(team.invite("neema"), NEW, "neema")
    assert team.may_buy("neema") is None


def test_a_further_account_rests_a_day_and_the_older_one_goes_on(team: PartnerTeam) -> None:
    joined = team.joins(team.invite("baraka"), BARAKA, "7", "telegram")
    rests = Refusal.of("account_rests", until=team.store.now + timedelta(hours=24))
    assert team.may_buy("7", "telegram") == rests
    assert team.may_buy("baraka") is None
    assert (joined.left, joined.other_accounts) == ([], [("terminal", "baraka")])
    team.store.wait(hours=24)
    assert team.may_buy("7", "telegram") is None


def test_a_replaced_account_rests(team: PartnerTeam) -> None:
    joined = team.joins(team.invite("baraka"), BARAKA, "other")
    assert (joined.left, joined.other_accounts) == ([("terminal", "baraka")], [])
    assert isinstance(team.may_buy("other"), Refusal)


def test_whoever_had_an_account_once_rests_with_the_next_also_after_months(
    team: PartnerTeam,
) -> None:
    team.unlinks("baraka")
    team.store.wait(days=100)
    team.joins(team.invite("baraka"), BARAKA, "baraka")
    assert isinstance(team.may_buy("baraka"), Refusal)


def test_the_own_account_invited_again_rests_as_it_did(team: PartnerTeam) -> None:
    team.joins(team.invite("baraka"), BARAKA, "baraka")
    assert team.may_buy("baraka") is None
    team.joins(team.invite("baraka"), BARAKA, "other")
    until = team.store.now + timedelta(hours=24)
    team.store.wait(hours=23)
    team.joins(team.invite("baraka"), BARAKA, "other")
    assert team.may_buy("other") == Refusal.of("account_rests", until=until)


def test_a_number_that_is_somebodys_under_another_name_rests_whoever_comes_by_it(
    team: PartnerTeam,
) -> None:
    joined = team.joins(team.invite("neema"), BARAKA, "neema")
    assert isinstance(team.may_buy("neema"), Refusal)
    assert joined.other_accounts == [("terminal", "baraka")]
    assert team.may_buy("baraka") is None


def test_an_account_from_the_shell_does_not_rest(team: PartnerTeam) -> None:
    def add(tx: StoreTx) -> None:
        tx.people.link("telegram", "7", team.person("baraka").id)

    team.store.do(add)
    assert team.may_buy("7", "telegram") is None


def test_what_needs_a_code_rests_for_top_ups_and_contacts_too(team: PartnerTeam) -> None:
    team.joins(team.invite("baraka"), BARAKA, "other")
    person, large, small = team.person("other"), Money(100_100), Money(100_000)
    rests = Refusal.of("account_rests", until=team.store.now + timedelta(hours=24))

    def everything(tx: StoreTx) -> list[object]:
        rest, account = (POLICY, person), ("terminal", "other")
        return [
            topups.issue_code(tx, team.keys, team.random, *rest, large, BARAKA),
            topups.start(
                tx, team.random, person, "terminal", "other", "e", large, BARAKA, policy=POLICY
            ),
            contacts.request_change(tx, team.keys, team.random, *rest, account, NEW),
            contacts.request_change(tx, team.keys, team.random, *rest, account, "b@demo.example"),
        ]

    assert team.store.do(everything) == [rests] * 4
    begun = team.store.do(
        lambda tx: topups.start(
            tx, team.random, person, "terminal", "other", "e", small, BARAKA, policy=POLICY
        )
    )
    assert not isinstance(begun, Refusal)


def test_a_code_that_was_out_already_passes_no_more_for_a_resting_account(
    team: PartnerTeam,
) -> None:
    """The same account is unlinked and invited again while its code is in transit."""
    reference = team.quotes("baraka")
    code = team.code_of("baraka", reference)
    team.unlinks("baraka")
    team.joins(team.invite("baraka"), BARAKA, "baraka")
    team.authorises("baraka", reference, code)
    assert team.outcome(reference) == (S.CANCELLED, None)
    wallet = team.store.tx.ledger.balance(Account("DEMO", AccountKind.WALLET))
    assert wallet.available == wallet.posted


def test_what_a_replaced_account_began_is_over_and_the_other_channels_goes_on(
    team: PartnerTeam,
) -> None:
    team.joins(team.invite("baraka"), BARAKA, "7", "telegram")
    team.store.wait(days=2)
    large = AMOUNT + Money(100)
    waiting, coded = team.quotes("baraka", large), None
    assert isinstance(team.confirms("baraka", waiting), AwaitingApproval)
    coded = team.quotes("baraka")
    team.code_of("baraka", coded)
    beside = team.quotes("7", channel="telegram")
    team.joins(team.invite("baraka"), BARAKA, "other")
    assert [team.get(one).state for one in (waiting, coded, beside)] == [
        S.CANCELLED, S.CANCELLED, S.QUOTED,
    ]  # fmt: skip
    newest = team.store.tx.otps.newest(coded)
    assert newest is not None
    assert newest.status is OtpStatus.REVOKED


# Before the code is verified -----------------------------------------------------------------


def test_who_is_invited_is_nobody_before_the_code_has_passed(team: PartnerTeam) -> None:
    invited = team.invite("neema", Role.OWNER)
    code = team.at_code(invited, NEW, "neema")
    people = team.store.tx.people
    assert [person.name for person in people.of("DEMO")] == ["amina", "baraka"]
    assert [person.name for person in people.owners("DEMO")] == ["amina"]
    assert people.of_name("DEMO", "neema") is None
    assert people.named("DEMO", "neema") is None
    joined = team.types(invited, code, "neema")
    assert isinstance(joined, Joined)
    assert (joined.person.role, joined.person.phone) == (Role.OWNER, NEW)
    assert (joined.old_phone, joined.person.phone_changed_at) == (None, None)


def test_another_number_than_an_earlier_try_named_is_no_changed_number(team: PartnerTeam) -> None:
    team.at_code(team.invite("neema", Role.VIEWER), BARAKA, "thief")
    joined = team.joins(team.invite("neema"), NEW, "neema")
    assert (joined.person.role, joined.person.phone) == (Role.OPERATOR, NEW)
    assert team.may_buy("neema") is None


def test_somebody_who_is_there_stays_as_they_are_until_then(team: PartnerTeam) -> None:
    before = team.person("baraka")
    invited = team.invite("baraka", Role.VIEWER)
    code = team.at_code(invited, NEW, "other")
    assert team.person("baraka") == before
    assert team.store.tx.people.addresses(before.id) == [("terminal", "baraka")]
    team.types(invited, code, "other")
    after = team.person("other")
    assert (after.id, after.role, after.phone) == (before.id, Role.VIEWER, NEW)


# The rights of the inviter --------------------------------------------------------------------


def owner_loses_role(team: PartnerTeam) -> None:
    team.store.do(
        lambda tx: tx.people.add_person("DEMO", "amina", Role.OPERATOR, AMINA, None, "en")
    )


def owner_loses_account(team: PartnerTeam) -> None:
    team.store.do(lambda tx: tx.people.unlink("terminal", "amina"))


def target_becomes_owner(team: PartnerTeam) -> None:
    team.store.do(lambda tx: tx.people.add_person("DEMO", "baraka", Role.OWNER, BARAKA, None, "en"))


@pytest.mark.parametrize("happens", [owner_loses_role, owner_loses_account, target_becomes_owner])
@pytest.mark.parametrize("step", ["open", "send", "join"])
def test_an_invitation_is_over_with_what_its_maker_might(
    team: PartnerTeam, happens: object, step: str
) -> None:
    """Each step checks the inviter's rights again, however they were lost."""
    assert callable(happens)
    by = by_person(team.person("amina").id)
    invited = team.invite("baraka", Role.VIEWER, by)
    if step == "open":
        happens(team)
        assert team.opens(invited, "other") == OVER
        return
    team.opens(invited, "other")
    if step == "send":
        happens(team)
        assert team.asks_code(invited, BARAKA, "other") == OVER
        return
    code = team.at_code(invited, BARAKA, "other")
    happens(team)
    assert team.types(invited, code, "other") == OVER


def test_a_former_admins_invitation_is_over(team: PartnerTeam) -> None:
    invited = team.invite("neema")
    team.opens(invited, "neema")
    team.admins.clear()
    assert team.asks_code(invited, NEW, "neema") == OVER


def test_an_unlinked_owners_invitations_stay_over_when_they_come_back(team: PartnerTeam) -> None:
    invited = team.invite("neema", by=by_person(team.person("amina").id))
    code = team.at_code(invited, NEW, "neema")
    team.unlinks("amina")
    team.joins(team.invite("amina", Role.OWNER), AMINA, "amina")
    assert team.types(invited, code, "neema") == OVER
    newest = team.store.tx.otps.newest(invited.invite.id)
    assert newest is not None
    assert newest.status is OtpStatus.REVOKED


def test_nobody_joins_under_a_name_that_somebody_took_in_another_way(team: PartnerTeam) -> None:
    invited = team.invite("neema")
    code = team.at_code(invited, NEW, "neema")
    team.store.do(lambda tx: tx.people.add_person("DEMO", "Neema", Role.OWNER, NEW, None, "en"))
    assert team.types(invited, code, "neema") == OVER


def test_an_account_that_became_somebody_elses_meanwhile_joins_nothing(team: PartnerTeam) -> None:
    invited = team.invite("neema")
    code = team.at_code(invited, NEW, "new")
    team.store.do(lambda tx: tx.people.link("terminal", "new", team.person("baraka").id))
    taken = Refusal.of("linked_elsewhere", partner="DEMO")
    assert team.types(invited, code, "new") == taken
    assert team.person("new").name == "baraka"


# Owners ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["amina", " amina ", "ami\u200bna", "\u202eamina"])
def test_an_owner_neither_invites_nor_lets_go_an_owner(team: PartnerTeam, typed: str) -> None:
    team.store.do(lambda tx: tx.people.add_person("DEMO", "baraka", Role.OWNER, BARAKA, None, "en"))
    by = by_person(team.person("baraka").id)
    refused = Refusal("owner_by_admin")
    for role in Role:
        invited = team.store.do(
            lambda tx, role=role: joining.invite(tx, team.random, "DEMO", role, typed, by)
        )
        assert invited == refused
    assert team.store.do(lambda tx: joining.unlink(tx, "DEMO", typed, by)) == refused
    assert team.store.do(lambda tx: joining.unlink(tx, "DEMO", "baraka", by)) == refused


def test_an_owner_makes_nobody_an_owner(team: PartnerTeam) -> None:
    by = by_person(team.person("amina").id)
    for name in ("neema", "baraka"):
        invited = team.store.do(
            lambda tx, name=name: joining.invite(tx, team.random, "DEMO", Role.OWNER, name, by)
        )
        assert invited == Refusal("owner_by_admin")


@pytest.mark.parametrize("typed", ["AMINA", "am1na", "\u0430mina"])
def test_a_look_alike_of_an_owner_is_nobody_to_let_go_and_nobody_to_invite(
    team: PartnerTeam, typed: str
) -> None:
    by = by_person(team.person("amina").id)
    nobody = Refusal("nobody_of_that_name")
    assert team.store.do(lambda tx: joining.unlink(tx, "DEMO", typed, by)) == nobody
    invited = team.store.do(
        lambda tx: joining.invite(tx, team.random, "DEMO", Role.VIEWER, typed, by)
    )
    assert isinstance(invited, Refusal)


def test_a_look_alike_of_somebody_who_is_only_invited_is_refused(team: PartnerTeam) -> None:
    team.invite("neema")
    invited = team.store.do(
        lambda tx: joining.invite(tx, team.random, "DEMO", Role.VIEWER, "Neema", ADMIN)
    )
    assert invited == Refusal.of("name_alike", known="neema")
    team.store.wait(minutes=30)
    team.invite("Neema")


def test_a_name_from_before_names_were_tidied_is_still_found(team: PartnerTeam) -> None:
    odd = "Ja\u200bne (till 2)"

    def add(tx: StoreTx) -> None:
        tx.people.add_person("DEMO", odd, Role.VIEWER, NEW, None, "en")
        tx.people.add_person("DEMO", "ami\u200bna", Role.VIEWER, NEW, None, "en")

    team.store.do(add)
    joined = team.joins(team.invite("Jane (till 2)"), NEW, "jane")
    assert joined.person.name == odd
    # Two names that look the same: each is found by its exact name, as on its button.
    assert team.unlinks("ami\u200bna").person.role is Role.VIEWER
    assert team.unlinks("amina").person.role is Role.OWNER
