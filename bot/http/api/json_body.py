"""Reads a JSON body strictly, and puts it into the one form that an idempotency key stands for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bot.calls.fields import AMOUNT

DEPTH_MAX = 16  # of nested members; the calls' bodies have two
NUMBER_MAX = 30  # characters
# Members whose text is a number.
AMOUNTS = frozenset({"amount", "float_amount", "transfer_fee", "processing_fee"})


class Unreadable(Exception):
    """The body is no JSON object as we take it; ``str()`` says why, without repeating it."""


class Fraction(float):
    """A number that was written with a fraction or an exponent: never an amount."""


def read_object(body: bytes) -> dict[str, Any]:
    """Raises ``Unreadable`` for anything but one JSON object in UTF-8, without duplicate names,
    without numbers beyond what a float holds, and without halves of surrogate pairs."""
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_fraction,
        )
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeError:
        raise Unreadable("The body is not UTF-8, or holds half a surrogate pair.") from None
    except RecursionError:
        raise Unreadable("The body is nested too deep.") from None
    except ValueError:
        raise Unreadable("The body is not valid JSON.") from None
    if not isinstance(value, dict):
        raise Unreadable("The body is not a JSON object.")
    if _depth(value) > DEPTH_MAX:
        raise Unreadable("The body is nested too deep.")
    return value


def canonical(method: str, path: str, body: Mapping[str, Any]) -> bytes:
    """The same for requests that mean the same: members sorted, numbers by value, and an amount as
    a number or as a text."""
    return json.dumps([method, path, _canonical(body)], separators=(",", ":")).encode()


def _canonical(value: Any, name: str = "") -> Any:
    match value:
        case dict():
            return {
                "object": [[key, _canonical(member, key)] for key, member in sorted(value.items())]
            }
        case list():
            return [_canonical(item) for item in value]
        case str() if name in AMOUNTS and re.fullmatch(AMOUNT, value, re.ASCII):
            return {"number": _number(Decimal(value))}
        case bool() | None | str():
            return value
        case _:
            return {"number": _number(Decimal(str(value)))}


def _number(value: Decimal) -> str:
    return str(value.normalize()) if value else "0"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable("A member stands twice in the body.")
    return found


def _constant(text: str) -> Any:
    raise Unreadable("The body is not valid JSON.")


def _integer(text: str) -> int:
    if len(text) > NUMBER_MAX:
        raise Unreadable("A number in the body is too long.")
    return int(text)


def _fraction(text: str) -> Fraction:
    number = Fraction(text)
    if len(text) > NUMBER_MAX or number in (float("inf"), float("-inf")):
        raise Unreadable("A number in the body is too long.")
    return number


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(
        (_depth(member) for member in inner if isinstance(member, dict | list)), default=0
    )
