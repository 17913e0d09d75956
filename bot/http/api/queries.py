"""What queries may say: every value is text."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from bot.calls.cursor import LENGTH_MAX
from bot.calls.fields import OperationReference, read_moment, wrong
from bot.calls.reading import OFFSET_MAX
from bot.calls.requests import PartnerId
from services.domain.public_operation import PublicKind, Status

WAIT_MAX_S = 25
VERSION_MAX = 2**53 - 1


def _whole(least: int, most: int) -> Any:
    def read(given: object) -> int:
        if isinstance(given, str) and re.fullmatch(r"0|[1-9][0-9]{0,15}", given, re.ASCII):
            number = int(given)
            if least <= number <= most:
                return number
        raise wrong(f"This is a whole number from {least} to {most}.")

    return BeforeValidator(read)


def _moment(given: object) -> datetime:
    moment = read_moment(given) if isinstance(given, str) and len(given) <= 40 else None
    if moment is None:
        raise wrong("This is a day such as 2026-11-30, or a time such as 2026-11-30T08:00:00Z.")
    return moment


Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema(
        {
            "description": "A day in Nairobi, or a time.",
            "anyOf": [
                {"type": "string", "format": "date"},
                {"type": "string", "format": "date-time"},
            ],
        }
    ),
]


class Query(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    partner_id: str | None = PartnerId


class OperationQuery(Query):
    wait: Annotated[
        int,
        _whole(0, WAIT_MAX_S),
        WithJsonSchema({"type": "integer", "minimum": 0, "maximum": WAIT_MAX_S}),
    ] = Field(default=0, description="Real seconds to wait for a change.")
    version: Annotated[
        int | None,
        _whole(0, VERSION_MAX),
        WithJsonSchema({"type": "integer", "minimum": 0, "maximum": VERSION_MAX}),
    ] = Field(default=None, description="The version already known; else the one at arrival.")


class ReferenceQuery(Query):
    reference: OperationReference


class HistoryQueryString(Query):
    limit: Annotated[
        int, _whole(1, 200), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 200})
    ] = 50
    cursor: str | None = Field(
        default=None,
        min_length=1,
        max_length=LENGTH_MAX,
        description="The next_cursor of the page before. It carries the filters.",
    )
    kind: PublicKind | None = None
    status: Status | None = None
    since: Moment | None = Field(default=None, alias="from", description="Begun from then on.")
    until: Moment | None = Field(default=None, alias="to", description="Begun before then.")


def _flag(given: object) -> bool:
    if given in ("true", "false"):
        return given == "true"
    raise wrong("This is true or false.")


class BatchQuery(Query):
    accept_doubles: Annotated[
        bool | None, BeforeValidator(_flag), WithJsonSchema({"type": "boolean"})
    ] = Field(default=None, description="With a CSV file, what a body in JSON says itself.")


class RowsQuery(Query):
    limit: Annotated[
        int, _whole(1, 200), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 200})
    ] = 50
    cursor: str | None = Field(
        default=None,
        min_length=1,
        max_length=LENGTH_MAX,
        description="The next_cursor of the page before.",
    )


class OffsetQuery(Query):
    """The older names' pages, counted from the newest."""

    limit: Annotated[
        int, _whole(1, 200), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 200})
    ] = 50
    offset: Annotated[
        int,
        _whole(0, OFFSET_MAX),
        WithJsonSchema({"type": "integer", "minimum": 0, "maximum": OFFSET_MAX}),
    ] = 0


class EventsQuery(Query):
    after: str | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        description="The id of the last event that you have; left out: from the oldest on.",
    )
    limit: Annotated[
        int, _whole(1, 200), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 200})
    ] = 100
