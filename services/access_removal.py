"""What ends when somebody loses a right: invitations, unused approvals, codes and purchases; and,
with an account, the messages waiting for it.

Runs inside a transaction and makes no outside calls. Every use checks the right again anyway;
ending these now means that people are told at once.
"""

from __future__ import annotations

from collections.abc import Collection

from services import approvals, otp, spending
from services.domain.audit import by_person
from services.domain.partner import Person, Right
from services.domain.phone import Phone
from services.domain.spending import Spending
from services.ports import Tx

NONE: frozenset[Right] = frozenset()


def remove_rights(tx: Tx, person: Person, keeps: Collection[Right] = NONE) -> list[Spending]:
    """End everything that depends on rights ``person`` loses, whichever they had before.

    Returns colleagues' operations that lost their approval, so that they can be told.
    """
    if Right.INVITE not in keeps:
        for invite_id in tx.invites.revoke_made_by(by_person(person.id)):
            otp.revoke(tx, invite_id)
    if Right.MOVE_MONEY not in keeps:
        _drop_own(tx, person)
    return [] if Right.APPROVE in keeps else approvals.void_approvals_of(tx, person)


def unlink_account(tx: Tx, account: tuple[str, str]) -> None:
    """Unlink the account, and send nothing that is queued for it."""
    tx.people.unlink(*account)
    tx.outbox.drop_queued(*account)


def cancel_texts_to_unlinked(tx: Tx, phone: Phone) -> None:
    """Cancel queued SMS to this number if no person with a linked account has it."""
    if not tx.people.linked_with(phone):
        tx.outbox.drop_queued_sms(phone)


def drop_begun(tx: Tx, person: Person, account: tuple[str, str]) -> None:
    """Drop purchases and payouts the person began from an account that is no longer theirs: they
    cannot be continued anywhere."""
    for operation in _begun(tx, person):
        found = spending.get(tx, operation)
        if found is not None and (found.channel, found.address) == account:
            spending.cancel(tx, person, operation)


def _drop_own(tx: Tx, person: Person) -> None:
    """The person can continue nothing: revoke their other codes as well, and their PIN."""
    for operation in _begun(tx, person):
        spending.cancel(tx, person, operation)
        otp.revoke(tx, operation)
    tx.desk_pins.forget(person.id)


def _begun(tx: Tx, person: Person) -> list[str]:
    """The person's operations that no code has released yet."""
    codes = tx.otps.pending_of(person.partner.code)
    return [
        *(found.reference for found in spending.without_code(tx, person.id)),
        *(code.binding.operation for code in codes if code.binding.person_id == person.id),
    ]
