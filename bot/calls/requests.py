"""What partners' systems send: one model per call, with unknown members refused."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.calls.fields import (
    WHOLE_AMOUNT_SCHEMA,
    Amount,
    ClientReference,
    Description,
    EmailAddress,
    Fee,
    OneTimeCode,
    OperationReference,
    PhoneNumber,
    Remarks,
    WholeAmount,
)

PartnerId = Field(
    default=None,
    min_length=1,
    max_length=16,
    description="Yours, or left out: the key decides.",
    examples=["DUKA"],
)


class Request(BaseModel):
    """``partner_id`` may be left out: the key decides the partner. A member that may be left out
    may also be null, which says the same."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    partner_id: str | None = PartnerId


_NULL: dict[str, Any] = {"type": "null"}
_GIVEN: dict[str, Any] = {"type": ["integer", "string"]}


def together(*choices: dict[str, Any]) -> dict[str, Any]:
    """A schema's condition: one of these holds. It stands in ``allOf``, since tools that generate
    clients take a choice at the top for one between different classes."""
    return {"allOf": [{"anyOf": list(choices)}]}


_CODE_OR_NONE = together(
    {"properties": {"otp_reference": _NULL, "otp_code": _NULL}},
    {
        "properties": {"otp_reference": _GIVEN, "otp_code": _GIVEN},
        "required": ["otp_reference", "otp_code"],
    },
)


class TopUpRequest(Request):
    """`otp_reference` and `otp_code` come together or not at all."""

    model_config = ConfigDict(json_schema_extra=_CODE_OR_NONE)

    amount: WholeAmount
    phone_number: PhoneNumber
    description: Description | None = None
    again: bool | None = Field(
        default=False, description="Send another, though one of the same amount and phone is open."
    )
    otp_reference: OperationReference | None = Field(
        default=None, description="Of the code, where one is needed: `otp_required` says so."
    )
    otp_code: OneTimeCode | None = Field(default=None, repr=False)


class ReferenceRequest(Request):
    reference: OperationReference


class QuoteRequest(Request):
    """A payout is of whole shillings."""

    model_config = ConfigDict(
        json_schema_extra=together(
            {"properties": {"kind": {"const": "float"}}},
            {"properties": {"kind": {"const": "payout"}, "amount": WHOLE_AMOUNT_SCHEMA}},
        )
    )

    kind: Literal["float", "payout"]
    amount: Amount


NEW_CODE = ("purpose", "amount", "phone_number", "email_address", "payer_phone", "recipient")
_OF_ANY = NEW_CODE[:4]  # what a code of any purpose may say


def code_choices(payer: str, *others: str, payouts: bool = False) -> dict[str, Any]:
    """What goes together in a request for a code; ``payer`` is the member that names who pays a
    top-up, ``others`` are those that only codes of one purpose have. ``payouts`` have a
    recipient."""

    def purpose(name: str, amount: dict[str, Any], *members: str) -> dict[str, Any]:
        return {
            "properties": {
                "reference": _NULL,
                "purpose": {"const": name},
                "amount": amount,
                **dict.fromkeys((one for one in others if one not in members), _NULL),
                **dict.fromkeys(members, _GIVEN),
            },
            "required": ["purpose", "amount", *members],
        }

    choices = [
        {
            "properties": {"reference": _GIVEN, **dict.fromkeys((*_OF_ANY, *others), _NULL)},
            "required": ["reference"],
        },
        purpose("float_purchase", _GIVEN),
        purpose("wallet_topup", WHOLE_AMOUNT_SCHEMA, payer),
    ]
    if payouts:
        choices.append(purpose("disbursement", WHOLE_AMOUNT_SCHEMA, "recipient"))
    return together(*choices)


class CodeRequest(Request):
    """Either `reference` alone, or what a new code is for. Only a top-up has a payer, and only a
    payout a recipient."""

    model_config = ConfigDict(
        json_schema_extra=code_choices("payer_phone", "payer_phone", "recipient", payouts=True)
    )

    reference: OperationReference | None = Field(
        default=None, description="Alone: another code for this, or the first after an approval."
    )
    purpose: Literal["float_purchase", "wallet_topup", "disbursement"] | None = None
    amount: Amount | None = None
    phone_number: PhoneNumber | None = Field(
        default=None,
        description="Who gets the code; with neither this nor a mail address, the owner.",
    )
    email_address: EmailAddress | None = None
    payer_phone: PhoneNumber | None = Field(
        default=None, description="Who pays the top-up, and only for one."
    )
    recipient: PhoneNumber | None = Field(
        default=None, description="Whom the payout is for, and only for one."
    )


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


class PayoutRequest(Request):
    """`otp_reference` and `otp_code` come together or not at all."""

    model_config = ConfigDict(json_schema_extra=_CODE_OR_NONE)

    amount: WholeAmount
    phone_number: PhoneNumber = Field(description="Whom to pay.")
    otp_reference: OperationReference | None = Field(
        default=None, description="Of the code; without one, your key's ceiling decides."
    )
    otp_code: OneTimeCode | None = Field(default=None, repr=False)
    remarks: Remarks | None = None
    client_reference: ClientReference | None = None
    again: bool | None = Field(
        default=False,
        description="Pay another, though one of the same amount and phone is under way, or was"
        " paid within a day.",
    )
