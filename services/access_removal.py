"""What ends when somebody loses a right: invitations, unused approvals, codes and purchases; and,
with an account, the messages waiting for it.

Runs inside a transaction and makes no outside calls. Every use checks the right again anyway;
ending these now means that people are told at once.
"""

from __future__ import annotations

from collections.abc import Collection

from services import approvals, float_purchases, otp
from services.domain.audit import by_person
from services.domain.float_purchase import Purchase
from services.domain.partner import Person, Right
from services.domain.phone import Phone
from services.ports import Tx

NONE: frozenset[Right] = frozenset()


def remove_rights(tx: Tx, person: Person, keeps: Collection[Right] = NONE) -> list[Purchase]:
    """End everything that depends on rights ``person`` loses, whichever they had before.

    Returns colleagues' purchases that lost their approval, so that their buyers can be told.
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


def drop_purchases(tx: Tx, person: Person, account: tuple[str, str]) -> None:
    """Drop purchases the person began from an account that is no longer theirs: they cannot be
    continued anywhere."""
    for operation in _begun(tx, person):
        purchase = tx.purchases.get(operation)
        if purchase is not None and (purchase.channel, purchase.address) == account:
            float_purchases.cancel(tx, person, operation)


def _drop_own(tx: Tx, person: Person) -> None:
    """The person can continue nothing: revoke their other codes as well, and their PIN."""
    for operation in _begun(tx, person):
        float_purchases.cancel(tx, person, operation)
        otp.revoke(tx, operation)
    tx.desk_pins.forget(person.id)


def _begun(tx: Tx, person: Person) -> list[str]:
    """The person's operations that no code has released yet."""
    codes = tx.otps.pending_of(person.partner.code)
    return [
        *(purchase.reference for purchase in tx.purchases.without_code(person.id)),
        *(code.binding.operation for code in codes if code.binding.person_id == person.id),
    ]
