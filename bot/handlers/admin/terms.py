"""Fees, limits and low-balance marks, as admins see and set them."""

from __future__ import annotations

from collections.abc import Iterable

from bot.context import TurnContext
from bot.handlers.admin.partners import get
from bot.handlers.declaring import Handlers
from flows.engine.host import Exit, View
from services import preferences, terms
from services.domain.fees import Fee, FeeKind
from services.domain.ledger import HOUSE
from services.domain.limits import DESK, EVERYBODY, PAYOUT_LIMITS, LimitName
from services.domain.money import Money
from services.domain.partner import Right
from services.domain.refusal import Refusal

HANDLERS = Handlers()

# Refusals after which a different amount may be accepted.
AMOUNT_REFUSED = frozenset({"limit_crossed", "limit_least"})


# Fees ------------------------------------------------------------------------------------------


@HANDLERS.view("fees", needs=Right.ADMIN, shows=("code", "processing", "transfer"))
def fees(turn: TurnContext, code: str) -> View:
    facts = {
        kind.value: turn.say("fees.kind.line", {"terms": turn.tx.fees.in_force(code, kind)})
        for kind in FeeKind
    }
    return View({"code": code, **facts})


@HANDLERS.use_case("compare_fee", needs=Right.ADMIN)
def compare_fee(turn: TurnContext, code: str, fee: Fee) -> Exit | Refusal:
    standing = turn.tx.fees.in_force(code, fee.kind)
    if standing.has_terms_of(fee):
        return Refusal("fee_same")
    return Exit("compared", sets={"old": standing})


@HANDLERS.use_case("set_fee", needs=Right.ADMIN)
def set_fee(turn: TurnContext, code: str, fee: Fee, old: Fee) -> Exit | Refusal:
    added = terms.set_fee(turn.tx, code, fee, turn.actor, instead_of=old)
    if isinstance(added, Refusal):
        return added
    facts = {"kind": added.kind, "version": added.version, "old": old, "new": added}
    turn.audit(code, "fee_set", f"{code}:{added.kind}", facts)
    return Exit("done", sets={"version": added.version})


# Limits ----------------------------------------------------------------------------------------


@HANDLERS.use_case("whose_limits", needs=Right.ADMIN)
def whose_limits(turn: TurnContext, code: str) -> Exit | Refusal:
    return Exit("desk" if code == DESK else "partner")


@HANDLERS.view("limits", needs=Right.ADMIN, shows=("code", "lines"))
def limits(turn: TurnContext, code: str) -> View:
    return _limits(turn, code, [name for name in LimitName if name not in PAYOUT_LIMITS])


@HANDLERS.view("payout_limits", needs=Right.ADMIN, shows=("code", "lines"))
def payout_limits(turn: TurnContext, code: str) -> View:
    return _limits(turn, code, PAYOUT_LIMITS)


def _limits(turn: TurnContext, code: str, names: Iterable[LimitName]) -> View:
    """Each limit in force, and whether it is the partner's own or shared."""
    partner = _limit_owner(code)
    lines = []
    for name in names:
        if partner != EVERYBODY and name is LimitName.FLOAT_DAY_DESK:
            continue
        own = turn.tx.limits.own(name, partner)
        limit = own if own is not None else turn.tx.limits.find(name, partner)
        facts = {
            "name": name,
            "amount": turn.say("limits.none") if limit is None else limit,
        }
        shared = own is None and limit is not None
        lines.append(turn.say("limits.shared" if shared else "limits.line", facts))
    return View({"code": code, "lines": "\n".join(lines)})


@HANDLERS.use_case("compare_limit", needs=Right.ADMIN)
def compare_limit(turn: TurnContext, code: str, limit: str, amount: Money) -> Exit | Refusal:
    partner = _limit_owner(code)
    refusal = terms.check_limit(turn.tx, limit, amount, partner)
    if refusal is not None and refusal.code in AMOUNT_REFUSED:
        return Exit("again", above=turn.say(f"refusal.{refusal.code}", refusal.facts))
    if refusal is not None:
        return refusal
    old = turn.tx.limits.find(limit, partner)
    return Exit("first") if old is None else Exit("changes", sets={"old": old})


@HANDLERS.use_case("set_limit", needs=Right.ADMIN)
def set_limit(turn: TurnContext, code: str, limit: str, amount: Money) -> Exit | Refusal:
    partner = _limit_owner(code)
    old = turn.tx.limits.find(limit, partner)
    refusal = terms.set_limit(turn.tx, limit, amount, turn.actor, partner)
    if refusal is not None:
        return refusal
    facts = {"old": "none" if old is None else old, "new": amount}
    turn.audit(partner or HOUSE, "limit_set", f"{code}:{limit}", facts)
    return Exit("done")


def _limit_owner(code: str) -> str:
    return EVERYBODY if code == DESK else code


# The low mark ----------------------------------------------------------------------------------


@HANDLERS.use_case("compare_mark", needs=Right.ADMIN)
def compare_mark(turn: TurnContext, code: str) -> Exit | Refusal:
    return Exit("compared", sets={"old": _mark(turn, code)})


@HANDLERS.use_case("set_mark", needs=Right.ADMIN)
def set_mark(turn: TurnContext, code: str, amount: Money) -> Exit | Refusal:
    old = _mark(turn, code)
    refusal = preferences.set_thresholds(turn.tx, get(turn, code), wallet=amount)
    if refusal is not None:
        return refusal
    turn.audit(code, "threshold_set", code, {"old": old, "new": amount})
    return Exit("done")


def _mark(turn: TurnContext, code: str) -> Money:
    partner = get(turn, code)
    return Money(partner.low_balance_cents, partner.currency)
