"""Reads what a request gives: queries and members, with errors in words of our own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.calls.answers import FieldError, Problem, invalid

QUERY_MAX = 4096  # bytes
FIELDS_MAX = 32
_M = TypeVar("_M", bound=BaseModel)


def read_members(model: type[_M], given: Mapping[str, Any]) -> _M | Problem:
    """A problem names each member that cannot be read; an unknown one by the member it stands in,
    since names are input."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        return invalid(*dict.fromkeys(map(_field_error, found)))


def read_query(raw: bytes) -> dict[str, str] | Problem:
    """Each name once."""
    try:
        if len(raw) > QUERY_MAX:
            raise ValueError
        pairs = parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=FIELDS_MAX,
        )
    except ValueError:
        return invalid(FieldError("", "The query cannot be read."))
    found = dict(pairs)
    if len(found) != len(pairs):
        return invalid(FieldError("", "A name stands twice in the query."))
    return found


def _field_error(error: ErrorDetails) -> FieldError:
    place = error["loc"]
    if error["type"] == "extra_forbidden":
        return FieldError(_pointer(place[:-1]), "It has a member that is not known here.")
    detail = "This is missing." if error["type"] == "missing" else error["msg"]
    return FieldError(_pointer(place), detail)


def _pointer(place: Sequence[int | str]) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in place)
