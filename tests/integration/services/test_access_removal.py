"""What ends when a role or an account is removed, either at once or when it is next used."""

from __future__ import annotations

import pytest

from services import access_removal, approvals, topups
from services.approvals import AwaitingApproval
from services.domain.audit import by_person
from services.domain.invite import InviteStatus
from services.domain.ledger import Account, AccountKind
from services.domain.money import Money
from services.domain.outbox import BEFORE_ALL
from services.domain.partner import RIGHTS, Role
from services.domain.refusal import Refusal
from services.joining import Joined
from services.otp import Issued
from storage.transaction import StoreTx
from tests.kit.partner_team import AMOUNT, BARAKA, NEW, POLICY, PartnerTeam, S


def asked_and_agreed(team: PartnerTeam, above: int = 1) -> str:
    """Request a purchase ``above`` shillings over the one-person limit; Baraka approves it."""
    reference = team.quotes("amina", AMOUNT + Money(above * 100))
    assert isinstance(team.confirms("amina", reference), AwaitingApproval)
    team.agrees("baraka", reference)
    return reference


def second_loses_role(team: PartnerTeam) -> None:
    team.store.do(
        lambda tx: tx.people.add_person("DEMO", "baraka", Role.VIEWER, BARAKA, None, "en")
    )


def second_loses_account(team: PartnerTeam) -> None:
    team.store.do(lambda tx: tx.people.unlink("terminal", "baraka"))


@pytest.mark.parametrize("happens", [second_loses_role, second_loses_account])
def test_a_yes_is_asked_for_again_where_it_is_used(team: PartnerTeam, happens: object) -> None:
    """Even when Hazina was not notified, as with a change from the shell."""
    assert callable(happens)
    waits, coded = asked_and_agreed(team, 1), asked_and_agreed(team, 2)
    code = team.code_of("amina", coded)
    happens(team)
    assert team.confirms("amina", waits) == Refusal("second_left")
    team.authorises("amina", coded, code)
    assert [team.outcome(one) for one in (waits, coded)] == [(S.REFUSED, "second_left")] * 2
    wallet = team.store.tx.ledger.balance(Account("DEMO", AccountKind.WALLET))
    assert wallet.available == wallet.posted


def test_a_yes_of_somebody_who_stays_in_the_right_counts(team: PartnerTeam) -> None:
    reference = asked_and_agreed(team)
    team.joins(team.invite("baraka", Role.OWNER), BARAKA, "baraka")
    code = team.code_of("amina", reference)
    team.authorises("amina", reference, code)
    assert team.outcome(reference) == (S.AUTHORISED, None)


def queued(team: PartnerTeam) -> list[str]:
    return [row.text for row in sorted(team.store.tx.outbox.queued(BEFORE_ALL, 100))]


def tell_baraka(team: PartnerTeam) -> None:
    """Queue messages to each of Baraka's accounts and to the phone number."""

    def tell(tx: StoreTx) -> None:
        for channel, address in (("terminal", "baraka"), ("telegram", "7"), ("sms", BARAKA.msisdn)):
            for kind in ("answer", "notice", "receipt"):
                tx.outbox.add(channel, address, kind=kind, text=channel)
        tx.outbox.add("terminal", "baraka", kind="wipe", text="wipe", target="1")
        tx.outbox.add("terminal", "amina", kind="notice", text="amina")

    team.store.do(tell)


def test_what_waits_for_somebody_let_go_is_not_sent_nor_texted(team: PartnerTeam) -> None:
    team.joins(team.invite("baraka"), BARAKA, "7", "telegram")
    tell_baraka(team)
    team.unlinks("baraka")
    assert queued(team) == ["wipe", "amina"]


def test_what_waits_for_a_replaced_account_comes_to_the_other_ones_only(team: PartnerTeam) -> None:
    team.joins(team.invite("baraka"), BARAKA, "7", "telegram")
    tell_baraka(team)
    team.joins(team.invite("baraka"), BARAKA, "other")
    assert queued(team) == ["telegram"] * 3 + ["sms"] * 3 + ["wipe", "amina"]


