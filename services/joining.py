"""How people join a partner and leave it: invitations, verifying the number, unlinking.

Each function runs inside a transaction and makes no outside calls. An invitation's token leaves
here only in the message that carries it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from services import access_removal, otp, person_lookup
from services.domain.audit import person_of
from services.domain.ids import draw_unique, new_reference
from services.domain.invite import LIFE, Invite, InviteStatus
from services.domain.money import Money
from services.domain.otp import CODE_LIMITS, Binding, CodeLimits, Purpose
from services.domain.partner import RIGHTS, Person, Right, Role
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.domain.spending import Spending
from services.domain.token import draw_token, token_digest
from services.otp import Issued, NotPassed
from services.ports import Keys, Random, Tx

NOTHING = Money(0)
Admins: TypeAlias = Collection[str]  # the current ones, as the audit log names them


@dataclass(frozen=True, slots=True)
class Invited:
    """The token exists nowhere else: it is sealed into its message, or lost."""

    invite: Invite
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Joined:
    """``left`` are the accounts, ``old_phone`` the number, that the person had before; ``beside``
    the accounts that stay theirs, or belong to others with that number. ``ended`` are operations of
    colleagues, as ``access_removal`` returns them."""

    person: Person
    left: Sequence[tuple[str, str]]
    other_accounts: Sequence[tuple[str, str]]
    old_phone: Phone | None
    ended: Sequence[Spending]


@dataclass(frozen=True, slots=True)
class Unlinked:
    """``left`` are the accounts the person had, ``ended`` operations of colleagues, as
    ``access_removal`` returns them."""

    person: Person
    left: Sequence[tuple[str, str]]
    ended: Sequence[Spending]


def invite(
    tx: Tx, random: Random, partner: str, role: Role, typed: str, by: str
) -> Invited | Refusal:
    """Invite somebody to be ``role`` of ``partner``; an older invitation of that name is revoked.

    Nothing about a person changes before the code has passed. Refusals: those of
    ``person_lookup.name_to_invite``; ``owner_by_admin``, if a person of the partner would change
    who owns it.
    """
    name = person_lookup.name_to_invite(tx, partner, typed)
    if isinstance(name, Refusal):
        return name
    if person_of(by) is not None and (role is Role.OWNER or is_owner(tx, partner, name)):
        return Refusal("owner_by_admin")
    _kill_open(tx, partner, name)
    token = draw_token(random)
    made = draw_unique(
        lambda: Invite(
            id=new_reference("IN", random),
            partner=partner,
            role=role,
            name=name,
            invited_by=by,
            expires_at=tx.now + LIFE,
            status=InviteStatus.OPEN,
        ),
        lambda drawn: tx.invites.add(drawn, token_digest(token)),
    )
    return Invited(made, token)


def is_owner(tx: Tx, partner: str, name: str) -> bool:
    known = tx.people.of_name(partner, name)
    return known is not None and known.role is Role.OWNER


def claim_invite(
    tx: Tx, admins: Admins, token: str, channel: str, address: str
) -> Invite | Refusal:
    """Claim the invitation for this account: nobody else can use it from now on.

    Refusals: ``invite_unknown``, ``invite_over``, ``invite_taken``, ``linked_elsewhere``.
    """
    found = tx.invites.of_digest(token_digest(token))
    if found is None:
        return Refusal("invite_unknown")
    if (over := _is_over(tx, admins, found)) is not None:
        return over
    if found.status is InviteStatus.CLAIMED and not found.is_claimed_by(channel, address):
        return Refusal("invite_taken")
    if (taken := _taken(tx, found, channel, address)) is not None:
        return taken
    claimed = replace(found, status=InviteStatus.CLAIMED, channel=channel, address=address)
    tx.invites.save(claimed)
    return claimed


def send_code(
    tx: Tx,
    admins: Admins,
    keys: Keys,
    random: Random,
    invite_id: str,
    phone: Phone,
    channel: str,
    address: str,
    *,
    limits: CodeLimits = CODE_LIMITS,
) -> Issued | Refusal:
    """Verify the shared number by a code. Refusals: ``invite_over``, those of ``otp.generate``."""
    claimed = _claimed(tx, admins, invite_id, channel, address)
    if isinstance(claimed, Refusal):
        return claimed
    claimed = replace(claimed, phone=phone)
    tx.invites.save(claimed)
    account = (channel, address)
    return otp.generate(tx, keys, random, _binding(tx, claimed), phone, account, limits=limits)


def resend_code(
    tx: Tx,
    admins: Admins,
    keys: Keys,
    random: Random,
    invite_id: str,
    channel: str,
    address: str,
    *,
    limits: CodeLimits = CODE_LIMITS,
) -> Issued | Refusal:
    """Send another code to the shared number. Refusals: those of ``send_code``."""
    claimed = _claimed(tx, admins, invite_id, channel, address)
    if isinstance(claimed, Refusal):
        return claimed
    assert claimed.phone is not None, "a code was sent before"
    account = (channel, address)
    return otp.generate(
        tx, keys, random, _binding(tx, claimed), claimed.phone, account, limits=limits
    )


def join(
    tx: Tx,
    admins: Admins,
    keys: Keys,
    invite_id: str,
    code: str,
    channel: str,
    address: str,
    *,
    limits: CodeLimits = CODE_LIMITS,
) -> Joined | NotPassed | Refusal:
    """Check the typed code; if it is right, this account becomes the person's, replacing any other
    on the same channel. An account is frozen if it is not their first, or if its number already
    belongs to somebody of the partner. Refusals: ``invite_over``, ``linked_elsewhere``."""
    claimed = _claimed(tx, admins, invite_id, channel, address)
    if isinstance(claimed, Refusal):
        return claimed
    if (taken := _taken(tx, claimed, channel, address)) is not None:
        return taken
    if isinstance(person_lookup.name_to_invite(tx, claimed.partner, claimed.name), Refusal):
        return Refusal("invite_over")  # somebody with a look-alike name was added meanwhile
    answer = otp.validate(tx, keys, _binding(tx, claimed), code, limits=limits)
    if isinstance(answer, NotPassed):
        return answer
    assert claimed.phone is not None
    before = tx.people.of_name(claimed.partner, claimed.name)
    accounts = [] if before is None else tx.people.addresses(before.id)
    others = [one for one in accounts if one != (channel, address)]
    left = [one for one in others if one[0] == channel]
    ended: Sequence[Spending] = ()
    if before is not None:
        ended = access_removal.remove_rights(tx, before, RIGHTS[claimed.role])
        for one in left:
            access_removal.unlink_account(tx, one)
            access_removal.drop_begun(tx, before, one)
    person_id = tx.people.add_person(
        claimed.partner,
        claimed.name,
        claimed.role,
        claimed.phone,
        None if before is None else before.email,
        "en" if before is None else before.language,
    )
    if before is not None:
        otp.carry_lock_over(tx, before.phone, claimed.phone)
    doubles = _doubles(tx, claimed)
    own = tx.people.at(channel, address)
    if own is not None:  # it is theirs already, not an additional one
        frozen_since = own.frozen_since
    else:
        further = bool(doubles) or tx.people.was_ever_linked(person_id)
        frozen_since = tx.now if further else None
    tx.people.link(channel, address, person_id, frozen_since=frozen_since)
    if before is not None:
        access_removal.cancel_texts_to_unlinked(tx, before.phone)
    tx.invites.save(replace(claimed, status=InviteStatus.USED))
    person = tx.people.at(channel, address)
    assert person is not None
    old_phone = None if before is None or before.phone == claimed.phone else before.phone
    beside = [one for one in others if one not in left]
    for double in doubles:
        beside += tx.people.addresses(double.id)
    return Joined(person, left, beside, old_phone, ended)


def unlink(tx: Tx, partner: str, typed: str, by: str) -> Unlinked | Refusal:
    """Unlink all accounts of a person and remove their rights; the person stays on record.

    Refusals: ``nobody_of_that_name``; ``owner_by_admin`` if a person of the partner removes an
    owner.
    """
    person = person_lookup.find(tx, partner, typed)
    if person is None:
        return Refusal("nobody_of_that_name")
    if person_of(by) is not None and person.role is Role.OWNER:
        return Refusal("owner_by_admin")
    left = tx.people.addresses(person.id)
    for account in left:
        access_removal.unlink_account(tx, account)
    access_removal.cancel_texts_to_unlinked(tx, person.phone)
    _kill_open(tx, person.partner.code, person.name)
    return Unlinked(person, left, access_removal.remove_rights(tx, person))


def _doubles(tx: Tx, claimed: Invite) -> list[Person]:
    """People with this number under another name: a SIM swap would work under a new name too."""
    return [
        other
        for other in tx.people.of(claimed.partner)
        if other.phone == claimed.phone and other.name != claimed.name
    ]


def _taken(tx: Tx, invite: Invite, channel: str, address: str) -> Refusal | None:
    """An account belongs to one person of one partner."""
    person = tx.people.at(channel, address)
    if person is None or (person.partner.code, person.name) == (invite.partner, invite.name):
        return None
    return Refusal.of("linked_elsewhere", partner=person.partner.code)


def _kill_open(tx: Tx, partner: str, name: str) -> None:
    for invite_id in tx.invites.revoke_open(partner, name):
        otp.revoke(tx, invite_id)


def _is_over(tx: Tx, admins: Admins, found: Invite) -> Refusal | None:
    """The inviter must still be allowed to invite: the right is checked again at every step."""
    ended = found.status in (InviteStatus.USED, InviteStatus.REVOKED) or found.expires_at <= tx.now
    if ended or not _inviter_stands(tx, admins, found):
        return Refusal("invite_over")
    return None


def _inviter_stands(tx: Tx, admins: Admins, found: Invite) -> bool:
    by = person_of(found.invited_by)
    if by is None:
        return found.invited_by in admins
    inviter = tx.people.of_id(by)
    return (
        inviter is not None
        and inviter.partner.code == found.partner
        and Right.INVITE in RIGHTS[inviter.role]
        and bool(tx.people.addresses(inviter.id))
        and not is_owner(tx, found.partner, found.name)  # an admin may have made them one
    )


def _claimed(
    tx: Tx, admins: Admins, invite_id: str, channel: str, address: str
) -> Invite | Refusal:
    found = tx.invites.get(invite_id)
    if found is None or not found.is_claimed_by(channel, address):
        return Refusal("invite_over")
    return _is_over(tx, admins, found) or found


def _binding(tx: Tx, claimed: Invite) -> Binding:
    """What the code approves: this number, of this person, by this invitation. For a new person
    only the name is reserved until it has passed."""
    assert claimed.phone is not None
    person = tx.people.of_name(claimed.partner, claimed.name)
    person_id = (
        tx.people.reserve_name(claimed.partner, claimed.name, claimed.role, claimed.phone)
        if person is None
        else person.id
    )
    return Binding(
        purpose=Purpose.LINK_PHONE,
        operation=claimed.id,
        partner=claimed.partner,
        person_id=person_id,
        amount=NOTHING,
        destination=claimed.phone.msisdn,
    )
