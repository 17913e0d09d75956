"""Whose a reference is."""

from __future__ import annotations

from services.ports import Tx


def partner_of(tx: Tx, reference: str) -> str | None:
    """The partner of an operation, or of the code that approves one not begun yet.

    ``None`` if nothing has this reference.
    """
    partner = tx.operations.partner_of(reference)
    if partner is not None:
        return partner
    code = tx.otps.newest(reference)
    return None if code is None else code.binding.partner
