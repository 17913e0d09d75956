"""Handlers of the ceiling flow: how much a key may pay customers in a day without a code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.context import TurnContext
from bot.handlers import wrong_codes
from bot.handlers.declaring import Handlers
from bot.handlers.wrong_codes import own_live_code, refuse_code
from flows.engine.host import Exit, View
from services import payout_ceilings
from services.domain.api_key import ApiKey
from services.domain.ids import Reference
from services.domain.money import Money
from services.domain.partner import Right
from services.domain.refusal import Refusal
from services.otp import Issued, NotPassed

HANDLERS = Handlers()


@HANDLERS.view("payout_ceilings", needs=Right.SET_RULES, shows=("lines",))
def ceilings(turn: TurnContext) -> View:
    keys = payout_ceilings.paying_keys(turn.tx, turn.person.partner.code)
    lines = [
        turn.say("ceiling.key.line", {"key": key.id, "ceiling": _words(turn, key)}) for key in keys
    ]
    return View({"lines": "\n".join(lines) or turn.say("ceiling.key.none")})


@HANDLERS.suggestion("paying_api_keys", needs=Right.SET_RULES)
def paying(turn: TurnContext) -> Sequence[str]:
    return [key.id for key in payout_ceilings.paying_keys(turn.tx, turn.person.partner.code)]


def _words(turn: TurnContext, key: ApiKey) -> str:
    name = "above" if key.payout_ceiling_cents else "nothing"
    return turn.say(f"ceiling.words.{name}", {"amount": key.payout_ceiling})


@HANDLERS.use_case("ask_ceiling", needs=Right.SET_RULES)
def ask(turn: TurnContext, key: Reference, ceiling: Money) -> Exit | Refusal:
    app = turn.app
    issued = payout_ceilings.request_change(
        turn.tx, app.keys, app.random, app.policy, turn.person, key, ceiling
    )
    if isinstance(issued, Refusal):
        return issued
    _send_code(turn, issued)
    return Exit("sent", sets={"change": issued.otp.binding.operation})


@HANDLERS.code_check(
    "check_ceiling_code", needs=Right.SET_RULES, shows=("sent_to", "until"), tells=("reason",)
)
def check_code(
    turn: TurnContext, operation: Reference, code: str, key: Reference, ceiling: Money
) -> Exit | Refusal:
    app, person = turn.app, turn.person
    answer = payout_ceilings.confirm_change(
        turn.tx, app.keys, app.policy, person, operation, key, ceiling, code
    )
    match answer:
        case Refusal():
            reason = turn.say(f"refusal.{answer.code}", answer.facts)
            return Exit("refused", {"reason": reason})
        case NotPassed():
            binding = payout_ceilings.code_binding(person, operation, key, ceiling)
            return refuse_code(turn, binding, answer, code)
        case ApiKey():
            _record(turn, answer, ceiling)
            return Exit("right")


def _record(turn: TurnContext, before: ApiKey, ceiling: Money) -> None:
    """Tell the other owners: whoever has the key needs no code of theirs."""
    person, partner = turn.person, turn.person.partner.code
    facts = {"cents": ceiling.cents, "before": before.payout_ceiling_cents}
    turn.audit(partner, "ceiling_set", before.id, facts)
    told = {"who": person.name, "key": before.id, "code": partner, "amount": ceiling}
    notice = "notice.ceiling_set" if ceiling.cents else "notice.ceiling_taken"
    for owner in turn.tx.people.owners(partner):
        if owner.id != person.id:
            turn.notify_person(owner, notice, told, opens="keys")


@HANDLERS.action("resend_ceiling_code", needs=Right.SET_RULES)
def resend(turn: TurnContext, operation: Reference) -> Exit | Refusal | None:
    before = own_live_code(turn, operation)
    if isinstance(before, Exit):
        return before
    app = turn.app
    issued = payout_ceilings.resend_code(
        turn.tx, app.keys, app.random, app.policy, turn.person, before.binding
    )
    if isinstance(issued, Refusal):
        return issued
    _send_code(turn, issued)
    return None


def _send_code(turn: TurnContext, issued: Issued) -> None:
    binding = issued.otp.binding
    facts = {"key": binding.destination, "amount": binding.amount}
    turn.send_code(issued, "sms.ceiling_code", facts)


@HANDLERS.action("ceiling_code_stands", needs=Right.VIEW)
def exit_if_code_ended(turn: TurnContext, operation: Reference) -> Exit | None:
    return wrong_codes.exit_if_code_ended(turn, operation)


@HANDLERS.action("cancel_ceiling", needs=Right.VIEW)
def cancel(turn: TurnContext, operation: Reference) -> None:
    payout_ceilings.cancel(turn.tx, turn.person, operation)


@HANDLERS.progress(payout_ceilings.PREFIX, needs=Right.VIEW)
def progress(turn: TurnContext, operation: Reference) -> Mapping[str, Any]:
    return wrong_codes.code_facts(turn, operation)