def test_what_waits_for_the_number_that_was_replaced_by_joining_is_not_texted(
    team: PartnerTeam,
) -> None:
    tell_baraka(team)
    team.joins(team.invite("baraka"), NEW, "other")
    assert queued(team) == ["telegram"] * 3 + ["wipe", "amina"]


def test_somebody_elses_texts_to_the_same_number_are_sent(team: PartnerTeam) -> None:
    team.joins(team.invite("neema"), BARAKA, "neema")
    tell_baraka(team)
    team.unlinks("baraka")
    assert queued(team) == ["telegram"] * 3 + ["sms"] * 3 + ["wipe", "amina"]


def test_letting_go_ends_only_what_rested_on_it(team: PartnerTeam) -> None:
    used = asked_and_agreed(team, 3)
    team.authorises("amina", used, team.code_of("amina", used))
    waits, coded = asked_and_agreed(team, 1), asked_and_agreed(team, 2)
    team.code_of("amina", coded)
    asked = team.quotes("amina", AMOUNT + Money(400))
    team.confirms("amina", asked)
    ended = team.unlinks("baraka").ended
    assert team.store.tx.otps.pending_of("DEMO") == []
    assert sorted(one.reference for one in ended) == sorted([waits, coded])
    assert [team.outcome(one) for one in (used, waits, coded, asked)] == [
        (S.AUTHORISED, None),
        (S.REFUSED, "second_left"),
        (S.REFUSED, "second_left"),
        (S.AWAITING_APPROVAL, None),
    ]


def test_letting_go_ends_what_the_person_began_and_its_codes(team: PartnerTeam) -> None:
    large = AMOUNT + Money(100)
    waiting = team.quotes("baraka", large)
    team.confirms("baraka", waiting)
    coded = team.quotes("baraka")
    team.code_of("baraka", coded)
    person = team.person("baraka")
    secured = team.store.do(
        lambda tx: topups.issue_code(
            tx, team.keys, team.random, POLICY, person, Money(200_000), BARAKA
        )
    )
    assert isinstance(secured, Issued)
    quoted = team.quotes("baraka", Money(500_000))
    team.unlinks("baraka")
    assert [team.get(one).state for one in (waiting, coded, quoted)] == [S.CANCELLED] * 3
    assert team.store.tx.otps.pending_of("DEMO") == []
    assert team.store.do(lambda tx: approvals.undecided_for(tx, team.person("amina"))) == []


def test_a_lower_role_ends_what_it_does_not_allow_once_it_is_proved(team: PartnerTeam) -> None:
    reference = asked_and_agreed(team)
    own = team.quotes("baraka")
    invited = team.invite("baraka", Role.VIEWER)
    code = team.at_code(invited, BARAKA, "baraka")
    assert team.get(reference).state is S.AWAITING_APPROVAL
    joined = team.types(invited, code, "baraka")
    assert isinstance(joined, Joined)
    assert [one.reference for one in joined.ended] == [reference]
    assert [team.outcome(one) for one in (reference, own)] == [
        (S.REFUSED, "second_left"),
        (S.CANCELLED, None),
    ]


def test_what_waited_for_a_day_is_no_more_to_decide(team: PartnerTeam) -> None:
    reference = team.quotes("amina", AMOUNT + Money(100))
    team.confirms("amina", reference)
    second = team.person("baraka")

    def waiting() -> list[str]:
        found = team.store.do(lambda tx: approvals.undecided_for(tx, second))
        return [one.purchase for one in found]

    team.store.wait(hours=23)
    assert waiting() == [reference]
    team.store.wait(hours=1)
    assert waiting() == []


@pytest.mark.parametrize(("role", "stands"), [(Role.OWNER, True), (Role.OPERATOR, False)])
def test_invitations_end_with_the_right_to_invite(
    team: PartnerTeam, role: Role, stands: bool
) -> None:
    person = team.person("amina")
    invited = team.invite("newcomer", by=by_person(person.id))

    def lose(tx: StoreTx) -> InviteStatus:
        access_removal.remove_rights(tx, person, RIGHTS[role])
        invite = tx.invites.get(invited.invite.id)
        assert invite is not None
        return invite.status

    assert (team.store.do(lose) is InviteStatus.OPEN) is stands
