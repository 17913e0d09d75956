"""Recipients that a partner's people save under a name.

Functions run inside a transaction and make no outside calls.
"""

from __future__ import annotations

from services.domain.partner import Person
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.ports import Tx

SAVED_MAX = 500  # of one partner


def save(tx: Tx, person: Person, name: str, phone: Phone) -> Refusal | None:
    """A phone that is saved already gets the new name. A name never moves to another phone by
    itself: who pays by name would pay somebody else.

    Refusals: ``recipient_name_taken`` (name, phone), ``recipients_full`` (most).
    """
    partner = person.partner.code
    standing = tx.recipients.of_name(partner, name)
    if standing is not None and standing.phone != phone:
        return Refusal.of("recipient_name_taken", name=standing.name, phone=standing.phone)
    is_new = tx.recipients.of_phone(partner, phone) is None
    if is_new and tx.recipients.count(partner) >= SAVED_MAX:
        return Refusal.of("recipients_full", most=SAVED_MAX)
    tx.recipients.save(partner, name, phone, person.id)
    return None


def delete(tx: Tx, person: Person, phone: Phone) -> str | None:
    """The name that is forgotten; ``None`` if nothing was saved."""
    saved = tx.recipients.of_phone(person.partner.code, phone)
    if saved is None:
        return None
    tx.recipients.remove(person.partner.code, saved.name)
    return saved.name
