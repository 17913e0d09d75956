"""What answers under the older names look like: their schemas, in the names of that service."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from bot.http.api.documents import CodeStatus, Document, Moment, ProblemDocument, Reference
from bot.http.api.older.statuses import OlderStatus
from services.domain.public_operation import PublicKind

Number = Annotated[int | float, WithJsonSchema({"type": "number", "examples": [1500, 1500.5]})]
Purpose = Literal["float_purchase", "wallet_topup"]


class Success(Document):
    success: Literal[True]


class WalletDocument(Document):
    id: str = Field(description="A partner has one wallet: it has the partner's id.")
    partnerId: str
    currentBalance: Number = Field(description="What may be spent: what is held is gone already.")
    currency: str
    lastTopupDate: Moment | None
    lastTopupAmount: Number | None
    lowBalanceThreshold: Number
    smsNotificationsEnabled: bool
    isLowBalance: bool


class B2cFloatDocument(Document):
    currentFloatBalance: Number
    lastPurchaseDate: Moment | None
    lastPurchaseAmount: Number | None
    totalPurchased: Number
    totalUsed: Number


class OlderBalanceDocument(Success):
    """``b2cFloat`` is null where nothing was ever bought."""

    wallet: WalletDocument
    b2cFloat: B2cFloatDocument | None


class StartedTopUpDocument(Success):
    """``transactionId``, ``reference`` and ``stkPushTransactionId`` are one."""

    message: str
    transactionId: Reference
    reference: Reference
    stkPushTransactionId: Reference
    ncbReferenceId: str | None


class ValidatedTopUpDocument(Success):
    message: str
    transactionId: Reference
    ncbReferenceId: str | None
    status: OlderStatus = Field(strict=False)
    creditedAmount: Number | None = Field(description="Null until the wallet was credited.")


class QueriedTopUpDocument(Success):
    """``success`` is of this call; how the payment stands is ``status``."""

    status: OlderStatus = Field(strict=False)
    amount: Number
    phoneNumber: str | None
    transactionId: Reference
    referenceId: Reference
    message: str
    error: str | None = Field(description="Why it failed, if it has and this is known.")


class BoughtFloatDocument(Success):
    """Accepted, and its money held; whether it is bought is told by ``stk-push/query``."""

    transactionId: Reference
    reference: Reference
    floatAmount: Number
    totalAmount: Number
    newWalletBalance: Number


class TransactionDocument(Document):
    """``walletChange`` is signed: what the wallet has moved by so far."""

    id: Reference
    reference: Reference
    type: PublicKind = Field(strict=False)
    amount: Number
    currency: str
    fees: Number | None
    totalAmount: Number | None
    walletChange: Number
    status: OlderStatus = Field(strict=False)
    description: str | None
    phoneNumber: str | None
    receipt: str | None
    ncbReferenceId: str | None
    createdAt: Moment
    updatedAt: Moment


class PaginationDocument(Document):
    limit: int
    offset: int
    total: int


class TransactionsDocument(Success):
    transactions: list[TransactionDocument]
    pagination: PaginationDocument


class GeneratedCodeDocument(Success):
    """The addresses are masked. Where a second person must approve first, no code was sent yet:
    they and ``expiresAt`` are null, and this call with ``reference`` alone sends it afterwards."""

    reference: Reference
    expiresAt: Moment | None
    purpose: Purpose
    amount: Number
    phoneNumber: str | None
    emailAddress: str | None
    maxAttempts: int
    expiryMinutes: int


class OlderCodeDocument(Document):
    status: CodeStatus
    attempts: int
    maxAttempts: int
    remainingAttempts: int
    smsSent: bool
    emailSent: bool
    expiresAt: Moment
    validatedAt: Moment | None
    createdAt: Moment
    isExpired: bool


class CheckedCodeDocument(OlderCodeDocument):
    reference: Reference
    purpose: Purpose
    amount: Number


class ValidatedCodeDocument(Success):
    valid: bool
    message: str
    remainingAttempts: int
    otp: CheckedCodeDocument


class OlderCodeReportDocument(Success):
    otp: OlderCodeDocument


class OlderCleanedDocument(Success):
    cleanedCount: int


class OlderProblemDocument(ProblemDocument):
    success: Literal[False]
    error: str
