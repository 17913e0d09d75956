"""Whose a reference is."""

from __future__ import annotations

from services.domain.api_key import PREFIX
from services.ports import Tx


def partner_of(tx: Tx, reference: str) -> str | None:
    """The partner of an operation, of the code that approves one not begun yet, or of an API key.

    ``None`` if nothing has this reference.
    """
    partner = tx.operations.partner_of(reference)
    if partner is not None:
        return partner
    if reference.startswith(PREFIX):
        key = tx.api_keys.get(reference)
        return None if key is None else key.partner
    code = tx.otps.newest(reference)
    return None if code is None else code.binding.partner
