"""How payouts stand over all partners, and holding all of them back."""

from __future__ import annotations

from collections.abc import Mapping

from bot.context import TurnContext
from bot.handlers.admin.proposal_facts import ADMIN_LANGUAGE
from bot.handlers.admin.wording import actor_name
from bot.handlers.declaring import Handlers
from flows.engine.host import Exit, View
from services import payout_freeze, payout_settlement, utility_balance
from services.domain.ledger import HOUSE, AccountKind
from services.domain.partner import Right
from services.domain.refusal import Refusal

HANDLERS = Handlers()

ABOUT = "payouts"  # what the audit log calls all of them


@HANDLERS.view(
    "payouts_desk", needs=Right.ADMIN, shows=("accounts", "float", "on_the_way", "short", "state")
)
def payouts_desk(turn: TurnContext) -> View:
    tx = turn.tx
    accounts = [
        turn.say(
            "payouts.show.account",
            {"account": one.account, "amount": one.amount, "at": one.told_at},
        )
        for one in tx.mpesa_balances.every()
    ]
    short = utility_balance.shortage(tx)
    return View(
        {
            "state": _state(turn),
            "accounts": "\n".join(accounts) or turn.say("payouts.show.untold"),
            "float": tx.overview.balances()[AccountKind.FLOAT].posted,
            "on_the_way": tx.payouts.on_their_way(),
            "short": ""
            if short is None
            else turn.say("payouts.show.short", {"missing": short.missing}),
        }
    )


def _state(turn: TurnContext) -> str:
    if turn.app.policy.payout_short_code is None:
        return turn.say("payouts.show.not_set_up")
    pause = turn.tx.payout_pauses.standing()
    if pause is None:
        return turn.say("payouts.show.running")
    facts = {"at": pause.began_at, "why": pause.why, "reference": pause.operation or ""}
    return turn.say("payouts.show.paused" if pause.operation else "payouts.show.by_admin", facts)


@HANDLERS.use_case("ask_mpesa_balances", needs=Right.ADMIN)
def ask(turn: TurnContext) -> Exit | Refusal:
    if turn.app.policy.payout_short_code is None:
        return Refusal("pay_not_set_up")
    if payout_settlement.may_ask_nothing(turn.tx):
        return Refusal("payouts_credential_refused")
    turn.wake("mpesa_balances")
    return Exit("asked", above=turn.say("payouts.asked"))


@HANDLERS.use_case("pause_payouts", needs=Right.ADMIN)
def pause(turn: TurnContext) -> Exit | Refusal:
    refusal = payout_freeze.pause_all(turn.tx)
    if refusal is not None:
        return refusal
    turn.audit(HOUSE, "payouts_paused", ABOUT)
    turn.notify_admins("notice.payouts_paused_by", _who(turn))
    return Exit("done")


@HANDLERS.use_case("resume_payouts", needs=Right.ADMIN)
def resume(turn: TurnContext) -> Exit | Refusal:
    refusal = payout_freeze.resume_all(turn.tx, turn.actor)
    if refusal is not None:
        return refusal
    turn.audit(HOUSE, "payouts_resumed", ABOUT)
    turn.wake("payouts")
    turn.notify_admins("notice.payouts_resumed_by", _who(turn))
    return Exit("done")


def _who(turn: TurnContext) -> Mapping[str, str]:
    return {"who": actor_name(turn, turn.actor, ADMIN_LANGUAGE)}
