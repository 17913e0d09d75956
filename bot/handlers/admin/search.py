"""Find an operation by reference, the bank's id or M-PESA's, receipt or phone."""

from __future__ import annotations

import re
from typing import Any

from bot.context import TurnContext
from bot.handlers.admin.timeline_subjects import find_timeline
from bot.handlers.declaring import Handlers
from bot.handlers.state_words import say_state
from flows.engine.host import Exit, View
from flows.parsers.values import read_mobile
from services.domain.ids import ALPHABET, REFERENCE_LENGTH
from services.domain.operation import FoundOperation
from services.domain.partner import Right
from services.domain.payout import reference_of
from services.domain.phone import Phone
from services.domain.refusal import Refusal

HANDLERS = Handlers()

FOUND_MAX = 8  # to choose from

_OURS = re.compile(
    rf"(TU|FL|PO|BA|AD|ST|IN|PR|PB|NT|RC|RV)-?([{ALPHABET}]{{{REFERENCE_LENGTH}}})", re.IGNORECASE
)
_LAST_FOUR = re.compile(r"[0-9]{4}")


@HANDLERS.use_case("search", needs=Right.ADMIN)
def search(turn: TurnContext, what: str) -> Exit | Refusal:
    """Try our own references first, then bank ids, M-PESA receipts and phones. A payout's id at
    M-PESA, such as HZPO7K3QF9, is its reference too."""
    sought = reference_of(what.upper()) or what
    ours = _OURS.fullmatch(sought)
    if ours is not None:
        reference = f"{ours[1]}-{ours[2]}".upper()
        if find_timeline(turn, reference) is not None:
            return Exit("one", sets={"reference": reference})
    operations = matching(turn, sought)
    if not operations:
        recorded = turn.tx.payments.get(sought.upper())
        if recorded is not None:  # a payment in suspense: no operation has its receipt
            return Exit("one", sets={"reference": recorded.reference})
        return Refusal("nothing_found")
    if len(operations) == 1:
        return Exit("one", sets={"reference": operations[0].operation.reference})
    return Exit("many")


@HANDLERS.view("found", needs=Right.ADMIN, shows=("lines",))
def found(turn: TurnContext, what: str) -> View:
    """Matching operations, newest first."""
    operations = matching(turn, what)
    references = [match.operation.reference for match in operations]
    lines = [turn.say("find.list.line", operation_facts(turn, match)) for match in operations]
    return View({"lines": "\n".join(lines)}, list(zip(references, references, strict=True)))


def operation_facts(turn: TurnContext, found: FoundOperation) -> dict[str, Any]:
    """Facts for one line of a list."""
    operation = found.operation
    return {
        "reference": operation.reference,
        "code": found.partner,
        "at": operation.begun_at,
        "amount": operation.amount,
        "state": say_state(turn, operation.reference, operation.state),
    }


def matching(turn: TurnContext, sought: str) -> list[FoundOperation]:
    store = turn.tx.operations
    found = store.of_bank_id(sought, FOUND_MAX) or store.of_receipt(sought.upper(), FOUND_MAX)
    if found:
        return found
    if _LAST_FOUR.fullmatch(sought):
        return store.of_phone(sought, None, FOUND_MAX)
    phone = read_mobile(sought)
    if isinstance(phone, Phone):
        return store.of_phone(phone.msisdn[-4:], phone.msisdn, FOUND_MAX)
    return []
