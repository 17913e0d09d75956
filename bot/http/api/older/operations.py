"""Operations as the older answers give them."""

from __future__ import annotations

from bot.calls.answers import Document
from bot.http.api.older.numbers import number, number_or_null
from bot.http.api.older.statuses import MESSAGES, OLDER, OlderStatus
from services.domain.instant import to_rfc3339
from services.domain.public_operation import PublicOperation
from services.ports import Tx

_UNDONE = (OlderStatus.FAILED, OlderStatus.CANCELLED)


def bank_id(tx: Tx, operation: PublicOperation) -> str | None:
    """The bank's own id of the prompt or the purchase, once it gave one."""
    found = tx.topups.get(operation.reference) or tx.purchases.get(operation.reference)
    return None if found is None else found.bank_id


def started_topup(tx: Tx, operation: PublicOperation) -> Document:
    return {
        "success": True,
        "message": "The prompt is on its way to the phone. It is not paid yet.",
        "transactionId": operation.reference,
        "reference": operation.reference,
        "stkPushTransactionId": operation.reference,
        "ncbReferenceId": bank_id(tx, operation),
    }


def validated_topup(tx: Tx, operation: PublicOperation) -> Document:
    status = OLDER[operation.status]
    credited = operation.wallet_change
    return {
        "success": True,
        "message": MESSAGES[status],
        "transactionId": operation.reference,
        "ncbReferenceId": bank_id(tx, operation),
        "status": status.value,
        "creditedAmount": number(credited) if credited.cents > 0 else None,
    }


def queried_topup(tx: Tx, operation: PublicOperation) -> Document:
    status = OLDER[operation.status]
    return {
        "success": True,
        "status": status.value,
        "amount": number(operation.amount),
        "phoneNumber": operation.phone,
        "transactionId": operation.reference,
        "referenceId": operation.reference,
        "message": MESSAGES[status],
        "error": operation.reason if status in _UNDONE else None,
    }


def transaction(tx: Tx, operation: PublicOperation) -> Document:
    return {
        "id": operation.reference,
        "reference": operation.reference,
        "type": operation.kind.value,
        "amount": number(operation.amount),
        "currency": operation.amount.currency,
        "fees": number_or_null(operation.fees),
        "totalAmount": number_or_null(operation.total),
        "walletChange": number(operation.wallet_change),
        "status": OLDER[operation.status].value,
        "description": operation.description,
        "phoneNumber": operation.phone,
        "receipt": operation.receipt,
        "ncbReferenceId": bank_id(tx, operation),
        "createdAt": to_rfc3339(operation.created_at),
        "updatedAt": to_rfc3339(operation.updated_at),
    }
