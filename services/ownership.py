"""Whose a reference is."""

from __future__ import annotations

from services.domain.api_key import PREFIX
from services.domain.ids import draw_unique, new_reference
from services.ports import Random, Tx


def partner_of(tx: Tx, reference: str) -> str | None:
    """The partner of an operation, of the code or PIN that approves one not begun yet, of a change
    that needs a code, of an API key, or of an endpoint.

    ``None`` if nothing has this reference.
    """
    partner = tx.operations.partner_of(reference)
    if partner is not None:
        return partner
    if reference.startswith(PREFIX):
        key = tx.api_keys.get(reference)
        return None if key is None else key.partner
    code = tx.otps.newest(reference)
    if code is not None:
        return code.binding.partner
    if (asked := tx.desk_pins.partner_of(reference)) is not None:
        return asked
    endpoint = tx.webhooks.get(reference)
    return None if endpoint is None else endpoint.partner


def draw_reference(tx: Tx, random: Random, prefix: str) -> str:
    """One that nothing has, for what is kept under it later. Raises ``RuntimeError`` as
    ``draw_unique`` does."""
    return draw_unique(
        lambda: new_reference(prefix, random), lambda drawn: partner_of(tx, drawn) is None
    )
