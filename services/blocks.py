"""Block a number from receiving prompts, or unblock it: admins for all partners, owners for their
own.

Each function runs inside a transaction and makes no outside calls. A prompt that is already open is
not affected.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.domain.block import Block
from services.domain.limits import EVERYBODY
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.ports import Tx


def liftable(tx: Tx, phone: Phone, partner: str) -> Sequence[Block]:
    """The block ``partner`` may lift: its own, or for ``EVERYBODY`` all blocks of this number."""
    found = tx.blocks.of_phone(phone)
    return found if partner == EVERYBODY else [one for one in found if one.partner == partner]


def block(tx: Tx, phone: Phone, partner: str, by: str) -> Refusal | None:
    """No prompts from ``partner``, or from ``EVERYBODY``, go to this number from now on.

    Refusal: ``blocked_already``.
    """
    added = tx.blocks.add(Block(phone, partner, by, tx.now))
    return None if added else Refusal("blocked_already")


def unblock(tx: Tx, phone: Phone, partner: str) -> Sequence[Block] | Refusal:
    """Lift the blocks that ``liftable`` gives, and return them. Refusal: ``not_blocked``."""
    lifted = liftable(tx, phone, partner)
    for one in lifted:
        tx.blocks.remove(one.phone, one.partner)
    return lifted or Refusal("not_blocked")
