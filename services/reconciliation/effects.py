"""What reading a statement line can lead to."""

from __future__ import annotations

from services import payments
from services.float_settlement import PurchaseChange
from services.reversals import Reversed

LineEffect = payments.PaymentEffect | PurchaseChange | Reversed
