"""What partners' systems send: one model per call, with unknown members refused."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.calls.fields import (
    Amount,
    Description,
    EmailAddress,
    Fee,
    OneTimeCode,
    OperationReference,
    PhoneNumber,
    WholeAmount,
)

PartnerId = Field(default=None, min_length=1, max_length=16, examples=["DUKA"])


class Request(BaseModel):
    """``partner_id`` may be left out: the key decides the partner."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    partner_id: str | None = PartnerId


class TopUpRequest(Request):
    amount: WholeAmount
    phone_number: PhoneNumber
    description: Description | None = None
    again: bool = False
    otp_reference: OperationReference | None = None
    otp_code: OneTimeCode | None = Field(default=None, repr=False)


class ReferenceRequest(Request):
    reference: OperationReference


class QuoteRequest(Request):
    kind: Literal["float"]
    amount: Amount


class CodeRequest(Request):
    """Either ``reference`` alone, or what a new code is for."""

    reference: OperationReference | None = None
    purpose: Literal["float_purchase", "wallet_topup"] | None = None
    amount: Amount | None = None
    phone_number: PhoneNumber | None = None
    email_address: EmailAddress | None = None
    payer_phone: PhoneNumber | None = None


class CodeCheckRequest(Request):
    reference: OperationReference
    otp_code: OneTimeCode = Field(repr=False)


class NothingRequest(Request):
    """A body is not needed."""


class FloatRequest(Request):
    amount: Amount
    otp_reference: OperationReference
    otp_code: OneTimeCode = Field(repr=False)
    transfer_fee: Fee | None = None
    processing_fee: Fee | None = None
    description: Description | None = None
