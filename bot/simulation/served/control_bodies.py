"""What the world's controls are asked, as it comes in: JSON bodies, and queries."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, model_validator

from bot.calls.fields import read_amount
from bot.simulation.ncba.handsets import Handset
from flows.parsers.values import read_mobile
from services.domain.api_key import Scope
from services.domain.money import Money
from services.domain.phone import Phone

ADVANCE_MAX_S = 2 * 86_400  # takes some real seconds, because every job of those days runs
TIMES_MAX = 1_000
PAYEE_MAX = 100  # characters of what a payee does
NOTIFY_TIMES_MAX = 100


def _phone(typed: object) -> Phone:
    read = read_mobile(typed) if isinstance(typed, str) else None
    if not isinstance(read, Phone):
        raise ValueError("no Kenyan mobile number")
    return read


def _handset(word: object) -> Handset:
    if not isinstance(word, str) or word not in list(Handset):
        raise ValueError(f"a handset {', '.join(Handset)}")
    return Handset(word)


def _scope(name: object) -> Scope:
    if not isinstance(name, str) or name not in Scope.__members__:
        raise ValueError(f"a scope is {', '.join(Scope.__members__)}")
    return Scope[name]


PhoneText = Annotated[Phone, PlainValidator(_phone)]
Amount = Annotated[Money, PlainValidator(read_amount)]


class ControlBody(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Nothing(ControlBody):
    pass


class SetHandset(ControlBody):
    phone: PhoneText
    does: Annotated[Handset, PlainValidator(_handset)]


class SetPayee(ControlBody):
    """``does`` in the words of a script's ``@payee``."""

    phone: PhoneText
    does: str = Field(min_length=1, max_length=PAYEE_MAX)


class ArmBank(ControlBody):
    call: str
    fault: str
    times: int = Field(1, ge=1, le=TIMES_MAX)


class Notify(ControlBody):
    """``ref`` as a payer types it."""

    phone: PhoneText
    amount: Amount
    ref: str = Field(min_length=1, max_length=100)
    receipt: str | None = Field(None, pattern="^[A-Za-z0-9]{1,20}$")
    times: int = Field(1, ge=1, le=NOTIFY_TIMES_MAX)


class OfPhone(ControlBody):
    phone: PhoneText


class OfAddress(ControlBody):
    address: str = Field(min_length=1)


class Advance(ControlBody):
    seconds: float = Field(ge=0, le=ADVANCE_MAX_S)


class Crash(ControlBody):
    """``at`` in the words of a script's ``@crash at``; without it, now."""

    at: str | None = None
    nth: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _nth_of_a_point(self) -> Crash:
        if self.nth is not None and self.at is None:
            raise ValueError("nth belongs to a point: at is missing")
        return self


class Say(ControlBody):
    person: str
    text: str | None = Field(None, min_length=1)
    tap: str | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _one_of_both(self) -> Say:
        if (self.text is None) == (self.tap is None):
            raise ValueError("either text or tap")
        return self


class CreateKey(ControlBody):
    partner: str
    scopes: list[Annotated[Scope, PlainValidator(_scope)]] = Field(list(Scope), min_length=1)
    days: int = Field(30, ge=1, le=365)


class ArmReceiver(ControlBody):
    answers: list[Annotated[int, Field(ge=200, le=599)]] = Field(max_length=TIMES_MAX)
