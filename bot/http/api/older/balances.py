"""The balance call under its older name."""

from __future__ import annotations

from typing import Any

from bot.calls.answers import Reply
from bot.calls.caller import CallContext
from bot.calls.reading import newest
from bot.http.api.older.numbers import moment_or_null, number, number_or_null
from bot.http.api.route import Given
from services import balances
from services.domain.money import Money
from services.domain.notification import NotificationKind
from services.domain.public_operation import PublicKind, Status


def spendable(call: CallContext) -> Money:
    """There, money left the wallet when it was asked for. So what is held for a purchase under way
    does not count as the client's any more."""
    return balances.of(call.tx, call.partner).wallet.available


def balance(call: CallContext, given: Given) -> Reply:
    tx, partner = call.tx, call.partner
    seen = balances.of(tx, partner)
    last = newest(call, PublicKind.TOPUP, Status.PAID)
    topup = None if last is None else tx.topups.get(last.reference)
    low = tx.notification_preferences.get(partner.code, NotificationKind.LOW_WALLET)
    return Reply(
        {
            "success": True,
            "wallet": {
                "id": partner.code,
                "partnerId": partner.code,
                "currentBalance": number(seen.wallet.available),
                "currency": partner.currency,
                "lastTopupDate": moment_or_null(None if topup is None else topup.settled_at),
                "lastTopupAmount": number_or_null(None if topup is None else topup.amount),
                "lowBalanceThreshold": number(seen.threshold),
                "smsNotificationsEnabled": low.sms,
                "isLowBalance": seen.is_low,
            },
            "b2cFloat": _float(call, seen.float.available),
        }
    )


def _float(call: CallContext, available: Money) -> dict[str, Any] | None:
    tx, partner = call.tx, call.partner
    totals = tx.ledger.float_totals(partner.code, partner.currency)
    if not totals.purchased.cents:
        return None
    last = newest(call, PublicKind.FLOAT, Status.SUCCEEDED)
    purchase = None if last is None else tx.purchases.get(last.reference)
    return {
        "currentFloatBalance": number(available),
        "lastPurchaseDate": moment_or_null(None if purchase is None else purchase.settled_at),
        "lastPurchaseAmount": number_or_null(None if purchase is None else purchase.amount),
        "totalPurchased": number(totals.purchased),
        "totalUsed": number(totals.used),
    }
