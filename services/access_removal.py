"""What ends when somebody loses a right: invitations, approvals not yet used, codes and purchases;
and with an account, what waits to be sent there.

Runs inside a transaction and calls nobody outside. Each of these asks for the right again where it
is used; what ends here is told now, instead of when somebody stumbles over it.
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
    """End what rests on rights that ``person`` does not keep, whichever they had until now.

    Returns colleagues' purchases that lost the yes they had, to be told to who began them.
    """
    if Right.INVITE not in keeps:
        for invite_id in tx.invites.revoke_made_by(by_person(person.id)):
            otp.revoke(tx, invite_id)
    if Right.MOVE_MONEY not in keeps:
        _drop_own(tx, person)
    return [] if Right.APPROVE in keeps else approvals.void_approvals_of(tx, person)


def unlink_account(tx: Tx, account: tuple[str, str]) -> None:
    """The account is nobody's any more, and nothing that waits for it is sent."""
    tx.people.unlink(*account)
    tx.outbox.drop_queued(*account)


def cancel_texts_to_unlinked(tx: Tx, phone: Phone) -> None:
    """Nothing that waits to be texted to a number goes out, where nobody with an account has it."""
    if not tx.people.linked_with(phone):
        tx.outbox.drop_queued_sms(phone)


def drop_purchases(tx: Tx, person: Person, account: tuple[str, str]) -> None:
    """What the person began with an account that is not theirs any more can be gone on with
    nowhere."""
    for operation in _begun(tx, person):
        purchase = tx.purchases.get(operation)
        if purchase is not None and (purchase.channel, purchase.address) == account:
            float_purchases.cancel(tx, person, operation)


def _drop_own(tx: Tx, person: Person) -> None:
    """The person may go on with nothing: also the codes die that approve no purchase."""
    for operation in _begun(tx, person):
        float_purchases.cancel(tx, person, operation)
        otp.revoke(tx, operation)


def _begun(tx: Tx, person: Person) -> list[str]:
    """Operations of the person that no code has let go yet."""
    codes = tx.otps.pending_of(person.partner.code)
    return [
        *(purchase.reference for purchase in tx.purchases.without_code(person.id)),
        *(code.binding.operation for code in codes if code.binding.person_id == person.id),
    ]
