"""Whose code approves what a partner's system asks for, and which operations it may ask about."""

from __future__ import annotations

from bot.calls.answers import FieldError, Problem, ProblemCode, invalid
from bot.calls.caller import CHANNEL, CallContext
from services.domain.api_key import Scope
from services.domain.partner import MOVES_MONEY, Person
from services.domain.payout import Payout
from services.domain.phone import Phone
from services.domain.spending import Spending
from services.domain.topup import TopUp

_UNKNOWN = Problem(
    ProblemCode.OTP_ADDRESS_UNKNOWN,
    "Codes go to the registered number or mail address of one of your people who may move money.",
)


def registered(call: CallContext, phone: Phone | None, email: str | None) -> Person | Problem:
    """The person with this number and this mail address; with neither, the partner's only owner."""
    if phone is None and email is None:
        owners = [owner for owner in call.tx.people.owners(call.partner.code) if _may(call, owner)]
        if len(owners) == 1:
            return owners[0]
        return invalid(
            FieldError(
                "/phone_number",
                "Say who gets the code: you have no single owner.",
            )
        )
    found = [
        person
        for person in call.tx.people.of(call.partner.code)
        if (phone is None or person.phone == phone)
        and (email is None or (person.email or "").lower() == email)
        and _may(call, person)
    ]
    return found[0] if len(found) == 1 else _UNKNOWN


def holder_of(call: CallContext, person_id: int | None) -> Person | Problem:
    """The person whose code it is, who must still be allowed to move money."""
    person = None if person_id is None else call.tx.people.of_id(person_id)
    if person is None or person.partner.code != call.partner.code or not _may(call, person):
        return _UNKNOWN
    return person


def _may(call: CallContext, person: Person) -> bool:
    """Only who has joined has shown that the number is theirs."""
    return person.role in MOVES_MONEY and bool(call.tx.people.addresses(person.id))


def scope_of(operation: TopUp | Spending) -> Scope:
    """What a key must have for its codes."""
    match operation:
        case TopUp():
            return Scope.TOPUP
        case Payout():
            return Scope.PAYOUT
        case _:
            return Scope.FLOAT


def is_hidden(call: CallContext, found: TopUp | Spending) -> bool:
    """Another partner's, or one that was begun in a chat: its code is its person's to give."""
    is_public = call.tx.public_operations.get(found.reference) is not None
    return found.partner != call.partner.code or not is_public or found.channel != CHANNEL
