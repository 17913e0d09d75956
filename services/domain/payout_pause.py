"""Why no payout of anybody's is sent for now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

BY_ADMIN = "by_admin"


@dataclass(frozen=True, slots=True)
class PayoutPause:
    """``why`` is M-PESA's reason, with the payout that met it; or else ``BY_ADMIN``, or
    ``restored``: M-PESA may have paid since the backup."""

    why: str
    operation: str | None
    began_at: datetime
