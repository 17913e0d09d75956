"""What answers look like: their schemas. A test holds every answer against them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from bot.calls.answers import ProblemCode
from services.domain.partner_event import EVENT_TYPES, TEST
from services.domain.public_batch import BatchStatus, StopReason
from services.domain.public_operation import PublicKind, Status

Decimal = Annotated[str, Field(pattern=r"^-?[0-9]+\.[0-9]{2}$", examples=["1500.00"])]
Moment = Annotated[
    str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-30T08:15:02.120Z"])
]
Reference = Annotated[str, Field(examples=["TU-7K3QF9"])]


class Document(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class AccountDocument(Document):
    balance: Decimal
    available: Decimal = Field(description="What can be used now: the balance less what is held.")
    held: Decimal = Field(description="Set aside for what is under way.")
    low_balance_threshold: Decimal
    low: bool = Field(description="Less is available than the threshold.")


class BalanceDocument(Document):
    partner_id: str
    currency: str
    wallet: AccountDocument
    float: AccountDocument
    as_of: Moment


class OperationDocument(Document):
    """What moves money, or has moved it. All members are always there, but those that only a
    payout has."""

    reference: Reference
    kind: PublicKind = Field(strict=False)
    status: Status = Field(strict=False)
    reason: str | None = Field(description="Why it ended as it did, in one word.")
    final: bool = Field(description="We ask no more, and expect no change.")
    version: int = Field(ge=1, description="Grows by one with every change.")
    amount: Decimal
    currency: str
    fees: Decimal | None
    transfer_fee: Decimal | None
    processing_fee: Decimal | None
    total: Decimal | None = Field(description="Amount and fees.")
    wallet_change: Decimal = Field(description="What the wallet has moved by so far, signed.")
    phone: str | None
    receipt: str | None = Field(description="M-PESA's, or the bank's.")
    description: str | None = Field(description="Your own words.")
    created_at: Moment
    updated_at: Moment
    recipient_phone: str | None = Field(default=None, description="Whom a payout is for.")
    recipient_name: str | None = Field(
        default=None,
        description="As M-PESA gave it, once it did; shortened in events, such as `ASHA E.`.",
    )
    remarks: str | None = Field(default=None, description="What M-PESA keeps with a payout.")
    client_reference: str | None = Field(default=None, description="What you call a payout.")


class PayoutDocument(OperationDocument):
    """A payout to a customer. All members are always there."""

    recipient_phone: str
    recipient_name: str | None
    remarks: str
    client_reference: str | None


Count = Annotated[int, Field(ge=0)]


class RowCountsDocument(Document):
    """How many rows of a batch stand like this; together they are its `rows`."""

    awaiting_approval: Count
    awaiting_code: Count
    pending: Count
    paid: Count
    returned: Count
    paid_after_return: Count
    unknown: Count
    cancelled: Count


class PayoutBatchDocument(Document):
    """Payouts that two people approve as one. Each row becomes a payout with events of its own."""

    reference: str = Field(examples=["BA-5NQ8TX"])
    kind: Literal["payout_batch"]
    status: BatchStatus = Field(strict=False)
    reason: StopReason | None = Field(
        strict=False, description="Why it was stopped, or never ran, in one word."
    )
    final: bool = Field(description="The batch changes no more. Rows that are under way may.")
    version: int = Field(ge=1, description="Grows by one with every change of the status.")
    rows: int = Field(ge=1, description="How many there are.")
    amount: Decimal = Field(description="Of all rows.")
    currency: str
    fees: Decimal = Field(description="M-PESA's tariff for all rows.")
    total: Decimal = Field(description="Amount and fees: what your float needs.")
    digest: str = Field(
        pattern="^[0-9a-f]{64}$", description="SHA-256 of the rows, which people see and approve."
    )
    doubles: int = Field(ge=0, description="Rows that look like a repetition, and were accepted.")
    counts: RowCountsDocument
    created_at: Moment
    updated_at: Moment


class FollowedDocument(RootModel[OperationDocument | PayoutBatchDocument]):
    """An operation; of a reference that begins with `BA-` the batch."""


class PayoutBatchRowDocument(Document):
    row: int = Field(ge=1, description="Its place among the rows of data, from 1.")
    phone_number: str
    amount: Decimal
    currency: str
    reference: str = Field(description="Your own.")
    name: str | None = Field(description="Whom you mean.")
    remarks: str | None
    status: Status = Field(
        strict=False, description="Of its payout; before there is one, of its batch."
    )
    reason: str | None
    payout: str | None = Field(description="The payout that it has become.", examples=["PO-4XW9RZ"])
    receipt: str | None = Field(description="M-PESA's.")
    recipient_name: str | None = Field(description="As M-PESA gave it, once it did.")
    settled_at: Moment | None


class PayoutBatchRowsDocument(Document):
    data: list[PayoutBatchRowDocument]
    next_cursor: str | None


class HistoryDocument(Document):
    data: list[OperationDocument]
    next_cursor: str | None


class CodeQuoteDocument(Document):
    amount: Decimal
    currency: str
    fees: Decimal
    transfer_fee: Decimal
    processing_fee: Decimal
    total: Decimal


class QuoteDocument(CodeQuoteDocument):
    kind: Literal["float", "payout"]
    wallet_after: Decimal
    float_after: Decimal
    approval_needed: bool
    allowed: bool
    reason: ProblemCode | None = Field(strict=False)


class SentToDocument(Document):
    phone: str | None
    email: str | None


class CodeDocument(Document):
    reference: Reference
    status: Literal["awaiting_code", "awaiting_approval"]
    expires_at: Moment | None
    max_attempts: int
    sent_to: SentToDocument
    quote: CodeQuoteDocument | None


CodeStatus = Literal["pending", "used", "expired", "locked", "killed"]


class CodeCheckDocument(Document):
    valid: bool
    remaining_attempts: int
    status: CodeStatus


Delivery = Literal["queued", "sent", "delivered", "failed", "none"]


class CodeReportDocument(Document):
    reference: Reference
    status: CodeStatus
    attempts: int
    remaining_attempts: int
    expires_at: Moment
    created_at: Moment
    sms: Delivery
    email: Delivery


class CleanedDocument(Document):
    cleaned_count: int


class _Endpoint(Document):
    id: str
    url: str
    types: list[str] | None
    description: str | None
    enabled: bool
    created_at: Moment


class EndpointDocument(_Endpoint):
    last_success_at: Moment | None
    last_error: str | None


class CreatedEndpointDocument(_Endpoint):
    secret: str = Field(pattern="^whsec_", description="Shown this once.")


class EndpointsDocument(Document):
    data: list[EndpointDocument]


class TestDocument(Document):
    id: str
    type: Literal["webhook.test"]
    endpoint: str


class ResentDocument(Document):
    id: str
    endpoints: int = Field(description="How many endpoints it is sent to.")


class LowBalanceDocument(Document):
    """The `data` of `balance.low`."""

    account: Literal["wallet", "float"]
    balance: Decimal
    threshold: Decimal


class NoDataDocument(Document):
    """The `data` of `webhook.test`."""


class EventMetaDocument(Document):
    """The request that caused the event; both null where none did."""

    request_id: str | None
    idempotency_key: str | None


class EventDocument(Document):
    id: str
    type: str = Field(json_schema_extra={"enum": [*EVENT_TYPES, TEST]})
    timestamp: Moment
    data: OperationDocument | PayoutBatchDocument | LowBalanceDocument | NoDataDocument = Field(
        description="An event about an operation or a batch has it as it was at that version."
    )
    meta: EventMetaDocument


class EventsDocument(Document):
    data: list[EventDocument]
    has_more: bool


class FieldErrorDocument(Document):
    pointer: str
    detail: str


class RowErrorDocument(Document):
    """What is wrong with a row of a batch. `code` is one word."""

    row: int = Field(ge=1, description="Its place among the rows of data, from 1.")
    field: str = Field(description="The member of the row, or the column of the file.")
    code: str
    detail: str


class ProblemDocument(BaseModel):
    """RFC 9457. Some codes add members of their own."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: ProblemCode
    request_id: str
    retryable: bool = Field(description="The same request may succeed later.")
    money: Literal["none", "pending", "moved"] = Field(
        description="What this request has done to your money."
    )
    errors: list[FieldErrorDocument | RowErrorDocument] | None = None
