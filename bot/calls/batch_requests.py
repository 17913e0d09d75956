"""What partners' systems send for a batch of payouts: rows in JSON, or the file that people send in
the chat."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from bot.calls.fields import (
    PHONE_SCHEMA,
    PRINTABLE_SCHEMA,
    REMARKS_SCHEMA,
    WHOLE_AMOUNT_SCHEMA,
    wrong,
)
from bot.calls.requests import Request
from flows.parsers.payout_file import NAME_MAX, REFERENCE_MAX
from services.domain.payout_batch import ROWS_MAX


def _left_out() -> None:
    """The value of what a row does not say, which its schema does not show."""


def _any(schema: dict[str, Any], *, required: bool = False) -> Any:
    """Anything: what is wrong with a row is told by its row, with all else that is wrong."""
    return WithJsonSchema(schema if required else {"anyOf": [schema, {"type": "null"}]})


_REFERENCE = {
    "anyOf": [
        {
            "type": "string",
            "minLength": 1,
            "maxLength": REFERENCE_MAX,
            "pattern": PRINTABLE_SCHEMA,
        },
        {"type": "integer"},
    ],
    "description": "Your own, each once in a batch.",
    "examples": ["S-1042"],
}
_NAME = {
    "type": "string",
    "maxLength": NAME_MAX,
    "pattern": PRINTABLE_SCHEMA,
    "description": "Whom you mean, for your own people.",
    "examples": ["Mary Wanjiku"],
}


class BatchRowRequest(BaseModel):
    """One payout. `reference` comes back with it."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        json_schema_extra={"required": ["phone_number", "amount", "reference"]},
    )

    phone_number: Annotated[Any, PHONE_SCHEMA] = Field(default_factory=_left_out)
    amount: Annotated[Any, _any(WHOLE_AMOUNT_SCHEMA, required=True)] = Field(
        default_factory=_left_out
    )
    reference: Annotated[Any, _any(_REFERENCE, required=True)] = Field(default_factory=_left_out)
    name: Annotated[Any, _any(_NAME)] = None
    remarks: Annotated[Any, _any(REMARKS_SCHEMA)] = None


def _rows(given: object) -> object:
    if isinstance(given, list) and 0 < len(given) <= ROWS_MAX:
        return given
    raise wrong(f"This is a list of 1 to {ROWS_MAX} rows.")


class BatchRequest(Request):
    """Nothing is taken unless every row can be paid."""

    rows: Annotated[
        list[BatchRowRequest],
        BeforeValidator(_rows),
        Field(json_schema_extra={"minItems": 1, "maxItems": ROWS_MAX}),
    ]
    accept_doubles: bool | None = Field(
        default=False, description="Pay rows that look like a repetition all the same."
    )


@dataclass(frozen=True, slots=True)
class BatchFile:
    """The bytes of a CSV file, as people send it in the chat."""

    content: bytes = field(repr=False)
    partner_id: None = None
