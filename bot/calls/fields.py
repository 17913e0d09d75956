"""Types of the members of requests: how each is read, and how its schema describes it.

What cannot be read is told in words of our own, which never repeat what was sent.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from flows.engine.normalise import normalise_input
from flows.parsers.values import read_mobile
from services.domain.business_days import NAIROBI, start_of_day
from services.domain.ids import ALPHABET
from services.domain.money import Money
from services.domain.payout_answers import REMARKS, REMARKS_LEAST, REMARKS_MAX, are_remarks
from services.domain.phone import Phone
from services.domain.refusal import Refusal

AMOUNT_MAX = 999_999_999  # shillings
AMOUNT = r"(0|[1-9][0-9]{0,8})(\.[0-9]{1,2})?"
_ABOVE_ZERO = r"[1-9][0-9]{0,8}(\.[0-9]{1,2})?|0\.(0[1-9]|[1-9][0-9]?)"
FEE_PATTERN = f"^{AMOUNT}$"
_WHOLE_AMOUNT = r"[1-9][0-9]{0,8}(\.0{1,2})?"
WHOLE_ONLY = "M-PESA takes whole shillings."
PHONE_MAX = 60  # characters, with the unseen ones that a pasted contact brings
TEXT_MAX = 100  # characters of a partner's own words
CLIENT_REFERENCE_MAX = 64  # characters of what a partner calls its payout
# Neither control nor format characters, nor halves of surrogate pairs.
_UNSEEN = r"\x00-\x1f\x7f-\xa0\xad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff0-\uffff"
_PRINTABLE = rf"[^{_UNSEEN}\ud800-\udfff]*"
PRINTABLE_SCHEMA = rf"^[^{_UNSEEN}]*$"  # a JSON text in UTF-8 holds no surrogates
REFERENCE = rf"[A-Z]{{2}}-[{ALPHABET}]{{6}}"
CODE = r"[0-9]{6}"
_EMAIL = r"[!-?A-~]+@[!-?A-~]+"  # visible ASCII with one @
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"
# The mobile numbers that Kenya has given out; a test compares this with the numbering plan.
_MOBILE = r"(7[0-9]{2}|1(0[0-8]|1[0-9]|2[014]|3[05-9]|4[0-6]|8[0-9]))[0-9]{6}"


def wrong(why: str) -> PydanticCustomError:
    return PydanticCustomError("unreadable", "{why}", {"why": why})


def read_amount(given: object, pattern: str = AMOUNT) -> Money:
    """An integer of shillings, or a text with up to two decimals; above 0 and never a float.

    Raises ``PydanticCustomError``.
    """
    if isinstance(given, int) and not isinstance(given, bool) and 0 < given <= AMOUNT_MAX:
        return Money(given * 100)
    if isinstance(given, str) and re.fullmatch(pattern, given, re.ASCII):
        amount = Money.of(given)
        if amount.cents:
            return amount
    raise wrong("An amount is a whole number above 0, or a text such as 1500.00.")


def _whole_amount(given: object) -> Money:
    amount = read_amount(given)
    if not amount.is_whole:
        raise wrong(WHOLE_ONLY)
    return amount


def read_fee(given: object) -> Money:
    if given == 0 and not isinstance(given, bool | float):
        return Money(0)
    if isinstance(given, str) and re.fullmatch(AMOUNT, given, re.ASCII):
        return Money.of(given)
    return read_amount(given)


def _digits(given: object) -> object:
    """A number is what its digits say: clients in many languages send a phone or a code as one."""
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


def _phone(given: object) -> Phone:
    given = _digits(given)
    typed = normalise_input(given) if isinstance(given, str) and len(given) <= PHONE_MAX else ""
    phone = read_mobile(typed)
    if isinstance(phone, Refusal):
        raise wrong("This is not a Kenyan mobile number.")
    return phone


def _text(given: object) -> str:
    if isinstance(given, str) and len(given) <= TEXT_MAX and re.fullmatch(_PRINTABLE, given):
        return given
    raise wrong(f"This is a text of at most {TEXT_MAX} printable characters.")


def _remarks(given: object) -> str:
    if isinstance(given, str) and are_remarks(given):
        return given
    raise wrong("Remarks are 2 to 100 characters of ASCII, without < > & and double quotes.")


def _client_reference(given: object) -> str:
    if (
        isinstance(given, str)
        and 0 < len(given) <= CLIENT_REFERENCE_MAX
        and re.fullmatch(_PRINTABLE, given)
    ):
        return given
    raise wrong(f"This is a text of 1 to {CLIENT_REFERENCE_MAX} printable characters.")


def _reference(given: object) -> str:
    if isinstance(given, str) and re.fullmatch(REFERENCE, given, re.ASCII):
        return given
    raise wrong("A reference looks like TU-7K3QF9.")


def _code(given: object) -> str:
    given = _digits(given)
    if isinstance(given, str) and re.fullmatch(CODE, given, re.ASCII):
        return given
    raise wrong("A code has six digits.")


def _email(given: object) -> str:
    if isinstance(given, str) and 3 <= len(given) <= 254 and re.fullmatch(_EMAIL, given):
        return given.lower()
    raise wrong("This is not a mail address.")


def read_moment(given: str) -> datetime | None:
    """A Nairobi day's start, or a time of RFC 3339; ``None`` for neither.

    What lies before 1970 or after 2170 becomes these: no record is older, or younger.
    """
    try:
        if re.fullmatch(_DAY, given, re.ASCII):
            day = datetime.fromisoformat(given).date()
            return start_of_day(min(max(day, _EARLIEST.date()), _LATEST.date()))
        if not re.fullmatch(f"{_DAY}T{_TIME}", given, re.ASCII):
            return None
        moment = datetime.fromisoformat(given)
    except ValueError:
        return None
    return min(max(moment, _EARLIEST), _LATEST)


_EARLIEST = datetime(1970, 1, 2, tzinfo=NAIROBI)
_LATEST = datetime(2170, 1, 1, tzinfo=NAIROBI)


def _schema(**members: Any) -> WithJsonSchema:
    return WithJsonSchema(members)


_INTEGER = {"type": "integer", "minimum": 1, "maximum": AMOUNT_MAX}
Amount: TypeAlias = Annotated[
    Money,
    BeforeValidator(read_amount),
    _schema(
        description="Shillings: an integer, or a text with up to two decimals. Above 0.",
        anyOf=[
            _INTEGER,
            {"type": "string", "pattern": f"^({_ABOVE_ZERO})$"},
        ],
        examples=["1500.00", 1500],
    ),
]
WHOLE_AMOUNT_SCHEMA: dict[str, Any] = {
    "description": "Whole shillings: an integer, or a text such as 1500 or 1500.00. Above 0.",
    "anyOf": [_INTEGER, {"type": "string", "pattern": f"^{_WHOLE_AMOUNT}$"}],
    "examples": ["1500.00", 1500],
}
WholeAmount: TypeAlias = Annotated[
    Money, BeforeValidator(_whole_amount), WithJsonSchema(WHOLE_AMOUNT_SCHEMA)
]
Fee: TypeAlias = Annotated[
    Money,
    BeforeValidator(read_fee),
    _schema(
        description="As quoted.",
        anyOf=[{**_INTEGER, "minimum": 0}, {"type": "string", "pattern": FEE_PATTERN}],
        examples=["25.00"],
    ),
]
PHONE_SCHEMA = _schema(
    description="A Kenyan mobile number, in any form that people write it.",
    anyOf=[
        {"type": "string", "pattern": rf"^(0|\+?254){_MOBILE}$"},
        {"type": "integer", "minimum": 254_700_000_000, "maximum": 254_799_999_999},
    ],
    examples=["0722000111"],
)
PhoneNumber: TypeAlias = Annotated[Phone, BeforeValidator(_phone), PHONE_SCHEMA]
Description: TypeAlias = Annotated[
    str,
    BeforeValidator(_text),
    _schema(
        type="string",
        maxLength=TEXT_MAX,
        pattern=PRINTABLE_SCHEMA,
        description="Your own words, given back with the operation.",
        examples=["Order 1042"],
    ),
]
REMARKS_SCHEMA: dict[str, Any] = {
    "type": "string",
    "minLength": REMARKS_LEAST,
    "maxLength": REMARKS_MAX,
    "pattern": f"^{REMARKS}$",
    "description": "What M-PESA keeps with the payment, for your statement; ours if left out.",
    "examples": ["Wages of November"],
}
Remarks: TypeAlias = Annotated[str, BeforeValidator(_remarks), WithJsonSchema(REMARKS_SCHEMA)]
ClientReference: TypeAlias = Annotated[
    str,
    BeforeValidator(_client_reference),
    _schema(
        type="string",
        minLength=1,
        maxLength=CLIENT_REFERENCE_MAX,
        pattern=PRINTABLE_SCHEMA,
        description="What you call this payout, given back with it.",
        examples=["payroll-11-17"],
    ),
]
OperationReference: TypeAlias = Annotated[
    str,
    BeforeValidator(_reference),
    _schema(type="string", pattern=f"^{REFERENCE}$", examples=["TU-7K3QF9"]),
]
OneTimeCode: TypeAlias = Annotated[
    str,
    BeforeValidator(_code),
    _schema(
        anyOf=[
            {"type": "string", "pattern": f"^{CODE}$"},
            {"type": "integer", "minimum": 100_000, "maximum": 999_999},
        ],
        examples=["123456"],
    ),
]
EmailAddress: TypeAlias = Annotated[
    str,
    BeforeValidator(_email),
    _schema(
        type="string",
        minLength=3,
        maxLength=254,
        pattern=f"^{_EMAIL}$",
        examples=["wanjiru@duka.example"],
    ),
]
