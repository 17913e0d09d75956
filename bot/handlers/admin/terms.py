"""Fees, limits and low-balance marks, as admins see and set them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.context import TurnContext
from bot.handlers.admin.partners import get
from bot.handlers.signatures import UseCase, ViewBuilder
from flows.engine.host import Exit, View
from services import preferences, terms
from services.domain.fees import Fee, FeeKind
from services.domain.ledger import HOUSE
from services.domain.limits import DESK, EVERYBODY, LimitName
from services.domain.money import Money
from services.domain.refusal import Refusal

# Refusals after which a different amount may be accepted.
AMOUNT_REFUSED = frozenset({"limit_crossed", "limit_least"})


# Fees ------------------------------------------------------------------------------------------


def fees(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> View:
    code = args["code"]
    facts = {
        kind.value: turn.say("fees.kind.line", _fee(turn.tx.fees.in_force(code, kind)))
        for kind in FeeKind
    }
    return View({"code": code, **facts})


def _fee(fee: Fee) -> dict[str, Any]:
    return {"terms": fee, "version": fee.version}


def compare_fee(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    fee: Fee = args["fee"]
    standing = turn.tx.fees.in_force(args["code"], fee.kind)
    if standing.has_terms_of(fee):
        return Refusal("fee_same")
    return Exit("compared", sets={"old": standing})


def set_fee(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    code, old = args["code"], args["old"]
    added = terms.set_fee(turn.tx, code, args["fee"], turn.actor, instead_of=old)
    if isinstance(added, Refusal):
        return added
    facts = {"kind": added.kind, "version": added.version, "old": old, "new": added}
    turn.audit(code, "fee_set", f"{code}:{added.kind}", facts)
    return Exit("done", sets={"version": added.version})


# Limits ----------------------------------------------------------------------------------------


def whose_limits(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    return Exit("desk" if args["code"] == DESK else "partner")


def limits(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> View:
    """Each limit in force, and whether it is the partner's own or shared."""
    code = args["code"]
    partner = _limit_owner(code)
    lines = []
    for name in LimitName:
        if partner != EVERYBODY and name is LimitName.FLOAT_DAY_DESK:
            continue
        own = turn.tx.limits.own(name, partner)
        limit = own if own is not None else turn.tx.limits.find(name, partner)
        facts = {
            "name": turn.say(f"limits.desk.{name.replace('.', '-')}"),
            "amount": turn.say("limits.none") if limit is None else limit,
        }
        shared = own is None and limit is not None
        lines.append(turn.say("limits.shared" if shared else "limits.line", facts))
    return View({"code": code, "lines": "\n".join(lines)})


def compare_limit(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    name, amount, partner = args["limit"], args["amount"], _limit_owner(args["code"])
    refusal = terms.check_limit(turn.tx, name, amount, partner)
    if refusal is not None and refusal.code in AMOUNT_REFUSED:
        return Exit("again", above=turn.say(f"refusal.{refusal.code}", refusal.facts))
    if refusal is not None:
        return refusal
    old = turn.tx.limits.find(name, partner)
    return Exit("first") if old is None else Exit("changes", sets={"old": old})


def set_limit(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    code, name, amount = args["code"], args["limit"], args["amount"]
    partner = _limit_owner(code)
    old = turn.tx.limits.find(name, partner)
    refusal = terms.set_limit(turn.tx, name, amount, turn.actor, partner)
    if refusal is not None:
        return refusal
    facts = {"old": "none" if old is None else old, "new": amount}
    turn.audit(partner or HOUSE, "limit_set", f"{code}:{name}", facts)
    return Exit("done")


def _limit_owner(code: str) -> str:
    return EVERYBODY if code == DESK else code


# The low mark ----------------------------------------------------------------------------------


def compare_mark(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    return Exit("compared", sets={"old": _mark(turn, args["code"])})


def set_mark(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    code, amount = args["code"], args["amount"]
    old = _mark(turn, code)
    refusal = preferences.set_partner_thresholds(turn.tx, get(turn, code), wallet=amount)
    if refusal is not None:
        return refusal
    turn.audit(code, "threshold_set", code, {"old": old, "new": amount})
    return Exit("done")


def _mark(turn: TurnContext, code: str) -> Money:
    partner = get(turn, code)
    return Money(partner.low_balance_cents, partner.currency)


USE_CASES: dict[str, UseCase] = {
    "compare_fee": compare_fee,
    "set_fee": set_fee,
    "whose_limits": whose_limits,
    "compare_limit": compare_limit,
    "set_limit": set_limit,
    "compare_mark": compare_mark,
    "set_mark": set_mark,
}
VIEWS: dict[str, ViewBuilder] = {"fees": fees, "limits": limits}
