"""What clients of the older service send, where its names differ from those of the calls."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema

from bot.calls.fields import (
    AMOUNT_MAX,
    FEE_PATTERN,
    Amount,
    Description,
    EmailAddress,
    OneTimeCode,
    OperationReference,
    PhoneNumber,
    read_fee,
)
from bot.calls.requests import Request, code_choices, together
from services.domain.money import Money

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


def _fee(given: object) -> Money:
    """Its clients compute fees, so they may come as numbers with cents: they are only compared."""
    if isinstance(given, float) and f"{float(given)!r}" == f"{round(given, 2)!r}" and given >= 0:
        return read_fee(f"{given:.2f}")
    return read_fee(given)


OlderFee: TypeAlias = Annotated[
    Money,
    BeforeValidator(_fee),
    WithJsonSchema(
        {
            "description": "As quoted.",
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": AMOUNT_MAX},
                {"type": "string", "pattern": FEE_PATTERN},
            ],
        }
    ),
]


class OlderFloatRequest(Request):
    float_amount: Amount
    otp_reference: OperationReference
    otp_code: OneTimeCode = Field(repr=False)
    transfer_fee: OlderFee | None = None
    processing_fee: OlderFee | None = None
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
