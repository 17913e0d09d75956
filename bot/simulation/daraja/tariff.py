"""What M-PESA charges the short code for a payment to a customer (facts: M-PESA, Limits)."""

from __future__ import annotations

MINIMUM_KES = 10
MAXIMUM_KES = 250_000

_BANDS = ((100, 0), (1_500, 5), (5_000, 9), (20_000, 11), (MAXIMUM_KES, 13))  # up to, charge; KES


def charge_kes(amount_kes: int) -> int:
    """Raises ``ValueError`` above the highest band."""
    for highest, charge in _BANDS:
        if amount_kes <= highest:
            return charge
    raise ValueError(f"no band for {amount_kes}")
