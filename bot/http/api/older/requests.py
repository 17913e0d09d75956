"""What clients of the older service send, where its names differ from those of the calls."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from bot.calls.fields import (
    Amount,
    Description,
    EmailAddress,
    Fee,
    OneTimeCode,
    OperationReference,
    PhoneNumber,
)
from bot.calls.requests import Request, code_choices, together

USER_ID_MAX = 100  # characters
NAMES = ("transaction_id", "stk_push_transaction_id", "reference")


class LookRequest(Request):
    """Each is our reference: one is enough, and those that are sent are the same."""

    model_config = ConfigDict(
        json_schema_extra=together(
            *({"required": [name], "properties": {name: {"type": "string"}}} for name in NAMES)
        )
    )

    transaction_id: OperationReference | None = None
    stk_push_transaction_id: OperationReference | None = None
    reference: OperationReference | None = None


class OlderFloatRequest(Request):
    float_amount: Amount
    otp_reference: OperationReference
    otp_code: OneTimeCode = Field(repr=False)
    transfer_fee: Fee | None = None
    processing_fee: Fee | None = None
    description: Description | None = None


class OlderCodeRequest(Request):
    """Either ``reference`` alone, or what a new code is for.

    ``user_id`` was who the caller said it was. It is taken and ignored: who acts is decided by the
    key, and whose code it is by the registered number and mail address. A top-up is paid from the
    phone that gets the code.
    """

    model_config = ConfigDict(json_schema_extra=code_choices("phone_number"))

    user_id: str | None = Field(
        default=None, max_length=USER_ID_MAX, description="Taken, and ignored."
    )
    reference: OperationReference | None = None
    purpose: Literal["float_purchase", "wallet_topup"] | None = None
    amount: Amount | None = None
    phone_number: PhoneNumber | None = None
    email_address: EmailAddress | None = None
